//! Collects the items that were scanned and the findings about what could not be scanned.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs;
use crate::inventory::item::{InstallTerms, ServerProbe};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation};
use crate::matching::{HeldFile, PrivateRoots};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::trust::{TrustAnchors, TrustSource};

/// The results of a scan.
#[derive(Debug, Default)]
pub(crate) struct ScanResults {
    /// All items that were found.
    pub items: Vec<InventoryItem>,
    /// The stored options of the installed certificates, by name.
    pub terms: HashMap<String, InstallTerms>,
    /// The trust anchors of installed certificates with their own `--trust`, by name.
    pub own_anchors: HashMap<String, TrustAnchors>,
    /// The CA certificates of the files that were found, and of the stored trust anchors; collected when
    /// the rows are judged.
    pub private_roots: PrivateRoots,
    /// The servers that were probed, with their answers.
    pub server_probes: Vec<ServerProbe>,
    /// Places that serve a certificate for names that it does not cover: the place, the
    /// fingerprint, the names.
    pub uncovered: Vec<(String, Fingerprint, Vec<String>)>,
    /// The certificates that servers sent, by their DER, because many send the same issuer.
    pub parsed: HashMap<Vec<u8>, Arc<Certificate>>,
    /// What could not be scanned, and what was skipped.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
    /// How many deployed keys the user cannot read.
    pub unreadable_keys: usize,
}

impl ScanResults {
    /// Collects the roots of companies' own CAs from files and from stored trust anchors.
    pub(crate) fn collect_private_roots(&mut self, items: &[InventoryItem]) {
        for item in items {
            let ItemLocation::File { path, .. } = &item.location else {
                continue;
            };
            if let ItemContent::Certificates(chain) = &item.content {
                let certificates = chain.iter().map(Arc::as_ref);
                self.private_roots.add_file(path, certificates);
            }
        }
        for anchors in self.own_anchors.values() {
            let TrustSource::File(path) = anchors.source() else {
                continue;
            };
            let path = Path::new(path);
            let certificates = anchors.certificates();
            self.private_roots.add_file(path, certificates.iter());
        }
    }

    /// Returns the root of a company's own CA that the certificate leads to, with its file.
    pub(crate) fn private_root(
        &self,
        context: &Context,
        leaf: &Certificate,
    ) -> Option<&HeldFile<Certificate>> {
        self.private_roots.find_root(leaf, context.now())
    }

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

    /// Adds one finding for all deployed keys that the user cannot read.
    pub(crate) fn report_unreadable_keys(&mut self) {
        if self.unreadable_keys > 0 {
            let keys = match self.unreadable_keys {
                1 => "1 deployed key, so certctl did not check whether it matches its certificate"
                    .to_owned(),
                count => format!(
                    "{count} deployed keys, so certctl did not check whether they match their \
                     certificates"
                ),
            };
            let message = format!("you cannot read {keys}");
            let next = advice::scan::run_status_as_root();
            self.findings
                .push(Finding::note("keys-unreadable", message).with_step(next));
        }
    }
}
