//! Advice on who may read a private key and who may write to its folders.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::NextStep;

/// Others than root may write to a folder; `change` is what chmod(1) takes.
#[must_use]
pub(crate) fn close_folder(folder: &Path, change: &str) -> NextStep {
    NextStep::shell(format!("sudo chmod {change} {}", shell_path(folder)))
}

/// A folder belongs to a user who may replace the key in it.
#[must_use]
pub(crate) fn give_folder_to_root(folder: &Path) -> NextStep {
    let folder = shell_path(folder);
    NextStep::shell(format!(
        "sudo chown root:root {folder} && sudo chmod go-w {folder}"
    ))
}

/// The group that may read the key may not enter a folder of root's group.
#[must_use]
pub(crate) fn let_group_enter(folder: &Path, group: u32) -> NextStep {
    let folder = shell_path(folder);
    NextStep::shell(format!(
        "sudo chgrp {group} {folder} && sudo chmod g+x {folder}"
    ))
}

/// A folder of the key belongs to another group, whose servers would fail without it.
#[must_use]
pub(crate) fn give_key_to_folder_group(user: u32, folder_group: u32) -> NextStep {
    NextStep::say(format!(
        "give the key to the group of that folder:  --owner {user}:{folder_group} --key-mode 0640"
    ))
}
