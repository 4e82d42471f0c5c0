//! Advice on links and copies.

use super::rerun::{RepeatOption, repeat_with};
use crate::finding::NextStep;

/// A file is a mount point of its own.
#[must_use]
pub(crate) fn mount_the_folder() -> NextStep {
    NextStep::say(
        "Mount the folder of the file instead of the file, or choose other paths with \
            `--chain-path` and `--key-path` and reference them in the server's configuration",
    )
}

/// A reader would not see the target of a link.
#[must_use]
pub(crate) fn install_copies() -> NextStep {
    let option = RepeatOption {
        name: "--deploy",
        value: Some("copy"),
    };
    repeat_with(
        "To install plain files instead of links, repeat the command",
        &["install"],
        &[option],
    )
}
