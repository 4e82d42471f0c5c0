//! PKCS#7 / CMS `SignedData` (RFC 5652 5.1) as a bag of certificates, which is all that CAs use it
//! for. Walked over the bytes as given: a parser that builds certificates anew would lose all of
//! them over one that it cannot read.

use super::ber;
use crate::pki::der::{self, DerElement};

/// id-signedData, 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `[0]`, constructed.
pub(super) const ZERO: u8 = 0xa0;
const SEQUENCE: u8 = 0x30;

/// What one file holds.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Pkcs7Content {
    /// Each certificate's DER.
    pub certificates: Vec<Vec<u8>>,
    /// It was BER, which not all programs read.
    pub ber: bool,
}

/// The certificates of a `ContentInfo`; `None` when it is another kind of PKCS#7, or damaged.
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
    let signed = sequence(der::split(content)?.0)?;
    // version, digestAlgorithms, encapContentInfo, then [0] certificates.
    let set = elements(signed)?
        .into_iter()
        .skip(3)
        .find(|one| one.tag == ZERO);
    let Some(set) = set else {
        return Some(Vec::new());
    };
    // Other choices than a plain certificate (RFC 5652 10.2.2) are attribute certificates: nothing
    // that serves a site.
    let plain = elements(set.value)?
        .into_iter()
        .filter(|one| one.tag == SEQUENCE);
    Some(plain.map(|one| one.whole.to_vec()).collect())
}

/// What a `ContentInfo` of this type holds in its `[0]`.
pub(super) fn content<'a>(der: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let info = sequence(der::split(der)?.0)?;
    let (found, rest) = der::split(info)?;
    let (content, _) = der::split(rest)?;
    (found.tag == 0x06 && found.value == kind && content.tag == ZERO).then_some(content.value)
}

pub(super) fn sequence(element: DerElement<'_>) -> Option<&[u8]> {
    (element.tag == SEQUENCE).then_some(element.value)
}

/// More than any file has in one place.
const ELEMENTS: usize = 20_000;

/// All elements of a value; `None` when one is cut off, or there are too many.
pub(super) fn elements(mut value: &[u8]) -> Option<Vec<DerElement<'_>>> {
    let mut found = Vec::new();
    while !value.is_empty() && found.len() < ELEMENTS {
        let (element, rest) = der::split(value)?;
        found.push(element);
        value = rest;
    }
    value.is_empty().then_some(found)
}
