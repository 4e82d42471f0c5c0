//! The parts of DER (X.690) that the parsers do not offer: raw slices of nested values, without
//! encoding them again.

/// Splits `der` into its first element and the rest. Lengths are definite and at most four octets
/// long.
#[inline]
pub(crate) fn split_element(der: &[u8]) -> Option<(DerElement<'_>, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match (first, rest) {
        (0..=0x7f, _) => (usize::from(first), rest),
        (0x81, &[length, ref rest @ ..]) => (usize::from(length), rest),
        (0x82, &[high, low, ref rest @ ..]) => (usize::from(u16::from_be_bytes([high, low])), rest),
        (0x83..=0x84, _) => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = octets
                .iter()
                .fold(0_usize, |sum, &octet| (sum << 8) | usize::from(octet));
            (length, rest)
        }
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    let whole = der.get(..der.len() - after.len())?;
    Some((DerElement { tag, value, whole }, after))
}

/// Encodes an element with this tag and the concatenated `parts` as its value.
pub(crate) fn encode_element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let mut out = Vec::with_capacity(1 + 1 + octets.len() + length);
    out.push(tag);
    match octets.split_at(octets.iter().take_while(|&&octet| octet == 0).count()) {
        (_, []) => out.push(0),
        (_, [short @ 0..=0x7f]) => out.push(*short),
        (_, long) => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            out.extend_from_slice(long);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// Tags (X.690 8.1.2) of the elements that certctl writes.
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// One element: its tag, its value octets, and both with the length between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DerElement<'a> {
    pub tag: u8,
    pub value: &'a [u8],
    pub whole: &'a [u8],
}

/// Reads DER elements in sequence.
pub(crate) struct DerElements<'a>(pub(crate) &'a [u8]);

impl<'a> DerElements<'a> {
    pub(crate) fn next(&mut self) -> Option<DerElement<'a>> {
        let (element, rest) = split_element(self.0)?;
        self.0 = rest;
        Some(element)
    }

    /// Reads the next element if it has this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Option<DerElement<'a>> {
        if self.0.first() == Some(&tag) {
            self.next()
        } else {
            None
        }
    }

    /// Reads all elements; `None` if one is malformed.
    pub(crate) fn read_all(mut self) -> Option<Vec<DerElement<'a>>> {
        let mut elements = Vec::new();
        while !self.0.is_empty() {
            elements.push(self.next()?);
        }
        Some(elements)
    }
}

/// Splits a signed structure of X.509 or PKCS#10: the signed body, the algorithm, the signature.
pub(crate) fn split_signed(der: &[u8]) -> Option<SignedElement<'_>> {
    let (outer, _) = split_element(der)?;
    let (body, rest) = split_element(outer.value)?;
    let (algorithm, rest) = split_element(rest)?;
    let (signature, _) = split_element(rest)?;
    Some(SignedElement {
        body: body.whole,
        algorithm: algorithm.value,
        signature: bits(signature)?,
    })
}

/// The parts that [`split_signed`] splits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedElement<'a> {
    pub body: &'a [u8],
    pub algorithm: &'a [u8],
    pub signature: &'a [u8],
}

/// Splits `SubjectPublicKeyInfo` into the value of the algorithm identifier and the key bits.
pub(crate) fn split_public_key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (outer, _) = split_element(spki)?;
    let (algorithm, rest) = split_element(outer.value)?;
    let (key, _) = split_element(rest)?;
    Some((algorithm.value, bits(key)?))
}

/// Counts the bits of a positive INTEGER.
pub(crate) fn count_bits(octets: &[u8]) -> Option<usize> {
    let octets = &octets[octets.iter().position(|&octet| octet != 0)?..];
    let unused = usize::try_from(octets.first()?.leading_zeros()).ok()?;
    Some(octets.len() * 8 - unused)
}

/// The octets of a BIT STRING without unused bits.
fn bits(element: DerElement<'_>) -> Option<&[u8]> {
    match (element.tag, element.value.split_first()) {
        (0x03, Some((0, octets))) => Some(octets),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SEQUENCE, encode_element, split_element};

    #[test]
    fn encoded_elements_are_split_again() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let value = vec![7; length];
            let written = encode_element(SEQUENCE, &[&value[..length / 2], &value[length / 2..]]);
            let (read, rest) = split_element(&written).unwrap();
            assert_eq!(
                (read.tag, read.value, rest),
                (SEQUENCE, value.as_slice(), &[][..]),
                "{length}"
            );
        }
    }

    #[test]
    fn lengths_beyond_the_input_are_rejected() {
        assert!(split_element(&[0x30, 0x03, 1, 2]).is_none());
        assert!(split_element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).is_none());
        assert!(split_element(&[0x30, 0x80, 0, 0]).is_none());
        let (element, rest) = split_element(&[0x04, 0x81, 0x01, 7, 9]).unwrap();
        assert_eq!(
            (element.value, rest, element.whole),
            (&[7][..], &[9][..], &[0x04, 0x81, 0x01, 7][..])
        );
    }
}
