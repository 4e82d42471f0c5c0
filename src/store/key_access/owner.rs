//! `--owner` and `--key-mode`: who is to read a key, as numbers, looked up in the tree's own
//! passwd(5) and group(5). Pure: no name service is asked, whose answers could be another
//! machine's.

/// Modes that a key may be given: nobody else may ever read it, and nobody needs to run it.
const KEY_MODES: [u32; 4] = [0o600, 0o640, 0o400, 0o440];

/// The mode in `text`, octal.
///
/// # Errors
/// Why it is none for a key.
pub(crate) fn key_mode(text: &str) -> Result<u32, &'static str> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if KEY_MODES.contains(&mode) => Ok(mode),
        Ok(mode) if mode & 0o007 != 0 => {
            Err("it would open the key to everybody; 0600, 0640, 0400 or 0440")
        }
        _ => Err("the mode of a key is 0600, 0640, 0400 or 0440"),
    }
}

/// Why an owner is nobody's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum OwnerError {
    /// Neither user nor group.
    #[error("no owner was given")]
    Empty,
    /// It is in no line of group(5).
    #[error("there is no group {0:?}")]
    NoGroup(String),
    /// It is in no line of passwd(5).
    #[error("there is no user {0:?}")]
    NoUser(String),
    /// A user by number that passwd(5) does not have: its group has to be said.
    #[error("user {0} has no entry that says its group")]
    Unknown(u32),
}

/// User and group that `text` means: `U` (with that user's own group), `U:G`, or `:G` (for
/// `user`, who runs certctl); names or numbers. `passwd` and `group` are the texts of the two
/// files.
///
/// # Errors
/// See [`OwnerError`].
pub(crate) fn owner(
    text: &str,
    user: u32,
    passwd: &str,
    group: &str,
) -> Result<(u32, u32), OwnerError> {
    let (name, of) = text.split_once(':').unwrap_or((text, ""));
    let users = || {
        passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
    };
    let named = users().find(|fields| fields.first() == Some(&name));
    let number =
        |fields: &[&str], at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
    let owner = match (&named, name) {
        (_, "") if of.is_empty() => return Err(OwnerError::Empty),
        (_, "") => user,
        (Some(fields), _) => {
            number(fields, 2).ok_or_else(|| OwnerError::NoUser(name.to_owned()))?
        }
        (None, _) => numeric(name).ok_or_else(|| OwnerError::NoUser(name.to_owned()))?,
    };
    if !of.is_empty() {
        let line = group
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields[0] == of);
        let found = line
            .and_then(|fields| number(&fields, 2))
            .or_else(|| numeric(of));
        return found
            .map(|group| (owner, group))
            .ok_or_else(|| OwnerError::NoGroup(of.to_owned()));
    }
    let entry = named.or_else(|| users().find(|fields| number(fields, 2) == Some(owner)));
    let group = entry
        .and_then(|fields| number(&fields, 3))
        .ok_or(OwnerError::Unknown(owner))?;
    Ok((owner, group))
}

/// A number as chown(1) takes it; the last one means "as it is" to the system.
fn numeric(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{OwnerError, key_mode, owner};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:\nbroken\n1000:x:7:8::/:\nx:x:9:10::/:\n";
    const GROUP: &str = "root:x:0:\nssl-cert:x:114:postgres\nwww-data:x:33:\nbad:x:many:\n";

    #[test]
    fn who_is_meant() {
        let no_user = |name: &str| Err(OwnerError::NoUser(name.to_owned()));
        let no_group = |name: &str| Err(OwnerError::NoGroup(name.to_owned()));
        for (text, wanted) in [
            ("root:ssl-cert", Ok((0, 114))),
            ("root", Ok((0, 0))),
            ("www-data", Ok((33, 33))),
            ("www-data:", Ok((33, 33))),
            (":ssl-cert", Ok((4711, 114))),
            ("33:114", Ok((33, 114))),
            ("9", Ok((9, 10))),
            ("1000", Ok((7, 8))),
            ("12:34", Ok((12, 34))),
            ("12", Err(OwnerError::Unknown(12))),
            ("nobody-here", no_user("nobody-here")),
            ("root:nobody-here", no_group("nobody-here")),
            ("root:bad", no_group("bad")),
            ("broken", no_user("broken")),
            ("-1:0", no_user("-1")),
            ("4294967295:0", no_user("4294967295")),
            ("", Err(OwnerError::Empty)),
            (":", Err(OwnerError::Empty)),
        ] {
            assert_eq!(owner(text, 4711, PASSWD, GROUP), wanted, "{text:?}");
        }
        assert_eq!(owner("0:0", 0, "", ""), Ok((0, 0)));
    }

    #[test]
    fn a_key_is_never_for_everybody() {
        for (text, mode) in [
            ("0600", 0o600),
            ("640", 0o640),
            ("0400", 0o400),
            ("440", 0o440),
        ] {
            assert_eq!(key_mode(text), Ok(mode));
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
            assert!(key_mode(text).is_err(), "{text}");
        }
    }
}
