//! Parses `--owner` and `--key-mode`. Names are looked up in the tree's own passwd(5) and group(5).
//! Pure: no name service is used, because the tree may belong to another machine.

use crate::permissions::{Mode, Owner};

/// The modes that a key can have: other users can never read it, and no user can execute it.
const KEY_MODES: [Mode; 4] = [
    Mode::new(0o600),
    Mode::new(0o640),
    Mode::new(0o400),
    Mode::new(0o440),
];

/// Parses an octal mode.
///
/// # Errors
/// A message why a key cannot have that mode.
pub(crate) fn parse_key_mode(text: &str) -> Result<Mode, &'static str> {
    match Mode::parse(text) {
        Some(mode) if KEY_MODES.contains(&mode) => Ok(mode),
        Some(mode) if mode.has_any(0o007) => {
            Err("all users would have access to the key; use 0600, 0640, 0400 or 0440")
        }
        _ => Err("a key can have mode 0600, 0640, 0400 or 0440"),
    }
}

/// Why an owner cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum OwnerError {
    /// Neither user nor group.
    #[error("the owner is empty")]
    Empty,
    /// The group is not in group(5).
    #[error("there is no group {0:?}")]
    NoGroup(String),
    /// The user is not in passwd(5).
    #[error("there is no user {0:?}")]
    NoUser(String),
    /// A user id that is not in passwd(5), without a group.
    #[error("user {0} is not in passwd, so its group is unknown")]
    Unknown(u32),
}

/// The texts of passwd(5) and group(5).
#[derive(Clone, Copy)]
struct AccountFiles<'a> {
    passwd: &'a str,
    group: &'a str,
}

impl AccountFiles<'_> {
    /// Returns the first line of passwd(5) whose fields satisfy `is_wanted`.
    fn find_user(&self, is_wanted: impl Fn(&PasswdLine<'_>) -> bool) -> Option<PasswdLine<'_>> {
        self.passwd.lines().map(PasswdLine::parse).find(is_wanted)
    }

    /// Returns the id of a group, which is given by its name in group(5) or as a number.
    fn group_number(&self, name: &str) -> Option<u32> {
        let mut lines = self.group.lines().map(|line| line.split(':'));
        let line = lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields));
        let listed = line.and_then(|mut fields| fields.nth(1)?.parse().ok());
        listed.or_else(|| numeric(name))
    }
}

/// The fields of a line of passwd(5) that identify a user.
struct PasswdLine<'a> {
    name: &'a str,
    user: Option<u32>,
    group: Option<u32>,
}

impl<'a> PasswdLine<'a> {
    fn parse(line: &'a str) -> Self {
        let mut fields = line.split(':');
        Self {
            name: fields.next().unwrap_or_default(),
            user: fields.nth(1).and_then(|field| field.parse().ok()),
            group: fields.next().and_then(|field| field.parse().ok()),
        }
    }
}

/// Parses user and group: `U` (with that user's own group), `U:G`, or `:G` (for `user`, who runs
/// certctl); names or numbers. `passwd` and `group` are the texts of the two files.
///
/// # Errors
/// See [`OwnerError`].
pub(crate) fn parse_owner(
    text: &str,
    user: u32,
    passwd: &str,
    group: &str,
) -> Result<Owner, OwnerError> {
    let accounts = AccountFiles { passwd, group };
    let (user_name, group_name) = text.split_once(':').unwrap_or((text, ""));
    if user_name.is_empty() && group_name.is_empty() {
        return Err(OwnerError::Empty);
    }
    let named = accounts.find_user(|line| line.name == user_name);
    let uid = match &named {
        _ if user_name.is_empty() => Some(user),
        Some(line) => line.user,
        None => numeric(user_name),
    };
    let uid = uid.ok_or_else(|| OwnerError::NoUser(user_name.to_owned()))?;
    let gid = if group_name.is_empty() {
        named
            .or_else(|| accounts.find_user(|line| line.user == Some(uid)))
            .and_then(|line| line.group)
            .ok_or(OwnerError::Unknown(uid))?
    } else {
        accounts
            .group_number(group_name)
            .ok_or_else(|| OwnerError::NoGroup(group_name.to_owned()))?
    };
    Ok(Owner { uid, gid })
}

/// Parses an id as chown(1) does. The greatest number is refused, because it means "unchanged" to
/// the system.
fn numeric(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Mode, Owner, OwnerError, parse_key_mode, parse_owner};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:\nbroken\n1000:x:7:8::/:\nx:x:9:10::/:\n";
    const GROUP: &str = "root:x:0:\nssl-cert:x:114:postgres\nwww-data:x:33:\nbad:x:many:\n";

    #[test]
    fn owners_are_parsed() {
        let numbers = |uid, gid| Ok(Owner { uid, gid });
        let no_user = |name: &str| Err(OwnerError::NoUser(name.to_owned()));
        let no_group = |name: &str| Err(OwnerError::NoGroup(name.to_owned()));
        for (text, wanted) in [
            ("root:ssl-cert", numbers(0, 114)),
            ("root", numbers(0, 0)),
            ("www-data", numbers(33, 33)),
            ("www-data:", numbers(33, 33)),
            (":ssl-cert", numbers(4711, 114)),
            ("33:114", numbers(33, 114)),
            ("9", numbers(9, 10)),
            ("1000", numbers(7, 8)),
            ("12:34", numbers(12, 34)),
            ("12", Err(OwnerError::Unknown(12))),
            ("no-such-user", no_user("no-such-user")),
            ("root:no-such-group", no_group("no-such-group")),
            ("root:bad", no_group("bad")),
            ("broken", no_user("broken")),
            ("-1:0", no_user("-1")),
            ("4294967295:0", no_user("4294967295")),
            ("", Err(OwnerError::Empty)),
            (":", Err(OwnerError::Empty)),
        ] {
            assert_eq!(parse_owner(text, 4711, PASSWD, GROUP), wanted, "{text:?}");
        }
        assert_eq!(parse_owner("0:0", 0, "", ""), numbers(0, 0));
    }

    #[test]
    fn modes_with_access_for_all_users_are_rejected() {
        for (text, mode) in [
            ("0600", 0o600),
            ("640", 0o640),
            ("0400", 0o400),
            ("440", 0o440),
        ] {
            assert_eq!(parse_key_mode(text), Ok(Mode::new(mode)));
        }
        for text in [
            "0644",
            "0666",
            "777",
            "0660",
            "0700",
            "4600",
            "",
            "-600",
            "0o600",
            "rw-------",
        ] {
            assert!(parse_key_mode(text).is_err(), "{text}");
        }
    }
}
