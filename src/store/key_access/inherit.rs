//! Decides who may read a key that replaces a plain file: those who could read that file, except a
//! user who could have put the file there, and a group that could not enter its folders. Pure.

use crate::permissions::{Mode, Owner};
use crate::store::layout::{KEY_MODE, tighten_key_mode};
use crate::store::release::KeyAccess;

/// The permission bits, user and group of a file or folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileAccess {
    pub mode: Mode,
    pub owner: Owner,
}

/// What to report about the access to the file that is replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InheritanceDoubt {
    /// It had this mode, but its group could not enter its folders; the group cannot read the new
    /// key.
    Group(Mode),
    /// It had this mode; other users cannot read the new key.
    Others(Mode),
    /// It belongs to this other user; the new key does too.
    Owner(Owner),
    /// It belongs to this other user, who may have put it there; the new key does not.
    Stranger(Owner),
}

/// Returns whether users other than its owner and root's group may write to the folder.
#[must_use]
pub(crate) fn is_writable_by_others(folder: FileAccess) -> bool {
    folder.mode.has_any(0o002) || (folder.mode.has_any(0o020) && folder.owner.gid != 0)
}

/// Returns mode and owner of the file that replaces `file`. `folders` are the folders above it, the
/// nearest first; `user` runs certctl.
#[must_use]
pub(crate) fn inherit_access(
    file: FileAccess,
    folders: &[FileAccess],
    user: u32,
) -> (KeyAccess, Vec<InheritanceDoubt>) {
    let Owner { uid, gid } = file.owner;
    let ours = [0, user].contains(&uid);
    if !ours
        && folders
            .first()
            .is_some_and(|folder| is_writable_by_others(*folder) || folder.owner.uid == uid)
    {
        return (
            KeyAccess {
                mode: KEY_MODE,
                owner: None,
            },
            vec![InheritanceDoubt::Stranger(file.owner)],
        );
    }
    let mut doubts = Vec::new();
    let mut mode = tighten_key_mode(Some(file.mode));
    if file.mode.has_any(0o007) {
        doubts.push(InheritanceDoubt::Others(file.mode));
    }
    if mode.has_any(0o070) && gid != 0 && !folders.iter().all(|folder| lets_in(*folder, gid)) {
        mode = mode.without(0o070);
        doubts.push(InheritanceDoubt::Group(file.mode));
    }
    if !ours {
        doubts.push(InheritanceDoubt::Owner(file.owner));
    }
    (
        KeyAccess {
            mode,
            owner: Some(file.owner),
        },
        doubts,
    )
}

/// Returns whether the members of `group` may enter a folder.
fn lets_in(folder: FileAccess, group: u32) -> bool {
    let needed = if folder.owner.gid == group {
        0o010
    } else {
        0o001
    };
    folder.mode.has_any(needed)
}

#[cfg(test)]
mod tests {
    use super::{FileAccess, InheritanceDoubt, Mode, Owner, inherit_access};

    #[test]
    fn new_keys_inherit_their_readers() {
        const BOB: u32 = 65534;
        const USERS: u32 = 100;
        let node = |mode, (uid, gid)| FileAccess {
            mode: Mode::new(mode),
            owner: Owner { uid, gid },
        };
        let top = node(0o755, (0, 0));
        let (private, debian) = (node(0o700, (0, 0)), node(0o710, (0, USERS)));
        let inherited = |mode, (uid, gid)| (Mode::new(mode), Some(Owner { uid, gid }));
        for (file, folder, access, doubts) in [
            (node(0o600, (0, 0)), top, inherited(0o600, (0, 0)), vec![]),
            (
                node(0o640, (0, USERS)),
                top,
                inherited(0o640, (0, USERS)),
                vec![],
            ),
            (
                node(0o640, (0, USERS)),
                debian,
                inherited(0o640, (0, USERS)),
                vec![],
            ),
            (
                node(0o644, (0, 0)),
                top,
                inherited(0o640, (0, 0)),
                vec![InheritanceDoubt::Others(Mode::new(0o644))],
            ),
            (
                node(0o640, (0, USERS)),
                private,
                inherited(0o600, (0, USERS)),
                vec![InheritanceDoubt::Group(Mode::new(0o640))],
            ),
            (
                node(0o640, (0, 0)),
                private,
                inherited(0o640, (0, 0)),
                vec![],
            ),
            (
                node(0o600, (BOB, USERS)),
                top,
                inherited(0o600, (BOB, USERS)),
                vec![InheritanceDoubt::Owner(Owner {
                    uid: BOB,
                    gid: USERS,
                })],
            ),
            (
                node(0o640, (BOB, USERS)),
                node(0o1777, (0, 0)),
                (Mode::new(0o600), None),
                vec![InheritanceDoubt::Stranger(Owner {
                    uid: BOB,
                    gid: USERS,
                })],
            ),
            (
                node(0o640, (BOB, USERS)),
                node(0o775, (0, USERS)),
                (Mode::new(0o600), None),
                vec![InheritanceDoubt::Stranger(Owner {
                    uid: BOB,
                    gid: USERS,
                })],
            ),
            (
                node(0o600, (BOB, BOB)),
                node(0o755, (BOB, BOB)),
                (Mode::new(0o600), None),
                vec![InheritanceDoubt::Stranger(Owner { uid: BOB, gid: BOB })],
            ),
            (
                node(0o600, (0, 0)),
                node(0o1777, (0, 0)),
                inherited(0o600, (0, 0)),
                vec![],
            ),
        ] {
            let (found, found_doubts) = inherit_access(file, &[folder, top], 0);
            assert_eq!(
                ((found.mode, found.owner), found_doubts),
                (access, doubts),
                "{file:?} in {folder:?}"
            );
        }
        let (_, found_doubts) =
            inherit_access(node(0o600, (BOB, BOB)), &[node(0o700, (BOB, BOB))], BOB);
        assert_eq!(
            found_doubts,
            [],
            "the file belongs to the user who runs certctl"
        );
    }
}
