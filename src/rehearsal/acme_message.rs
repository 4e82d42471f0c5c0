//! Checks the signed messages of ACME (RFC 8555 section 6.2) with ECDSA P-256 keys, for the ACME server
//! of a rehearsal. It shares nothing with the code that signs, so that a bug there is not hidden here.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

/// Who signed a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SignedBy {
    /// A key without an account, as a JSON Web Key.
    Key(Value),
    /// The account with this number.
    Account(usize),
}

/// A message whose signature is right.
#[derive(Clone, Debug)]
pub(super) struct VerifiedMessage {
    pub signed_by: SignedBy,
    pub nonce: String,
    pub url: String,
    /// `null` for a request that only reads.
    pub payload: Value,
}

/// Checks the signature of a message; `accounts` are the keys of all accounts.
pub(super) fn verify(body: &[u8], accounts: &[Value]) -> Option<VerifiedMessage> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let protected = message["protected"].as_str()?;
    let payload = message["payload"].as_str()?;
    let signature = decode(message["signature"].as_str()?)?;
    let header: Value = serde_json::from_slice(&decode(protected)?).ok()?;
    if header["alg"] != "ES256" {
        return None;
    }
    let signed_by = signer_of(&header)?;
    let key = match &signed_by {
        SignedBy::Key(key) => key,
        SignedBy::Account(number) => accounts.get(*number)?,
    };
    let point = public_point(key)?;
    let input = format!("{protected}.{payload}");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(input.as_bytes(), &signature)
        .ok()?;
    Some(VerifiedMessage {
        signed_by,
        nonce: header["nonce"].as_str()?.to_owned(),
        url: header["url"].as_str()?.to_owned(),
        payload: serde_json::from_slice(&decode(payload)?).unwrap_or(Value::Null),
    })
}

/// Either a key or the URL of an account, never both (RFC 8555 section 6.2).
fn signer_of(header: &Value) -> Option<SignedBy> {
    match (header.get("jwk"), header.get("kid")) {
        (Some(key), None) => Some(SignedBy::Key(key.clone())),
        (None, Some(account)) => {
            let (_, number) = account.as_str()?.rsplit_once('/')?;
            Some(SignedBy::Account(number.parse().ok()?))
        }
        _ => None,
    }
}

/// The uncompressed point of a key (SEC 1 section 2.3.3).
fn public_point(key: &Value) -> Option<Vec<u8>> {
    let x = decode(key["x"].as_str()?)?;
    let y = decode(key["y"].as_str()?)?;
    Some([vec![4], x, y].concat())
}

/// The thumbprint of a key (RFC 7638 section 3).
pub(super) fn thumbprint(key: &Value) -> String {
    let text = format!(
        r#"{{"crv":{},"kty":{},"x":{},"y":{}}}"#,
        key["crv"], key["kty"], key["x"], key["y"]
    );
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
