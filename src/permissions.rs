//! The mode and the owner of a file. Pure.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The permission bits of a file or folder, written as four octal digits: `0600`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mode(u32);

impl Mode {
    /// Creates a mode with exactly these bits: `Mode::new(0o600)`.
    #[must_use]
    pub const fn new(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the permission bits of an `st_mode`, which also contains the type of the file.
    #[must_use]
    pub(crate) const fn of_status(st_mode: u32) -> Self {
        Self(st_mode & 0o7777)
    }

    /// Parses any number of octal digits; returns `None` for any other text.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        u32::from_str_radix(text, 8).ok().map(Self)
    }

    /// Returns the bits for the operating system.
    #[must_use]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// Returns whether any of these bits is set.
    #[must_use]
    pub(crate) const fn has_any(self, bits: u32) -> bool {
        self.0 & bits != 0
    }

    /// Returns this mode with these bits set.
    #[must_use]
    pub(crate) const fn with(self, bits: u32) -> Self {
        Self(self.0 | bits)
    }

    /// Returns this mode with these bits cleared.
    #[must_use]
    pub(crate) const fn without(self, bits: u32) -> Self {
        Self(self.0 & !bits)
    }

    /// Returns this mode with all other bits cleared.
    #[must_use]
    pub(crate) const fn restricted_to(self, bits: u32) -> Self {
        Self(self.0 & bits)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// The user and the group that a file belongs to, written as `0:114`; `[0, 114]` in JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", IdLabel(self.uid), IdLabel(self.gid))
    }
}

/// A user or group: root has the same name on every machine, others are shown by number.
struct IdLabel(u32);

impl fmt::Display for IdLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("root"),
            id => id.fmt(f),
        }
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.uid, self.gid).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (uid, gid) = Deserialize::deserialize(from)?;
        Ok(Self { uid, gid })
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Owner};

    #[test]
    fn modes_have_four_octal_digits() {
        for (bits, text) in [
            (0, "0000"),
            (0o40, "0040"),
            (0o600, "0600"),
            (0o1777, "1777"),
        ] {
            assert_eq!(Mode::new(bits).to_string(), text);
            assert_eq!(Mode::parse(text), Some(Mode::new(bits)));
        }
        assert_eq!(Mode::parse("640"), Some(Mode::new(0o640)));
        for text in ["", "-600", "0o600", "0800", "rw-------"] {
            assert_eq!(Mode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_type_of_a_file_is_not_part_of_its_mode() {
        assert_eq!(Mode::of_status(0o100_640), Mode::new(0o640));
        assert_eq!(Mode::of_status(0o041_777), Mode::new(0o1777));
    }

    #[test]
    fn bits_are_set_cleared_and_queried() {
        let mode = Mode::new(0o640);
        assert!(mode.has_any(0o060) && !mode.has_any(0o007));
        assert_eq!(mode.with(0o002), Mode::new(0o642));
        assert_eq!(mode.without(0o070), Mode::new(0o600));
        assert_eq!(mode.restricted_to(0o070), Mode::new(0o040));
    }

    #[test]
    fn owners_are_pairs_of_numbers_in_json() {
        let owner = Owner { uid: 0, gid: 114 };
        assert_eq!(serde_json::to_string(&owner).unwrap(), "[0,114]");
        assert_eq!(serde_json::from_str::<Owner>("[0, 114]").unwrap(), owner);
        assert_eq!(owner.to_string(), "root:114");
        for text in ["[0]", "[0,1,2]", "[-1,0]", r#"{"uid":0,"gid":114}"#, "0"] {
            assert!(serde_json::from_str::<Owner>(text).is_err(), "{text}");
        }
    }
}
