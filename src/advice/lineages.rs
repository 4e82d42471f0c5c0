//! Advice on installed certificates: what is there, what can be rolled back to, what a placeholder
//! waits for, and what has to move before certctl forgets one.

use std::path::Path;

use super::command_lines::{install_file_line, shell_path};
use crate::finding::NextStep;

/// No installed certificate has the name; `base` is certctl's folder.
#[must_use]
pub(crate) fn list_installed(base: &Path) -> NextStep {
    NextStep::say(format!("see what is:  ls {}", shell_path(base)))
}

/// Nothing is installed yet.
#[must_use]
pub(crate) fn install_one(root: Option<&Path>) -> NextStep {
    NextStep::say(format!("install one:  {}", install_file_line(root)))
}

/// A placeholder is live.
#[must_use]
pub(crate) fn install_the_real_one(root: Option<&Path>) -> NextStep {
    let install = install_file_line(root);
    NextStep::say(format!("when the CA has sent the real one:  {install}"))
}

/// A rollback has nothing to go to.
#[must_use]
pub(crate) fn install_what_should_be_served(root: Option<&Path>) -> NextStep {
    NextStep::say(format!(
        "install the files that should be served:  {}",
        install_file_line(root)
    ))
}

/// A rollback leads to a certificate that is not valid now.
#[must_use]
pub(crate) fn install_a_valid_one() -> NextStep {
    NextStep::say("browsers want one that is valid:  sudo certctl install FILE")
}

/// The history names no release that still exists.
#[must_use]
pub(crate) fn list_releases(releases: &Path) -> NextStep {
    NextStep::say(format!(
        "see what lies there:  ls -l {}",
        shell_path(releases)
    ))
}

/// The files of a release cannot be loaded.
#[must_use]
pub(crate) fn inspect_releases(releases: &Path) -> NextStep {
    NextStep::shell(format!("ls -l {}", shell_path(releases)))
}

/// The certificate is not installed; `base` is certctl's folder.
#[must_use]
pub(crate) fn inspect_base(base: &Path) -> NextStep {
    NextStep::shell(format!("ls {}", shell_path(base)))
}

/// A server's block names a file in the folder that would go.
#[must_use]
pub(crate) fn name_the_link(block: &str) -> NextStep {
    NextStep::say(format!(
        "name the path in {block} that leads there, such as that of --chain-path, then reload"
    ))
}

/// The folder that would go has a file that certctl did not make.
#[must_use]
pub(crate) fn move_foreign_file(path: &Path) -> NextStep {
    NextStep::say(format!(
        "move it to where it belongs:  sudo mv -n {} /root/",
        shell_path(path)
    ))
}
