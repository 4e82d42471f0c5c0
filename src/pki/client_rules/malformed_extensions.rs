//! Whether extensions are encoded as they are defined: OpenSSL and Go refuse a certificate with one that
//! is not, whatever it would say.

use super::breach::Breach;
use super::clients::TlsClient::{Chrome, GnuTls, Go, OpenSsl, Rustls, StrictPython};
use super::table;
use crate::pki::certificate_fields::{
    self as fields, AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS,
    CertificateFields, EXTENDED_KEY_USAGE, ExtensionField, KEY_USAGE, SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
};
use crate::pki::der::{
    BIT_STRING, BOOLEAN, DerElement, DerElements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    SEQUENCE, split_element,
};
use crate::pki::oid;

/// id-pe-authorityInfoAccess.
const INFORMATION_ACCESS: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 1, 1];
/// The largest path lengths that Firefox, Chrome with rustls, and GnuTLS read.
const SHORT_LENGTH: u64 = 127;
const OCTET_LENGTH: u64 = 255;
const WORD_LENGTH: u64 = 0x7fff_ffff;

/// Returns the extensions that are not encoded as RFC 5280 defines them.
pub(super) fn check(certificate: &CertificateFields<'_>) -> Vec<Breach> {
    let mut found = Vec::new();
    for extension in &certificate.extensions {
        match is_well_formed(extension) {
            Some(false) if ends_with_more(extension) => {
                let breach = malformed(extension, "has something after its value");
                found.push(breach.except(&[Go, OpenSsl, StrictPython]));
            }
            Some(false) => found.push(malformed(extension, "is malformed")),
            _ => {}
        }
        if extension.standard_number() == Some(fields::CERTIFICATE_POLICIES)
            && has_repeated_policy(extension)
        {
            let how = "one of its certificate policies occurs twice";
            found.push(Breach::new(&table::DUPLICATE_POLICY, how));
        }
    }
    found.extend(check_length(certificate));
    found
}

/// Returns whether it would be well-formed without the octets after its first element.
fn ends_with_more(extension: &ExtensionField<'_>) -> bool {
    let first = split_element(extension.value).filter(|(_, rest)| !rest.is_empty());
    first.is_some_and(|(element, _)| {
        let alone = ExtensionField {
            value: element.whole,
            ..*extension
        };
        is_well_formed(&alone) == Some(true)
    })
}

fn malformed(extension: &ExtensionField<'_>, what: &str) -> Breach {
    let id = x509_parser::oid_registry::asn1_rs::Oid::new(extension.id.into());
    let how = format!("its extension {} {what}", oid::extension(&id));
    let breach = Breach::new(&table::MALFORMED_EXTENSION, how);
    match extension.standard_number() {
        Some(CRL_DISTRIBUTION_POINTS) => breach.except(&[Chrome]),
        Some(BASIC_CONSTRAINTS) => breach.except(&[Go]),
        Some(fields::CERTIFICATE_POLICIES) | None => breach.except(&[OpenSsl, StrictPython]),
        _ => breach,
    }
}

/// Returns whether OpenSSL decodes the extension of every certificate.
pub(super) fn is_read_by_openssl(extension: &ExtensionField<'_>) -> bool {
    matches!(
        extension.standard_number(),
        Some(
            AUTHORITY_KEY_IDENTIFIER
                | BASIC_CONSTRAINTS
                | CRL_DISTRIBUTION_POINTS
                | EXTENDED_KEY_USAGE
                | KEY_USAGE
                | SUBJECT_ALT_NAME
                | SUBJECT_KEY_IDENTIFIER
                | fields::NAME_CONSTRAINTS
        )
    )
}

/// Returns whether the extension has the form of its definition; `None` if that is not checked.
fn is_well_formed(extension: &ExtensionField<'_>) -> Option<bool> {
    let value = extension.value;
    let is_list_of = |tag| list_of(value, tag).is_some();
    if extension.id == INFORMATION_ACCESS {
        return Some(is_list_of(SEQUENCE));
    }
    Some(match extension.standard_number()? {
        SUBJECT_KEY_IDENTIFIER => only_element(value, OCTET_STRING).is_some(),
        KEY_USAGE => only_element(value, BIT_STRING).is_some(),
        AUTHORITY_KEY_IDENTIFIER => only_element(value, SEQUENCE).is_some_and(is_authority_key),
        EXTENDED_KEY_USAGE => is_list_of(OBJECT_IDENTIFIER),
        CRL_DISTRIBUTION_POINTS | fields::CERTIFICATE_POLICIES => is_list_of(SEQUENCE),
        SUBJECT_ALT_NAME => only_element(value, SEQUENCE)
            .is_some_and(|names| DerElements(names.value).read_all().is_some()),
        BASIC_CONSTRAINTS => read_length(value).is_some_and(|length| !length.is_negative()),
        _ => return None,
    })
}

/// The only element, of this tag.
fn only_element(value: &[u8], tag: u8) -> Option<DerElement<'_>> {
    let (element, rest) = split_element(value)?;
    (element.tag == tag && rest.is_empty()).then_some(element)
}

/// The elements of a SEQUENCE, all of this tag.
fn list_of(value: &[u8], tag: u8) -> Option<Vec<DerElement<'_>>> {
    let elements = DerElements(only_element(value, SEQUENCE)?.value).read_all()?;
    elements
        .iter()
        .all(|one| one.tag == tag)
        .then_some(elements)
}

fn is_authority_key(element: DerElement<'_>) -> bool {
    let mut parts = DerElements(element.value);
    for tag in [0x80, 0xa1, 0x82] {
        parts.take(tag);
    }
    parts.0.is_empty()
}

/// A path length as it is encoded.
struct EncodedLength<'a> {
    octets: Option<&'a [u8]>,
}

impl EncodedLength<'_> {
    fn is_negative(&self) -> bool {
        let first = self.octets.and_then(<[u8]>::first);
        first.is_some_and(|octet| octet & 0x80 != 0)
    }

    /// The number; `None` without one, or if it does not fit.
    fn number(&self) -> Option<u64> {
        let octets = self.octets?;
        let start = octets.iter().position(|&octet| octet != 0).unwrap_or(0);
        let short = octets.get(start..).filter(|short| short.len() <= 8)?;
        Some(
            short
                .iter()
                .fold(0, |sum, &octet| sum << 8 | u64::from(octet)),
        )
    }
}

/// Reads the path length of basic constraints; `None` if they are malformed.
fn read_length(value: &[u8]) -> Option<EncodedLength<'_>> {
    let constraints = only_element(value, SEQUENCE)?;
    let mut parts = DerElements(constraints.value);
    parts.take(BOOLEAN);
    let octets = parts.take(INTEGER).map(|length| length.value);
    parts.0.is_empty().then_some(EncodedLength { octets })
}

/// Returns whether the basic constraints are malformed, or make it a CA in a way that certctl's parser
/// does not read: another rule reports them.
pub(super) fn has_odd_basic_constraints(certificate: &CertificateFields<'_>) -> bool {
    let Some(extension) = certificate.extension(BASIC_CONSTRAINTS) else {
        return false;
    };
    let Some(length) = read_length(extension.value) else {
        return true;
    };
    let is_marked = split_element(extension.value)
        .and_then(|(constraints, _)| DerElements(constraints.value).take(BOOLEAN))
        .is_some_and(|mark| mark.value.iter().any(|&octet| octet != 0));
    let is_large = length.octets.is_some() && length.number().is_none_or(|one| one > WORD_LENGTH);
    is_marked && (is_large || length.is_negative())
}

/// RFC 5280 4.2.1.9 has no largest path length, and clients have different ones.
fn check_length(certificate: &CertificateFields<'_>) -> Option<Breach> {
    let extension = certificate.extension(BASIC_CONSTRAINTS)?;
    let length = read_length(extension.value)?;
    if length.octets.is_none() || length.is_negative() {
        return None;
    }
    let accepting: &[_] = match length.number() {
        Some(..=SHORT_LENGTH) => return None,
        Some(..=OCTET_LENGTH) => &[Go, Chrome, GnuTls, Rustls],
        Some(..=WORD_LENGTH) => &[Go, GnuTls],
        Some(number) if i64::try_from(number).is_ok() => &[Go],
        _ => &[],
    };
    let how = "its path length is larger than some clients read";
    Some(Breach::new(&table::PATH_LENGTH_SIZE, how).except(accepting))
}

fn has_repeated_policy(extension: &ExtensionField<'_>) -> bool {
    let policies = list_of(extension.value, SEQUENCE).unwrap_or_default();
    let ids: Vec<Option<&[u8]>> = policies
        .iter()
        .map(|policy| split_element(policy.value).map(|(id, _)| id.value))
        .collect();
    let is_repeated = |(place, id): (usize, &Option<&[u8]>)| ids[..place].contains(id);
    ids.iter().enumerate().any(is_repeated)
}
