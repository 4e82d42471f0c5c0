//! Next steps of `explain`.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::system::command_words::split_command;

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

/// `--check` was given with words that are no message of another program.
#[must_use]
pub(crate) fn refuse_check() -> Failure {
    let message = "`--check` is for an error message of another program, and this is none";
    Failure::new(FailureKind::Usage, message).with_step(show_command_help("explain"))
}

/// No name is known that the commands of the causes could be printed with.
#[must_use]
pub(crate) fn check_with_own_names() -> NextStep {
    let text = "Run the command below a cause with your own HOST, NAME, FILE or KEY, or let certctl \
        look: add `--check FILE` or `--check HOST` to this command";
    NextStep::say(text).later()
}

/// `check` shows whether the most likely cause applies.
#[must_use]
pub(crate) fn check_first_cause(check: &str) -> NextStep {
    let text = "See whether the first cause applies";
    let words = check.strip_prefix("certctl ").map(split_command);
    let step = match words {
        Some(Ok(words)) => NextStep::run_certctl(text, &words),
        _ => NextStep::run_shell(text, check),
    };
    step.later()
}

/// The message is unknown.
#[must_use]
pub(crate) fn look_without_message() -> NextStep {
    let text = "Look for what is wrong on this machine";
    NextStep::run_certctl(text, &["doctor"])
}
