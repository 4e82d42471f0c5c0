//! Reads the certificates of PKCS#7 / CMS `SignedData` (RFC 5652 5.1), which is all that CAs use it
//! for. Walks over the bytes as given: a parser that decodes the certificates too would lose all of
//! them if it cannot read one.

use super::ber;
use crate::pki::der::{self, DerElement};

/// id-signedData, 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `[0]`, constructed.
pub(super) const ZERO: u8 = 0xa0;
const SEQUENCE: u8 = 0x30;

/// The content of one file.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Pkcs7Content {
    /// The DER of each certificate.
    pub certificates: Vec<Vec<u8>>,
    /// The file is BER, which not all programs read.
    pub ber: bool,
}

/// Reads the certificates of a `ContentInfo`; `None` if it is of another kind, or damaged.
pub(super) fn read(bytes: &[u8]) -> Option<Pkcs7Content> {
    if let Some(certificates) = certificates(bytes) {
        return Some(Pkcs7Content {
            certificates,
            ber: false,
        });
    }
    let der = ber::to_der(bytes)?;
    Some(Pkcs7Content {
        certificates: certificates(&der)?,
        ber: true,
    })
}

fn certificates(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let content = content(der, SIGNED_DATA)?;
    let signed = sequence(der::split_element(content)?.0)?;
    // version, digestAlgorithms, encapContentInfo, then [0] certificates.
    let set = elements(signed)?
        .into_iter()
        .skip(3)
        .find(|one| one.tag == ZERO);
    let Some(set) = set else {
        return Some(Vec::new());
    };
    // Other choices (RFC 5652 10.2.2) are attribute certificates, which servers do not use.
    let plain = elements(set.value)?
        .into_iter()
        .filter(|one| one.tag == SEQUENCE);
    Some(plain.map(|one| one.whole.to_vec()).collect())
}

/// The content of a `ContentInfo` of this type.
pub(super) fn content<'a>(der: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let info = sequence(der::split_element(der)?.0)?;
    let (found, rest) = der::split_element(info)?;
    let (content, _) = der::split_element(rest)?;
    (found.tag == 0x06 && found.value == kind && content.tag == ZERO).then_some(content.value)
}

pub(super) fn sequence(element: DerElement<'_>) -> Option<&[u8]> {
    (element.tag == SEQUENCE).then_some(element.value)
}

/// More elements than any value of a real file has.
const ELEMENTS: usize = 20_000;

/// Splits a value into its elements; `None` if one is truncated, or there are too many.
pub(super) fn elements(mut value: &[u8]) -> Option<Vec<DerElement<'_>>> {
    let mut found = Vec::new();
    while !value.is_empty() && found.len() < ELEMENTS {
        let (element, rest) = der::split_element(value)?;
        found.push(element);
        value = rest;
    }
    value.is_empty().then_some(found)
}
