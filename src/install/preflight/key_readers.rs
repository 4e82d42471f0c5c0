//! Whether those whom the command line gives the key can get at it: a mode is of no use behind a
//! closed folder.

use std::path::Path;

use crate::finding::{Finding, NextStep, shell_word};
use crate::store::key_access::inherit::FileAccess;
use crate::store::key_access::on_disk;
use crate::store::layout::LineageLayout;
use crate::store::release::KeyAccess;
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};

/// The folders that keep them out.
///
/// # Errors
/// When a folder cannot be looked at.
pub(crate) fn kept_out(
    layout: &LineageLayout,
    access: KeyAccess,
    flags: &LineageSettings,
) -> Result<Vec<Finding>, FileError> {
    let asked = flags.key_owner.is_some() || flags.key_mode.is_some();
    let Some((user, group)) = access.owner.filter(|_| asked) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for link in layout.links().iter().filter(|link| link.piece.is_secret()) {
        let above = on_disk::above(layout, &link.path)?;
        let folders = files::parent(&link.path).ancestors().zip(above);
        found.extend(
            folders.filter_map(|(path, node)| closed(path, node, (user, group), access.mode)),
        );
    }
    Ok(found)
}

fn closed(
    path: &Path,
    folder: FileAccess,
    (user, group): (u32, u32),
    mode: u32,
) -> Option<Finding> {
    let everybody = folder.mode & 0o001 != 0;
    let its_group = folder.owner.1 == group && folder.mode & 0o010 != 0;
    let its_user = folder.owner.0 == user && folder.mode & 0o100 != 0;
    let who = if user != 0 && !(everybody || its_group || its_user) {
        format!("user {user}")
    } else if mode & 0o040 != 0 && group != 0 && !(everybody || its_group) {
        format!("group {group}")
    } else {
        return None;
    };
    let message = format!(
        "{who} may read the key, but not enter {} (mode {:04o})",
        path.display(),
        folder.mode
    );
    let word = shell_word(&path.display().to_string());
    // A folder that is another group's already (Debian: ssl-cert) is theirs: taken from them, their
    // servers fail.
    let next = match folder.owner.1 {
        0 => format!("sudo chgrp {group} {word} && sudo chmod g+x {word}"),
        other => format!(
            "give the key to the group of that folder:  --owner {user}:{other} --key-mode 0640"
        ),
    };
    Some(Finding::warning("key-unreachable", message).with(NextStep::say(next)))
}

#[cfg(test)]
mod tests {
    use super::{FileAccess, Path, closed};

    #[test]
    fn who_cannot_enter() {
        let folder = |mode, owner| FileAccess { mode, owner };
        for (node, owner, mode, out) in [
            (folder(0o700, (0, 0)), (0, 114), 0o640, true),
            (folder(0o710, (0, 114)), (0, 114), 0o640, false),
            (folder(0o710, (0, 115)), (0, 114), 0o640, true),
            (folder(0o755, (0, 0)), (0, 114), 0o640, false),
            (folder(0o700, (0, 0)), (0, 114), 0o600, false),
            (folder(0o700, (0, 0)), (0, 0), 0o640, false),
            (folder(0o700, (0, 0)), (33, 33), 0o600, true),
            (folder(0o700, (33, 0)), (33, 33), 0o600, false),
            (folder(0o710, (0, 33)), (33, 33), 0o400, false),
        ] {
            assert_eq!(
                closed(Path::new("/x"), node, owner, mode).is_some(),
                out,
                "{node:?} {owner:?} {mode:o}"
            );
        }
    }
}
