//! Advice for what `status` cannot scan.

use crate::finding::NextStep;

/// For an argument that is no file, name or host: `status_command` are the words up to `status`.
#[must_use]
pub(crate) fn list_everything(status_command: &[String]) -> NextStep {
    let command = NextStep::run(status_command).text;
    NextStep::say(format!("see what is here:  {command}"))
}

/// For a host without a certificate.
#[must_use]
pub(crate) fn inspect_host(host: &str) -> NextStep {
    NextStep::say(format!("look closer:  certctl inspect {host}"))
}

/// For keys that the user cannot read.
#[must_use]
pub(crate) fn run_status_as_root() -> NextStep {
    NextStep::shell("sudo certctl status")
}
