//! Whether a signature holds, for every algorithm that certificates of the public web use (and Ed25519).

use webpki::ALL_VERIFICATION_ALGS;

use super::der;

/// Why a signature was not found to hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are not signed DER.
    #[error("not a signed structure")]
    Malformed,
    /// The algorithm is none that is trusted today (SHA-1, MD5, RSA below 2048 bits, odd curves).
    #[error("a signature algorithm that is not trusted today")]
    Unsupported,
    /// The signature was not made by that key over these bytes.
    #[error("the signature does not hold")]
    Wrong,
}

/// Checks the outermost signature of `signed` (a certificate or a PKCS#10 request) against `spki`, a DER
/// `SubjectPublicKeyInfo`. RFC 5280 4.1.1.3, RFC 2986 4.2.
///
/// # Errors
/// See [`SignatureError`].
pub fn check(signed: &[u8], spki: &[u8]) -> Result<(), SignatureError> {
    let parts = der::signed(signed).ok_or(SignatureError::Malformed)?;
    let (key_algorithm, key) = der::public_key(spki).ok_or(SignatureError::Malformed)?;
    let mut known = ALL_VERIFICATION_ALGS.iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == parts.algorithm
            && algorithm.public_key_alg_id().as_ref() == key_algorithm
    });
    let algorithm = known.next().ok_or(SignatureError::Unsupported)?;
    // The same pair stands twice in the list (RSA with different least lengths); any that accepts will do.
    let holds = |candidate: &&&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
        candidate.verify_signature(key, parts.body, parts.signature).is_ok()
    };
    if holds(&algorithm) || known.any(|candidate| holds(&candidate)) { Ok(()) } else { Err(SignatureError::Wrong) }
}
