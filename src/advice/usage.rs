//! Advice for command lines that cannot be parsed.

use crate::finding::NextStep;

/// No command was given.
pub(crate) fn list_commands() -> NextStep {
    NextStep::shell("certctl --help")
}

/// The help of `command`, or of certctl if the command is unknown.
pub(crate) fn show_help(command: Option<&str>) -> NextStep {
    let words: Vec<&str> = command.into_iter().chain(["--help"]).collect();
    NextStep::run(&words)
}
