//! Bare `certctl`: the commands in groups, and the next one to run in this folder.

use serde_json::{Value, json};

use super::groups::{self, GroupedCommand};
use super::help::{ABOUT, WIDEST};
use super::pending;
use crate::context::Context;
use crate::finding::{NextStep, Severity};
use crate::report::{Outcome, TextOutput};

/// What bare `certctl` prints.
#[derive(Debug)]
pub(super) struct OverviewOutcome {
    commands: Vec<GroupedCommand>,
    next: Vec<NextStep>,
    width: usize,
}

impl OverviewOutcome {
    /// The commands of `command_line`, and what is pending in the working directory.
    pub(super) fn new(context: &Context, command_line: &clap::Command) -> Self {
        Self {
            commands: groups::list(command_line),
            next: pending::next_step(context).into_iter().collect(),
            width: context.sink.width().min(WIDEST),
        }
    }
}

impl Outcome for OverviewOutcome {
    fn json(&self) -> Value {
        let mut commands = Vec::new();
        for command in &self.commands {
            commands.push(json!({
                "group": command.group,
                "name": command.name,
                "summary": command.summary,
            }));
        }
        json!({
            "schema": "certctl.overview/1",
            "comment": ABOUT,
            "changed": false,
            "commands": commands,
            "findings": [],
            "next": self.next,
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let mut rows = groups::hanging_lines("", &format!("{ABOUT}."), 0, self.width);
        rows.push(String::new());
        rows.extend(groups::lines(&self.commands, self.width));
        rows.push(String::new());
        let more = "`certctl help COMMAND` describes a command; `certctl rehearse` runs the \
                    whole procedure on this machine alone, without a CA.";
        rows.extend(groups::hanging_lines("", more, 0, self.width));
        if !self.next.is_empty() {
            rows.push(String::new());
        }
        for row in rows {
            text.add_table_row(Severity::Note, row);
        }
        text.add_next_steps(&self.next);
    }

    fn exit_code(&self) -> u8 {
        0
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::groups::{GROUPS, lines, list};
    use crate::cli::parser::command_line;

    #[test]
    fn every_command_is_in_one_group() {
        let command_line = command_line();
        for command in command_line.get_subcommands() {
            let name = command.get_name();
            let listed = GROUPS.iter().flat_map(|(_, names)| names.iter());
            assert_eq!(listed.filter(|known| **known == name).count(), 1, "{name}");
        }
        for line in lines(&list(&command_line), 60) {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }
}
