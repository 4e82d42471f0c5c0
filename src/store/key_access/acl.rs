//! POSIX ACLs as Linux keeps them in `system.posix_acl_access`: who beside owner and group may read
//! a file, and the ACL of the file that takes its place. Pure.

const VERSION: [u8; 4] = [2, 0, 0, 0];
const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;
const READ: u16 = 4;
const ENTER: u16 = 1;

/// Somebody who is named in an ACL.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum AclSubject {
    /// A user, by number.
    User(u32),
    /// A group, by number.
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

/// What of an ACL counts: who is named, and what the owning group may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccessControlList {
    /// What each may do, the mask taken off.
    named: Vec<(AclSubject, u16)>,
    /// 0 to 7. The mode of the file shows the mask in its place.
    group: u32,
}

impl AccessControlList {
    /// The ACL in these bytes, if it is one.
    #[must_use]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let entries = bytes
            .strip_prefix(&VERSION)?
            .chunks(8)
            .map(entry)
            .collect::<Option<Vec<_>>>()?;
        let bits = |wanted: u16| {
            entries
                .iter()
                .find(|(tag, ..)| *tag == wanted)
                .map(|(_, bits, _)| *bits)
        };
        let mask = bits(MASK).unwrap_or(7);
        let who = |tag: u16, id: u32| match tag {
            USER => Some(AclSubject::User(id)),
            GROUP => Some(AclSubject::Group(id)),
            _ => None,
        };
        let named = entries
            .iter()
            .filter_map(|(tag, bits, id)| Some((who(*tag, *id)?, bits & mask)));
        Some(Self {
            named: named.collect(),
            group: u32::from(bits(OWNING_GROUP)? & mask),
        })
    }

    /// Who is named in it and may read.
    #[must_use]
    pub(crate) fn readers(&self) -> Vec<AclSubject> {
        self.named
            .iter()
            .filter(|(_, bits)| bits & READ != 0)
            .map(|(who, _)| *who)
            .collect()
    }

    /// Whether the ACL of a folder lets `who` in by name.
    #[must_use]
    pub(crate) fn lets_in(&self, who: AclSubject) -> bool {
        self.named
            .iter()
            .any(|(named, bits)| *named == who && bits & ENTER != 0)
    }

    /// What the mode of the file would be without its ACL.
    #[must_use]
    pub(crate) fn mode(&self, shown: u32) -> u32 {
        shown & !0o070 | self.group << 3
    }
}

/// The ACL of a new file of `mode` that `readers` may read too, and no more; none when there are
/// none.
#[must_use]
pub(crate) fn of(readers: &[AclSubject], mode: u32) -> Option<Vec<u8>> {
    if readers.is_empty() {
        return None;
    }
    let of_mode = |shift: u32| u16::try_from(mode >> shift & 7).unwrap_or(0);
    let named = readers.iter().map(|who| match *who {
        AclSubject::User(user) => (USER, READ, user),
        AclSubject::Group(group) => (GROUP, READ, group),
    });
    let mut entries = vec![
        (OWNER, of_mode(6), u32::MAX),
        (OWNING_GROUP, of_mode(3), u32::MAX),
        (MASK, of_mode(3) | READ, u32::MAX),
        (OTHERS, of_mode(0), u32::MAX),
    ];
    entries.extend(named);
    // As the kernel demands: by what they are, then by whom they name.
    entries.sort_unstable_by_key(|(tag, _, id)| (*tag, *id));
    let bytes = entries.iter().flat_map(|(tag, bits, id)| {
        [
            &tag.to_le_bytes()[..],
            &bits.to_le_bytes(),
            &id.to_le_bytes(),
        ]
        .concat()
    });
    Some(VERSION.into_iter().chain(bytes).collect())
}

/// What it is about, what is allowed, whom it names.
fn entry(bytes: &[u8]) -> Option<(u16, u16, u32)> {
    let [t0, t1, b0, b1, i0, i1, i2, i3] = *<&[u8; 8]>::try_from(bytes).ok()?;
    let (tag, bits) = (u16::from_le_bytes([t0, t1]), u16::from_le_bytes([b0, b1]));
    let known = [OWNER, USER, OWNING_GROUP, GROUP, MASK, OTHERS].contains(&tag);
    known.then_some((tag, bits & 7, u32::from_le_bytes([i0, i1, i2, i3])))
}

#[cfg(test)]
mod tests {
    use super::{AccessControlList, AclSubject};

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
    fn who_is_named_may_read_on_and_nobody_else() {
        let named = vec![AclSubject::User(33), AclSubject::Group(44)];
        for (bytes, readers, shown, mode) in [
            (acl(4, 6, 4), named.clone(), 0o660, 0o640),
            (acl(0, 4, 0), named.clone(), 0o640, 0o600),
            (acl(7, 4, 7), named, 0o647, 0o647),
            (acl(7, 0, 7), vec![], 0o600, 0o600),
        ] {
            let read = AccessControlList::parse(&bytes).unwrap();
            assert_eq!(
                (&read.readers(), read.mode(shown)),
                (&readers, mode),
                "{bytes:?}"
            );
            let Some(written) = super::of(&readers, mode & 0o660) else {
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
    fn what_is_no_acl_is_none() {
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
