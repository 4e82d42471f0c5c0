//! The input and the outcome of reading files.

use std::ops::Deref;

use zeroize::Zeroizing;

use super::source::ItemSource;
use crate::delivery::diagnostics::{AppliedRepair, IgnoredItem};
use crate::delivery::encrypted_key::EncryptedKey;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::{PrivateKey, PublicKey, PublicKeyId};
use crate::pki::request::{SigningRequest, UnprovenRequest};

/// A file to read, with its name for messages. The bytes may contain a key and are wiped when
/// dropped.
pub struct DeliveryInput {
    /// The path as given, or `stdin`.
    pub name: String,
    /// The whole content; wiped when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl DeliveryInput {
    /// Creates an input with the name that messages use.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes: Zeroizing::new(bytes),
        }
    }
}

/// A value and where it was found.
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

/// Everything found in one or more inputs, in that order, including duplicates.
#[derive(Debug, Default)]
pub struct CaDelivery {
    /// Every certificate, with where it was found.
    pub certificates: Vec<FoundItem<Certificate>>,
    /// Every certificate request, with where it was found.
    pub requests: Vec<FoundItem<SigningRequest>>,
    /// Every private key, with where it was found.
    pub keys: Vec<FoundItem<PrivateKey>>,
    /// Private keys that are still encrypted.
    pub encrypted_keys: Vec<FoundItem<EncryptedKey>>,
    /// The keys that the password decrypted.
    pub decrypted_key_ids: Vec<PublicKeyId>,
    /// Certificate revocation lists; each is also among the ignored.
    pub lists: Vec<FoundItem<RevocationList>>,
    /// Public keys without a private key; each is also among the ignored.
    pub public_keys: Vec<FoundItem<PublicKey>>,
    /// The public halves of RSA private keys that are too short to be used; each is also among the
    /// ignored.
    pub short_keys: Vec<FoundItem<PublicKey>>,
    /// Requests without a valid signature; each is also among the ignored.
    pub unproven_requests: Vec<FoundItem<UnprovenRequest>>,
    /// Every repair that was necessary.
    pub repairs: Vec<AppliedRepair>,
    /// Content that could not be used.
    pub ignored: Vec<IgnoredItem>,
}

impl CaDelivery {
    /// The certificates without their sources.
    #[must_use]
    pub fn clone_certificates(&self) -> Vec<Certificate> {
        self.certificates
            .iter()
            .map(|found| found.value.clone())
            .collect()
    }

    /// Returns whether something usable was found at exactly this place.
    #[must_use]
    pub(crate) fn has_items_of(&self, source: &ItemSource) -> bool {
        self.certificates.iter().any(|one| one.source == *source)
            || self.requests.iter().any(|one| one.source == *source)
            || self.keys.iter().any(|one| one.source == *source)
            || self.encrypted_keys.iter().any(|one| one.source == *source)
    }

    /// Counts what was found: certificates, requests, and keys, encrypted or not.
    pub(super) fn count_items(&self) -> usize {
        self.certificates.len() + self.requests.len() + self.keys.len() + self.encrypted_keys.len()
    }

    /// Returns whether no certificate, request or usable key was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.requests.is_empty() && self.keys.is_empty()
    }
}
