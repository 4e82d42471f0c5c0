//! The list of revoked certificates.

use super::{HISTORY_LIMIT, LineageSettings};

impl LineageSettings {
    /// Returns whether the certificate with this fingerprint was revoked, or was about to be.
    #[must_use]
    pub(crate) fn is_revoked(&self, sha256: &str) -> bool {
        self.revoked.iter().any(|known| known == sha256)
    }

    /// Adds a certificate to the list, which loses its oldest ones beyond the limit of the history.
    pub(crate) fn add_revoked(&mut self, sha256: &str) {
        self.revoked.push(sha256.to_owned());
        let excess = self.revoked.len().saturating_sub(HISTORY_LIMIT);
        self.revoked.drain(..excess);
    }

    /// Removes a certificate from the list.
    pub(crate) fn forget_revoked(&mut self, sha256: &str) {
        self.revoked.retain(|known| known != sha256);
    }
}
