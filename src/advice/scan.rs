//! Advice for what `status` cannot scan.

use super::rerun;
use crate::finding::{NextStep, shell_word};

/// For an argument that is not a file, name or host: `status_command` are the words up to `status`.
#[must_use]
pub(crate) fn list_everything(status_command: &[String]) -> NextStep {
    NextStep::run_certctl(
        "List the names and files that certctl finds",
        status_command,
    )
}

/// For a host without a certificate.
#[must_use]
pub(crate) fn inspect_host(host: &str) -> NextStep {
    NextStep::run_certctl("Show what the host serves", &["inspect", host])
}

/// For a host whose name has no address.
#[must_use]
pub(crate) fn look_up_host(name: &str) -> NextStep {
    NextStep::run_shell(
        "Check the spelling; the name has no address, or the resolver does not answer",
        format!("getent ahosts {}", shell_word(name)),
    )
}

/// For keys that the user cannot read.
#[must_use]
pub(crate) fn run_status_as_root() -> NextStep {
    const SENTENCE: &str = "Check again as root, who can read all keys";
    rerun::as_root_saying(SENTENCE)
        .unwrap_or_else(|| NextStep::run_certctl(SENTENCE, &["status"]).with_sudo())
}
