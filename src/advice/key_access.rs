//! Advice on who may read a private key and who may write to its folders.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::NextStep;

/// Users other than root may write to a folder; `change` is a symbolic mode for chmod(1).
#[must_use]
pub(crate) fn close_folder(folder: &Path, change: &str) -> NextStep {
    NextStep::run_shell(
        "Let only its owner write to the folder",
        format!("sudo chmod {change} {}", shell_path(folder)),
    )
}

/// A folder belongs to another user, who may replace the key in it.
#[must_use]
pub(crate) fn give_folder_to_root(folder: &Path) -> NextStep {
    let folder = shell_path(folder);
    NextStep::run_shell(
        "Let only root write to the folder",
        format!("sudo chown root:root {folder} && sudo chmod go-w {folder}"),
    )
}

/// The group that may read the key may not enter a folder of the group root.
#[must_use]
pub(crate) fn let_group_enter(folder: &Path, group: u32) -> NextStep {
    let folder = shell_path(folder);
    NextStep::run_shell(
        format!("Let group {group} enter the folder"),
        format!("sudo chgrp {group} {folder} && sudo chmod g+x {folder}"),
    )
}

/// A folder of the key belongs to another group, whose servers would fail without it.
#[must_use]
pub(crate) fn give_key_to_folder_group(user: u32, folder_group: u32) -> NextStep {
    NextStep::say(format!(
        "Give the key to the group of that folder: install again with \
            `--owner {user}:{folder_group} --key-mode 0640`"
    ))
}
