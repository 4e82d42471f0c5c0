//! Who says what, since when, and when they are asked again: on a terminal, each look in place of
//! the one before.

use std::collections::HashMap;

use crate::dcv::judge::DcvVerdict;
use crate::report::{LiveProgress, Sink};

/// One record, file or mailbox in the table.
pub(crate) struct TableGroup {
    pub(super) verdict: DcvVerdict,
    pub(super) name: String,
    pub(super) rows: Vec<(String, String)>,
}

/// The table; nothing where there is no terminal.
pub(super) struct ProgressTable<'a> {
    sink: &'a Sink,
    live: Option<LiveProgress>,
    until: String,
    looks: usize,
    /// What each server says of each record, and since when.
    since: HashMap<(String, String), (String, String)>,
}

impl<'a> ProgressTable<'a> {
    pub(super) fn new(sink: &'a Sink, until: String) -> Self {
        Self {
            sink,
            live: sink.live(),
            until,
            looks: 0,
            since: HashMap::new(),
        }
    }

    /// Shows how it stands now; false where there is no terminal to show it on.
    pub(super) fn draw(&mut self, groups: &[TableGroup], now: &str, next: &str) -> bool {
        let Some(mut live) = self.live.take() else {
            return false;
        };
        self.looks += 1;
        let mut lines = Vec::new();
        for group in groups {
            lines.push(format!("{}  {}", group.verdict.word(), group.name));
            lines.extend(self.rows(group, now));
        }
        let times = if self.looks == 1 {
            "once".to_owned()
        } else {
            format!("{} times", self.looks)
        };
        lines.push(format!(
            "{now}  looked {times}; next look {next}; until {}, or Ctrl-C",
            self.until
        ));
        self.sink.draw(&mut live, &lines);
        self.live = Some(live);
        true
    }

    fn rows(&mut self, group: &TableGroup, now: &str) -> Vec<String> {
        let width = group
            .rows
            .iter()
            .map(|(who, _)| who.chars().count())
            .max()
            .unwrap_or(0);
        let rows = group.rows.iter().map(|(who, said)| {
            let key = (group.name.clone(), who.clone());
            let known = self
                .since
                .entry(key)
                .or_insert_with(|| (said.clone(), now.to_owned()));
            if known.0 != *said {
                *known = (said.clone(), now.to_owned());
            }
            format!("  {who:width$}  {said}, since {}", known.1)
        });
        rows.collect()
    }

    /// Takes it away: the report comes now.
    pub(super) fn clear(&mut self) {
        self.live.iter_mut().for_each(|live| self.sink.clear(live));
    }
}
