//! What a key is needed for, and where it was found.

use crate::matching::{HeldFile, KeyCandidates};
use crate::pki::key::PrivateKey;

/// What a key is needed for, which decides whether a password is requested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyUse {
    /// To find the matching certificate; a request is sufficient for that.
    Comparing,
    /// To be installed for a server.
    Installing,
}

/// Where the key of a certificate was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyLocation {
    /// In a file of its own, or not found.
    OwnFile,
    /// In the same file as the certificate.
    WithCertificate,
    /// In a file of its own and in the file of the certificate.
    Both,
}

impl KeyLocation {
    pub(super) fn of_key(key: &HeldFile<PrivateKey>, keyring: &KeyCandidates) -> Self {
        let id = key.value.id();
        let mut sent = keyring
            .keys_with_certificates
            .iter()
            .filter(|sent| sent.value == id)
            .peekable();
        if sent.peek().is_none() {
            return Self::OwnFile;
        }
        if sent.any(|sent| sent.path == key.path) {
            Self::WithCertificate
        } else {
            Self::Both
        }
    }
}
