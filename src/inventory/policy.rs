//! The inputs for judging rows, besides the items.

use std::collections::HashMap;

use jiff::Timestamp;

use super::due::RenewBefore;
use super::item::{InstallTerms, ServerProbe};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::trust::TrustAnchors;

/// The inputs for judging rows, besides the items.
#[derive(Debug)]
pub(crate) struct StatusPolicy<'a> {
    pub now: Timestamp,
    /// How long before its expiry a certificate is due for renewal.
    pub renew_before: RenewBefore,
    /// The trust anchors; the first set that contains the root is used.
    pub anchors: &'a [TrustAnchors],
    /// The terms of the lineages that certctl installed, by name.
    pub terms: &'a HashMap<String, InstallTerms>,
    /// The anchors of the lineages that were installed with `--trust FILE`, by name.
    pub own_anchors: &'a HashMap<String, TrustAnchors>,
    /// The probes of what is served, and their answers.
    pub server_probes: &'a [ServerProbe],
    /// Server blocks that use a certificate for names that it does not cover: `FILE:LINE`, the
    /// certificate, the names.
    pub uncovered: &'a [(String, Fingerprint, Vec<String>)],
}
