//! Name constraints (RFC 5280 4.2.1.10): which names a CA may certify.

use super::clients::TlsClient;
use crate::pki::certificate_fields::CertificateFields;
use crate::pki::der::{DerElement, DerElements, split_element};
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
    Excluded(ViolatingName),
    /// The constraints are not encoded as RFC 5280 says, or limit a subtree by `minimum` or
    /// `maximum`.
    Malformed,
    /// A name that no permitted subtree contains.
    NotPermitted(ViolatingName),
    /// A subject that no permitted subtree contains.
    OtherSubject,
    /// More names and subtrees than any client compares.
    TooMany,
    /// A name of a kind that is constrained and that clients cannot compare.
    Unsupported(String),
}

/// A name that constraints forbid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ViolatingName {
    pub description: String,
    /// Clients that compare such names in another way, and accept it.
    pub accepting: Vec<TlsClient>,
}

/// How subtrees are encoded in a way that some clients do not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OddSubtree {
    /// An address of a wrong length, or a mask with a 0 before a 1.
    Address,
    /// A DNS name with an empty label, or with other characters than ASCII.
    DnsName,
    /// `minimum`, which must be 0, is spelled out.
    SpelledMinimum,
}

/// A name, or the base of a subtree.
#[derive(Clone, Debug)]
enum ConstrainedName<'a> {
    Address(&'a [u8]),
    Directory(FoldedName),
    Dns(&'a str),
    Mailbox(&'a str),
    /// An emailAddress of a subject.
    SubjectMailbox(&'a str),
    /// A base of DNS names with other characters than ASCII, which contains no name.
    UnreadableDns,
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
            // The base is the other one.
            (Self::UnreadableDns, Self::Dns(_)) | (Self::Mailbox(_), Self::SubjectMailbox(_)) => {
                true
            }
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
            Self::Mailbox(mailbox) | Self::SubjectMailbox(mailbox) => {
                format!("the mail address {}", bounded(mailbox))
            }
            Self::Other(_) | Self::UnreadableDns => "a name of an unusual kind".to_owned(),
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
    /// What is odd in their encoding.
    odd: Vec<OddSubtree>,
    /// Whether a list of subtrees is there, and empty.
    has_empty_list: bool,
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
        let has_empty_list = [permitted, excluded]
            .into_iter()
            .flatten()
            .any(|list| list.value.is_empty());
        let mut odd = Vec::new();
        Some(Self {
            permitted: read_subtrees(permitted, &mut odd)?,
            excluded: read_subtrees(excluded, &mut odd)?,
            odd,
            has_empty_list,
        })
    }

    pub(super) fn has_empty_list(&self) -> bool {
        self.has_empty_list
    }

    pub(super) fn odd_subtrees(&self) -> &[OddSubtree] {
        &self.odd
    }

    /// Returns whether some subtree is of directory names.
    pub(super) fn names_directories(&self) -> bool {
        let mut all = self.permitted.iter().chain(&self.excluded);
        all.any(|base| matches!(base, ConstrainedName::Directory(_)))
    }

    /// Returns whether some permitted subtree is of a kind that GnuTLS does not know.
    pub(super) fn permits_other_kinds(&self) -> bool {
        let mut permitted = self.permitted.iter();
        permitted.any(|base| matches!(base, ConstrainedName::Other(_)))
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
                return Err(ConstraintFault::Excluded(ViolatingName {
                    description: name.describe(),
                    accepting: accept_exclusion(name, base),
                }));
            }
        }
        let mut is_permitted = permitted.peek().is_none();
        let mut accepting = accept_subject_mail(name);
        for base in permitted {
            if is_ignored_by_gnutls(name, base) {
                accepting.push(TlsClient::GnuTls);
            }
            is_permitted |= is_within(name, base).ok_or_else(unsupported)?;
        }
        match name {
            _ if is_permitted => Ok(()),
            ConstrainedName::Directory(_) => Err(ConstraintFault::OtherSubject),
            _ => Err(ConstraintFault::NotPermitted(ViolatingName {
                description: name.describe(),
                accepting,
            })),
        }
    }
}

/// Go and rustls do not compare the mail addresses of a subject.
fn accept_subject_mail(name: &ConstrainedName<'_>) -> Vec<TlsClient> {
    match name {
        ConstrainedName::SubjectMailbox(_) => vec![TlsClient::Go, TlsClient::Rustls],
        _ => Vec::new(),
    }
}

/// Clients that accept an excluded name: a wildcard is excluded by a name that it could stand for
/// only in Chrome, Firefox and rustls.
fn accept_exclusion(name: &ConstrainedName<'_>, base: &ConstrainedName<'_>) -> Vec<TlsClient> {
    let mut accepting = accept_subject_mail(name);
    if is_within(name, base) == Some(false) {
        accepting.extend([
            TlsClient::Go,
            TlsClient::GnuTls,
            TlsClient::OpenSsl,
            TlsClient::StrictPython,
        ]);
    }
    accepting
}

/// GnuTLS does not apply addresses of one family to those of the other, and ignores a final dot.
fn is_ignored_by_gnutls(name: &ConstrainedName<'_>, base: &ConstrainedName<'_>) -> bool {
    match (name, base) {
        (ConstrainedName::Address(name), ConstrainedName::Address(base)) => {
            base.len() != 2 * name.len()
        }
        (ConstrainedName::Dns(name), ConstrainedName::Dns(base)) => {
            is_dns_within(name.trim_end_matches('.'), base.trim_end_matches('.'))
        }
        _ => false,
    }
}

fn is_unusual(base: &ConstrainedName<'_>) -> bool {
    matches!(
        base,
        ConstrainedName::Directory(_) | ConstrainedName::Other(_)
    )
}

fn read_subtrees<'a>(
    list: Option<DerElement<'a>>,
    odd: &mut Vec<OddSubtree>,
) -> Option<Vec<ConstrainedName<'a>>> {
    let Some(list) = list else {
        return Some(Vec::new());
    };
    let subtrees = DerElements(list.value).read_all()?;
    subtrees
        .into_iter()
        .map(|subtree| {
            let (base, rest) = split_element(subtree.value)?;
            // `minimum` must be 0, which DER omits, and `maximum` absent.
            match rest {
                [] => {}
                [0x80, 1, 0] => odd.push(OddSubtree::SpelledMinimum),
                _ => return None,
            }
            if base.tag == DNS_NAME && !base.value.is_ascii() {
                odd.push(OddSubtree::DnsName);
                return Some(ConstrainedName::UnreadableDns);
            }
            let base = ConstrainedName::read(base)?;
            match &base {
                ConstrainedName::Address(octets) if !is_subnet(octets) => {
                    odd.push(OddSubtree::Address);
                }
                ConstrainedName::Dns(name) if !is_dns_base(name) => odd.push(OddSubtree::DnsName),
                _ => {}
            }
            Some(base)
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
            let kind = parts.next()?;
            let value = parts.next()?;
            if kind.value == EMAIL_ADDRESS {
                let text = std::str::from_utf8(value.value).ok()?;
                found.push(ConstrainedName::SubjectMailbox(text));
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
        (
            ConstrainedName::Mailbox(mailbox) | ConstrainedName::SubjectMailbox(mailbox),
            ConstrainedName::Mailbox(base),
        ) => is_mailbox_within(mailbox, base),
        (ConstrainedName::Dns(_), ConstrainedName::UnreadableDns) => Some(false),
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

/// Splits the octets of a subnet into address and mask.
fn read_subnet(octets: &[u8]) -> Option<AddressSubnet<'_>> {
    matches!(octets.len(), 8 | 32).then_some(())?;
    let (address, mask) = octets.split_at(octets.len() / 2);
    Some(AddressSubnet { address, mask })
}

/// Returns whether the octets are a subnet, whose mask has no 0 before a 1.
fn is_subnet(octets: &[u8]) -> bool {
    let Some(AddressSubnet { mask, .. }) = read_subnet(octets) else {
        return false;
    };
    let mut after_ones = mask.iter().skip_while(|&&octet| octet == 0xff);
    let first = after_ones.next().copied().unwrap_or(0);
    first.leading_ones() + first.trailing_zeros() >= 8 && after_ones.all(|&octet| octet == 0)
}

/// Returns whether Go reads a base of DNS names: labels that are not empty.
fn is_dns_base(base: &str) -> bool {
    let labels = base.strip_prefix('.').unwrap_or(base);
    base.is_empty() || labels.split('.').all(|label| !label.is_empty())
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
mod tests;
