//! The public half of a private key as it stands in the file: nothing is reckoned, so nothing is
//! proven.

use rustls::pki_types::{AlgorithmIdentifier, alg_id};

use crate::pki::der::{
    BIT_STRING, CONTEXT_0, DerElement, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, bits_of,
    element, split,
};

/// `[1]`, constructed: the point of an EC key.
const CONTEXT_1: u8 = 0xa1;

/// The `SubjectPublicKeyInfo` that stands in PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2) or SEC1
/// (RFC 5915), where every number is written as it has to be and the sizes are those that are used.
pub(super) fn spki(der: &[u8]) -> Option<Vec<u8>> {
    if let Some(point) = behind_version(der, 1) {
        return ec(point, None);
    }
    let rest = behind_version(der, 0)?;
    let (algorithm, key) = split(rest)?;
    if algorithm.tag != SEQUENCE {
        return rsa(rest);
    }
    let key = inside(key, OCTET_STRING)?;
    match algorithm.value {
        value if value == alg_id::RSA_ENCRYPTION.as_ref() => rsa(behind_version(key, 0)?),
        value => ec(behind_version(key, 1)?, Some(value)),
    }
}

fn rsa(numbers: &[u8]) -> Option<Vec<u8>> {
    let [modulus, exponent, secret, parts @ ..] = eight(numbers)?;
    let octets = bits_of(modulus.value).filter(|bits| matches!(bits, 2048 | 3072 | 4096))? / 8;
    // Each number fits into as much as the modulus, or the half of it, and a zero before it.
    let sized = secret.value.len() <= octets + 1
        && parts.iter().all(|part| part.value.len() <= octets / 2 + 1);
    let key = element(SEQUENCE, &[modulus.whole, exponent.whole]);
    (exponent.value == [1, 0, 1] && sized).then(|| public(alg_id::RSA_ENCRYPTION.as_ref(), &key))
}

/// Secret, curve where no `algorithm` says it, and the point.
fn ec(parts: &[u8], algorithm: Option<&[u8]>) -> Option<Vec<u8>> {
    const CURVES: [(AlgorithmIdentifier, usize); 3] = [
        (alg_id::ECDSA_P256, 32),
        (alg_id::ECDSA_P384, 48),
        (alg_id::ECDSA_P521, 66),
    ];
    let (secret, rest) = split(parts)?;
    let (next, after) = split(rest)?;
    let (curve, point) = if next.tag == CONTEXT_0 {
        (Some(next.value), after)
    } else {
        (None, rest)
    };
    let fits = |known: &[u8]| match (algorithm, curve) {
        (None, None) => false,
        (value, curve) => {
            let named =
                |curve: &[u8]| curve.first() == Some(&OBJECT_IDENTIFIER) && known.ends_with(curve);
            value.is_none_or(|value| value == known) && curve.is_none_or(named)
        }
    };
    let (known, octets) = CURVES.iter().find(|(known, _)| fits(known.as_ref()))?;
    let point = inside(inside(point, CONTEXT_1)?, BIT_STRING)?.strip_prefix(&[0])?;
    let sized = (secret.tag, secret.value.len()) == (OCTET_STRING, *octets)
        && point.len() == 2 * octets + 1;
    (sized && point[0] == 4).then(|| public(known.as_ref(), point))
}

fn public(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    element(
        SEQUENCE,
        &[
            &element(SEQUENCE, &[algorithm]),
            &element(BIT_STRING, &[&[0], key]),
        ],
    )
}

/// What follows the version in the one structure that `der` is.
fn behind_version(der: &[u8], number: u8) -> Option<&[u8]> {
    let (version, rest) = split(inside(der, SEQUENCE)?)?;
    (version.whole == [INTEGER, 1, number]).then_some(rest)
}

/// The value of the one element that `der` is.
fn inside(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (element, rest) = split(der)?;
    (element.tag == tag && rest.is_empty()).then_some(element.value)
}

/// Eight positive numbers, each in as few octets as it takes, and nothing else.
fn eight(mut rest: &[u8]) -> Option<[DerElement<'_>; 8]> {
    let mut numbers = [DerElement {
        tag: 0,
        value: &[],
        whole: &[],
    }; 8];
    for number in &mut numbers {
        let (next, after) = split(rest)?;
        let positive = match next.value {
            [first] => (1..0x80).contains(first),
            [0, second, ..] => *second >= 0x80,
            [first, _, ..] => *first < 0x80,
            [] => false,
        };
        if next.tag != INTEGER || !positive {
            return None;
        }
        *number = next;
        rest = after;
    }
    rest.is_empty().then_some(numbers)
}
