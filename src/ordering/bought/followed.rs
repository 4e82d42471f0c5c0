//! Follows an order with a certificate of a reseller to its end in this run.

use std::time::Duration;

use jiff::Timestamp;

use super::bought_order::{BoughtOrder, is_without_effect};
use super::judgement::NextMove;
use super::records::expected_records;
use crate::advice::{namecheap as advice, order as order_advice};
use crate::dcv::judge::DcvVerdict;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::namecheap::{CertificateStatus, PurchasedCertificate};
use crate::ordering::challenge_records::{publish_records, remove_records};
use crate::ordering::document::{OrderOutcome, OrderVerdict};
use crate::ordering::installing::{audit_order, install_issued};
use crate::ordering::order_ca::{PurchaseChoice, WantedPurchase};
use crate::ordering::order_calls::{OrderCalls, OrderPhase};
use crate::ordering::placed::{CHAIN_MODE, MOST_STAGES};
use crate::ordering::progress::{WaitResult, wait_in_phase};
use crate::publication::UncheckedRule;
use crate::state::{JournaledRecord, OrderProgress, PurchaseStep};
use crate::system::clock;
use crate::system::dns::ResolverList;
use crate::system::fs::files;
use crate::validation::record_check::check_records;
use crate::wording::date_and_time;

/// When to come back if the CA has not issued in the time of one run.
const COME_BACK: Duration = Duration::from_secs(600);
/// How often the API may change the records in one run.
const MOST_RECORD_CHANGES: usize = 3;

/// How an order ended in this run.
enum BoughtEnd {
    /// The certificate is on the disk.
    Issued,
    /// The CA needs more time.
    Later(Timestamp),
    /// The user has to publish the records.
    Publish,
    /// Only a person can go on; the order is kept.
    Blocked(Finding),
    /// The reseller has closed the order.
    Closed(Finding),
}

impl BoughtOrder<'_> {
    /// Follows the order to its end. A failure other than a signal is an outcome: the same command
    /// continues.
    pub(super) fn carry_out(mut self) -> Result<OrderOutcome, Failure> {
        match self.follow() {
            Ok(BoughtEnd::Issued) => {
                let id = self.id()?.to_string();
                audit_order(self.run, "issued", Some(&id));
                let mut outcome = install_issued(self.run, self.journal, self.findings)?;
                outcome.certificate = Some(id);
                Ok(outcome)
            }
            Ok(BoughtEnd::Later(at)) => Ok(self.later(at)),
            Ok(BoughtEnd::Publish) => Ok(self.unpublished()),
            Ok(BoughtEnd::Blocked(finding)) => Ok(self.blocked(finding)),
            Ok(BoughtEnd::Closed(finding)) => Ok(self.closed(finding)),
            Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => Err(failure),
            Err(failure) => Ok(self.pending(failure)),
        }
    }

    /// Does what the state requires, until it ends or somebody else has to act.
    fn follow(&mut self) -> Result<BoughtEnd, Failure> {
        if let Some(finding) = self.settle_purchase()? {
            return Ok(BoughtEnd::Blocked(finding));
        }
        for _ in 0..MOST_STAGES {
            let phase = self.poll()?;
            match phase {
                OrderPhase::Unstarted => {
                    self.start()?;
                    continue;
                }
                OrderPhase::Validating => {
                    if !self.validate()? {
                        return Ok(BoughtEnd::Publish);
                    }
                }
                OrderPhase::Processing => {}
                OrderPhase::Issued => {
                    self.download()?;
                    return Ok(BoughtEnd::Issued);
                }
                OrderPhase::Closed => return self.explain_end(),
            }
            if let WaitResult::Later(_) = wait_in_phase(self.run.context, self, phase)? {
                let at = clock::now().checked_add(COME_BACK);
                return Ok(BoughtEnd::Later(at.unwrap_or(Timestamp::MAX)));
            }
        }
        let message = "the reseller changes the state of the certificate again and again";
        Err(Failure::new(FailureKind::Network, message))
    }

    /// Makes sure that there is a certificate: the one of the command line, else buys one. Returns what
    /// only a person can settle.
    fn settle_purchase(&mut self) -> Result<Option<Finding>, Failure> {
        let spec = self.run.spec;
        if let PurchaseChoice::Certificate(id) = &spec.purchase {
            let id = id.to_string();
            let step = self.step();
            let purchase = self.purchase();
            let is_known =
                purchase.certificate.as_ref() == Some(&id) || purchase.earlier.contains(&id);
            match step {
                _ if is_known => {}
                // The purchase of an earlier run: the user has found it in the account.
                PurchaseStep::Buying | PurchaseStep::Chosen => {
                    purchase.certificate = Some(id);
                    purchase.earlier.clear();
                    self.record_step(PurchaseStep::Chosen)?;
                }
                _ => {
                    let used = purchase.certificate.clone().unwrap_or_default();
                    return Err(advice::other_certificate_in_use(&used));
                }
            }
        }
        match (&spec.purchase, self.step()) {
            (_, PurchaseStep::Buying) => self.unconfirmed_purchase().map(Some),
            (PurchaseChoice::Buy(wanted), _) if self.purchase().certificate.is_none() => {
                self.buy(wanted)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Buys a certificate, once. What has arrived after a lost answer is never guessed.
    fn buy(&mut self, wanted: &WantedPurchase) -> Result<(), Failure> {
        let mut unused = self.client.list()?;
        unused.retain(|one| one.status.is_unused());
        let unused = unused.iter().map(|one| one.id.to_string());
        self.purchase().unused = unused.collect();
        let names = self.run.spec.name_texts().join(", ");
        let line = advice::purchase_in_words(&wanted.product, wanted.term, &names);
        self.run.context.sink.show_progress(&line);
        self.record_step(PurchaseStep::Buying)?;
        match self.client.create(&wanted.product, wanted.term) {
            Ok(bought) => self.record_purchase(&bought),
            Err(error) if is_without_effect(&error) => {
                self.record_step(PurchaseStep::Chosen)?;
                Err(error.into())
            }
            Err(error) => Err(advice::answer_of_purchase_lost(error.into())),
        }
    }

    fn record_purchase(&mut self, bought: &PurchasedCertificate) -> Result<(), Failure> {
        let id = bought.id.to_string();
        self.purchase().certificate = Some(id.clone());
        self.record_step(PurchaseStep::Chosen)?;
        audit_order(self.run, "bought", Some(&id));
        let finding = advice::bought(bought);
        self.run.context.sink.show_finding(&finding);
        self.findings.push(finding);
        Ok(())
    }

    /// An earlier run has sent a purchase and got no answer. Whether it arrived is in the account.
    fn unconfirmed_purchase(&mut self) -> Result<Finding, Failure> {
        let mut new = self.client.list()?;
        let before = self.purchase().unused.clone();
        new.retain(|one| one.status.is_unused() && !before.contains(&one.id.to_string()));
        let entry = self.run.state.order_path(&self.run.spec.name);
        Ok(advice::purchase_unconfirmed(&new, &entry))
    }

    /// Publishes the records, or checks whether the user has; then the CA is asked to look. Returns
    /// whether the records are there.
    fn validate(&mut self) -> Result<bool, Failure> {
        for _ in 0..MOST_RECORD_CHANGES {
            let records = self.records()?;
            if !self.publish(&records)? {
                return Ok(false);
            }
            self.poke()?;
            // The API may have other records by now.
            if self.records()? == records {
                return Ok(true);
            }
        }
        Err(advice::no_records())
    }

    /// Publishes the records through the provider, else looks whether the user has. Returns whether they
    /// are there.
    fn publish(&mut self, records: &[JournaledRecord]) -> Result<bool, Failure> {
        let expected = expected_records(self.run.spec, records);
        if let Some(publisher) = &self.run.publisher {
            let values = records.iter().map(|record| record.target.clone());
            self.journal.record_records(values.collect())?;
            let warnings = publish_records(self.run, publisher, &expected)?;
            self.findings.extend(warnings);
        } else {
            let resolvers = ResolverList::new(&self.run.spec.resolvers);
            let checks = check_records(self.run.context, &resolvers, &expected)?;
            let is_visible = |verdict| verdict == DcvVerdict::Visible;
            let mut verdicts = checks.iter().map(|check| check.judgement.verdict);
            if !verdicts.all(is_visible) && self.run.spec.unchecked == UncheckedRule::Refuse {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the chain beside the request.
    fn download(&mut self) -> Result<(), Failure> {
        let chain = self.chain()?;
        files::replace(&self.journal.entry.chain, chain.as_bytes(), CHAIN_MODE)?;
        self.journal.record(OrderProgress::Issued)
    }

    /// Says why the order does not go on, and whether it can.
    fn explain_end(&mut self) -> Result<BoughtEnd, Failure> {
        let id = self.id()?;
        let Some((info, next)) = self.last.clone() else {
            return Err(advice::no_certificate_in_journal());
        };
        if next == NextMove::OtherRequest {
            let request = self.journal.entry.request.clone();
            return Ok(BoughtEnd::Blocked(advice::used_for_another_request(
                id, &info, &request,
            )));
        }
        let finding = advice::not_usable(id, &info);
        Ok(match info.status {
            CertificateStatus::Cancelled | CertificateStatus::Expired => BoughtEnd::Closed(finding),
            _ => BoughtEnd::Blocked(finding),
        })
    }

    /// An outcome with what is known about the order.
    fn outcome(&self, verdict: OrderVerdict) -> OrderOutcome {
        let mut outcome = OrderOutcome::new(self.run.spec, verdict);
        outcome.files = Some(self.journal.files());
        outcome.findings.clone_from(&self.findings);
        if let Some(purchase) = &self.journal.entry.purchase {
            outcome.certificate.clone_from(&purchase.certificate);
            outcome.records.clone_from(&purchase.records);
        }
        outcome
    }

    fn later(self, at: Timestamp) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.not_before = Some(at);
        let time = date_and_time(at);
        outcome.summary = advice::waiting_for_ca(&time);
        outcome.next.push(order_advice::continue_later(&time));
        outcome
    }

    /// The records are not visible yet.
    fn unpublished(self) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.exit_code = 1;
        outcome.not_before = Some(clock::now());
        "the CA waits for a record; the order is kept".clone_into(&mut outcome.summary);
        outcome.next = advice::publish_yourself(&outcome.records);
        outcome
    }

    fn blocked(self, finding: Finding) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.exit_code = 1;
        outcome.findings.push(finding);
        "the order is kept, and waits for you".clone_into(&mut outcome.summary);
        outcome
    }

    fn closed(mut self, finding: Finding) -> OrderOutcome {
        match remove_records(self.run, &mut self.journal) {
            Ok(warnings) => self.findings.extend(warnings),
            Err(failure) => self.findings.push(failure.into_finding("order-pending")),
        }
        let mut outcome = self.outcome(OrderVerdict::Refused);
        outcome.findings.push(finding);
        "the certificate will not be issued".clone_into(&mut outcome.summary);
        audit_order(self.run, "refused", outcome.certificate.as_deref());
        if let Err(failure) = self.journal.finish() {
            outcome.findings.push(failure.into_finding("order-pending"));
        }
        outcome
    }

    /// A call failed.
    fn pending(self, failure: Failure) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.exit_code = failure.kind.exit_code();
        outcome.findings.push(failure.into_finding("order-pending"));
        "nothing is lost, and the same command continues".clone_into(&mut outcome.summary);
        outcome
    }
}
