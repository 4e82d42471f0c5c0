//! Name constraints (RFC 5280 4.2.1.10): which names a CA may certify.

use crate::pki::der::{DerElement, DerElements, split_element};

use crate::pki::certificate_fields::CertificateFields;
use crate::pki::folded_name::FoldedName;

/// Tags of `GeneralName`.
const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const DIRECTORY_NAME: u8 = 0xa4;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;
/// Tags of the fields of `NameConstraints`.
const PERMITTED: u8 = 0xa0;
const EXCLUDED: u8 = 0xa1;
/// emailAddress of PKCS#9 (1.2.840.113549.1.9.1), as octets.
const EMAIL_ADDRESS: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

/// The most comparisons of names with subtrees for one certificate, as in Go and webpki.
const MOST_COMPARISONS: usize = 250_000;

/// Why a certificate does not comply with the constraints of a CA above it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ConstraintFault {
    /// A name that an excluded subtree contains.
    Excluded(String),
    /// The constraints are not encoded as RFC 5280 says, or limit a subtree by `minimum` or
    /// `maximum`.
    Malformed,
    /// A name that no permitted subtree contains.
    NotPermitted(String),
    /// A subject that no permitted subtree contains.
    OtherSubject,
    /// More names and subtrees than any client compares.
    TooMany,
    /// A name of a kind that is constrained and that clients cannot compare.
    Unsupported(String),
}

/// A name, or the base of a subtree.
#[derive(Clone, Debug)]
enum ConstrainedName<'a> {
    Address(&'a [u8]),
    Directory(FoldedName),
    Dns(&'a str),
    Mailbox(&'a str),
    /// Any other kind; holds its tag.
    Other(u8),
    Uri(&'a str),
}

impl<'a> ConstrainedName<'a> {
    fn read(name: DerElement<'a>) -> Option<Self> {
        let text = || std::str::from_utf8(name.value).ok();
        Some(match name.tag {
            RFC822_NAME => Self::Mailbox(text()?),
            DNS_NAME => Self::Dns(text()?),
            DIRECTORY_NAME => Self::Directory(FoldedName::of(name.value)?),
            URI => Self::Uri(text()?),
            IP_ADDRESS => Self::Address(name.value),
            tag => Self::Other(tag),
        })
    }

    fn is_same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(tag), Self::Other(other)) => tag == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// Describes it in a sentence.
    fn describe(&self) -> String {
        match self {
            Self::Address(octets) => match crate::pki::certificate::parse_ip_address(octets) {
                Some(address) => format!("the address {address}"),
                None => "an address".to_owned(),
            },
            Self::Directory(_) => "its subject".to_owned(),
            Self::Dns(name) => format!("the name {}", bounded(name)),
            Self::Mailbox(mailbox) => format!("the mail address {}", bounded(mailbox)),
            Self::Other(_) => "a name of an unusual kind".to_owned(),
            Self::Uri(uri) => format!("the URI {}", bounded(uri)),
        }
    }
}

/// Shortens foreign text for a sentence.
fn bounded(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The constraints of a CA.
#[derive(Clone, Debug, Default)]
pub(super) struct NameConstraints<'a> {
    permitted: Vec<ConstrainedName<'a>>,
    excluded: Vec<ConstrainedName<'a>>,
}

impl<'a> NameConstraints<'a> {
    /// Reads the content of the SEQUENCE; `None` if it is malformed.
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let mut parts = DerElements(content);
        let permitted = parts.take(PERMITTED);
        let excluded = parts.take(EXCLUDED);
        let is_empty = permitted.is_none() && excluded.is_none();
        if is_empty || !parts.0.is_empty() {
            return None;
        }
        Some(Self {
            permitted: read_subtrees(permitted)?,
            excluded: read_subtrees(excluded)?,
        })
    }

    /// Returns whether some subtree is of a kind that only some clients support: anything but DNS
    /// names, addresses, mail addresses and URIs.
    pub(super) fn restricts_directories(&self) -> bool {
        self.permitted.iter().any(is_unusual) || self.excludes_directories()
    }

    pub(super) fn excludes_directories(&self) -> bool {
        self.excluded.iter().any(is_unusual)
    }

    /// Returns why `certificate` does not comply.
    pub(super) fn check(&self, certificate: &CertificateFields<'_>) -> Result<(), ConstraintFault> {
        let names = names_of(certificate).ok_or(ConstraintFault::Malformed)?;
        let subtrees = self.permitted.len() + self.excluded.len();
        if names.len().saturating_mul(subtrees) > MOST_COMPARISONS {
            return Err(ConstraintFault::TooMany);
        }
        names.iter().try_for_each(|name| self.check_name(name))
    }

    fn check_name(&self, name: &ConstrainedName<'_>) -> Result<(), ConstraintFault> {
        let excluded = self.excluded.iter().filter(|base| base.is_same_kind(name));
        let mut permitted = self
            .permitted
            .iter()
            .filter(|base| base.is_same_kind(name))
            .peekable();
        let unsupported = || ConstraintFault::Unsupported(name.describe());
        for base in excluded {
            if is_excluded_by(name, base).ok_or_else(unsupported)? {
                return Err(ConstraintFault::Excluded(name.describe()));
            }
        }
        let mut is_permitted = permitted.peek().is_none();
        for base in permitted {
            is_permitted |= is_within(name, base).ok_or_else(unsupported)?;
        }
        match name {
            _ if is_permitted => Ok(()),
            ConstrainedName::Directory(_) => Err(ConstraintFault::OtherSubject),
            _ => Err(ConstraintFault::NotPermitted(name.describe())),
        }
    }
}

fn is_unusual(base: &ConstrainedName<'_>) -> bool {
    matches!(
        base,
        ConstrainedName::Directory(_) | ConstrainedName::Other(_)
    )
}

fn read_subtrees(list: Option<DerElement<'_>>) -> Option<Vec<ConstrainedName<'_>>> {
    let Some(list) = list else {
        return Some(Vec::new());
    };
    let subtrees = DerElements(list.value).read_all()?;
    subtrees
        .into_iter()
        .map(|subtree| {
            let (base, rest) = split_element(subtree.value)?;
            // `minimum` must be 0, which DER omits, and `maximum` absent.
            rest.is_empty().then_some(())?;
            let base = ConstrainedName::read(base)?;
            let is_readable = match &base {
                ConstrainedName::Address(octets) => read_subnet(octets).is_some(),
                _ => true,
            };
            is_readable.then_some(base)
        })
        .collect()
}

/// The names of a certificate that constraints apply to: the subject, the mail addresses in it, and
/// the subject alternative names. `None` if one is malformed.
fn names_of<'a>(certificate: &CertificateFields<'a>) -> Option<Vec<ConstrainedName<'a>>> {
    let mut names = Vec::new();
    let subject = FoldedName::of(certificate.subject)?;
    if !subject.is_empty() {
        names.push(ConstrainedName::Directory(subject));
    }
    names.extend(mail_addresses(certificate.subject)?);
    for name in certificate.alternative_names().into_iter().flatten() {
        names.push(ConstrainedName::read(name)?);
    }
    Some(names)
}

/// The emailAddress attributes of a subject.
fn mail_addresses(subject: &[u8]) -> Option<Vec<ConstrainedName<'_>>> {
    let (subject, _) = split_element(subject)?;
    let mut found = Vec::new();
    for part in DerElements(subject.value).read_all()? {
        for attribute in DerElements(part.value).read_all()? {
            let mut parts = DerElements(attribute.value);
            let (kind, value) = (parts.next()?, parts.next()?);
            if kind.value == EMAIL_ADDRESS {
                let text = std::str::from_utf8(value.value).ok()?;
                found.push(ConstrainedName::Mailbox(text));
            }
        }
    }
    Some(found)
}

/// Returns whether an excluded subtree contains a name; a wildcard also if it could stand for a name
/// in it. `None` if that cannot be compared.
fn is_excluded_by(name: &ConstrainedName<'_>, base: &ConstrainedName<'_>) -> Option<bool> {
    if let (ConstrainedName::Dns(name), ConstrainedName::Dns(base)) = (name, base)
        && let Some(parent) = name.strip_prefix("*.")
        && let Some((_, base_parent)) = base.trim_start_matches('.').split_once('.')
        && parent.eq_ignore_ascii_case(base_parent)
    {
        return Some(true);
    }
    is_within(name, base)
}

/// Returns whether a subtree contains a name of the same kind; `None` if that cannot be compared.
fn is_within(name: &ConstrainedName<'_>, base: &ConstrainedName<'_>) -> Option<bool> {
    match (name, base) {
        (ConstrainedName::Address(octets), ConstrainedName::Address(subnet)) => {
            let AddressSubnet { address, mask } = read_subnet(subnet)?;
            let masked = |octets: &[u8]| -> Vec<u8> {
                octets.iter().zip(mask).map(|(a, b)| a & b).collect()
            };
            Some(octets.len() == address.len() && masked(octets) == masked(address))
        }
        (ConstrainedName::Directory(name), ConstrainedName::Directory(base)) => {
            Some(name.is_within(base))
        }
        (ConstrainedName::Dns(name), ConstrainedName::Dns(base)) => Some(is_dns_within(name, base)),
        (ConstrainedName::Mailbox(mailbox), ConstrainedName::Mailbox(base)) => {
            is_mailbox_within(mailbox, base)
        }
        (ConstrainedName::Uri(uri), ConstrainedName::Uri(base)) => {
            Some(is_host_within(uri_host(uri)?, base))
        }
        _ => None,
    }
}

/// A range of addresses.
struct AddressSubnet<'a> {
    address: &'a [u8],
    mask: &'a [u8],
}

/// Splits the octets of a subnet; its mask has no 0 before a 1.
fn read_subnet(octets: &[u8]) -> Option<AddressSubnet<'_>> {
    matches!(octets.len(), 8 | 32).then_some(())?;
    let (address, mask) = octets.split_at(octets.len() / 2);
    let mut after_ones = mask.iter().skip_while(|&&octet| octet == 0xff);
    let first = after_ones.next().copied().unwrap_or(0);
    let is_contiguous =
        first.leading_ones() + first.trailing_zeros() >= 8 && after_ones.all(|&octet| octet == 0);
    is_contiguous.then_some(AddressSubnet { address, mask })
}

/// The base itself and all names below it; only those below if it begins with a dot.
fn is_dns_within(name: &str, base: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    if base.starts_with('.') {
        return is_below(name, base);
    }
    name.eq_ignore_ascii_case(base) || is_below(name, &format!(".{base}"))
}

/// A host as in URIs and mail addresses: exactly the base, or all hosts below it if it begins with a
/// dot.
fn is_host_within(host: &str, base: &str) -> bool {
    if base.starts_with('.') {
        is_below(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    }
}

/// Returns whether `name` ends in `suffix`, which begins with a dot, and has a label before it.
fn is_below(name: &str, suffix: &str) -> bool {
    let Some(start) = name.len().checked_sub(suffix.len()) else {
        return false;
    };
    start > 0
        && name
            .get(start..)
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// The base is a mailbox, a host, or a domain that begins with a dot.
fn is_mailbox_within(mailbox: &str, base: &str) -> Option<bool> {
    let (local, host) = mailbox.rsplit_once('@')?;
    Some(match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => base.is_empty() || is_host_within(host, base),
    })
}

/// The host of a URI, which must be a name (RFC 5280 4.2.1.10).
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    let is_name =
        !host.is_empty() && !host.starts_with('[') && host.parse::<std::net::IpAddr>().is_err();
    is_name.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{
        ConstrainedName, is_dns_within, is_excluded_by, is_mailbox_within, is_within, read_subnet,
    };

    #[test]
    fn subtrees_of_dns_names_contain_the_base_and_names_below() {
        for (name, base, expected) in [
            ("example.com", "example.com", true),
            ("a.EXAMPLE.com", "example.com", true),
            ("*.example.com", "example.com", true),
            ("notexample.com", "example.com", false),
            ("example.com", ".example.com", false),
            ("a.example.com", ".example.com", true),
            ("com", "example.com", false),
            ("anything.test", "", true),
        ] {
            assert_eq!(is_dns_within(name, base), expected, "{name} {base}");
        }
    }

    #[test]
    fn a_wildcard_is_excluded_if_it_can_stand_for_an_excluded_name() {
        for (name, base, expected) in [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", true),
            ("b.example.com", "a.example.com", false),
        ] {
            let found = is_excluded_by(&ConstrainedName::Dns(name), &ConstrainedName::Dns(base));
            assert_eq!(found, Some(expected), "{name} {base}");
        }
    }

    #[test]
    fn mailboxes_and_uris_are_compared_by_their_hosts() {
        for (mailbox, base, expected) in [
            ("a@b.example", "b.example", Some(true)),
            ("a@c.b.example", "b.example", Some(false)),
            ("a@c.b.example", ".b.example", Some(true)),
            ("a@b.example", ".b.example", Some(false)),
            ("a@B.example", "a@b.example", Some(true)),
            ("A@b.example", "a@b.example", Some(false)),
            ("b.example", "b.example", None),
        ] {
            assert_eq!(
                is_mailbox_within(mailbox, base),
                expected,
                "{mailbox} {base}"
            );
        }
        for (uri, base, expected) in [
            ("https://u@b.example:1/x", "b.example", Some(true)),
            ("https://a.b.example", "b.example", Some(false)),
            ("https://a.b.example?", ".b.example", Some(true)),
            ("https://192.0.2.1/", "b.example", None),
            ("urn:x", "b.example", None),
        ] {
            let found = is_within(&ConstrainedName::Uri(uri), &ConstrainedName::Uri(base));
            assert_eq!(found, expected, "{uri} {base}");
        }
    }

    #[test]
    fn subnets_have_contiguous_masks() {
        assert!(read_subnet(&[192, 0, 2, 0, 255, 255, 254, 0]).is_some());
        assert!(read_subnet(&[192, 0, 2, 0, 0, 0, 0, 0]).is_some());
        assert!(read_subnet(&[192, 0, 2, 0, 255, 0, 255, 0]).is_none());
        assert!(read_subnet(&[192, 0, 2, 0, 255, 255, 253, 0]).is_none());
        assert!(read_subnet(&[192, 0, 2, 0]).is_none());
    }
}
