//! Advice on installed files that were changed since the last install.

use std::path::Path;

use super::command_lines::{certctl_step, shell_path};
use crate::finding::{Finding, NextStep};
use crate::permissions::{Mode, Owner};

/// The code of the finding about a version that an install writes again.
pub(crate) const REPAIRED: &str = "damaged-version-replaced";

/// A file of the installed version was changed, and there is nothing to roll back to.
#[must_use]
pub(crate) fn replace_damaged(root: Option<&Path>) -> NextStep {
    reinstall("Copy", root)
}

/// As [`replace_damaged`], where a rollback is offered first.
#[must_use]
pub(crate) fn or_replace_damaged(root: Option<&Path>) -> NextStep {
    reinstall("Or copy", root)
}

/// The installed version is damaged as `damage` says, and this install writes it again.
#[must_use]
pub(crate) fn report_repair(damage: &str) -> Finding {
    let message = format!("{damage}; this version is written again");
    Finding::warning(REPAIRED, message)
}

fn reinstall(copy: &str, root: Option<&Path>) -> NextStep {
    let sentence = format!(
        "{copy} the files from the CA into this folder, then install the certificate again in \
         place of the damaged one"
    );
    certctl_step(root, sentence, &["install"]).later()
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

/// SELinux labels the file at `path` with the type `label`, and the files beside the path that servers
/// read with `usual`.
#[must_use]
pub(crate) fn report_label(path: &Path, label: &str, usual: &str) -> Finding {
    let message = format!(
        "{} has the SELinux type {label}, and the files beside it have {usual}; SELinux may keep a \
            server from opening it",
        path.display()
    );
    let command = format!("sudo restorecon -v {}", shell_path(path));
    let step = NextStep::run_shell("Restore the label of the policy", command);
    Finding::warning("label-differs", message).with_step(step)
}

/// The owner of a file or folder was changed from `owner`.
#[must_use]
pub(crate) fn restore_owner(path: &Path, owner: Owner) -> NextStep {
    let command = format!("sudo chown {owner} {}", shell_path(path));
    NextStep::run_shell("Restore the owner", command)
}
