//! The little DER (X.690) that no parser here hands out: raw slices of nested values, and nothing is re-encoded.

/// The value octets of the first element of `der`, and what follows it. Definite lengths of at most four octets.
pub(crate) fn split(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = octets.iter().fold(0_usize, |sum, &octet| (sum << 8) | usize::from(octet));
            (length, rest)
        }
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    let whole = der.get(..der.len() - after.len())?;
    Some((Element { tag, value, whole }, after))
}

/// One element: its tag, its value octets, and both with the length between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// The three parts of everything signed in X.509 and PKCS#10: what is signed, the algorithm, the signature.
pub(crate) fn signed(der: &[u8]) -> Option<Signed<'_>> {
    let (outer, _) = split(der)?;
    let (body, rest) = split(outer.value)?;
    let (algorithm, rest) = split(rest)?;
    let (signature, _) = split(rest)?;
    Some(Signed { body: body.whole, algorithm: algorithm.value, signature: bits(signature)? })
}

/// What [`signed`] finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// `SubjectPublicKeyInfo`: the algorithm identifier's value and the key bits.
pub(crate) fn public_key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let (outer, _) = split(spki)?;
    let (algorithm, rest) = split(outer.value)?;
    let (key, _) = split(rest)?;
    Some((algorithm.value, bits(key)?))
}

/// The octets of a BIT STRING without unused bits.
fn bits(element: Element<'_>) -> Option<&[u8]> {
    match (element.tag, element.value.split_first()) {
        (0x03, Some((0, octets))) => Some(octets),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lengths_are_checked_against_what_is_there() {
        assert!(split(&[0x30, 0x03, 1, 2]).is_none());
        assert!(split(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).is_none());
        assert!(split(&[0x30, 0x80, 0, 0]).is_none());
        let (element, rest) = split(&[0x04, 0x81, 0x01, 7, 9]).unwrap();
        assert_eq!((element.value, rest, element.whole), (&[7][..], &[9][..], &[0x04, 0x81, 0x01, 7][..]));
    }
}
