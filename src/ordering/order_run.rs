//! What all steps of one order have in common.

use std::path::Path;

use super::document::{OrderOutcome, OrderVerdict};
use super::journal::OrderJournal;
use super::publisher::RecordPublisher;
use super::spec::OrderSpec;
use crate::context::Context;
use crate::finding::{Finding, Severity};
use crate::matching::file_stem_of;
use crate::state::StateFolder;
use crate::store::settings::LineageSettings;

pub(super) struct OrderRun<'a> {
    pub context: &'a Context,
    pub spec: &'a OrderSpec,
    pub state: &'a StateFolder,
    /// The DNS provider of dns-01.
    pub publisher: Option<RecordPublisher>,
}

impl OrderRun<'_> {
    /// What is saved for the next renewal.
    pub(super) fn flags(&self, journal: Option<&OrderJournal<'_>>) -> LineageSettings {
        let files = journal.map(OrderJournal::files);
        let request = files.as_ref().map(|files| files.request.as_path());
        let stem = request.map(file_stem_of);
        LineageSettings {
            folder: request.and_then(|path| path.parent()).map(Path::to_owned),
            request: stem,
            trust: self.spec.trust.clone(),
            order: Some(self.spec.to_store()),
            ..self.spec.deployment.flags.clone()
        }
    }

    /// The outcome of an order that was not placed.
    pub(super) fn refused(&self, findings: Vec<Finding>) -> OrderOutcome {
        let mut refused = OrderOutcome::new(self.spec, OrderVerdict::Refused);
        refused.findings = findings;
        "nothing was ordered".clone_into(&mut refused.summary);
        refused
    }
}

pub(super) fn has_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
