//! Names that a request may have (RFC 5280 4.2.1.6): DNS names, and for private CAs also IP
//! addresses and email addresses.

use std::fmt;
use std::net::IpAddr;

use super::name::{DnsName, DnsNames, NameError, parse_distinct};

/// A valid name, in the form that certificates have.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AltName {
    /// `dNSName`. It may have underscores in its labels, which no public CA certifies.
    Dns(DnsName),
    /// `iPAddress`.
    Address(IpAddr),
    /// `rfc822Name`: a local part of ASCII and a domain of A-labels.
    Mailbox(String),
}

impl AltName {
    /// Parses user input: an IP address with or without brackets, an email address, else a DNS
    /// name.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if let Ok(address) = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text)
            .parse()
        {
            return Ok(Self::Address(address));
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !text.contains("://") => {
                let domain = DnsName::parse(domain)
                    .ok()
                    .filter(|domain| !domain.is_wildcard());
                let domain = domain.filter(|_| is_local_part(local));
                let domain = domain.ok_or_else(|| NameError::Mailbox(text.to_owned()))?;
                Ok(Self::Mailbox(format!("{local}@{}", domain.as_str())))
            }
            _ => DnsName::parse_with_underscores(text).map(Self::Dns),
        }
    }

    /// The DNS name, if it is one.
    #[must_use]
    pub fn dns(&self) -> Option<&DnsName> {
        if let Self::Dns(name) = self {
            Some(name)
        } else {
            None
        }
    }

    /// The form in certificates and on the command line: A-labels, no brackets.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Dns(name) => name.as_str().to_owned(),
            Self::Address(address) => address.to_string(),
            Self::Mailbox(mailbox) => mailbox.clone(),
        }
    }

    /// The name as part of a file name, with `_` for characters other than letters, digits, `.`,
    /// `_` and `-`.
    #[must_use]
    pub fn file_stem(&self) -> String {
        match self {
            Self::Dns(name) => name.file_stem(),
            Self::Address(address) => replace_unsafe(&address.to_string()),
            Self::Mailbox(mailbox) => replace_unsafe(&mailbox.replace('@', "_at_")),
        }
    }
}

/// Replaces characters that are not safe in a file name, and a leading `.` or `-`, by `_`.
fn replace_unsafe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let is_safe = c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_leading_mark = safe.is_empty() && matches!(c, '.' | '-');
        safe.push(if is_safe && !is_leading_mark { c } else { '_' });
    }
    safe
}

/// Returns whether it is a `Dot-string` (RFC 5321 4.1.2) of at most 64 octets.
fn is_local_part(local: &str) -> bool {
    local.len() <= 64 && local.split('.').all(is_atom)
}

fn is_atom(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

impl fmt::Display for AltName {
    /// A DNS name in both forms when they differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            other => f.write_str(&other.text()),
        }
    }
}

/// The names of one request: at least one, no duplicates, the first is the primary name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AltNames(Vec<AltName>);

impl AltNames {
    /// Parses user input; drops duplicates and keeps the order.
    ///
    /// # Errors
    /// The error of the first invalid text, or [`NameError::Empty`].
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, NameError> {
        parse_distinct(texts, AltName::parse).map(Self)
    }

    /// The first name: files are called after it.
    #[must_use]
    pub fn primary(&self) -> &AltName {
        // Non-empty by construction.
        &self.0[0]
    }

    /// All names in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, AltName> {
        self.0.iter()
    }

    /// The DNS names among them.
    pub fn dns(&self) -> impl Iterator<Item = &DnsName> {
        self.0.iter().filter_map(AltName::dns)
    }

    /// Returns each name as [`AltName::text`].
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(AltName::text).collect()
    }

    /// Returns whether both contain the same names, in any order.
    #[must_use]
    pub fn same_set(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|name| other.0.contains(name))
    }
}

impl From<&DnsNames> for AltNames {
    fn from(names: &DnsNames) -> Self {
        Self(names.iter().cloned().map(AltName::Dns).collect())
    }
}

impl fmt::Display for AltNames {
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

#[cfg(test)]
mod tests {
    use super::{AltName, AltNames};
    use crate::pki::name::NameError;

    #[test]
    fn every_kind_of_name_has_a_text_and_a_file_name() {
        for (typed, text, stem) in [
            (
                "Bücher.Example.",
                "xn--bcher-kva.example",
                "xn--bcher-kva.example",
            ),
            ("*.example.com", "*.example.com", "_.example.com"),
            ("_sip.Example.com", "_sip.example.com", "_sip.example.com"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1", "2001_db8__1"),
            ("::1", "::1", "__1"),
            (
                "Ann.O'Neil@Bücher.example",
                "Ann.O'Neil@xn--bcher-kva.example",
                "Ann.O_Neil_at_xn--bcher-kva.example",
            ),
            ("-a@example.com", "-a@example.com", "_a_at_example.com"),
        ] {
            let name = AltName::parse(typed).unwrap();
            assert_eq!(
                (name.text().as_str(), name.file_stem().as_str()),
                (text, stem),
                "{typed}"
            );
        }
    }

    #[test]
    fn invalid_names_have_their_own_errors() {
        for typed in [
            "@example.com",
            "a b@example.com",
            "a@b@example.com",
            "a@*.example.com",
            "a@192.0.2.1",
            "a..b@c.de",
        ] {
            assert_eq!(
                AltName::parse(typed),
                Err(NameError::Mailbox(typed.into())),
                "{typed}"
            );
        }
        for (typed, error) in [
            (
                "https://a@example.com/",
                NameError::Url("https://a@example.com/".into()),
            ),
            ("192.0.2.0/24", NameError::Url("192.0.2.0/24".into())),
            ("a..b", NameError::Malformed("a..b".into())),
            (
                "-_a.example.com",
                NameError::Malformed("-_a.example.com".into()),
            ),
        ] {
            assert_eq!(AltName::parse(typed), Err(error), "{typed}");
        }
    }

    #[test]
    fn names_are_a_set_with_a_primary_name() {
        let names = AltNames::parse(&["b.example", "10.0.0.1", "B.example"]).unwrap();
        assert_eq!(names.to_string(), "b.example, 10.0.0.1");
        assert!(names.same_set(&AltNames::parse(&["10.0.0.1", "b.example"]).unwrap()));
        assert_eq!(AltNames::parse::<&str>(&[]), Err(NameError::Empty));
    }
}
