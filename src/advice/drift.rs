//! Advice on installed files that were changed since the last install.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::NextStep;
use crate::permissions::{Mode, Owner};

/// A file of the installed version in `folder` was changed, and there is nothing to roll back to.
#[must_use]
pub(crate) fn replace_damaged(folder: &Path, root: Option<&Path>) -> NextStep {
    reinstall("Copy", folder, root)
}

/// As [`replace_damaged`], where a rollback is offered first.
#[must_use]
pub(crate) fn or_replace_damaged(folder: &Path, root: Option<&Path>) -> NextStep {
    reinstall("Or copy", folder, root)
}

/// Moves `folder` aside and installs the certificate again. If the installation fails, the folder
/// is moved back, because servers read it.
fn reinstall(copy: &str, folder: &Path, root: Option<&Path>) -> NextStep {
    let folder = shell_path(folder);
    let install = match root {
        Some(root) => format!("certctl install --root {}", shell_path(root)),
        None => "sudo certctl install".to_owned(),
    };
    let sentence = format!(
        "{copy} the files from the CA into this folder, then install the certificate again in \
         place of the damaged one"
    );
    let command = format!(
        "sudo mv -T {folder} {folder}.damaged && {install} || sudo mv -T {folder}.damaged {folder}"
    );
    NextStep::run_shell(sentence, command).later()
}

/// Something that is neither a file nor a link is at the path of our link.
#[must_use]
pub(crate) fn inspect_path(path: &Path) -> NextStep {
    let command = format!("ls -ld {}", shell_path(path));
    NextStep::run_shell("See what is at this path", command)
}

/// A link to another target is at the path of our link.
#[must_use]
pub(crate) fn remove_link_and_install(path: &Path, install: &NextStep) -> NextStep {
    let remove = format!("sudo rm {}", shell_path(path));
    let command = match &install.command {
        Some(install) => format!("{remove} && {install}"),
        None => remove,
    };
    let sentence = "If nothing else needs this link, remove it and install the certificate again";
    NextStep::run_shell(sentence, command).later()
}

/// `live` leads to no release: it can lead to the one that is proven.
#[must_use]
pub(crate) fn point_live_to_proven(live: &Path) -> NextStep {
    let command = format!(
        "sudo ln -sfnT \"$(readlink {})\" {}",
        shell_path(&live.with_file_name("proven")),
        shell_path(live)
    );
    NextStep::run_shell(
        "Switch back to the last version that was verified live",
        command,
    )
}

/// The permission bits of a file or folder were changed from `mode`.
#[must_use]
pub(crate) fn restore_mode(path: &Path, mode: Mode) -> NextStep {
    let command = format!("sudo chmod {mode} {}", shell_path(path));
    NextStep::run_shell("Restore the permissions", command)
}

/// The owner of a file or folder was changed from `owner`.
#[must_use]
pub(crate) fn restore_owner(path: &Path, owner: Owner) -> NextStep {
    let command = format!("sudo chown {owner} {}", shell_path(path));
    NextStep::run_shell("Restore the owner", command)
}
