//! The commands in the groups in which help and overview list them.

use crate::report::{columns, wrap};

/// A group and its commands, in the order of a site's life. Commands of later versions have their
/// place already; those that do not exist are not listed.
pub(super) const GROUPS: [(&str, &[&str]); 4] = [
    (
        "get",
        &["csr", "dcv-check", "dcv-publish", "order", "install"],
    ),
    ("keep", &["renew", "status", "verify", "inspect"]),
    ("fix", &["doctor", "explain", "rollback"]),
    (
        "more",
        &[
            "bundle",
            "site",
            "import",
            "account",
            "revoke",
            "forget",
            "rehearse",
            "completions",
        ],
    ),
];

/// One command in its group.
#[derive(Debug)]
pub(super) struct GroupedCommand {
    pub group: &'static str,
    pub name: &'static str,
    /// The first sentence of its help.
    pub summary: String,
}

/// The commands that exist, group by group.
pub(super) fn list(command_line: &clap::Command) -> Vec<GroupedCommand> {
    let mut commands = Vec::new();
    for (group, names) in GROUPS {
        for &name in names {
            if let Some(command) = command_line.find_subcommand(name) {
                let summary = summary(command);
                commands.push(GroupedCommand {
                    group,
                    name,
                    summary,
                });
            }
        }
    }
    commands
}

/// The first paragraph of a command's help, on one line.
fn summary(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let first = about.split("\n\n").next().unwrap_or_default();
    let first = first.split("Examples:").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The column in which the names of the commands begin, after the name of the group.
const NAME_COLUMN: usize = 6;

/// The commands as lines of at most `width` columns.
pub(super) fn lines(commands: &[GroupedCommand], width: usize) -> Vec<String> {
    let names = commands.iter().map(|command| columns(command.name));
    let summary_column = NAME_COLUMN + names.max().unwrap_or_default() + 2;
    let mut lines = Vec::new();
    let mut group_above = "";
    for command in commands {
        let group = if command.group == group_above {
            ""
        } else {
            command.group
        };
        group_above = command.group;
        let start = format!("{group:NAME_COLUMN$}{}", command.name);
        lines.extend(hanging_lines(
            &start,
            &command.summary,
            summary_column,
            width,
        ));
    }
    lines
}

/// `text` wrapped in a column of its own, with `start` before its first line.
pub(super) fn hanging_lines(start: &str, text: &str, column: usize, width: usize) -> Vec<String> {
    let wrapped = wrap(text, width.saturating_sub(column));
    let starts = std::iter::once(start).chain(std::iter::repeat(""));
    wrapped
        .iter()
        .zip(starts)
        .map(|(line, start)| format!("{start:column$}{line}"))
        .collect()
}
