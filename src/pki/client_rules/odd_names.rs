//! Names that are not of the type that they are encoded as. Go parses every name of a certificate and
//! refuses it for one of them; most other clients read only what they compare.

use super::breach::Breach;
use super::clients::TlsClient::Chrome;
use super::table;
use crate::pki::certificate_fields::{CertificateFields, name_attributes};
use crate::pki::der::{DerElement, DerElements};

/// Tags of string types.
const UTF8: u8 = 0x0c;
const NUMERIC: u8 = 0x12;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const BMP: u8 = 0x1e;
/// Tags of `GeneralName`.
const MAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;

pub(super) fn check(certificate: &CertificateFields<'_>) -> Vec<Breach> {
    let mut found = Vec::new();
    for (name, what) in [
        (certificate.subject, "subject"),
        (certificate.issuer, "issuer"),
    ] {
        let attributes = name_attributes(name).unwrap_or_default();
        let values: Vec<DerElement<'_>> = attributes.into_iter().filter_map(value_of).collect();
        if values.iter().any(|value| !is_string(value)) {
            let how = format!("its {what} has characters that its string type does not have");
            found.push(Breach::new(&table::MALFORMED_NAME, how).except(&[Chrome]));
        }
        if values.iter().any(|value| value.value.is_empty()) {
            let how = format!("an attribute of its {what} is empty");
            found.push(Breach::new(&table::EMPTY_VALUE, how));
        }
    }
    for name in certificate.alternative_names().into_iter().flatten() {
        found.extend(check_alternative(&name));
    }
    found
}

/// The value of an attribute.
fn value_of(attribute: &[u8]) -> Option<DerElement<'_>> {
    let mut parts = DerElements(attribute);
    parts.next()?;
    parts.next()
}

/// Returns whether a string of a name has only characters of its type, as Go reads them: `*` and `&`
/// count as printable.
fn is_string(value: &DerElement<'_>) -> bool {
    let octets = value.value;
    match value.tag {
        UTF8 => std::str::from_utf8(octets).is_ok(),
        NUMERIC => octets
            .iter()
            .all(|&one| one.is_ascii_digit() || one == b' '),
        PRINTABLE => octets.iter().all(|&one| is_printable(one)),
        TELETEX => true,
        IA5 => octets.is_ascii(),
        BMP => octets.len().is_multiple_of(2),
        _ => false,
    }
}

/// X.680 41.4, with the two characters that many CAs use besides.
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&octet)
}

fn check_alternative(name: &DerElement<'_>) -> Option<Breach> {
    let is_empty = name.value.is_empty();
    let what = match name.tag {
        DNS | MAIL if is_empty => {
            let how = "one of its alternative names is empty";
            return Some(Breach::new(&table::EMPTY_VALUE, how));
        }
        DNS | MAIL | URI if !name.value.is_ascii() => "a name with other characters than ASCII",
        URI if !is_uri(name.value) => {
            let how = "one of its alternative names is a URI that is invalid";
            return Some(Breach::new(&table::MALFORMED_NAME, how).except(&[Chrome]));
        }
        ADDRESS if !matches!(name.value.len(), 4 | 16) => "an address of a wrong length",
        _ => return None,
    };
    let how = format!("one of its alternative names is {what}");
    Some(Breach::new(&table::MALFORMED_NAME, how))
}

/// Returns whether Go's `url.Parse` accepts the text, and the labels of its host are not empty.
fn is_uri(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    if text.bytes().any(|octet| octet < b' ' || octet == 0x7f) {
        return false;
    }
    let Some((_, rest)) = text.split_once("://") else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.contains(']');
    }
    let has_odd_character = host
        .bytes()
        .any(|octet| matches!(octet, b' ' | b'[' | b']'));
    !has_odd_character && (host.is_empty() || host.split('.').all(|label| !label.is_empty()))
}
