//! Advice on installed files that are not as the last install left them.

use std::path::Path;

use super::command_lines::{install_file_line, shell_path};
use crate::finding::NextStep;
use crate::permissions::{Mode, Owner};

/// A file of the release was changed: the command line that moves `folder` aside and installs the
/// certificate again.
fn move_aside_and_install(folder: &Path, root: Option<&Path>) -> String {
    format!(
        "move it aside and install the certificate again:  sudo mv {0} {0}.damaged && {1}",
        shell_path(folder),
        install_file_line(root)
    )
}

/// A file of the release was changed, and there is nothing to roll back to.
#[must_use]
pub(crate) fn replace_damaged(folder: &Path, root: Option<&Path>) -> NextStep {
    NextStep::say(move_aside_and_install(folder, root))
}

/// As [`replace_damaged`], where a rollback is offered first.
#[must_use]
pub(crate) fn or_replace_damaged(folder: &Path, root: Option<&Path>) -> NextStep {
    NextStep::say(format!("or {}", move_aside_and_install(folder, root)))
}

/// Something that is neither a file nor a link is in the place of our link.
#[must_use]
pub(crate) fn inspect_path(path: &Path) -> NextStep {
    NextStep::shell(format!("ls -ld {}", shell_path(path)))
}

/// Another link is in the place of ours.
#[must_use]
pub(crate) fn remove_link_and_install(path: &Path, install: &NextStep) -> NextStep {
    NextStep::say(format!(
        "if nobody else needs that link:  sudo rm {} && {}",
        shell_path(path),
        install.text
    ))
}

/// `live` leads to no release: it can lead to the one that is proven.
#[must_use]
pub(crate) fn point_live_to_proven(live: &Path) -> NextStep {
    NextStep::say(format!(
        "let it lead to what was served last:  sudo ln -sfnT \"$(readlink {})\" {}",
        shell_path(&live.with_file_name("proven")),
        shell_path(live)
    ))
}

/// The permission bits of a file or folder were changed from `mode`.
#[must_use]
pub(crate) fn restore_mode(path: &Path, mode: Mode) -> NextStep {
    NextStep::shell(format!("sudo chmod {mode} {}", shell_path(path)))
}

/// The owner of a file or folder was changed from `owner`.
#[must_use]
pub(crate) fn restore_owner(path: &Path, owner: Owner) -> NextStep {
    NextStep::shell(format!("sudo chown {owner} {}", shell_path(path)))
}
