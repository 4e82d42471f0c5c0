//! Collects what was scanned and what could not be.

use std::collections::HashMap;
use std::sync::Arc;

use crate::advice;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs;
use crate::inventory::InventoryItem;
use crate::inventory::item::{InstallTerms, ServedQuestion};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::trust::TrustAnchors;

/// What was scanned so far.
#[derive(Debug, Default)]
pub(crate) struct ScanResults {
    /// Everything that was found.
    pub items: Vec<InventoryItem>,
    /// The terms of the installed certificates, by name.
    pub terms: HashMap<String, InstallTerms>,
    /// The trust anchors of installed certificates with their own `--trust`, by name.
    pub(crate) own_anchors: HashMap<String, TrustAnchors>,
    /// The servers that were probed, with their answers.
    pub questions: Vec<ServedQuestion>,
    /// Each place that serves a certificate without covering these names: the place, the
    /// fingerprint, the names.
    pub(crate) uncovered: Vec<(String, Fingerprint, Vec<String>)>,
    /// The certificates that servers sent, by their DER: many send the same issuer.
    pub(crate) parsed: HashMap<Vec<u8>, Arc<Certificate>>,
    /// What could not be scanned, and what was skipped.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
    /// How many deployed keys the user may not read.
    pub(crate) unreadable_keys: usize,
}

impl ScanResults {
    /// Loads the trust anchors of an installed certificate.
    pub(crate) fn load_anchors(&mut self, stem: &str, trust: &str) {
        match inputs::trust_anchors(Some(trust)) {
            Ok(anchors) => {
                self.own_anchors.insert(stem.to_owned(), anchors);
            }
            Err(failure) => self.report_failure(&failure, "trust-unreadable"),
        }
    }

    /// Adds a finding for what could not be scanned.
    pub(crate) fn report_failure(&mut self, failure: &Failure, code: &'static str) {
        let message = failure.with_causes();
        let mut finding = match code {
            "unreadable" => Finding::error("unreadable", message),
            "trust-unreadable" => Finding::warning("trust-unreadable", message),
            _ => Finding::warning("certificate-unreadable", message),
        };
        for next in &failure.next {
            finding = finding.with_step(next.clone());
        }
        self.findings.push(finding);
    }

    /// Adds one finding for all keys that may not be read.
    pub(crate) fn report_unreadable_keys(&mut self) {
        if self.unreadable_keys > 0 {
            let message = format!(
                "{} keys may not be read by you: whether they fit is not known",
                self.unreadable_keys
            );
            let next = advice::scan::run_status_as_root();
            self.findings
                .push(Finding::note("keys-unreadable", message).with_step(next));
        }
    }
}
