//! Reads the public half of a private key as the file states it. Nothing is computed, so nothing
//! proves that it belongs to the private half.

use rustls::pki_types::{AlgorithmIdentifier, alg_id};

use crate::pki::der::{
    BIT_STRING, CONTEXT_0, DerElement, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    count_bits, encode_element, split_element,
};

/// `[1]`, constructed: the point of an EC key.
const CONTEXT_1: u8 = 0xa1;

/// Returns the `SubjectPublicKeyInfo` in PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2) or SEC1 (RFC
/// 5915); `None` unless every number is DER and the sizes are the usual ones.
pub(super) fn spki(der: &[u8]) -> Option<Vec<u8>> {
    if let Some(point) = after_version(der, 1) {
        return ec(point, None);
    }
    let rest = after_version(der, 0)?;
    let (algorithm, key) = split_element(rest)?;
    if algorithm.tag != SEQUENCE {
        return rsa(rest);
    }
    let key = inside(key, OCTET_STRING)?;
    match algorithm.value {
        value if value == alg_id::RSA_ENCRYPTION.as_ref() => rsa(after_version(key, 0)?),
        value => ec(after_version(key, 1)?, Some(value)),
    }
}

fn rsa(numbers: &[u8]) -> Option<Vec<u8>> {
    let [modulus, exponent, secret, parts @ ..] = split_eight_numbers(numbers)?;
    let octets = count_bits(modulus.value).filter(|bits| matches!(bits, 2048 | 3072 | 4096))? / 8;
    // The secret is at most as long as the modulus, the others half as long, each with a leading 0.
    let sized = secret.value.len() <= octets + 1
        && parts.iter().all(|part| part.value.len() <= octets / 2 + 1);
    let key = encode_element(SEQUENCE, &[modulus.whole, exponent.whole]);
    (exponent.value == [1, 0, 1] && sized).then(|| public(alg_id::RSA_ENCRYPTION.as_ref(), &key))
}

/// Reads what follows the version in an `ECPrivateKey` (RFC 5915 3): the secret, the curve (unless
/// `algorithm` names it), and the point.
fn ec(parts: &[u8], algorithm: Option<&[u8]>) -> Option<Vec<u8>> {
    let (secret, rest) = split_element(parts)?;
    let (next, after) = split_element(rest)?;
    let (curve, point) = if next.tag == CONTEXT_0 {
        (Some(next.value), after)
    } else {
        (None, rest)
    };
    let (identifier, octets) = find_curve(algorithm, curve)?;
    let point = inside(inside(point, CONTEXT_1)?, BIT_STRING)?.strip_prefix(&[0])?;
    let has_right_sizes =
        secret.tag == OCTET_STRING && secret.value.len() == octets && point.len() == 2 * octets + 1;
    let is_uncompressed = has_right_sizes && point[0] == 4;
    is_uncompressed.then(|| public(identifier, point))
}

/// Finds the `AlgorithmIdentifier` that agrees with `algorithm`, and with `curve` from the key, and
/// the octets of a coordinate. One of the two must be given.
fn find_curve(algorithm: Option<&[u8]>, curve: Option<&[u8]>) -> Option<(&'static [u8], usize)> {
    static CURVES: [(AlgorithmIdentifier, usize); 3] = [
        (alg_id::ECDSA_P256, 32),
        (alg_id::ECDSA_P384, 48),
        (alg_id::ECDSA_P521, 66),
    ];
    if algorithm.is_none() && curve.is_none() {
        return None;
    }
    CURVES
        .iter()
        .map(|(identifier, octets)| (identifier.as_ref(), *octets))
        .find(|(identifier, _)| {
            algorithm.is_none_or(|algorithm| algorithm == *identifier)
                && curve.is_none_or(|curve| names_curve(curve, identifier))
        })
}

/// Returns whether `curve` is the object identifier that ends `identifier`.
fn names_curve(curve: &[u8], identifier: &[u8]) -> bool {
    curve.first() == Some(&OBJECT_IDENTIFIER) && identifier.ends_with(curve)
}

/// Encodes `SubjectPublicKeyInfo`.
pub(super) fn public(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    encode_element(
        SEQUENCE,
        &[
            &encode_element(SEQUENCE, &[algorithm]),
            &encode_element(BIT_STRING, &[&[0], key]),
        ],
    )
}

/// Returns what follows the version `number` in the structure `der`.
fn after_version(der: &[u8], number: u8) -> Option<&[u8]> {
    let (version, rest) = split_element(inside(der, SEQUENCE)?)?;
    (version.whole == [INTEGER, 1, number]).then_some(rest)
}

/// Returns the value of the single element `der`.
fn inside(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (element, rest) = split_element(der)?;
    (element.tag == tag && rest.is_empty()).then_some(element.value)
}

/// Splits eight positive numbers, each in its shortest encoding, and nothing else.
fn split_eight_numbers(mut rest: &[u8]) -> Option<[DerElement<'_>; 8]> {
    let mut numbers = [DerElement {
        tag: 0,
        value: &[],
        whole: &[],
    }; 8];
    for number in &mut numbers {
        let (next, after) = split_element(rest)?;
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
