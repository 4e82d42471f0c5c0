//! What all steps of one order have in common.

use std::path::Path;

use super::document::{OrderOutcome, OrderVerdict};
use jiff::Span;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::journal::OrderJournal;
use super::order_ca::PurchaseChoice;
use super::publisher::RecordPublisher;
use super::spec::OrderSpec;
use crate::context::Context;
use crate::finding::{Finding, Severity};
use crate::matching::file_stem_of;
use crate::state::StateFolder;
use crate::store::settings::{LineageSettings, StoredOrder};

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
            order: Some(self.stored_order(journal)),
            paid_until: self.paid_until(),
            ..self.spec.deployment.flags.clone()
        }
    }

    /// The last day of a term that is bought now; else as it is saved.
    fn paid_until(&self) -> Option<Date> {
        let PurchaseChoice::Buy(wanted) = &self.spec.purchase else {
            return self.spec.deployment.flags.paid_until;
        };
        let today = Offset::UTC.to_datetime(self.context.now()).date();
        let end = today.checked_add(Span::new().years(wanted.term.years()));
        end.and_then(|end| end.yesterday()).ok()
    }

    /// How the certificate is renewed; at a reseller, under the id that it has now.
    pub(super) fn stored_order(&self, journal: Option<&OrderJournal<'_>>) -> StoredOrder {
        let mut stored = self.spec.to_store();
        let purchase = journal.and_then(|journal| journal.entry.purchase.as_ref());
        if let Some(id) = purchase.and_then(|purchase| purchase.certificate.clone()) {
            stored.certificate = Some(id);
        }
        stored
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
