//! DNS names as in certificates: A-labels, lower case, an optional `*.` in front.
//! RFC 5890 (IDNA), RFC 9525 (matching), RFC 1035 2.3.4 (lengths).

use std::fmt;

use super::idna2008;

/// Why a text is not valid as a name in a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    #[error("no name was given")]
    Empty,
    /// An IP address instead of a name.
    #[error("{0} is an IP address, not a DNS name")]
    Address(String),
    /// IDNA2008 does not allow the character.
    #[error("{text:?} has a character that is not allowed in names: {}", shown(*character))]
    Disallowed { text: String, character: char },
    /// It has an `@` but is no valid email address.
    #[error("{0:?} is not a valid email address for a certificate")]
    Mailbox(String),
    /// It breaks a rule of IDNA, about letters, digits and hyphens, or about lengths.
    #[error("{0:?} is not a DNS name")]
    Malformed(String),
    /// A URL was pasted.
    #[error("{0:?} is a URL, not a name")]
    Url(String),
    /// A `*` that is not the whole first label.
    #[error(
        "{0:?} is not a valid wildcard: a single * must be the whole first label, before a domain"
    )]
    Wildcard(String),
}

/// Converts a name without its wildcard, which is a part of `text`, to A-labels. A name that was typed
/// as A-labels is taken as it is: the domain may be registered by older rules.
fn convert(
    text: &str,
    base: &str,
    spelled: impl Fn(&str) -> Option<String>,
) -> Result<String, NameError> {
    let malformed = || NameError::Malformed(text.to_owned());
    if base.is_ascii() {
        return spelled(base).ok_or_else(malformed);
    }
    // Typographic quotes around a name make it malformed; this error says why.
    let quote = base.chars().find(|c| matches!(c, '\u{2018}'..='\u{201f}'));
    let ascii = match quote {
        Some(_) => None,
        None => Some(spelled(base).ok_or_else(malformed)?),
    };
    let in_label = |ascii: &String| {
        let (unicode, _) = idna::domain_to_unicode(ascii);
        idna2008::find_disallowed(&unicode)
    };
    match quote.or_else(|| ascii.as_ref().and_then(in_label)) {
        Some(character) => Err(NameError::Disallowed {
            text: text.to_owned(),
            character,
        }),
        None => ascii.ok_or_else(malformed),
    }
}

/// The character with its code point: many dashes look alike.
fn shown(character: char) -> String {
    format!("{character} (U+{:04X})", u32::from(character))
}

/// A suffix of the Public Suffix List.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicSuffix {
    /// The suffix of a registry: `com`, `co.uk`.
    Registry,
    /// The domain of a company under which others have names: `github.io`.
    Shared,
}

/// A valid DNS name: A-labels, lower case.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DnsName(String);

impl DnsName {
    /// Parses user input: Unicode or A-labels, any case, a final dot, `*.` or `_.` for a wildcard.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::parse_with(text, |base| {
            if is_plain(base) {
                return Some(base.to_ascii_lowercase());
            }
            idna::domain_to_ascii_strict(base)
                .ok()
                .filter(|ascii| is_well_formed(ascii))
        })
    }

    /// Parses user input where ASCII labels may have underscores, as in private networks.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse_with_underscores(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
            .or_else(|error| Self::parse_with(text, convert_with_underscores).map_err(|_| error))
    }

    /// Parses user input; `spelled` converts the part without the wildcard to A-labels.
    fn parse_with(text: &str, spelled: impl Fn(&str) -> Option<String>) -> Result<Self, NameError> {
        let text = text.trim();
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains('/') {
            return Err(NameError::Url(text.to_owned()));
        }
        let bare = name.trim_matches(['[', ']']);
        let like_an_address = bare.contains(':') || bare.ends_with(|c: char| c.is_ascii_digit());
        if like_an_address && bare.parse::<std::net::IpAddr>().is_ok() {
            return Err(NameError::Address(text.to_owned()));
        }
        let wildcard = name.strip_prefix("*.").or_else(|| name.strip_prefix("_."));
        let base = wildcard.unwrap_or(name);
        if base.contains('*') || (wildcard.is_some() && !base.contains('.')) {
            return Err(NameError::Wildcard(text.to_owned()));
        }
        let ascii = convert(text, base, spelled)?;
        Ok(Self(if wildcard.is_some() {
            format!("*.{ascii}")
        } else {
            ascii
        }))
    }

    /// Parses a name of a certificate or a request: A-labels, any case, and only `*.` for a
    /// wildcard. Nothing is normalized, because clients compare the name as it is written (RFC 5280
    /// 4.2.1.6, RFC 9525 6.3).
    #[must_use]
    pub fn parse_presented(text: &str) -> Option<Self> {
        let base = text.strip_prefix("*.");
        let wildcard_of_all = base.is_some_and(|base| !base.contains('.'));
        let address = text.parse::<std::net::IpAddr>().is_ok();
        let fine = !wildcard_of_all && !address && is_well_formed(base.unwrap_or(text));
        fine.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The A-label form, `*.` included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is a wildcard name such as `*.example.com`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without `*.`, which a CA looks up for domain validation.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }

    /// The name as part of a file name, with `_.` for the wildcard.
    #[must_use]
    pub fn file_stem(&self) -> String {
        match self.0.strip_prefix("*.") {
            Some(base) => format!("_.{base}"),
            None => self.0.clone(),
        }
    }

    /// The Unicode form, if it differs from the A-labels and IDNA permits displaying it.
    #[must_use]
    pub fn unicode(&self) -> Option<String> {
        let (shown, valid) = idna::domain_to_unicode(self.base());
        (valid.is_ok() && shown != self.base()).then(|| {
            if self.is_wildcard() {
                format!("*.{shown}")
            } else {
                shown
            }
        })
    }

    /// The registrable domain (public suffix plus one label), by the Public Suffix List;
    /// `None` for a bare suffix. A name under no listed suffix (`shop.example`, `db.corp`) counts
    /// its last label as the suffix.
    #[must_use]
    pub fn registrable(&self) -> Option<&str> {
        psl::domain_str(self.base())
    }

    /// Returns whether the Public Suffix List has the suffix of this name: then the owner controls
    /// nothing above the registrable domain. Internal zones (`corp`) are in no list.
    #[must_use]
    pub fn has_public_suffix(&self) -> bool {
        psl::suffix(self.base().as_bytes()).is_some_and(|suffix| suffix.is_known())
    }

    /// The kind of public suffix of this name; `None` if the list does not have it.
    #[must_use]
    pub fn public_suffix(&self) -> Option<PublicSuffix> {
        psl::suffix(self.base().as_bytes())?
            .typ()
            .map(|kind| match kind {
                psl::Type::Icann => PublicSuffix::Registry,
                psl::Type::Private => PublicSuffix::Shared,
            })
    }

    /// Returns whether a certificate for `self` may be used for `host`: equal, or the wildcard
    /// stands for exactly one whole left-most label (RFC 9525 6.3).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match self.0.strip_prefix("*.") {
            None => self.0 == host,
            Some(base) => host
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == base),
        }
    }
}

/// Returns whether `ascii` has labels of letters, digits and hyphens, 1 to 63 octets each, 253 in
/// all: what the strict mode of IDNA does not check.
fn is_well_formed(ascii: &str) -> bool {
    ascii.len() <= 253 && labels(ascii).all(is_label)
}

/// Converts an ASCII name with underscores; `None` for any other.
fn convert_with_underscores(base: &str) -> Option<String> {
    let as_host = base.replace('_', "x");
    let is_accepted = base.is_ascii() && base.contains('_') && is_well_formed(&as_host);
    is_accepted.then(|| base.to_ascii_lowercase())
}

fn labels(ascii: &str) -> impl Iterator<Item = &[u8]> {
    ascii.as_bytes().split(|b| *b == b'.')
}

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label[0] != b'-'
        && label[label.len() - 1] != b'-'
        && label
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Returns whether IDNA would only change the case. Labels with `--` at the third position are
/// encoded or invalid.
fn is_plain(base: &str) -> bool {
    base.len() <= 253 && labels(base).all(|label| is_label(label) && label.get(2..4) != Some(b"--"))
}

impl fmt::Display for DnsName {
    /// Both forms when they differ: `xn--bcher-kva.example (bücher.example)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unicode() {
            Some(unicode) => write!(f, "{} ({unicode})", self.0),
            None => f.write_str(&self.0),
        }
    }
}

/// Parses each text, in order and without duplicates: at least one.
pub(super) fn parse_distinct<S: AsRef<str>, T: PartialEq>(
    texts: &[S],
    parse: impl Fn(&str) -> Result<T, NameError>,
) -> Result<Vec<T>, NameError> {
    let mut names: Vec<T> = Vec::new();
    for text in texts {
        let name = parse(text.as_ref())?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        Err(NameError::Empty)
    } else {
        Ok(names)
    }
}

/// The names of one certificate: at least one, no duplicates, the first is the primary name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsNames(Vec<DnsName>);

impl DnsNames {
    /// Parses user input; drops duplicates and keeps the order.
    ///
    /// # Errors
    /// The error of the first invalid text, or [`NameError::Empty`].
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, NameError> {
        parse_distinct(texts, DnsName::parse).map(Self)
    }

    /// The first name, which files are named after.
    #[must_use]
    pub fn primary(&self) -> &DnsName {
        // Non-empty by construction.
        &self.0[0]
    }

    /// All names in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, DnsName> {
        self.0.iter()
    }

    /// Returns whether both have the same names in any order.
    #[must_use]
    pub fn same_set(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|name| other.0.contains(name))
    }
}

impl fmt::Display for DnsNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}")?;
        }
        Ok(())
    }
}

/// Joins the first six of `items` and adds the number of the others; there may be thousands.
#[must_use]
pub(crate) fn join_listed(items: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = items
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{DnsName, DnsNames, NameError, is_plain};

    #[test]
    fn user_input_is_converted_to_a_labels() {
        for (typed, name) in [
            ("Example.COM.", "example.com"),
            ("*.example.com", "*.example.com"),
            ("_.example.com", "*.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.Bücher.example", "*.xn--bcher-kva.example"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(DnsName::parse(typed).unwrap().as_str(), name, "{typed}");
        }
    }

    #[test]
    fn idna_does_not_change_plain_names() {
        for (name, plain) in [
            ("example.com", true),
            ("WWW.Example.co.uk", true),
            ("a-b.x--y.example", true),
            ("1.2.3.4", true),
            ("a1-2--3.0", true),
            ("ab--c.example", false),
            ("xn--bcher-kva.example", false),
            ("b\u{fc}cher.example", false),
            ("-a.example", false),
            ("a..b", false),
            ("a_b.example", false),
        ] {
            assert_eq!(is_plain(name), plain, "{name}");
            let by_idna = idna::domain_to_ascii_strict(name);
            assert!(
                !plain || by_idna.unwrap() == name.to_ascii_lowercase(),
                "{name}"
            );
        }
    }

    #[test]
    fn invalid_names_have_their_own_errors() {
        let long = format!("{}.example", "a".repeat(64));
        for (typed, error) in [
            ("", NameError::Empty),
            ("192.0.2.1", NameError::Address("192.0.2.1".into())),
            ("[2001:db8::1]", NameError::Address("[2001:db8::1]".into())),
            (
                "https://example.com/",
                NameError::Url("https://example.com/".into()),
            ),
            (
                "a.*.example.com",
                NameError::Wildcard("a.*.example.com".into()),
            ),
            (
                "w*.example.com",
                NameError::Wildcard("w*.example.com".into()),
            ),
            ("*.com", NameError::Wildcard("*.com".into())),
            ("a..b", NameError::Malformed("a..b".into())),
            ("-a.example", NameError::Malformed("-a.example".into())),
            ("a_b.example", NameError::Malformed("a_b.example".into())),
            ("a b.example", NameError::Malformed("a b.example".into())),
            (long.as_str(), NameError::Malformed(long.clone())),
        ] {
            assert_eq!(DnsName::parse(typed).unwrap_err(), error, "{typed}");
        }
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let wildcard = DnsName::parse("*.example.com").unwrap();
        assert!(wildcard.covers("WWW.example.com."));
        assert!(!wildcard.covers("example.com"));
        assert!(!wildcard.covers("a.b.example.com"));
        assert!(!wildcard.covers(".example.com"));
    }

    #[test]
    fn the_registrable_domain_is_never_a_suffix() {
        for (name, domain) in [
            ("www.example.com", Some("example.com")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("co.uk", None),
            ("shop.example", Some("shop.example")),
        ] {
            assert_eq!(
                DnsName::parse(name).unwrap().registrable(),
                domain,
                "{name}"
            );
        }
    }

    #[test]
    fn public_suffixes_differ_from_internal_ones() {
        for (name, public) in [
            ("www.example.com", true),
            ("example.co.uk", true),
            ("db.corp", false),
        ] {
            assert_eq!(
                DnsName::parse(name).unwrap().has_public_suffix(),
                public,
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_a_set_with_a_primary_name() {
        let names = DnsNames::parse(&["b.example", "a.example", "B.example"]).unwrap();
        assert_eq!(names.primary().as_str(), "b.example");
        assert_eq!(names.iter().count(), 2);
        assert!(names.same_set(&DnsNames::parse(&["a.example", "b.example"]).unwrap()));
    }

    #[test]
    fn names_of_certificates_are_not_normalized() {
        for name in [
            "example.com",
            "*.example.com",
            "xn--bcher-kva.example",
            "WWW.Example.com",
            "localhost",
        ] {
            assert_eq!(
                DnsName::parse_presented(name).unwrap().as_str(),
                name.to_ascii_lowercase()
            );
        }
        for name in [
            " example.com",
            "example.com.",
            "_.example.com",
            "b\u{fc}cher.example",
            "*.com",
            "a.*.com",
            "",
            "1.2.3.4",
        ] {
            assert_eq!(DnsName::parse_presented(name), None, "{name:?}");
        }
    }
}
