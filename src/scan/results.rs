//! What was gathered so far, and what could not be.

use std::collections::HashMap;
use std::sync::Arc;

use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::inputs;
use crate::inventory::InventoryItem;
use crate::inventory::item::{InstallTerms, ServedQuestion};
use crate::pki::certificate::Certificate;
use crate::pki::trust::TrustAnchors;

#[derive(Debug, Default)]
pub(crate) struct ScanResults {
    /// Everything that was found.
    pub items: Vec<InventoryItem>,
    /// Of the pairs that certctl installed, by name.
    pub terms: HashMap<String, InstallTerms>,
    /// The anchors of those that are judged by somebody's own, by name.
    pub(crate) own_anchors: HashMap<String, TrustAnchors>,
    /// Who was asked, and what they showed.
    pub questions: Vec<ServedQuestion>,
    /// The names for which servers use a certificate that lacks them.
    pub(crate) uncovered: Vec<(String, [u8; 32], Vec<String>)>,
    /// What servers have shown so far: many show one issuer.
    pub(crate) shown: HashMap<Vec<u8>, Arc<Certificate>>,
    /// What could not be looked at, and what was passed over.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
    /// How many keys that servers read may not be read by who runs this.
    pub(crate) closed: usize,
}

impl ScanResults {
    pub(crate) fn anchors_of(&mut self, stem: &str, trust: &str) {
        match inputs::anchors(Some(trust)) {
            Ok(anchors) => {
                self.own_anchors.insert(stem.to_owned(), anchors);
            }
            Err(failure) => self.tell(&failure, "trust-unreadable"),
        }
    }

    /// What could not be looked at, as a finding.
    pub(crate) fn tell(&mut self, failure: &Failure, code: &'static str) {
        let message = std::iter::once(&failure.message)
            .chain(&failure.causes)
            .cloned()
            .collect::<Vec<_>>()
            .join(": ");
        let finding = match code {
            "unreadable" => Finding::error("unreadable", message),
            "trust-unreadable" => Finding::warning("trust-unreadable", message),
            _ => Finding::warning("certificate-unreadable", message),
        };
        self.findings
            .push(failure.next.iter().cloned().fold(finding, Finding::with));
    }

    /// Keys that may not be read, in one line.
    pub(crate) fn tell_closed(&mut self) {
        if self.closed > 0 {
            let message = format!(
                "{} keys may not be read by you: whether they fit is not known",
                self.closed
            );
            self.findings.push(
                Finding::note("keys-unreadable", message)
                    .with(NextStep::say("sudo certctl status")),
            );
        }
    }
}
