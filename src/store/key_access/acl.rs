//! POSIX ACLs in the format of the Linux extended attribute `system.posix_acl_access`: which other
//! users and groups may read a file, and the ACL of the file that replaces it. Pure.

use crate::permissions::Mode;

const VERSION: [u8; 4] = [2, 0, 0, 0];
const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;
const READ: u16 = 4;
const ENTER: u16 = 1;

/// A named user or group of an ACL entry.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum AclSubject {
    /// A user id.
    User(u32),
    /// A group id.
    Group(u32),
}

impl std::fmt::Display for AclSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {user}"),
            Self::Group(group) => write!(f, "group {group}"),
        }
    }
}

/// The part of an ACL that certctl uses: the named entries, and the permissions of the owning
/// group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccessControlList {
    /// The named users and groups, with their permissions after the mask.
    named: Vec<(AclSubject, u16)>,
    /// The permissions of the owning group, 0 to 7. The mode of the file shows the mask instead.
    group: u32,
}

impl AccessControlList {
    /// Parses the value of the extended attribute.
    #[must_use]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let entries = bytes
            .strip_prefix(&VERSION)?
            .chunks(8)
            .map(AclEntry::parse)
            .collect::<Option<Vec<_>>>()?;
        let permissions_of = |tag: u16| {
            let entry = entries.iter().find(|entry| entry.tag == tag);
            entry.map(|entry| entry.permissions)
        };
        let mask = permissions_of(MASK).unwrap_or(7);
        let named = entries
            .iter()
            .filter_map(|entry| Some((entry.subject()?, entry.permissions & mask)));
        Some(Self {
            named: named.collect(),
            group: u32::from(permissions_of(OWNING_GROUP)? & mask),
        })
    }

    /// Returns the named users and groups that may read.
    #[must_use]
    pub(crate) fn readers(&self) -> Vec<AclSubject> {
        self.named
            .iter()
            .filter(|(_, bits)| bits & READ != 0)
            .map(|(subject, _)| *subject)
            .collect()
    }

    /// Returns whether the ACL of a folder has an entry for `subject` with the permission to enter.
    #[must_use]
    pub(crate) fn lets_in(&self, subject: AclSubject) -> bool {
        self.named
            .iter()
            .any(|(named, bits)| *named == subject && bits & ENTER != 0)
    }

    /// Returns the mode that the file would have without its ACL.
    #[must_use]
    pub(crate) fn mode(&self, shown: Mode) -> Mode {
        shown.without(0o070).with(self.group << 3)
    }
}

/// Returns the ACL of a new file with permission bits `mode` that `readers` may read as well; none
/// if there are no readers.
#[must_use]
pub(crate) fn encode_readers(readers: &[AclSubject], mode: Mode) -> Option<Vec<u8>> {
    if readers.is_empty() {
        return None;
    }
    let owning_group = permissions_at(mode, 3);
    let mut entries = vec![
        AclEntry::unnamed(OWNER, permissions_at(mode, 6)),
        AclEntry::unnamed(OWNING_GROUP, owning_group),
        AclEntry::unnamed(MASK, owning_group | READ),
        AclEntry::unnamed(OTHERS, permissions_at(mode, 0)),
    ];
    entries.extend(readers.iter().copied().map(AclEntry::reader));
    // The kernel requires this order: by tag, then by id.
    entries.sort_unstable_by_key(|entry| (entry.tag, entry.id));
    let mut bytes = VERSION.to_vec();
    for entry in entries {
        bytes.extend(entry.tag.to_le_bytes());
        bytes.extend(entry.permissions.to_le_bytes());
        bytes.extend(entry.id.to_le_bytes());
    }
    Some(bytes)
}

/// Returns three permission bits of a mode.
fn permissions_at(mode: Mode, shift: u32) -> u16 {
    u16::try_from(mode.bits() >> shift & 7).unwrap_or(0)
}

/// One entry of an ACL.
#[derive(Clone, Copy, Debug)]
struct AclEntry {
    tag: u16,
    /// 0 to 7.
    permissions: u16,
    /// The id of the user or group, if the tag is for a named one.
    id: u32,
}

impl AclEntry {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [t0, t1, p0, p1, i0, i1, i2, i3] = *<&[u8; 8]>::try_from(bytes).ok()?;
        let tag = u16::from_le_bytes([t0, t1]);
        let known_tags = [OWNER, USER, OWNING_GROUP, GROUP, MASK, OTHERS];
        known_tags.contains(&tag).then_some(Self {
            tag,
            permissions: u16::from_le_bytes([p0, p1]) & 7,
            id: u32::from_le_bytes([i0, i1, i2, i3]),
        })
    }

    fn unnamed(tag: u16, permissions: u16) -> Self {
        Self {
            tag,
            permissions,
            id: u32::MAX,
        }
    }

    fn reader(subject: AclSubject) -> Self {
        let (tag, id) = match subject {
            AclSubject::User(user) => (USER, user),
            AclSubject::Group(group) => (GROUP, group),
        };
        Self {
            tag,
            permissions: READ,
            id,
        }
    }

    /// Returns the named user or group, if the entry has one.
    fn subject(&self) -> Option<AclSubject> {
        match self.tag {
            USER => Some(AclSubject::User(self.id)),
            GROUP => Some(AclSubject::Group(self.id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AccessControlList, AclSubject, Mode};

    /// `setfacl -m u:33:rw,g:44:r` on a file, with these bits for group, mask and others.
    fn acl(group: u8, mask: u8, others: u8) -> Vec<u8> {
        let entries = [
            (1, 6, !0),
            (2, 6, 33),
            (4, group, !0),
            (8, 4, 44_u32),
            (16, mask, !0),
            (32, others, !0),
        ];
        let bytes = entries.iter().flat_map(|(tag, bits, id)| {
            let id = id.to_le_bytes();
            [*tag, 0, *bits, 0, id[0], id[1], id[2], id[3]]
        });
        [2, 0, 0, 0].into_iter().chain(bytes).collect()
    }

    #[test]
    fn named_readers_survive_parsing_and_writing() {
        let named = vec![AclSubject::User(33), AclSubject::Group(44)];
        for (bytes, readers, shown, mode) in [
            (acl(4, 6, 4), named.clone(), 0o660, 0o640),
            (acl(0, 4, 0), named.clone(), 0o640, 0o600),
            (acl(7, 4, 7), named, 0o647, 0o647),
            (acl(7, 0, 7), vec![], 0o600, 0o600),
        ] {
            let read = AccessControlList::parse(&bytes).unwrap();
            assert_eq!(
                (&read.readers(), read.mode(Mode::new(shown))),
                (&readers, Mode::new(mode)),
                "{bytes:?}"
            );
            let Some(written) = super::encode_readers(&readers, Mode::new(mode & 0o660)) else {
                assert!(readers.is_empty());
                continue;
            };
            let again = AccessControlList::parse(&written).unwrap();
            assert_eq!(
                (again.readers(), again.group),
                (readers, mode >> 3 & 6),
                "{bytes:?}"
            );
            assert_eq!(written[written.len() - 6], 0, "nothing for others");
        }
    }

    #[test]
    fn malformed_acls_are_rejected() {
        let bytes = acl(4, 4, 0);
        for broken in [
            &[][..],
            &bytes[..3],
            &bytes[..4],
            &bytes[..bytes.len() - 1],
            &[&bytes[..], &[9; 8]].concat(),
        ] {
            assert_eq!(AccessControlList::parse(broken), None);
        }
    }
}
