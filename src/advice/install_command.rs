//! Advice of `install`: how to name the files and certificates.

use crate::finding::NextStep;

/// A command line for a placeholder.
#[must_use]
pub(crate) fn placeholder_example() -> NextStep {
    NextStep::run(&["install", "--placeholder", "example.com", "www.example.com"])
}

/// For `--check` where nothing is installed.
#[must_use]
pub(crate) fn install_first() -> NextStep {
    NextStep::say("install one first:  sudo certctl install FILE")
}

/// For certificates that would have the same name in /etc/ssl.
#[must_use]
pub(crate) fn install_under_another_name() -> NextStep {
    NextStep::say("install each alone, one of them with a name of its own:  --cert-name NAME")
}

/// For several certificates with options that only one can have.
#[must_use]
pub(crate) fn install_alone() -> NextStep {
    NextStep::say("install the one that they are for alone")
}
