//! The renewals of one run, one after the other.

use super::alternatives::suggest_automatic;
use super::args::RenewArgs;
use super::attempt::{self, RenewalAttempt};
use super::failed::FailedRenewal;
use super::folders::RequestFolders;
use super::ordered::OrderedRenewal;
use super::outcome::RenewOutcome;
use super::reorder::{OrderAttempt, Reordering};
use super::select::NotYetDue;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inventory::StatusRow;
use crate::scan::newer::UnservedCertificates;

/// What was renewed so far, and what is read only once.
pub(super) struct RenewalBatch<'a> {
    context: &'a Context,
    args: &'a RenewArgs,
    reordering: Reordering<'a>,
    folders: RequestFolders,
    unserved: UnservedCertificates,
    not_due: NotYetDue,
    prepared: Vec<RenewalAttempt>,
    ordered: Vec<OrderedRenewal>,
    failed: Vec<FailedRenewal>,
}

impl<'a> RenewalBatch<'a> {
    /// Nothing is renewed yet.
    ///
    /// # Errors
    /// When the configuration is not valid.
    pub(super) fn new(
        context: &'a Context,
        args: &'a RenewArgs,
        not_due: NotYetDue,
    ) -> Result<Self, Failure> {
        Ok(Self {
            context,
            args,
            reordering: Reordering::new(context, args)?,
            folders: RequestFolders::default(),
            unserved: UnservedCertificates::default(),
            not_due,
            prepared: Vec::new(),
            ordered: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// Renews one certificate. A failure is kept for the report.
    ///
    /// # Errors
    /// When a signal ended the renewal: the next ones are not begun.
    pub(super) fn renew(&mut self, row: &StatusRow) -> Result<(), Failure> {
        match self.reordering.renew(row) {
            Ok(OrderAttempt::NotOrdered) => self.prepare(row),
            Ok(OrderAttempt::NotDue(due)) => self.not_due.add(row, due),
            Ok(OrderAttempt::Ordered(ordered)) => self.ordered.push(*ordered),
            Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => {
                return Err(failure);
            }
            Err(failure) => self.failed.push(FailedRenewal::of_order(row, failure)),
        }
        Ok(())
    }

    /// Prepares the next request.
    fn prepare(&mut self, row: &StatusRow) {
        let attempt = attempt::prepare_renewal(
            self.context,
            self.args,
            row,
            &mut self.folders,
            &self.unserved,
        );
        match attempt {
            Ok(mut attempt) => {
                suggest_automatic(self.context, &mut attempt);
                self.prepared.push(attempt);
            }
            Err(failure) => self.failed.push(FailedRenewal::of_request(row, failure)),
        }
    }

    /// Installs what was ordered, and returns the outcome of all.
    ///
    /// # Errors
    /// When every renewal failed, or a signal arrives.
    pub(super) fn finish(mut self, findings: Vec<Finding>) -> Result<RenewOutcome, Failure> {
        let failed = self.reordering.install(&mut self.ordered)?;
        self.failed.extend(failed);
        let is_empty = self.prepared.is_empty() && self.ordered.is_empty();
        match self.failed.split_first() {
            Some((first, others)) if is_empty => Err(all_failed(first, others)),
            _ => Ok(RenewOutcome::new(
                self.args.mode(),
                self.prepared,
                self.ordered,
                self.failed,
                self.not_due,
                findings,
            )),
        }
    }
}

fn all_failed(first: &FailedRenewal, others: &[FailedRenewal]) -> Failure {
    let mut failure = first.failure.clone();
    for other in others {
        failure = failure.because(format!(
            "the renewal of {} could not be prepared either: {}",
            other.name, other.failure.message
        ));
    }
    failure
}
