//! An order at the CA, from its placement to the certificate: validation, request, download.
//!
//! The state that the CA reports decides what comes next, not what this run has done: so a run that
//! continues an order needs no other code than the one that has begun it.

use std::time::Duration;

use super::challenge_files::check_files;
use super::challenge_records::{expected_record, publish_records, remove_records};
use super::document::{OrderOutcome, OrderVerdict};
use super::installing::{audit_order, install_issued};
use super::journal::OrderJournal;
use super::listener::open_listener;
use super::new_files::read_request;
use super::order_run::OrderRun;
use super::progress::{WaitResult, interrupted, wait_while};
use super::spec::ValidationSetup;
use super::webroots::Webroots;
use crate::advice::{order as advice, order_refusals};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, Severity};
use crate::permissions::Mode;
use crate::state::{JournaledFile, OrderProgress};
use crate::system::acme::{
    AcmeOrder, AcmeProblem, AcmeSession, OrderStage, PendingChallenge, WantedOrder,
};
use crate::system::clock;
use crate::system::fs::files;
use crate::system::fs::webroot::ChallengeFolder;
use crate::system::serve::challenge::ChallengeServer;
use crate::wording::date_and_time;

/// The mode of the chain's file.
pub(super) const CHAIN_MODE: Mode = Mode::new(0o644);
/// How many stages an order can pass through, with some to spare: a CA that goes back and forth is
/// not followed for ever.
pub(crate) const MOST_STAGES: usize = 12;
/// How long certctl waits at least before the CA looks for a record again. Resolvers of CAs keep
/// negative answers for a short time only.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// How the conversation with the CA ended.
enum OrderEnd {
    /// The certificate is on the disk.
    Issued,
    /// The CA asks to come back later.
    Later(jiff::Timestamp),
    /// The CA has refused.
    Invalid,
}

pub(super) struct PlacedOrder<'a> {
    run: &'a OrderRun<'a>,
    session: AcmeSession,
    journal: OrderJournal<'a>,
    /// What was found before the order.
    findings: Vec<Finding>,
    /// certctl's own server for validation files, while the CA fetches them.
    listener: Option<ChallengeServer>,
    attempt: ValidationAttempt,
}

/// How often the CA was asked to validate in this run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ValidationAttempt {
    First,
    /// The CA had not seen a record that the zone's servers had.
    Second,
}

impl<'a> PlacedOrder<'a> {
    pub(super) fn new(
        run: &'a OrderRun<'a>,
        session: AcmeSession,
        journal: OrderJournal<'a>,
        findings: Vec<Finding>,
    ) -> Self {
        Self {
            run,
            session,
            journal,
            findings,
            listener: None,
            attempt: ValidationAttempt::First,
        }
    }

    /// Follows the order to its end. A failure other than a signal is an outcome: the order exists,
    /// and the same command continues it.
    pub(super) fn carry_out(mut self) -> Result<OrderOutcome, Failure> {
        let end = self.follow();
        self.listener = None;
        match end {
            Ok(OrderEnd::Issued) => {
                let order = self.journal.entry.order.clone();
                audit_order(self.run, "issued", order.as_deref());
                install_issued(self.run, self.journal, self.findings)
            }
            Ok(OrderEnd::Later(at)) => Ok(self.later(at)),
            Ok(OrderEnd::Invalid) => Ok(self.invalid()),
            Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => Err(failure),
            Err(failure) => Ok(self.pending(failure)),
        }
    }

    /// Does what the state of the order requires until it is closed, or the CA asks to wait.
    fn follow(&mut self) -> Result<OrderEnd, Failure> {
        let mut order = self.open_order()?;
        for _ in 0..MOST_STAGES {
            let stage = order.stage();
            match stage {
                OrderStage::Pending => self.validate(&mut order)?,
                OrderStage::Ready => self.finalize(&mut order)?,
                OrderStage::Processing => {}
                OrderStage::Valid => {
                    self.download(&mut order)?;
                    return Ok(OrderEnd::Issued);
                }
                OrderStage::Invalid => {
                    if self.waits_for_records(&mut order)? {
                        order = self.open_order()?;
                        continue;
                    }
                    self.report_invalid(&mut order)?;
                    return Ok(OrderEnd::Invalid);
                }
            }
            if let WaitResult::Later(at) = wait_while(self.run.context, &mut order, &stage)? {
                return Ok(OrderEnd::Later(at));
            }
        }
        let message = "the CA changes the state of the order again and again";
        Err(Failure::new(FailureKind::Network, message))
    }

    /// Opens the order of the journal. Where the CA no longer has it, or has closed it, a new one is
    /// placed.
    fn open_order(&mut self) -> Result<AcmeOrder, Failure> {
        if let Some(url) = self.journal.entry.order.clone() {
            match self.session.open_order(&url) {
                Ok(mut order) => {
                    if order.stage() != OrderStage::Invalid {
                        return Ok(order);
                    }
                }
                Err(error) if error.is_missing_object() => {}
                Err(error) => return Err(error.into()),
            }
            self.journal.record(OrderProgress::Placing)?;
        }
        let names = self.run.spec.name_texts();
        let replaces = self.run.spec.replaces();
        let order = self.session.place_order(&WantedOrder {
            names: &names,
            profile: self.run.spec.profile.as_deref(),
            replaces: replaces.as_deref(),
        })?;
        self.journal.record_placed(order.url())?;
        audit_order(self.run, "placed", Some(order.url()));
        Ok(order)
    }

    /// Returns whether to try again with a new order, after a pause: once, if the CA did not see a
    /// record that every server of the zone had. Its resolver may have kept an older answer.
    fn waits_for_records(&mut self, order: &mut AcmeOrder) -> Result<bool, Failure> {
        let Some(publisher) = &self.run.publisher else {
            return Ok(false);
        };
        let problems = order.problems()?;
        let is_about_record = problems.iter().any(AcmeProblem::is_missing_record);
        if self.attempt == ValidationAttempt::Second || !is_about_record {
            return Ok(false);
        }
        self.attempt = ValidationAttempt::Second;
        let pause = publisher.provider.propagation().max(SHORTEST_PAUSE);
        let title = self.run.spec.ca.title();
        self.findings
            .push(order_refusals::validation_repeated(title, pause));
        self.findings
            .extend(remove_records(self.run, &mut self.journal)?);
        let interrupt = &self.run.context.interrupt;
        let seconds = pause.as_secs();
        let line = format!("{title} did not see the record: trying again in {seconds} s");
        self.run.context.sink.show_progress(&line);
        match clock::sleep_until_signal(pause, interrupt) {
            Some(signal) => Err(interrupted(signal)),
            None => Ok(true),
        }
    }

    /// Publishes what proves control of the names, and asks the CA to check it.
    fn validate(&mut self, order: &mut AcmeOrder) -> Result<(), Failure> {
        let method = self.run.spec.method.challenge();
        let challenges = order.pending_challenges(method)?;
        match (&self.run.spec.method, &self.run.publisher) {
            (ValidationSetup::Files(webroots), _) => self.write_files(webroots, &challenges)?,
            (ValidationSetup::Records(_), Some(publisher)) => {
                let records: Vec<_> = challenges.iter().map(expected_record).collect();
                let values = challenges.iter().map(|one| one.dns_value.clone());
                self.journal.record_records(values.collect())?;
                let warnings = publish_records(self.run, publisher, &records)?;
                self.findings.extend(warnings);
            }
            (ValidationSetup::Listener(_), _) => self.serve_files(&challenges)?,
            (ValidationSetup::Records(_), None) | (ValidationSetup::Manual, _) => {}
        }
        Ok(order.accept_challenges(method)?)
    }

    /// Serves the files of http-01 until the order is finished or left.
    fn serve_files(&mut self, challenges: &[PendingChallenge]) -> Result<(), Failure> {
        if self.listener.is_none() {
            self.listener = open_listener(self.run.spec)?;
        }
        if let Some(server) = &self.listener {
            for challenge in challenges {
                server.add(challenge.token.as_str(), &challenge.key_authorization);
            }
        }
        Ok(())
    }

    /// Writes the files of http-01. The journal knows each of them before it exists, so that a later
    /// run removes it.
    fn write_files(
        &mut self,
        webroots: &Webroots,
        challenges: &[PendingChallenge],
    ) -> Result<(), Failure> {
        let mut planned = Vec::new();
        for challenge in challenges {
            planned.push(JournaledFile {
                webroot: webroots.folder_of(&challenge.name)?.to_owned(),
                token: challenge.token.as_str().to_owned(),
            });
        }
        self.journal.record_files(planned.clone())?;
        for (challenge, file) in challenges.iter().zip(&planned) {
            let folder = ChallengeFolder::open(&file.webroot)?;
            folder.write(&file.token, challenge.key_authorization.as_bytes())?;
        }
        Ok(())
    }

    /// Sends the request. The journal says so first: from then on the CA may have issued.
    fn finalize(&mut self, order: &mut AcmeOrder) -> Result<(), Failure> {
        let request = read_request(&self.journal.entry.request)?;
        self.journal.record(OrderProgress::Finalizing)?;
        order.finalize(request.der())?;
        Ok(())
    }

    /// Writes the chain beside the request. The certificate counts against the CA's limit from now
    /// on.
    fn download(&mut self, order: &mut AcmeOrder) -> Result<(), Failure> {
        let chain = order.certificate()?;
        files::replace(&self.journal.entry.chain, chain.as_bytes(), CHAIN_MODE)?;
        // Counted first: if this run ends in between, it is counted twice, and never not at all.
        let directory = self.run.spec.ca.directory();
        let names = self.run.spec.name_texts();
        self.run
            .state
            .record_issuance(directory, &names, clock::now())?;
        self.journal.record(OrderProgress::Issued)?;
        self.journal.remove_files()
    }

    /// Quotes the CA, beside what certctl itself sees.
    fn report_invalid(&mut self, order: &mut AcmeOrder) -> Result<(), Failure> {
        let title = self.run.spec.ca.title();
        let problems = order.problems()?;
        let problems = problems.iter();
        let refusals = problems.map(|problem| order_refusals::ca_refused(title, problem));
        let mut refusals: Vec<Finding> = refusals.collect();
        if refusals.is_empty() {
            refusals.push(order_refusals::ca_refused_silently(title));
        }
        let own = check_files(self.run.context, self.run.spec)?;
        // What was not checked is among the earlier findings.
        let mut earlier = self.findings.iter();
        if own.is_empty() && earlier.all(|finding| finding.severity == Severity::Note) {
            let step = order_refusals::own_check_passed(self.run.spec.method.challenge());
            let last = refusals.pop();
            refusals.extend(last.map(|finding| finding.with_step(step)));
        }
        self.findings.extend(refusals);
        self.findings.extend(own);
        // What stays pending expires by itself.
        let _ = order.deactivate_pending();
        Ok(())
    }

    /// An outcome with what is known about the order.
    fn outcome(&self, verdict: OrderVerdict) -> OrderOutcome {
        let mut outcome = OrderOutcome::new(self.run.spec, verdict);
        outcome.order.clone_from(&self.journal.entry.order);
        outcome.files = Some(self.journal.files());
        outcome.findings.clone_from(&self.findings);
        outcome
    }

    /// The CA asks to come back at a time.
    fn later(self, at: jiff::Timestamp) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.not_before = Some(at);
        let title = self.run.spec.ca.title();
        let time = date_and_time(at);
        outcome.summary = format!("{title} has the order and asks to come back after {time}");
        outcome.next.push(advice::continue_later(&time));
        outcome
    }

    /// The order is closed: the same command begins a new one.
    fn invalid(mut self) -> OrderOutcome {
        match remove_records(self.run, &mut self.journal) {
            Ok(warnings) => self.findings.extend(warnings),
            Err(failure) => self.findings.push(failure.into_finding("order-pending")),
        }
        let mut outcome = self.outcome(OrderVerdict::Refused);
        outcome.summary = format!("{} has refused the order", self.run.spec.ca.title());
        audit_order(self.run, "refused", outcome.order.as_deref());
        if let Err(failure) = self.journal.finish() {
            outcome.findings.push(failure.into_finding("order-pending"));
        }
        outcome
    }

    /// Something failed after the order was placed.
    fn pending(self, failure: Failure) -> OrderOutcome {
        let mut outcome = self.outcome(OrderVerdict::Pending);
        outcome.exit_code = failure.kind.exit_code();
        outcome.not_before = self.session.retry_at().max(failure.retry_at());
        outcome.findings.push(failure.into_finding("order-pending"));
        let summary = match outcome.order {
            Some(_) => "the order is kept, and the same command continues it",
            None => "no order was placed; the same command tries again, with the same key",
        };
        summary.clone_into(&mut outcome.summary);
        outcome
    }
}
