//! Tells a signature that is wrong from one that certctl's TLS library cannot verify.

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error as TlsError};

use crate::pki::certificate::Certificate;
use crate::pki::der::{count_bits, split_element, split_public_key};
use crate::pki::key::KeyAlgorithm;

/// The RSA moduli, in bits, whose signatures webpki verifies with aws-lc.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The longest RSA exponent, in bits, that aws-lc accepts.
const EXPONENT_BITS: usize = 33;

/// Whether a signature was rejected only because certctl cannot verify it with the key of
/// `certificate`; this is no fault of the server.
pub(super) fn is_unsupported(error: &TlsError, certificate: &CertificateDer<'_>) -> bool {
    match error {
        // A leaf that webpki cannot parse, such as X.509 v1, and keys of other kinds.
        TlsError::InvalidCertificate(
            CertificateError::BadEncoding
            | CertificateError::Other(_)
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => true,
        TlsError::InvalidCertificate(CertificateError::BadSignature) => {
            !is_verifiable(certificate.as_ref())
        }
        _ => false,
    }
}

fn is_verifiable(der: &[u8]) -> bool {
    let Ok(leaf) = Certificate::from_der(der) else {
        return false;
    };
    match leaf.algorithm {
        KeyAlgorithm::Rsa(_) => has_verifiable_size(leaf.spki()).unwrap_or(false),
        KeyAlgorithm::Unknown => false,
        _ => true,
    }
}

/// Whether modulus and exponent of an RSA key have sizes that aws-lc accepts.
fn has_verifiable_size(spki: &[u8]) -> Option<bool> {
    let (_, key) = split_public_key(spki)?;
    let (key, _) = split_element(key)?;
    let (modulus, rest) = split_element(key.value)?;
    let (exponent, _) = split_element(rest)?;
    let modulus = count_bits(modulus.value)?;
    let exponent = count_bits(exponent.value)?;
    Some(RSA_BITS.contains(&modulus) && exponent <= EXPONENT_BITS)
}
