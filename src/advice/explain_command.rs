//! Next steps of `explain`.

use crate::finding::NextStep;

/// The word is unknown, and `code` is similar.
#[must_use]
pub(crate) fn explain_similar(code: &str) -> NextStep {
    NextStep::run_certctl("Explain the most similar code", &["explain", code])
}

/// The word is unknown.
#[must_use]
pub(crate) fn list_codes() -> NextStep {
    NextStep::run_certctl("List all codes with their meanings", &["explain"])
}

/// `command`, or one of its options, has a new name.
#[must_use]
pub(crate) fn show_command_help(command: &str) -> NextStep {
    NextStep::run_certctl(
        format!("Read the help of `{command}`"),
        &[command, "--help"],
    )
}
