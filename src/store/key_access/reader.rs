//! Whether a user can enter a folder, with all groups of the user, as the kernel decides it: the
//! owner, else the group, else everybody else. Pure. Access control lists are the caller's subject.

use super::inherit::FileAccess;
use crate::permissions::Owner;

/// The texts of passwd(5) and group(5) of the tree that is installed into.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountNames {
    passwd: String,
    group: String,
}

/// A user who has to read a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyReader {
    pub uid: u32,
    pub groups: Vec<u32>,
}

impl AccountNames {
    #[must_use]
    pub(crate) fn new(passwd: String, group: String) -> Self {
        Self { passwd, group }
    }

    /// Returns the name of a user; the number if it has none.
    #[must_use]
    pub(crate) fn user_name(&self, uid: u32) -> String {
        let names = fields(&self.passwd).filter(|fields| number_at(fields, 2) == Some(uid));
        first_name(names).unwrap_or_else(|| uid.to_string())
    }

    /// Returns the name of a group; the number if it has none.
    #[must_use]
    pub(crate) fn group_name(&self, gid: u32) -> String {
        let names = fields(&self.group).filter(|fields| number_at(fields, 2) == Some(gid));
        first_name(names).unwrap_or_else(|| gid.to_string())
    }

    /// Returns `user:group`, as chown(1) and `--owner` take it.
    #[must_use]
    pub(crate) fn owner_in_words(&self, owner: Owner) -> String {
        format!(
            "{}:{}",
            self.user_name(owner.uid),
            self.group_name(owner.gid)
        )
    }

    /// Returns a user with the primary group and all groups of group(5).
    #[must_use]
    pub(crate) fn reader(&self, uid: u32) -> KeyReader {
        let lines = fields(&self.passwd).filter(|fields| number_at(fields, 2) == Some(uid));
        let mut groups = Vec::new();
        let mut names = Vec::new();
        for line in lines {
            groups.extend(number_at(&line, 3));
            names.extend(line.first().copied());
        }
        for line in fields(&self.group) {
            let mut members = line.get(3).copied().unwrap_or_default().split(',');
            if members.any(|member| names.contains(&member)) {
                groups.extend(number_at(&line, 2));
            }
        }
        KeyReader { uid, groups }
    }
}

impl KeyReader {
    /// Whether the user may enter a folder.
    #[must_use]
    pub(crate) fn enters(&self, folder: FileAccess) -> bool {
        self.has_bit(folder, 0o1)
    }

    /// Whether the user may read a file.
    #[must_use]
    pub(crate) fn reads(&self, file: FileAccess) -> bool {
        self.has_bit(file, 0o4)
    }

    /// Whether the class of the user has this bit, which is that of everybody else.
    fn has_bit(&self, node: FileAccess, bit: u32) -> bool {
        let shift = if node.owner.uid == self.uid {
            6
        } else if self.groups.contains(&node.owner.gid) {
            3
        } else {
            0
        };
        self.uid == 0 || node.mode.has_any(bit << shift)
    }
}

fn fields(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

fn number_at(fields: &[&str], index: usize) -> Option<u32> {
    fields.get(index)?.parse().ok()
}

fn first_name<'a>(mut lines: impl Iterator<Item = Vec<&'a str>>) -> Option<String> {
    let name = lines.next()?.first().copied()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{AccountNames, FileAccess, KeyReader, Owner};
    use crate::permissions::Mode;

    fn accounts() -> AccountNames {
        AccountNames::new(
            "root:x:0:0::/:\npostgres:x:106:113::/:\nmosquitto:x:107:114::/:\n".to_owned(),
            "root:x:0:\nssl-cert:x:120:postgres,other\npostgres:x:113:\nbad\n".to_owned(),
        )
    }

    #[test]
    fn users_have_names_and_all_their_groups() {
        let accounts = accounts();
        let owner = |uid, gid| accounts.owner_in_words(Owner { uid, gid });
        assert_eq!(owner(106, 113), "postgres:postgres");
        assert_eq!(owner(9, 120), "9:ssl-cert");
        let postgres = KeyReader {
            uid: 106,
            groups: vec![113, 120],
        };
        assert_eq!(accounts.reader(106), postgres);
        assert_eq!(accounts.reader(107).groups, [114]);
        assert_eq!(accounts.reader(9).groups, [0; 0]);
    }

    #[test]
    fn the_first_class_that_applies_decides() {
        let node = |mode, uid, gid| FileAccess {
            mode: Mode::new(mode),
            owner: Owner { uid, gid },
        };
        let accounts = accounts();
        let (postgres, mosquitto) = (accounts.reader(106), accounts.reader(107));
        for (folder, is_open) in [
            (node(0o710, 0, 120), true),
            (node(0o701, 0, 120), false),
            (node(0o070, 106, 120), false),
            (node(0o711, 0, 0), true),
        ] {
            assert_eq!(postgres.enters(folder), is_open, "{folder:?}");
        }
        assert!(!mosquitto.enters(node(0o710, 0, 120)));
        assert!(accounts.reader(0).enters(node(0o600, 7, 7)));
        for (file, is_readable) in [
            (node(0o640, 0, 120), true),
            (node(0o600, 0, 120), false),
            (node(0o400, 106, 0), true),
            (node(0o044, 106, 120), false),
            (node(0o604, 0, 0), true),
        ] {
            assert_eq!(postgres.reads(file), is_readable, "{file:?}");
        }
    }
}
