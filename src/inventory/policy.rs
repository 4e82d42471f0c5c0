//! What rows are judged by.

use std::collections::HashMap;

use jiff::Timestamp;

use super::due::RenewBefore;
use super::item::{InstallTerms, ServedQuestion};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::trust::TrustAnchors;

/// What rows are judged by.
#[derive(Debug)]
pub(crate) struct StatusPolicy<'a> {
    pub now: Timestamp,
    /// How long before its expiry a certificate is due for renewal.
    pub renew_before: RenewBefore,
    /// Whom to trust, the first that knows the root counts.
    pub anchors: &'a [TrustAnchors],
    /// The terms of the lineages that certctl installed, by name.
    pub terms: &'a HashMap<String, InstallTerms>,
    /// The anchors of the lineages that were installed with `--trust FILE`, by name.
    pub own_anchors: &'a HashMap<String, TrustAnchors>,
    /// The probes of what is served, and their answers.
    pub served_questions: &'a [ServedQuestion],
    /// The names for which servers use what a place holds and which it lacks: `FILE:LINE`, the
    /// certificate, the names.
    pub uncovered: &'a [(String, Fingerprint, Vec<String>)],
}
