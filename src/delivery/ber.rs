//! Converts BER (X.690 8.1.3.6) to DER, for files of older versions of Windows and mail programs:
//! indefinite lengths become definite, and segmented strings become one. Checks nothing else.

use crate::pki::der;

/// The maximum nesting; more than any certificate, PKCS#7 or PKCS#12 file has.
pub(crate) const BER_DEPTH: usize = 24;

const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

/// Larger, and with more elements, than any BER file of a CA; the pieces are copied on each level.
pub(crate) const BER_BYTES: usize = 4 * 1024 * 1024;
pub(crate) const BER_ELEMENTS: usize = 100_000;

/// Converts the first element of `bytes`; `None` if it is no BER, nested too deeply or too large.
pub(super) fn to_der(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut left = BER_ELEMENTS;
    convert_element(bytes.get(..bytes.len().min(BER_BYTES))?, 0, &mut left).map(|(der, _)| der)
}

fn convert_element<'a>(
    bytes: &'a [u8],
    depth: usize,
    left: &mut usize,
) -> Option<(Vec<u8>, &'a [u8])> {
    let (&tag, after) = bytes.split_first()?;
    *left = left.checked_sub(1)?;
    if depth > BER_DEPTH || tag & 0x1f == 0x1f {
        return None;
    }
    let indefinite = after.first() == Some(&0x80);
    if tag & CONSTRUCTED == 0 {
        let (element, rest) = der::split_element(bytes).filter(|_| !indefinite)?;
        return Some((element.whole.to_vec(), rest));
    }
    let (children, rest) = if indefinite {
        convert_until_end(&after[1..], depth, left)?
    } else {
        convert_definite(bytes, depth, left)?
    };
    if tag == OCTET_STRING | CONSTRUCTED {
        let mut joined = Vec::new();
        for child in &children {
            joined.extend_from_slice(der::split_element(child)?.0.value);
        }
        return Some((der::encode_element(OCTET_STRING, &[&joined]), rest));
    }
    Some((
        der::encode_element(tag, &children.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        rest,
    ))
}

fn convert_until_end<'a>(
    mut rest: &'a [u8],
    depth: usize,
    left: &mut usize,
) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let mut children = Vec::new();
    loop {
        if let [0, 0, after @ ..] = rest {
            return Some((children, after));
        }
        let (child, after) = convert_element(rest, depth + 1, left)?;
        children.push(child);
        rest = after;
    }
}

fn convert_definite<'a>(
    bytes: &'a [u8],
    depth: usize,
    left: &mut usize,
) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let (outer, after) = der::split_element(bytes)?;
    let mut children = Vec::new();
    let mut inner = outer.value;
    while !inner.is_empty() {
        let (child, more) = convert_element(inner, depth + 1, left)?;
        children.push(child);
        inner = more;
    }
    Some((children, after))
}

#[cfg(test)]
mod tests {
    use super::{BER_DEPTH, to_der};

    #[test]
    fn indefinite_lengths_become_definite() {
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 1, 7, 0x04, 1, 8, 0, 0, 0x02, 1, 5, 0, 0,
        ];
        assert_eq!(to_der(&ber).unwrap(), [0x30, 7, 0x04, 2, 7, 8, 0x02, 1, 5]);
        for bad in [
            &ber[..ber.len() - 1],
            &[0x30, 0x80],
            &[0x04, 0x80, 0, 0],
            &[],
        ] {
            assert_eq!(to_der(bad), None);
        }
        let deep = [0x30, 0x80].repeat(BER_DEPTH * 1000);
        assert_eq!(to_der(&deep), None);
    }
}
