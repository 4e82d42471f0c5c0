//! Detects the algorithm of private keys that certctl does not support, by their DER.

use crate::pki::der;

/// Object identifiers (their octets) of keys that web servers do not use, and their names.
const KINDS: [(&[u8], &str); 9] = [
    (b"\x2b\x65\x6e", "X25519"),
    (b"\x2b\x65\x6f", "X448"),
    (b"\x2b\x65\x71", "Ed448"),
    (b"\x2b\x81\x04\x00\x0a", "EC on secp256k1"),
    (b"\x2b\x81\x04\x00\x21", "EC on P-224"),
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x01", "EC on P-192"),
    (b"\x2a\x86\x48\xce\x38\x04\x01", "DSA"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
    (
        b"\x2b\x24\x03\x03\x02\x08\x01\x01",
        "EC on a Brainpool curve",
    ),
];

/// Detects the algorithm of `der`, an unsupported private key.
pub(super) fn kind(der: &[u8]) -> Option<&'static str> {
    let known = KINDS
        .iter()
        .find(|(oid, _)| der.windows(oid.len()).any(|window| window == *oid));
    known.map(|(_, kind)| *kind)
}

/// Counts the bits of an RSA key that is too short.
pub(super) fn short_rsa(der: &[u8]) -> Option<usize> {
    let numbers = rsa_numbers(der)?;
    let bits = der::count_bits(numbers.get(1)?.value)?;
    (bits < 2048).then_some(bits)
}

/// The PKCS#1 public key in an RSA private key.
pub(super) fn public_half(der: &[u8]) -> Option<Vec<u8>> {
    let numbers = rsa_numbers(der)?;
    let [_version, modulus, exponent, ..] = numbers.as_slice() else {
        return None;
    };
    let parts = [modulus.whole, exponent.whole];
    Some(der::encode_element(der::SEQUENCE, &parts))
}

/// The nine integers of an RSA private key: PKCS#1, or PKCS#8 around it.
fn rsa_numbers(der: &[u8]) -> Option<Vec<der::DerElement<'_>>> {
    let numbers = elements(der)?;
    if let [version, _, octets, ..] = numbers.as_slice()
        && (version.tag, octets.tag) == (der::INTEGER, der::OCTET_STRING)
    {
        return rsa_numbers(octets.value);
    }
    let are_integers = numbers.iter().all(|number| number.tag == der::INTEGER);
    (numbers.len() == 9 && are_integers).then_some(numbers)
}

fn elements(der: &[u8]) -> Option<Vec<der::DerElement<'_>>> {
    const MOST: usize = 16;
    let (outer, _) = der::split_element(der)?;
    let mut rest = outer.value;
    let mut elements = Vec::new();
    while !rest.is_empty() && elements.len() < MOST {
        let (element, after) = der::split_element(rest)?;
        elements.push(element);
        rest = after;
    }
    (outer.tag == der::SEQUENCE).then_some(elements)
}
