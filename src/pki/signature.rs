//! Checks signatures of every algorithm that certificates of the public web use, and Ed25519. Each
//! signature is checked only once per run, for the path search, the verification, and webpki alike.

use crate::pki::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use webpki::ALL_VERIFICATION_ALGS;

use super::der;

/// Why a signature cannot be accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are not signed DER.
    #[error("not a signed structure")]
    Malformed,
    /// The algorithm is no longer trusted (SHA-1, MD5, RSA below 2048 bits, unusual curves).
    #[error("the signature algorithm is no longer trusted")]
    Unsupported,
    /// The signature was not made by that key over these bytes.
    #[error("the signature is invalid")]
    Wrong,
}

/// Checks the outermost signature of `signed` (a certificate or a PKCS#10 request) against `spki`,
/// a DER `SubjectPublicKeyInfo`. RFC 5280 4.1.1.3, RFC 2986 4.2.
///
/// # Errors
/// See [`SignatureError`].
pub(crate) fn check_signature(signed: &[u8], spki: &[u8]) -> Result<(), SignatureError> {
    let parts = der::split_signed(signed).ok_or(SignatureError::Malformed)?;
    let (key_algorithm, key) = der::split_public_key(spki).ok_or(SignatureError::Malformed)?;
    // The same pair of identifiers is in the list several times, for RSA with different minimum
    // lengths; one that accepts the signature is enough.
    let candidates = algorithms().iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == parts.algorithm
            && algorithm.public_key_alg_id().as_ref() == key_algorithm
    });
    let mut outcome = Err(SignatureError::Unsupported);
    for candidate in candidates {
        outcome = candidate
            .verify_signature(key, parts.body, parts.signature)
            .map_err(|_| SignatureError::Wrong);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// id-sha1WithRSAEncryption (RFC 3279 2.2.1) with its parameters, as octets.
const SHA1_WITH_RSA: [u8; 13] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];

/// Returns whether a signature of an RSA key holds that is too short, or with SHA-1: good enough to
/// show what a file contains. `None` for other algorithms.
pub(crate) fn check_old_rsa(signed: &[u8], spki: &[u8]) -> Option<bool> {
    let parts = der::split_signed(signed)?;
    let (key_algorithm, key) = der::split_public_key(spki)?;
    (key_algorithm == alg_id::RSA_ENCRYPTION.as_ref()).then_some(())?;
    let algorithm = match parts.algorithm {
        a if a == SHA1_WITH_RSA => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        a if a == alg_id::RSA_PKCS1_SHA256.as_ref() => {
            &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        a if a == alg_id::RSA_PKCS1_SHA512.as_ref() => {
            &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        _ => return None,
    };
    let key = UnparsedPublicKey::new(algorithm, key);
    Some(key.verify(parts.body, parts.signature).is_ok())
}

/// The trusted algorithms, with a cache of the signatures that they checked.
pub(super) fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    static REMEMBERING: LazyLock<Vec<RememberingAlgorithm>> = LazyLock::new(|| {
        let numbered = ALL_VERIFICATION_ALGS.iter().enumerate();
        numbered
            .map(|(number, &inner)| RememberingAlgorithm { number, inner })
            .collect()
    });
    static ALL: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
        REMEMBERING
            .iter()
            .map(|algorithm| {
                let algorithm: &dyn SignatureVerificationAlgorithm = algorithm;
                algorithm
            })
            .collect()
    });
    &ALL
}

/// Earlier outcomes, by the SHA-256 of everything that a check depends on.
static CHECKED: LazyLock<Mutex<HashMap<Fingerprint, bool>>> = LazyLock::new(Mutex::default);

/// The maximum number of outcomes that are remembered: some megabytes.
const MOST_REMEMBERED: usize = 50_000;

/// An algorithm that checks each signature only once.
#[derive(Debug)]
struct RememberingAlgorithm {
    /// Its index in the list: algorithms with the same identifiers differ in their minimum lengths.
    number: usize,
    inner: &'static dyn SignatureVerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for RememberingAlgorithm {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let check_id = self.check_id(key, message, signature);
        let known = CHECKED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&check_id)
            .copied();
        let is_valid = known.unwrap_or_else(|| {
            #[cfg(test)]
            counted::count();
            let is_valid = self.inner.verify_signature(key, message, signature).is_ok();
            let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
            if checked.len() >= MOST_REMEMBERED {
                checked.clear();
            }
            checked.insert(check_id, is_valid);
            is_valid
        });
        if is_valid {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

impl RememberingAlgorithm {
    /// Hashes everything that the outcome depends on; the lengths separate the parts.
    fn check_id(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Fingerprint {
        let number = self.number.to_be_bytes();
        let parts = [number.as_slice(), key, signature, message];
        let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            all.extend(part.len().to_be_bytes());
            all.extend(part);
        }
        Fingerprint::of(&all)
    }
}

#[cfg(test)]
pub(super) mod counted {
    //! Counts the signatures that this thread checked, for tests that limit them.

    use std::cell::Cell;

    thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

    pub(super) fn count() {
        COUNT.set(COUNT.get() + 1);
    }

    /// Runs `work` and counts the signatures that it checked for the first time.
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = COUNT.get();
        let result = work();
        (result, COUNT.get() - before)
    }
}
