//! What goes in and what comes out.

use std::ops::Deref;

use zeroize::Zeroizing;

use super::source::ItemSource;
use crate::delivery::diagnostics::{AppliedRepair, IgnoredItem};
use crate::delivery::encrypted_key::EncryptedKey;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::{PrivateKey, PublicKey, PublicKeyId};
use crate::pki::request::{SigningRequest, UnprovenRequest};

/// What was handed over, under the name that the user knows it by. The bytes may hold a key: wiped
/// when dropped.
pub struct DeliveryInput {
    /// The path as typed, or `stdin`.
    pub name: String,
    /// The whole content; wiped when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl DeliveryInput {
    /// An input under the name that is shown for it.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes: Zeroizing::new(bytes),
        }
    }
}

/// Something of use and where it was found.
#[derive(Clone, Debug)]
pub struct FoundItem<T> {
    pub value: T,
    pub source: ItemSource,
}

impl<T> Deref for FoundItem<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What was found in one or more inputs, in the order found, doubles included.
#[derive(Debug, Default)]
pub struct CaDelivery {
    /// Every certificate, with where it was found.
    pub certificates: Vec<FoundItem<Certificate>>,
    /// Every certificate request, with where it was found.
    pub requests: Vec<FoundItem<SigningRequest>>,
    /// Every private key, with where it was found.
    pub keys: Vec<FoundItem<PrivateKey>>,
    /// Private keys that need a passphrase.
    pub locked: Vec<FoundItem<EncryptedKey>>,
    /// The keys that the passphrase opened.
    pub opened: Vec<PublicKeyId>,
    /// Lists of revoked certificates; each is among the ignored too.
    pub lists: Vec<FoundItem<RevocationList>>,
    /// Public keys by themselves; each is among the ignored too.
    pub public_keys: Vec<FoundItem<PublicKey>>,
    /// Requests whose signature does not count; each is among the ignored too.
    pub unproven: Vec<FoundItem<UnprovenRequest>>,
    /// Every repair that was needed to read it.
    pub repairs: Vec<AppliedRepair>,
    /// What could not be used.
    pub ignored: Vec<IgnoredItem>,
}

impl CaDelivery {
    /// The certificates without their places.
    #[must_use]
    pub fn bag(&self) -> Vec<Certificate> {
        self.certificates
            .iter()
            .map(|found| found.value.clone())
            .collect()
    }

    /// Counts what was found: certificates, requests, and keys, encrypted or not.
    pub(super) fn count_items(&self) -> usize {
        self.certificates.len() + self.requests.len() + self.keys.len() + self.locked.len()
    }

    /// True when neither certificate, request nor usable key was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.requests.is_empty() && self.keys.is_empty()
    }
}
