//! Names as RFC 5280 7.1 compares them: letters of either case are equal, spaces at both ends do not
//! count, several spaces count as one, and the string type does not matter.

use crate::pki::der::{self, DerElements, SEQUENCE, SET};

/// A name in a form in which equal names are equal octets, one part for each RDN.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct FoldedName(Vec<Vec<u8>>);

impl FoldedName {
    /// Folds a DER `Name`; `None` if it is malformed.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let (name, _) = der::split_element(name)?;
        let parts = DerElements(name.value).read_all()?;
        parts
            .iter()
            .map(|part| fold_part(part.value))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Returns whether it is `base` or a name below it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All octets, as a key of a map.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        let parts: Vec<&[u8]> = self.0.iter().map(Vec::as_slice).collect();
        der::encode_element(SEQUENCE, &parts)
    }
}

/// Folds the attributes of an RDN; their order does not matter.
fn fold_part(value: &[u8]) -> Option<Vec<u8>> {
    let mut attributes = Vec::new();
    for attribute in DerElements(value).read_all()? {
        let mut parts = DerElements(attribute.value);
        let kind = parts.next()?;
        let value = parts.next()?;
        let folded = match decode_text(value.tag, value.value) {
            Some(text) => der::encode_element(0x0c, &[fold_text(&text).as_bytes()]),
            None => value.whole.to_vec(),
        };
        attributes.push(der::encode_element(SEQUENCE, &[kind.whole, &folded]));
    }
    attributes.sort();
    let parts: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
    Some(der::encode_element(SET, &parts))
}

/// Decodes a string of one of the types that names consist of; `None` for other types.
fn decode_text(tag: u8, octets: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, PrintableString, IA5String, VisibleString.
        0x0c | 0x13 | 0x16 | 0x1a => std::str::from_utf8(octets).ok().map(str::to_owned),
        // TeletexString, which is Latin-1 in practice.
        0x14 => Some(octets.iter().copied().map(char::from).collect()),
        // BMPString.
        0x1e => {
            let units = octets.chunks_exact(2);
            let is_whole = units.remainder().is_empty();
            let units: Vec<u16> = units
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                .collect();
            String::from_utf16(&units).ok().filter(|_| is_whole)
        }
        _ => None,
    }
}

/// Only ASCII letters are folded, as in OpenSSL.
fn fold_text(text: &str) -> String {
    let words: Vec<String> = text
        .split_ascii_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::FoldedName;
    use crate::pki::der::{SEQUENCE, SET, encode_element};

    fn name(parts: &[(u8, &[u8])]) -> FoldedName {
        let rdns: Vec<Vec<u8>> = parts
            .iter()
            .map(|(tag, value)| {
                let attribute = [&[6, 3, 0x55, 4, 10][..], &encode_element(*tag, &[value])];
                encode_element(SET, &[&encode_element(SEQUENCE, &attribute)])
            })
            .collect();
        let rdns: Vec<&[u8]> = rdns.iter().map(Vec::as_slice).collect();
        FoldedName::of(&encode_element(SEQUENCE, &rdns)).unwrap()
    }

    #[test]
    fn names_are_compared_by_their_text() {
        let wanted = name(&[(0x13, b"Test CA")]);
        for same in [
            name(&[(0x0c, b"test  ca ")]),
            name(&[(0x14, b" TEST CA")]),
            name(&[(0x1e, b"\0T\0e\0s\0t\0 \0C\0A")]),
        ] {
            assert_eq!(wanted, same);
        }
        for other in [
            name(&[(0x13, b"TestCA")]),
            name(&[(0x13, b"Test CA"), (0x13, b"")]),
            name(&[(0x03, b"Test CA")]),
        ] {
            assert_ne!(wanted, other);
        }
        assert!(name(&[(0x13, b"a"), (0x13, b"b")]).is_within(&name(&[(0x0c, b"A")])));
        assert!(!name(&[(0x13, b"a")]).is_within(&name(&[(0x13, b"a"), (0x13, b"b")])));
    }
}
