//! EC keys that spell out the parameters of their curve instead of naming it (RFC 3279 2.3.5).
//! Certificates must not have them (RFC 5480 2.1.1), but OpenSSL writes and uses them.

use rustls::pki_types::{AlgorithmIdentifier, alg_id};

use super::named::public;
use crate::pki::der::{DerElement, DerElements, SEQUENCE, split_element, split_public_key};
use crate::pki::fingerprint::Fingerprint;

/// id-ecPublicKey, as octets.
const EC_PUBLIC_KEY: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

/// The curves that certctl uses (SEC 2 version 2.0, 2.4.2, 2.5.1 and 2.6.1), by the SHA-256 of the DER
/// of prime, both coefficients, base point (uncompressed) and order. All five count: with another
/// base point the same public key has another private key (CVE-2020-0601). Compared with what
/// OpenSSL writes by tests/csr_keys.rs.
static CURVES: [(&str, AlgorithmIdentifier); 3] = [
    (
        "9efc77daf68c27fda5567d00077b2ec70db456e6a64b440df8fb729ef83a42d4",
        alg_id::ECDSA_P256,
    ),
    (
        "9b14f49a70585ba73b8d6af045c598700bbac93374d95e4ddf25960fff4bac94",
        alg_id::ECDSA_P384,
    ),
    (
        "814f2c3ca588374f0327463c238a9ef3f47b82b263501759a7025d956124971e",
        alg_id::ECDSA_P521,
    ),
];

/// Returns whether a DER `SubjectPublicKeyInfo` is an EC key with explicit parameters.
#[must_use]
pub(crate) fn has_explicit_curve(spki: &[u8]) -> bool {
    explicit_parameters(spki).is_some()
}

/// Returns the `SubjectPublicKeyInfo` of the same key with the name of its curve; `None` if the
/// parameters are not explicit, or are not those of a curve that certctl uses.
pub(super) fn with_named_curve(spki: &[u8]) -> Option<Vec<u8>> {
    let fingerprint = fingerprint(explicit_parameters(spki)?)?.to_string();
    let (_, identifier) = CURVES.iter().find(|(curve, _)| *curve == fingerprint)?;
    let (_, point) = split_public_key(spki)?;
    Some(public(identifier.as_ref(), point))
}

fn explicit_parameters(spki: &[u8]) -> Option<&[u8]> {
    let (algorithm, _) = split_public_key(spki)?;
    let (parameters, _) = split_element(algorithm.strip_prefix(&EC_PUBLIC_KEY)?)?;
    (parameters.tag == SEQUENCE).then_some(parameters.value)
}

/// Hashes the parts of `ECParameters` (RFC 3279 2.3.5) that define the curve: not the seed from
/// which the coefficients were chosen, and not the cofactor, which follows from the others.
fn fingerprint(parameters: &[u8]) -> Option<Fingerprint> {
    let parts = DerElements(parameters).read_all()?;
    let [_version, field, curve, base, order, ..] = parts.as_slice() else {
        return None;
    };
    let field = DerElements(field.value).read_all()?;
    let curve = DerElements(curve.value).read_all()?;
    let [_prime_field, prime] = field.as_slice() else {
        return None;
    };
    let [first, second, ..] = curve.as_slice() else {
        return None;
    };
    let whole = |part: &DerElement<'_>| part.whole.to_vec();
    let all = [prime, first, second, base, order].map(whole);
    Some(Fingerprint::of(&all.concat()))
}
