//! The messages that create an account or find it again (RFC 8555 7.3): signed with the account's
//! key, which is on the disk before. The library makes the key itself when an external account
//! binding is used and hands it out only after the CA has answered: a lost answer would lose both the
//! key and the binding, which many CAs accept once.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::pki::key::PrivateKey;
use crate::secret::SecretText;

/// The length of an uncompressed P-256 point (SEC 1 2.3.3).
const POINT: usize = 65;

/// Why a message cannot be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum RegistrationError {
    #[error("the HMAC key of the external account is not base64url")]
    HmacKey,
    #[error("the account's key is not an ECDSA P-256 key")]
    AccountKey,
}

/// The external account of a CA that ties new accounts to a customer (RFC 8555 7.3.4).
#[derive(Clone, Debug)]
pub(crate) struct ExternalAccount {
    pub key_id: String,
    /// Base64url, as the CA shows it.
    pub hmac_key: SecretText,
}

/// Signs messages with an account's key.
pub(crate) struct AccountSigner {
    pair: EcdsaKeyPair,
    /// The public key as JSON Web Key (RFC 7517).
    jwk: Value,
}

impl AccountSigner {
    /// Uses an ECDSA P-256 key.
    ///
    /// # Errors
    /// [`RegistrationError::AccountKey`].
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, RegistrationError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.pkcs8());
        let pair = pair.map_err(|_| RegistrationError::AccountKey)?;
        let start = key.spki().len().saturating_sub(POINT);
        let point = key.spki().get(start..).unwrap_or_default();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..POINT)) else {
            return Err(RegistrationError::AccountKey);
        };
        let jwk = json!({
            "crv": "P-256",
            "kty": "EC",
            "x": BASE64_URL_SAFE_NO_PAD.encode(x),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        });
        Ok(Self { pair, jwk })
    }

    /// Returns the signed message for newAccount.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub(crate) fn sign(
        &self,
        payload: &Value,
        url: &str,
        nonce: &str,
    ) -> Result<Value, RegistrationError> {
        let header = json!({"alg": "ES256", "jwk": self.jwk, "nonce": nonce, "url": url});
        let message = SignedMessage::new(&header, payload);
        let random = SystemRandom::new();
        let signature = self.pair.sign(&random, message.input().as_bytes());
        let signature = signature.map_err(|_| RegistrationError::AccountKey)?;
        Ok(message.finish(signature.as_ref()))
    }

    /// Returns the binding of this account's key to an external account.
    ///
    /// # Errors
    /// [`RegistrationError::HmacKey`].
    pub(crate) fn bind(
        &self,
        external: &ExternalAccount,
        url: &str,
    ) -> Result<Value, RegistrationError> {
        let key = decode_hmac_key(external.hmac_key.expose())?;
        let header = json!({"alg": "HS256", "kid": external.key_id, "url": url});
        let message = SignedMessage::new(&header, &self.jwk);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, message.input().as_bytes());
        Ok(message.finish(tag.as_ref()))
    }
}

/// Header and content of a message in JSON serialization (RFC 7515 7.2.2).
struct SignedMessage {
    protected: String,
    payload: String,
}

impl SignedMessage {
    fn new(header: &Value, payload: &Value) -> Self {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        Self {
            protected: encode(header),
            payload: encode(payload),
        }
    }

    /// What is signed.
    fn input(&self) -> String {
        format!("{}.{}", self.protected, self.payload)
    }

    fn finish(self, signature: &[u8]) -> Value {
        json!({
            "protected": self.protected,
            "payload": self.payload,
            "signature": BASE64_URL_SAFE_NO_PAD.encode(signature),
        })
    }
}

/// Accepts both alphabets of base64, with and without padding: people paste either.
fn decode_hmac_key(text: &str) -> Result<Vec<u8>, RegistrationError> {
    let text = text.trim().trim_end_matches('=');
    let decoded = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| BASE64_STANDARD_NO_PAD.decode(text));
    let key = decoded.map_err(|_| RegistrationError::HmacKey)?;
    if key.is_empty() {
        return Err(RegistrationError::HmacKey);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::{AccountSigner, ExternalAccount, RegistrationError, decode_hmac_key};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::secret::SecretText;

    #[test]
    fn signatures_verify_with_the_key_in_the_message() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signer = AccountSigner::new(&key).unwrap();
        let message = signer
            .sign(&json!({"a": 1}), "https://ca.example/new", "n1")
            .unwrap();
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(text("signature")).unwrap();
        let input = format!("{}.{}", text("protected"), text("payload"));
        let point = &key.spki()[key.spki().len() - 65..];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(input.as_bytes(), &signature)
            .unwrap();
        let header = BASE64_URL_SAFE_NO_PAD.decode(text("protected")).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["url"], "https://ca.example/new");
    }

    #[test]
    fn hmac_keys_are_accepted_in_both_alphabets() {
        for text in ["-_8", "+/8", "+/8=", " -_8=\n"] {
            assert_eq!(decode_hmac_key(text), Ok(vec![0xfb, 0xff]), "{text:?}");
        }
        for text in ["", "=", "kid 1", "ä"] {
            let refused = Err(RegistrationError::HmacKey);
            assert_eq!(decode_hmac_key(text), refused, "{text:?}");
        }
        let key = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        assert!(AccountSigner::new(&key).is_err());
        let external = ExternalAccount {
            key_id: "kid-1".to_owned(),
            hmac_key: SecretText::new("hunter2".to_owned()),
        };
        assert!(!format!("{external:?}").contains("hunter2"));
    }
}
