//! Advice on installed certificates: which exist, which version can be restored, what replaces a
//! placeholder, and what has to move before certctl forgets one.

use std::path::Path;

use super::command_lines::{certctl_step, run_as_root_if_needed, shell_path};
use crate::advice::rerun::{self, RepeatOption, repeat_with};
use crate::finding::NextStep;

/// An install of the files that the CA sent, from the folder that holds them.
fn install_here(root: Option<&Path>, sentence: &str) -> NextStep {
    match root {
        None => NextStep::run_certctl(sentence, &["install"]).with_sudo(),
        Some(root) => {
            let root = root.display().to_string();
            NextStep::run_certctl(sentence, &["install", "--root", &root])
        }
    }
}

/// Another certificate is to take over the paths of `owner`.
#[must_use]
pub(crate) fn forget_owner(owner: &str) -> NextStep {
    let sentence = format!(
        "If the new certificate is to take over the paths, stop managing {owner}, which leaves plain \
            files there, and run the same command again"
    );
    rerun::run_in_same_tree(sentence, &["forget", owner])
}

/// The certificate was never verified live.
#[must_use]
pub(crate) fn forget_unproven(root: Option<&Path>, stem: &str) -> NextStep {
    let sentence = format!("If {stem} is not to be finished, stop managing it");
    certctl_step(root, sentence, &["forget", stem, "--force"])
}

/// No installed certificate has the name; `words` are the command.
#[must_use]
pub(crate) fn show_status(words: &[String]) -> NextStep {
    NextStep::run_certctl("List the certificates of this machine", words)
}

/// Nothing is installed yet.
#[must_use]
pub(crate) fn install_one(root: Option<&Path>) -> NextStep {
    let sentence = "Install a certificate, in the folder that holds the files from the CA";
    install_here(root, sentence).later()
}

/// A placeholder is live.
#[must_use]
pub(crate) fn install_the_real_one(root: Option<&Path>) -> NextStep {
    let sentence =
        "When the CA has sent the certificate, install it in the folder that holds its files";
    install_here(root, sentence).later()
}

/// The working directory has nothing to work on; `words` are the command line for `folder`.
#[must_use]
pub(crate) fn work_in(folder: &Path, words: &[String]) -> NextStep {
    let sentence = format!("To work on the files in {}", folder.display());
    run_as_root_if_needed(NextStep::run_certctl(sentence, words))
}

/// The working directory has a request and no certificate; `words` are the command.
#[must_use]
pub(crate) fn show_waiting_requests(words: &[String]) -> NextStep {
    NextStep::run_certctl("See what the request waits for, and what to do now", words)
}

/// The working directory has nothing to work on, and no other folder is known.
#[must_use]
pub(crate) fn change_folder() -> NextStep {
    NextStep::say(
        "If the key and its request are in another folder, change to that folder (`cd`) and run the \
            command again there",
    )
}

/// A rollback has no earlier version to restore; `words` are the command.
#[must_use]
pub(crate) fn show_what_is_served(words: &[String]) -> NextStep {
    NextStep::run_certctl("Show what is installed and what servers send", words)
}

/// A rollback restores a certificate that is not valid now.
#[must_use]
pub(crate) fn install_a_valid_one() -> NextStep {
    let sentence = "Install a certificate that is valid, in the folder that holds its files";
    install_here(None, sentence).later()
}

/// The version to restore has expired.
#[must_use]
pub(crate) fn restore_expired() -> NextStep {
    restore_despite("expired")
}

/// The version to restore was revoked.
#[must_use]
pub(crate) fn restore_revoked() -> NextStep {
    restore_despite("revoked")
}

fn restore_despite(code: &str) -> NextStep {
    let option = RepeatOption {
        name: "--allow",
        value: Some(code),
    };
    repeat_with(
        "To restore it although clients refuse it, repeat the command",
        &["rollback"],
        &[option],
    )
}

/// The history has no release that still exists.
#[must_use]
pub(crate) fn list_releases(releases: &Path) -> NextStep {
    NextStep::run_shell(
        "List the versions that are kept",
        format!("ls -l {}", shell_path(releases)),
    )
}

/// A server block references a file in the folder that would be deleted.
#[must_use]
pub(crate) fn name_the_link(block: &str) -> NextStep {
    NextStep::say(format!(
        "Change the path in {block} to the one outside of certctl's folder that servers are meant \
            to read, then reload the server"
    ))
}

/// The folder that would be deleted has a file that certctl did not create.
#[must_use]
pub(crate) fn move_foreign_file(path: &Path) -> NextStep {
    NextStep::run_shell(
        "If no program uses the file, move it out of certctl's folder",
        format!("sudo mv -n {} /root/", shell_path(path)),
    )
    .later()
}
