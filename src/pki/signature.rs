//! Whether a signature holds, for every algorithm that certificates of the public web use (and
//! Ed25519). Each is checked once in a run, whoever asks: the search for a chain, its judge, and
//! webpki inside of it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use webpki::ALL_VERIFICATION_ALGS;

use super::der;
use super::key::sha256;

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

/// Checks the outermost signature of `signed` (a certificate or a PKCS#10 request) against `spki`,
/// a DER `SubjectPublicKeyInfo`. RFC 5280 4.1.1.3, RFC 2986 4.2.
///
/// # Errors
/// See [`SignatureError`].
pub(crate) fn check(signed: &[u8], spki: &[u8]) -> Result<(), SignatureError> {
    let parts = der::signed(signed).ok_or(SignatureError::Malformed)?;
    let (key_algorithm, key) = der::public_key(spki).ok_or(SignatureError::Malformed)?;
    let mut known = algorithms().iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == parts.algorithm
            && algorithm.public_key_alg_id().as_ref() == key_algorithm
    });
    let algorithm = known.next().ok_or(SignatureError::Unsupported)?;
    // The same pair stands twice in the list (RSA with different least lengths); any that accepts
    // will do.
    let holds = |candidate: &&&dyn SignatureVerificationAlgorithm| {
        candidate
            .verify_signature(key, parts.body, parts.signature)
            .is_ok()
    };
    if holds(&algorithm) || known.any(|candidate| holds(&candidate)) {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

/// Every algorithm that is trusted, for webpki too.
pub(super) fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    static ONCE: LazyLock<Vec<Once>> = LazyLock::new(|| {
        let numbered = ALL_VERIFICATION_ALGS.iter().enumerate();
        numbered
            .map(|(number, &inner)| Once { number, inner })
            .collect()
    });
    static ALL: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
        ONCE.iter()
            .map(|one| {
                let one: &dyn SignatureVerificationAlgorithm = one;
                one
            })
            .collect()
    });
    &ALL
}

/// What was checked before, by the SHA-256 of all that a check depends on.
static CHECKED: LazyLock<Mutex<HashMap<[u8; 32], bool>>> = LazyLock::new(Mutex::default);

/// More is remembered of no run: some megabytes.
const MOST_REMEMBERED: usize = 50_000;

/// An algorithm that remembers what it was asked.
#[derive(Debug)]
struct Once {
    /// Its place in the list: two algorithms of the same identifiers differ in their least lengths.
    number: usize,
    inner: &'static dyn SignatureVerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for Once {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let question = self.question(key, message, signature);
        let known = CHECKED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&question)
            .copied();
        let holds = known.unwrap_or_else(|| {
            #[cfg(test)]
            counted::count();
            let holds = self.inner.verify_signature(key, message, signature).is_ok();
            let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
            if checked.len() >= MOST_REMEMBERED {
                checked.clear();
            }
            checked.insert(question, holds);
            holds
        });
        if holds { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.inner.signature_alg_id()
    }
}

impl Once {
    /// Everything that the answer depends on; the lengths keep the parts apart.
    fn question(&self, key: &[u8], message: &[u8], signature: &[u8]) -> [u8; 32] {
        let number = self.number.to_be_bytes();
        let parts = [number.as_slice(), key, signature, message];
        let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            all.extend(part.len().to_be_bytes());
            all.extend(part);
        }
        sha256(&all)
    }
}

#[cfg(test)]
pub(super) mod counted {
    //! How many signatures this thread checked, for the tests that bound it.

    use std::cell::Cell;

    thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

    pub(super) fn count() {
        COUNT.set(COUNT.get() + 1);
    }

    /// Checked by `work` for the first time.
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = COUNT.get();
        let result = work();
        (result, COUNT.get() - before)
    }
}
