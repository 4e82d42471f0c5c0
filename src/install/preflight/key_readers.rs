//! Whether the user or group that has to read the key can enter its folders: without that, the owner
//! and mode of the key have no effect.

use std::path::{Path, PathBuf};

use crate::advice::key_access;
use crate::finding::{Finding, Severity};
use crate::store::key_access::inherit::FileAccess;
use crate::store::key_access::on_disk;
use crate::store::key_access::reader::{AccountNames, KeyReader};
use crate::store::layout::LineageLayout;
use crate::store::release::KeyAccess;
use crate::system::fs::files::FileError;

/// A folder above the key.
#[derive(Debug)]
pub(super) struct KeyFolder {
    path: PathBuf,
    access: FileAccess,
    /// Whether its ACL lets the owner of the key enter.
    acl_lets_in: bool,
}

/// What decides who can read the key at its path.
#[derive(Debug)]
pub(super) struct KeyReaders {
    /// The users and groups of the tree.
    pub accounts: AccountNames,
    /// The folders above the key, if another user than root owns it, or a group may read it.
    folders: Vec<KeyFolder>,
    /// A path without closed folders above it.
    open_path: PathBuf,
    /// What it means that a user cannot reach the key.
    severity: Severity,
}

impl KeyReaders {
    /// Reads the accounts, and the folders above the key. `severity` says what it means that its owner
    /// cannot enter one of them.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(super) fn read(
        layout: &LineageLayout,
        access: KeyAccess,
        severity: Severity,
    ) -> Result<Self, FileError> {
        let accounts = on_disk::read_account_names(layout.root());
        let mut folders = Vec::new();
        if let Some(owner) = access.owner {
            let reader = accounts.reader(owner.uid);
            for link in layout.links().iter().filter(|link| link.piece.is_secret()) {
                add_folders(layout, &link.path, &reader, &mut folders)?;
            }
        }
        let open_path = layout.open_key_path();
        Ok(Self {
            accounts,
            folders,
            open_path,
            severity,
        })
    }

    /// Reports the folders that the user or group that may read the key cannot enter.
    pub(super) fn check_folders(&self, access: KeyAccess) -> Vec<Finding> {
        let folders = self.folders.iter();
        folders
            .filter_map(|folder| self.report_closed(folder, access))
            .collect()
    }

    fn report_closed(&self, folder: &KeyFolder, access: KeyAccess) -> Option<Finding> {
        let owner = access.owner?;
        let FileAccess { mode, owner: of } = folder.access;
        let group_enters = mode.has_any(0o001) || (of.gid == owner.gid && mode.has_any(0o010));
        let is_for_group = owner.uid == 0 && access.mode.has_any(0o040) && owner.gid != 0;
        let user_enters = owner.uid == 0
            || folder.acl_lets_in
            || self.accounts.reader(owner.uid).enters(folder.access);
        if !user_enters {
            Some(self.report_closed_to_user(folder, owner.uid))
        } else if is_for_group && !group_enters {
            let group = self.accounts.group_name(owner.gid);
            let place = self.describe(folder);
            let message = format!("group {group} may read the key, but cannot enter {place}");
            let finding = Finding::warning("key-unreachable", message);
            Some(finding.with_step(key_access::use_open_path(&self.open_path)))
        } else {
            None
        }
    }

    fn report_closed_to_user(&self, folder: &KeyFolder, uid: u32) -> Finding {
        let user = self.accounts.user_name(uid);
        let place = self.describe(folder);
        let message = format!("user {user} is to read the key, but cannot enter {place}");
        let finding = Finding {
            severity: self.severity,
            ..Finding::error("key-unreachable", message)
        };
        let FileAccess { mode, owner } = folder.access;
        let finding = if owner.gid != 0 && mode.has_any(0o010) {
            let group = self.accounts.group_name(owner.gid);
            finding.with_step(key_access::add_to_group(&user, &group))
        } else {
            finding
        };
        finding.with_step(key_access::use_open_path(&self.open_path))
    }

    /// `/etc/ssl/private (mode 0710, root:ssl-cert)`
    fn describe(&self, folder: &KeyFolder) -> String {
        let FileAccess { mode, owner } = folder.access;
        let owner = self.accounts.owner_in_words(owner);
        format!("{} (mode {mode}, {owner})", folder.path.display())
    }
}

/// Adds the folders above a path of the key that exist.
fn add_folders(
    layout: &LineageLayout,
    path: &Path,
    reader: &KeyReader,
    folders: &mut Vec<KeyFolder>,
) -> Result<(), FileError> {
    let above = path.ancestors().skip(1);
    for path in above.take_while(|folder| folder.starts_with(layout.root())) {
        if let Some(status) = on_disk::read_status(path)? {
            folders.push(KeyFolder {
                path: path.to_owned(),
                access: on_disk::file_access(&status),
                acl_lets_in: on_disk::acl_lets_in(path, reader)?,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Severity;
    use super::{AccountNames, FileAccess, KeyAccess, KeyFolder, KeyReaders};
    use crate::permissions::{Mode, Owner};

    #[test]
    fn closed_folders_are_reported() {
        let folder = |mode, (uid, gid)| FileAccess {
            mode: Mode::new(mode),
            owner: Owner { uid, gid },
        };
        let accounts = AccountNames::new(
            "www-data:x:33:33::/:\nmosquitto:x:107:107::/:\n".to_owned(),
            "ssl-cert:x:114:www-data\n".to_owned(),
        );
        let error = Some(Severity::Error);
        let warning = Some(Severity::Warning);
        for (node, (uid, gid), mode, severity) in [
            (folder(0o700, (0, 0)), (0, 114), 0o640, warning),
            (folder(0o710, (0, 114)), (0, 114), 0o640, None),
            (folder(0o710, (0, 115)), (0, 114), 0o640, warning),
            (folder(0o755, (0, 0)), (0, 114), 0o640, None),
            (folder(0o700, (0, 0)), (0, 114), 0o600, None),
            (folder(0o700, (0, 0)), (0, 0), 0o640, None),
            (folder(0o700, (0, 0)), (33, 33), 0o600, error),
            (folder(0o700, (33, 0)), (33, 33), 0o600, None),
            (folder(0o710, (0, 33)), (33, 33), 0o400, None),
            // The supplementary groups of the user count, not the group of the key.
            (folder(0o710, (0, 114)), (33, 33), 0o600, None),
            (folder(0o710, (0, 114)), (107, 114), 0o640, error),
        ] {
            let readers = KeyReaders {
                accounts: accounts.clone(),
                folders: vec![KeyFolder {
                    path: "/x".into(),
                    access: node,
                    acl_lets_in: false,
                }],
                open_path: "/etc/ssl/x.key".into(),
                severity: Severity::Error,
            };
            let access = KeyAccess {
                mode: Mode::new(mode),
                owner: Some(Owner { uid, gid }),
            };
            let found = readers.check_folders(access);
            let found = found.first().map(|finding| finding.severity);
            assert_eq!(found, severity, "{node:?} {access:?}");
        }
    }
}
