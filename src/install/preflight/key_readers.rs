//! Whether the user or group that the command line lets read the key can enter its folders: without
//! that, the mode of the key has no effect.

use std::path::PathBuf;

use crate::advice::key_access;
use crate::finding::Finding;
use crate::permissions::Owner;
use crate::store::key_access::inherit::FileAccess;
use crate::store::key_access::on_disk;
use crate::store::layout::LineageLayout;
use crate::store::release::KeyAccess;
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};

/// A folder above the key.
#[derive(Debug)]
pub(super) struct KeyFolder {
    path: PathBuf,
    access: FileAccess,
}

/// Reads the folders above the key, if the command line sets its owner or mode.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn observe_folders(
    layout: &LineageLayout,
    access: KeyAccess,
    flags: &LineageSettings,
) -> Result<Vec<KeyFolder>, FileError> {
    let is_requested = flags.key_owner.is_some() || flags.key_mode.is_some();
    let mut folders = Vec::new();
    if access.owner.is_none() || !is_requested {
        return Ok(folders);
    }
    for link in layout.links().iter().filter(|link| link.piece.is_secret()) {
        let above = on_disk::read_folders_above(layout, &link.path)?;
        let paths = files::parent(&link.path).ancestors();
        folders.extend(paths.zip(above).map(|(path, access)| KeyFolder {
            path: path.to_owned(),
            access,
        }));
    }
    Ok(folders)
}

/// Reports the folders that the user or group that may read the key cannot enter.
pub(super) fn check_folders(folders: &[KeyFolder], access: KeyAccess) -> Vec<Finding> {
    folders
        .iter()
        .filter_map(|folder| report_closed(folder, access))
        .collect()
}

fn report_closed(folder: &KeyFolder, access: KeyAccess) -> Option<Finding> {
    let Owner { uid, gid } = access.owner?;
    let folder_owner = folder.access.owner;
    let folder_mode = folder.access.mode;
    let others_enter = folder_mode.has_any(0o001);
    let group_enters = others_enter || (folder_owner.gid == gid && folder_mode.has_any(0o010));
    let user_enters = group_enters || (folder_owner.uid == uid && folder_mode.has_any(0o100));
    let who = if uid != 0 && !user_enters {
        format!("user {uid}")
    } else if access.mode.has_any(0o040) && gid != 0 && !group_enters {
        format!("group {gid}")
    } else {
        return None;
    };
    let message = format!(
        "{who} may read the key, but cannot enter {} (mode {folder_mode})",
        folder.path.display()
    );
    // A folder that belongs to another group (on Debian: ssl-cert) keeps it, because servers in that
    // group need it.
    let next = match folder_owner.gid {
        0 => key_access::let_group_enter(&folder.path, gid),
        other => key_access::give_key_to_folder_group(uid, other),
    };
    Some(Finding::warning("key-unreachable", message).with_step(next))
}

#[cfg(test)]
mod tests {
    use super::{FileAccess, KeyAccess, KeyFolder, Owner, report_closed};
    use crate::permissions::Mode;

    #[test]
    fn closed_folders_are_reported() {
        let folder = |mode, (uid, gid)| FileAccess {
            mode: Mode::new(mode),
            owner: Owner { uid, gid },
        };
        for (node, (uid, gid), mode, is_closed) in [
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
            let key_folder = KeyFolder {
                path: "/x".into(),
                access: node,
            };
            let access = KeyAccess {
                mode: Mode::new(mode),
                owner: Some(Owner { uid, gid }),
            };
            assert_eq!(
                report_closed(&key_folder, access).is_some(),
                is_closed,
                "{node:?} {access:?}"
            );
        }
    }
}
