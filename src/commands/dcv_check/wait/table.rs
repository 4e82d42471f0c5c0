//! The progress table on a terminal: the status of each server, the time since which it has that
//! status, and the time of the next check. Each check overwrites the previous table.

use std::collections::HashMap;

use crate::dcv::judge::DcvVerdict;
use crate::report::{LiveProgress, Sink};

/// The rows of one record, file or mailbox.
pub(crate) struct TableGroup {
    pub(super) verdict: DcvVerdict,
    pub(super) name: String,
    pub(super) rows: Vec<(String, String)>,
}

/// The table; it shows nothing without a terminal.
pub(super) struct ProgressTable<'a> {
    sink: &'a Sink,
    live: Option<LiveProgress>,
    until: String,
    checks: usize,
    /// The status of each server for each record, and since when it has that status.
    since: HashMap<(String, String), (String, String)>,
}

impl<'a> ProgressTable<'a> {
    pub(super) fn new(sink: &'a Sink, until: String) -> Self {
        Self {
            sink,
            live: sink.live_progress(),
            until,
            checks: 0,
            since: HashMap::new(),
        }
    }

    /// Draws the table; returns false without a terminal.
    pub(super) fn draw(&mut self, groups: &[TableGroup], now: &str, next: &str) -> bool {
        let Some(mut live) = self.live.take() else {
            return false;
        };
        self.checks += 1;
        let mut lines = Vec::new();
        for group in groups {
            let verdict = group.verdict.word();
            lines.push(format!("{verdict}  {}", group.name));
            lines.extend(self.rows(group, now));
        }
        let times = if self.checks == 1 {
            "checked once".to_owned()
        } else {
            format!("checked {} times", self.checks)
        };
        lines.push(format!(
            "{now}  {times}; next check {next}; until {}, or Ctrl-C",
            self.until
        ));
        self.sink.draw_progress(&mut live, &lines);
        self.live = Some(live);
        true
    }

    fn rows(&mut self, group: &TableGroup, now: &str) -> Vec<String> {
        let width = group
            .rows
            .iter()
            .map(|(server, _)| server.chars().count())
            .max()
            .unwrap_or(0);
        let mut lines = Vec::with_capacity(group.rows.len());
        for (server, status) in &group.rows {
            let key = (group.name.clone(), server.clone());
            let known = self
                .since
                .entry(key)
                .or_insert_with(|| (status.clone(), now.to_owned()));
            if known.0 != *status {
                *known = (status.clone(), now.to_owned());
            }
            lines.push(format!("  {server:width$}  {status}, since {}", known.1));
        }
        lines
    }

    /// Removes the table from the terminal, so that a report can follow.
    pub(super) fn clear(&mut self) {
        if let Some(live) = &mut self.live {
            self.sink.clear_progress(live);
        }
    }
}
