//! The inputs for judging rows, besides the items.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::due::RenewBefore;
use super::item::{InstallTerms, ItemLocation, ServerProbe};
use crate::matching::key_trust::DoubtfulKeyFile;
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
    /// The anchors of the configuration, which an install uses instead of Mozilla's list.
    pub configured_anchors: Option<&'a TrustAnchors>,
    /// The terms of the lineages that certctl installed, by name.
    pub terms: &'a HashMap<String, InstallTerms>,
    /// The anchors of the lineages that were installed with `--trust FILE`, by name.
    pub own_anchors: &'a HashMap<String, TrustAnchors>,
    /// The probes of what is served, and their answers.
    pub server_probes: &'a [ServerProbe],
    /// Server blocks that use a certificate for names that it does not cover: `FILE:LINE`, the
    /// certificate, the names.
    pub uncovered: &'a [(String, Fingerprint, Vec<String>)],
    /// The key files that `install` would not use, by path: another user owns, reads or can replace
    /// them.
    pub refused_keys: &'a HashMap<PathBuf, DoubtfulKeyFile>,
}

impl<'a> StatusPolicy<'a> {
    /// Returns why the key at `place` is not used.
    pub(super) fn refused_key(&self, place: &ItemLocation) -> Option<&'a DoubtfulKeyFile> {
        match place {
            ItemLocation::File { path, .. } => self.refused_keys.get(path),
            ItemLocation::Address { .. } => None,
        }
    }
}
