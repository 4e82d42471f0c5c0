//! A record in a zone: where it is, its type and its value.

use serde::{Deserialize, Serialize};

use crate::dcv::answer::RecordKind;

/// The types of record that certctl publishes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum PublishableKind {
    /// An alias, for CAs that derive the record from the request.
    Cname,
    /// A text, for ACME and CAs with random values.
    Txt,
}

impl PublishableKind {
    /// Returns the name of the type in zone files.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        RecordKind::from(self).word()
    }

    /// Returns whether two values are the same record: names in any case and with or without a final
    /// dot, texts exactly.
    #[must_use]
    pub(crate) fn is_same_value(self, one: &str, other: &str) -> bool {
        let target = |value: &str| value.trim_end_matches('.').to_ascii_lowercase();
        match self {
            Self::Cname => target(one) == target(other),
            Self::Txt => one == other,
        }
    }
}

impl From<PublishableKind> for RecordKind {
    fn from(kind: PublishableKind) -> Self {
        match kind {
            PublishableKind::Cname => Self::Cname,
            PublishableKind::Txt => Self::Txt,
        }
    }
}

impl PublishableKind {
    /// Returns the type of a validation record; `None` for a type that no CA uses for it.
    #[must_use]
    pub(crate) fn of_validation(kind: RecordKind) -> Option<Self> {
        match kind {
            RecordKind::Cname => Some(Self::Cname),
            RecordKind::Txt => Some(Self::Txt),
            RecordKind::A | RecordKind::Aaaa | RecordKind::Mx => None,
        }
    }
}

/// Where a record is: its owner name, and the zone that contains it. Both without a final dot, in
/// lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordLocation {
    pub name: String,
    pub zone: String,
}

impl RecordLocation {
    /// Returns the owner name relative to the zone, as a provider's API expects it; `@` for the zone
    /// itself.
    #[must_use]
    pub(crate) fn relative_name(&self) -> &str {
        match self.name.strip_suffix(&self.zone) {
            Some("") => "@",
            Some(rest) => rest.trim_end_matches('.'),
            None => &self.name,
        }
    }

    /// Returns whether the name is in the zone.
    #[must_use]
    pub(crate) fn is_consistent(&self) -> bool {
        self.name
            .strip_suffix(&self.zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// One record, without its owner name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordValue {
    pub kind: PublishableKind,
    /// A target without its final dot, or the whole text of a TXT record.
    pub value: String,
}

impl RecordValue {
    /// Returns whether both are the same record.
    #[must_use]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.kind.is_same_value(&self.value, &other.value)
    }
}

#[cfg(test)]
mod tests {
    use super::{PublishableKind, RecordLocation};

    #[test]
    fn names_are_relative_to_their_zone() {
        for (name, zone, relative) in [
            ("_x.www.example.com", "example.com", Some("_x.www")),
            ("example.com", "example.com", Some("@")),
            ("badexample.com", "example.com", None),
        ] {
            let at = RecordLocation {
                name: name.to_owned(),
                zone: zone.to_owned(),
            };
            assert_eq!(at.is_consistent(), relative.is_some(), "{name}");
            if let Some(relative) = relative {
                assert_eq!(at.relative_name(), relative);
            }
        }
    }

    #[test]
    fn targets_are_compared_as_names_and_texts_exactly() {
        let (cname, txt) = (PublishableKind::Cname, PublishableKind::Txt);
        assert!(cname.is_same_value("A.example.com.", "a.example.com"));
        assert!(!cname.is_same_value("a.example.com", "b.example.com"));
        assert!(txt.is_same_value("aB", "aB"));
        assert!(!txt.is_same_value("aB", "ab"));
        assert!(!txt.is_same_value("a.", "a"));
    }
}
