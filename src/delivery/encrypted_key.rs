//! Encrypted private keys.

use std::fmt;

use pkcs8::der::Encode;
use pkcs8::pkcs5::pbes2::Parameters;
use zeroize::Zeroizing;

use super::limits::KeyDerivationBudget;
use super::pbe::{self, DecryptionAttempt, DecryptionFailure, Password};
use crate::pki::key::{KeyError, PrivateKey};
use crate::pki::{der, pem};

/// 1.2.840.113549.1.5.13: id-PBES2 (RFC 8018 A.4).
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";

/// An `EncryptedPrivateKeyInfo` (RFC 5958 3), which is decrypted only when the key is needed.
#[derive(Clone)]
pub struct EncryptedKey(Zeroizing<Vec<u8>>);

/// Why a key cannot be decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecryptError {
    /// The file requires too many iterations of key derivation; holds how many.
    #[error("its key derivation takes {0} iterations, more than certctl computes")]
    TooMuchWork(u64),
    /// An unsupported encryption scheme or key type.
    #[error("its encryption scheme is not supported")]
    Unknown,
    /// The password is wrong.
    #[error("wrong password")]
    Wrong,
}

impl EncryptedKey {
    /// Copies the DER.
    #[must_use]
    pub fn new(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }

    /// Encrypts `key` with `password`: PBES2 (RFC 8018 6.2) with AES-256-CBC and
    /// 600,000 iterations of PBKDF2-HMAC-SHA-256, which OpenSSL reads.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn encrypt(key: &PrivateKey, password: &Password) -> Result<Self, KeyError> {
        const ROUNDS: u32 = 600_000;
        let salt = random_octets()?;
        let iv = random_octets()?;
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)
            .map_err(|_| KeyError::Generate)?;
        let encrypted = parameters
            .encrypt(password.bytes(), key.pkcs8())
            .map_err(|_| KeyError::Generate)?;
        let scheme = parameters.to_der().map_err(|_| KeyError::Generate)?;
        let algorithm = der::encode_element(
            der::SEQUENCE,
            &[
                &der::encode_element(der::OBJECT_IDENTIFIER, &[PBES2]),
                &scheme,
            ],
        );
        Ok(Self::new(&der::encode_element(
            der::SEQUENCE,
            &[
                &algorithm,
                &der::encode_element(der::OCTET_STRING, &[&encrypted]),
            ],
        )))
    }

    /// Encodes an `ENCRYPTED PRIVATE KEY` block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("ENCRYPTED PRIVATE KEY", &self.0)
    }

    /// Decrypts the key with `password`.
    ///
    /// # Errors
    /// See [`DecryptError`].
    pub fn decrypt(&self, password: &Password) -> Result<PrivateKey, DecryptError> {
        self.open_within(password, &mut KeyDerivationBudget::default())
    }

    pub(super) fn open_within(
        &self,
        password: &Password,
        work: &mut KeyDerivationBudget,
    ) -> Result<PrivateKey, DecryptError> {
        let (outer, _) = der::split_element(&self.0).ok_or(DecryptError::Unknown)?;
        let (algorithm, rest) = der::split_element(outer.value).ok_or(DecryptError::Unknown)?;
        let (data, _) = der::split_element(rest).ok_or(DecryptError::Unknown)?;
        let plain = pbe::decrypt(
            algorithm.whole,
            data.value,
            DecryptionAttempt::Given(password),
            work,
        )
        .map_err(|locked| match locked {
            DecryptionFailure::TooMuchWork(rounds) => DecryptError::TooMuchWork(rounds),
            DecryptionFailure::UnknownScheme => DecryptError::Unknown,
            DecryptionFailure::Wrong => DecryptError::Wrong,
        })?;
        // The padding may be valid by chance even with a wrong password; the content is not DER
        // then.
        match der::split_element(&plain) {
            Some((element, rest)) if element.tag == 0x30 && rest.is_empty() => {
                PrivateKey::from_der(&plain).map_err(|_| DecryptError::Unknown)
            }
            _ => Err(DecryptError::Wrong),
        }
    }
}

fn random_octets() -> Result<[u8; 16], KeyError> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| KeyError::Generate)?;
    Ok(octets)
}

impl fmt::Debug for EncryptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedKey")
    }
}

#[cfg(test)]
mod tests {
    use super::{DecryptError, EncryptedKey, Password};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};

    #[test]
    fn only_the_right_password_decrypts_a_key() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let sealed = EncryptedKey::encrypt(&key, &Password::new(b"one".to_vec())).unwrap();
        assert_eq!(
            sealed
                .decrypt(&Password::new(b"one".to_vec()))
                .unwrap()
                .id(),
            key.id()
        );
        assert_eq!(
            sealed.decrypt(&Password::new(b"two".to_vec())).unwrap_err(),
            DecryptError::Wrong
        );
        assert!(
            sealed
                .to_pem()
                .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        );
    }
}
