//! The line of the audit log about a key that was encrypted and is written without encryption.

use super::ca_delivery::MatchedCertificate;
use crate::audit::{self, AuditAction};
use crate::context::Context;
use crate::finding::Finding;

/// The code of the note about a key that was decrypted.
const DECRYPTED: &str = "key-decrypted";

/// Writes a line if the key of this certificate was decrypted.
#[must_use]
pub(crate) fn audit_decrypted_key(
    context: &Context,
    matched: &MatchedCertificate,
) -> Option<Finding> {
    let (path, key) = matched.key.as_ref()?;
    let is_decrypted = |finding: &Finding| finding.code == DECRYPTED;
    if !matched.findings.iter().any(is_decrypted) {
        return None;
    }
    let key_id = key.id().to_string();
    audit::record_key(context, AuditAction::DecryptKey, path, key_id)
}
