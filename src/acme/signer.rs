//! Signs the messages of ACME (RFC 8555 6.2) with the key of an account, or with the key of a
//! certificate, which may revoke it (RFC 8555 7.6).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::pki::key::{KeyAlgorithm, PrivateKey};

/// Why a message cannot be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("the HMAC key of the external account is not base64url")]
    HmacKey,
    #[error("certctl cannot sign messages with this key: it is neither an ECDSA nor an RSA key")]
    Key,
}

/// Who signs a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MessageSender<'a> {
    /// The key itself, which is in the message.
    Key,
    /// The account with this URL.
    Account(&'a str),
}

/// An elliptic curve in messages (RFC 7518 3.4, 6.2.1).
struct JwsCurve {
    key: KeyAlgorithm,
    name: &'static str,
    algorithm: &'static str,
    signing: &'static EcdsaSigningAlgorithm,
    /// The bytes of a coordinate.
    width: usize,
}

static CURVES: [JwsCurve; 3] = [
    JwsCurve {
        key: KeyAlgorithm::EcdsaP256,
        name: "P-256",
        algorithm: "ES256",
        signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
        width: 32,
    },
    JwsCurve {
        key: KeyAlgorithm::EcdsaP384,
        name: "P-384",
        algorithm: "ES384",
        signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
        width: 48,
    },
    JwsCurve {
        key: KeyAlgorithm::EcdsaP521,
        name: "P-521",
        algorithm: "ES512",
        signing: &ECDSA_P521_SHA512_FIXED_SIGNING,
        width: 66,
    },
];

/// Signs messages with one key.
pub(crate) struct MessageSigner<'a> {
    key: SigningKey<'a>,
    /// The name of the signature's algorithm (RFC 7518 3.1).
    algorithm: &'static str,
    /// The public key as JSON Web Key (RFC 7517).
    jwk: Value,
}

enum SigningKey<'a> {
    /// Its signatures have two numbers of fixed length (RFC 7518 3.4).
    Ecdsa(EcdsaKeyPair),
    Rsa(&'a PrivateKey),
}

impl<'a> MessageSigner<'a> {
    /// Uses an ECDSA or RSA key.
    ///
    /// # Errors
    /// [`MessageError::Key`] for another one.
    pub(crate) fn new(key: &'a PrivateKey) -> Result<Self, MessageError> {
        if let KeyAlgorithm::Rsa(_) = key.algorithm() {
            return Self::of_rsa(key).ok_or(MessageError::Key);
        }
        let mut curves = CURVES.iter();
        let curve = curves.find(|curve| curve.key == key.algorithm());
        let curve = curve.ok_or(MessageError::Key)?;
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing, key.pkcs8());
        let pair = pair.map_err(|_| MessageError::Key)?;
        let jwk = curve.jwk(key.spki()).ok_or(MessageError::Key)?;
        Ok(Self {
            key: SigningKey::Ecdsa(pair),
            algorithm: curve.algorithm,
            jwk,
        })
    }

    fn of_rsa(key: &'a PrivateKey) -> Option<Self> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(key.spki()).ok()?;
        let Ok(PublicKey::RSA(public)) = spki.parsed() else {
            return None;
        };
        Some(Self {
            key: SigningKey::Rsa(key),
            algorithm: "RS256",
            jwk: json!({
                "e": number(public.exponent),
                "kty": "RSA",
                "n": number(public.modulus),
            }),
        })
    }

    /// Returns the public key as JSON Web Key.
    #[must_use]
    pub(super) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Returns the signed message for a URL; without a payload, it only reads (RFC 8555 6.3).
    ///
    /// # Errors
    /// [`MessageError::Key`].
    pub(crate) fn sign(
        &self,
        sender: MessageSender<'_>,
        payload: Option<&Value>,
        url: &str,
        nonce: &str,
    ) -> Result<Value, MessageError> {
        let mut header = json!({
            "alg": self.algorithm,
            "nonce": nonce,
            "url": url,
        });
        match sender {
            MessageSender::Key => header["jwk"] = self.jwk.clone(),
            MessageSender::Account(account) => header["kid"] = json!(account),
        }
        self.finish(SignedMessage::new(&header, payload))
    }

    /// Returns the payload that replaces the key `old` of an account by this one (RFC 8555 7.3.5).
    ///
    /// # Errors
    /// [`MessageError::Key`].
    pub(crate) fn replace_key(
        &self,
        old: &MessageSigner<'_>,
        account: &str,
        url: &str,
    ) -> Result<Value, MessageError> {
        let header = json!({
            "alg": self.algorithm,
            "jwk": self.jwk,
            "url": url,
        });
        let payload = json!({
            "account": account,
            "oldKey": old.jwk,
        });
        self.finish(SignedMessage::new(&header, Some(&payload)))
    }

    fn finish(&self, message: SignedMessage) -> Result<Value, MessageError> {
        let input = message.input();
        let input = input.as_bytes();
        let signature = match &self.key {
            SigningKey::Ecdsa(pair) => {
                let random = SystemRandom::new();
                let signed = pair.sign(&random, input);
                signed.map(|signature| signature.as_ref().to_vec()).ok()
            }
            SigningKey::Rsa(key) => key.sign(input).ok(),
        };
        match signature {
            Some(signature) => Ok(message.finish(&signature)),
            None => Err(MessageError::Key),
        }
    }
}

impl JwsCurve {
    /// The key, whose point is at the end of its `SubjectPublicKeyInfo` (SEC 1 2.3.3).
    fn jwk(&self, spki: &[u8]) -> Option<Value> {
        let start = spki.len().checked_sub(2 * self.width)?;
        let (x, y) = spki[start..].split_at(self.width);
        Some(json!({
            "crv": self.name,
            "kty": "EC",
            "x": BASE64_URL_SAFE_NO_PAD.encode(x),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        }))
    }
}

/// A positive number without leading zeros (RFC 7518 2, Base64urlUInt).
fn number(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    BASE64_URL_SAFE_NO_PAD.encode(&bytes[zeros..])
}

/// Header and content of a message in JSON serialization (RFC 7515 7.2.2).
pub(super) struct SignedMessage {
    protected: String,
    payload: String,
}

impl SignedMessage {
    pub(super) fn new(header: &Value, payload: Option<&Value>) -> Self {
        let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
        let payload = payload.map(Value::to_string);
        Self {
            protected: encode(header.to_string()),
            payload: encode(payload.unwrap_or_default()),
        }
    }

    /// What is signed.
    pub(super) fn input(&self) -> String {
        format!("{}.{}", self.protected, self.payload)
    }

    pub(super) fn finish(self, signature: &[u8]) -> Value {
        json!({
            "protected": self.protected,
            "payload": self.payload,
            "signature": BASE64_URL_SAFE_NO_PAD.encode(signature),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
        RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{MessageSender, MessageSigner};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};

    fn decoded(value: &Value) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD
            .decode(value.as_str().unwrap())
            .unwrap()
    }

    #[test]
    fn signatures_verify_with_the_key_in_the_message() {
        let curves: [(_, &dyn VerificationAlgorithm, _); 3] = [
            (KeyAlgorithm::EcdsaP256, &ECDSA_P256_SHA256_FIXED, "ES256"),
            (KeyAlgorithm::EcdsaP384, &ECDSA_P384_SHA384_FIXED, "ES384"),
            (KeyAlgorithm::EcdsaP521, &ECDSA_P521_SHA512_FIXED, "ES512"),
        ];
        for (algorithm, verification, name) in curves {
            let message = signed(algorithm);
            assert_eq!(message.header["alg"], name);
            let jwk = &message.header["jwk"];
            let point = [vec![4], decoded(&jwk["x"]), decoded(&jwk["y"])].concat();
            UnparsedPublicKey::new(verification, point)
                .verify(message.input.as_bytes(), &message.signature)
                .unwrap();
        }
        let message = signed(KeyAlgorithm::Rsa(2048));
        let jwk = &message.header["jwk"];
        let public = RsaPublicKeyComponents {
            n: decoded(&jwk["n"]),
            e: decoded(&jwk["e"]),
        };
        public
            .verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message.input.as_bytes(),
                &message.signature,
            )
            .unwrap();
        let other = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        assert!(MessageSigner::new(&other).is_err());
    }

    struct TestMessage {
        header: Value,
        input: String,
        signature: Vec<u8>,
    }

    fn signed(algorithm: KeyAlgorithm) -> TestMessage {
        let key = PrivateKey::generate(algorithm).unwrap();
        let signer = MessageSigner::new(&key).unwrap();
        let message = signer.sign(
            MessageSender::Key,
            Some(&json!({"a": 1})),
            "https://ca.example/new",
            "n1",
        );
        let message = message.unwrap();
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        TestMessage {
            header: serde_json::from_slice(&decoded(&message["protected"])).unwrap(),
            input: format!("{}.{}", text("protected"), text("payload")),
            signature: decoded(&message["signature"]),
        }
    }

    #[test]
    fn an_account_is_named_by_its_url() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signer = MessageSigner::new(&key).unwrap();
        let sender = MessageSender::Account("https://ca.example/acct/1");
        let message = signer.sign(sender, None, "https://ca.example/x", "n1");
        let message = message.unwrap();
        let header: Value = serde_json::from_slice(&decoded(&message["protected"])).unwrap();
        assert_eq!(header["kid"], "https://ca.example/acct/1");
        assert!(header.get("jwk").is_none());
        assert_eq!(message["payload"], "");
    }
}
