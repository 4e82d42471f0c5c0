//! A private key that needs a passphrase.

use std::fmt;

use zeroize::Zeroizing;

use super::limits::Work;
use super::pbe::{self, Locked, Passphrase, Try};
use crate::pki::der;
use crate::pki::key::PrivateKey;

/// An `EncryptedPrivateKeyInfo` (RFC 5958 3), kept until somebody needs what is in it.
#[derive(Clone)]
pub struct LockedKey(Zeroizing<Vec<u8>>);

/// Why a locked key stays one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LockError {
    /// It is asked to be derived more often than is done; holds how often.
    #[error("its key is to be derived in {0} rounds, which is more than is done")]
    TooMuchWork(u64),
    /// A scheme or a kind of key that is not read.
    #[error("it is encrypted in a way that is not read")]
    Unknown,
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    Wrong,
}

impl LockedKey {
    /// Keeps the DER.
    #[must_use]
    pub fn new(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }

    /// The key, opened with `passphrase`.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<PrivateKey, LockError> {
        self.open_within(passphrase, &mut Work::default())
    }

    pub(super) fn open_within(&self, passphrase: &Passphrase, work: &mut Work) -> Result<PrivateKey, LockError> {
        let (outer, _) = der::split(&self.0).ok_or(LockError::Unknown)?;
        let (algorithm, rest) = der::split(outer.value).ok_or(LockError::Unknown)?;
        let (data, _) = der::split(rest).ok_or(LockError::Unknown)?;
        let plain =
            pbe::decrypt(algorithm.whole, data.value, Try::Given(passphrase), work).map_err(|locked| match locked {
                Locked::TooMuchWork(rounds) => LockError::TooMuchWork(rounds),
                Locked::UnknownScheme => LockError::Unknown,
                Locked::Wrong => LockError::Wrong,
            })?;
        // A wrong passphrase may end in a padding that fits by chance: then it is no DER.
        match der::split(&plain) {
            Some((element, rest)) if element.tag == 0x30 && rest.is_empty() => {
                PrivateKey::from_der(&plain).map_err(|_| LockError::Unknown)
            }
            _ => Err(LockError::Wrong),
        }
    }
}

impl fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedKey")
    }
}
