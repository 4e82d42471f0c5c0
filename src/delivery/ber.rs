//! BER (X.690 8.1.3.6) as DER, for files of older Windows and mail programs: indefinite lengths
//! become definite, strings in pieces become whole. Nothing is judged; what is no BER stays what it
//! was.

use crate::pki::der;

/// Deeper than any certificate, PKCS#7 or PKCS#12 file.
const DEPTH: usize = 24;

const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

/// Larger, or of more elements, than any delivery in BER: the pieces are copied level by level.
const LARGEST: usize = 4 * 1024 * 1024;
const ELEMENTS: usize = 100_000;

/// The first element of `bytes` with definite lengths; `None` when it is no BER, nested too deep or
/// too large.
pub(super) fn to_der(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut left = ELEMENTS;
    element(bytes.get(..bytes.len().min(LARGEST))?, 0, &mut left).map(|(der, _)| der)
}

fn element<'a>(bytes: &'a [u8], depth: usize, left: &mut usize) -> Option<(Vec<u8>, &'a [u8])> {
    let (&tag, after) = bytes.split_first()?;
    *left = left.checked_sub(1)?;
    if depth > DEPTH || tag & 0x1f == 0x1f {
        return None;
    }
    let indefinite = after.first() == Some(&0x80);
    if tag & CONSTRUCTED == 0 {
        let (element, rest) = der::split(bytes).filter(|_| !indefinite)?;
        return Some((element.whole.to_vec(), rest));
    }
    let (children, rest) = if indefinite {
        until_end(&after[1..], depth, left)?
    } else {
        definite(bytes, depth, left)?
    };
    if tag == OCTET_STRING | CONSTRUCTED {
        let mut joined = Vec::new();
        for child in &children {
            joined.extend_from_slice(der::split(child)?.0.value);
        }
        return Some((der::element(OCTET_STRING, &[&joined]), rest));
    }
    Some((
        der::element(tag, &children.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        rest,
    ))
}

fn until_end<'a>(
    mut rest: &'a [u8],
    depth: usize,
    left: &mut usize,
) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let mut children = Vec::new();
    loop {
        if let [0, 0, after @ ..] = rest {
            return Some((children, after));
        }
        let (child, after) = element(rest, depth + 1, left)?;
        children.push(child);
        rest = after;
    }
}

fn definite<'a>(
    bytes: &'a [u8],
    depth: usize,
    left: &mut usize,
) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let (outer, after) = der::split(bytes)?;
    let (mut children, mut inner) = (Vec::new(), outer.value);
    while !inner.is_empty() {
        let (child, more) = element(inner, depth + 1, left)?;
        children.push(child);
        inner = more;
    }
    Some((children, after))
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, to_der};

    #[test]
    fn indefinite_becomes_definite() {
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
        let deep = [0x30, 0x80].repeat(DEPTH * 1000);
        assert_eq!(to_der(&deep), None);
    }
}
