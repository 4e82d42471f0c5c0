//! The messages that create an account or find it again (RFC 8555 7.3): signed with the account's
//! key, which is on the disk before. The library makes the key itself when an external account
//! binding is used and hands it out only after the CA has answered: a lost answer would lose both the
//! key and the binding, which many CAs accept once.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::signer::{MessageError, MessageSigner, SignedMessage};
use crate::secret::SecretText;

/// The external account of a CA that ties new accounts to a customer (RFC 8555 7.3.4).
#[derive(Clone, Debug)]
pub(crate) struct ExternalAccount {
    pub key_id: String,
    /// Base64url, as the CA shows it.
    pub hmac_key: SecretText,
}

impl MessageSigner<'_> {
    /// Returns the binding of this account's key to an external account.
    ///
    /// # Errors
    /// [`MessageError::HmacKey`].
    pub(crate) fn bind(
        &self,
        external: &ExternalAccount,
        url: &str,
    ) -> Result<Value, MessageError> {
        let key = decode_hmac_key(external.hmac_key.expose())?;
        let header = json!({
            "alg": "HS256",
            "kid": external.key_id,
            "url": url,
        });
        let message = SignedMessage::new(&header, Some(self.jwk()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, message.input().as_bytes());
        Ok(message.finish(tag.as_ref()))
    }
}

/// Accepts both alphabets of base64, with and without padding: people paste either.
fn decode_hmac_key(text: &str) -> Result<Vec<u8>, MessageError> {
    let text = text.trim().trim_end_matches('=');
    let decoded = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| BASE64_STANDARD_NO_PAD.decode(text));
    let key = decoded.map_err(|_| MessageError::HmacKey)?;
    if key.is_empty() {
        return Err(MessageError::HmacKey);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::{ExternalAccount, MessageError, decode_hmac_key};
    use crate::secret::SecretText;

    #[test]
    fn hmac_keys_are_accepted_in_both_alphabets() {
        for text in ["-_8", "+/8", "+/8=", " -_8=\n"] {
            assert_eq!(decode_hmac_key(text), Ok(vec![0xfb, 0xff]), "{text:?}");
        }
        for text in ["", "=", "kid 1", "ä"] {
            let refused = Err(MessageError::HmacKey);
            assert_eq!(decode_hmac_key(text), refused, "{text:?}");
        }
        let external = ExternalAccount {
            key_id: "kid-1".to_owned(),
            hmac_key: SecretText::new("hunter2".to_owned()),
        };
        assert!(!format!("{external:?}").contains("hunter2"));
    }
}
