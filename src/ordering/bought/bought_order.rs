//! One order with a certificate of a reseller: its five calls, each with what the journal has to know
//! before it.

use super::judgement::{NextMove, RequestMatch, judge};
use super::purchase::further_names;
use super::records::{accept_records, compare_with_request};
use crate::advice::namecheap as advice;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::namecheap::{
    CertificateId, CertificateInfo, CertificateStatus, FaultKind, IssueRequest, NamecheapFault,
    ResellerRecord, fault_kind,
};
use crate::ordering::installing::audit_order;
use crate::ordering::journal::OrderJournal;
use crate::ordering::new_files::read_request;
use crate::ordering::order_calls::{OrderCalls, OrderPhase};
use crate::ordering::order_run::OrderRun;
use crate::ordering::spec::OrderTiming;
use crate::pki::request::SigningRequest;
use crate::state::{JournaledPurchase, JournaledRecord, OrderProgress, PurchaseStep};
use crate::system::fs::lock::FileLock;
use crate::system::namecheap::{NamecheapClient, NamecheapError};

/// How many certificates of the account are searched for the request of this order.
const MOST_CANDIDATES: usize = 30;
/// How many reissues one poll follows.
const MOST_FOLLOWED: usize = 10;

pub(super) struct BoughtOrder<'a> {
    pub run: &'a OrderRun<'a>,
    pub client: NamecheapClient,
    pub journal: OrderJournal<'a>,
    /// What was found before and during the order.
    pub findings: Vec<Finding>,
    request: SigningRequest,
    /// The last state, and what it means.
    pub last: Option<(CertificateInfo, NextMove)>,
    /// No other order of this user is for the same certificate of the reseller.
    lock: Option<FileLock>,
}

impl<'a> BoughtOrder<'a> {
    pub(super) fn new(
        run: &'a OrderRun<'a>,
        client: NamecheapClient,
        journal: OrderJournal<'a>,
        findings: Vec<Finding>,
    ) -> Result<Self, Failure> {
        let request = read_request(&journal.entry.request)?;
        Ok(Self {
            run,
            client,
            journal,
            findings,
            request,
            last: None,
            lock: None,
        })
    }

    /// Returns the certificate's part of the journal.
    pub(super) fn purchase(&mut self) -> &mut JournaledPurchase {
        let purchase = &mut self.journal.entry.purchase;
        purchase.get_or_insert_with(|| JournaledPurchase::chosen(None))
    }

    pub(super) fn step(&self) -> PurchaseStep {
        let purchase = self.journal.entry.purchase.as_ref();
        purchase.map_or(PurchaseStep::Chosen, |purchase| purchase.step)
    }

    /// Returns the id of the certificate.
    pub(super) fn id(&self) -> Result<CertificateId, Failure> {
        let purchase = self.journal.entry.purchase.as_ref();
        let id = purchase.and_then(|purchase| purchase.certificate.as_deref());
        let id = id.and_then(|id| id.parse().ok());
        id.ok_or_else(advice::no_certificate_in_journal)
    }

    /// Makes sure that no other order of this user is for the same certificate.
    pub(super) fn lock_certificate(&mut self) -> Result<(), Failure> {
        if self.lock.is_none() {
            let id = self.id()?;
            let interrupt = &self.run.context.interrupt;
            let give_up = || interrupt.signal().is_some();
            let wait = self.run.spec.deployment.lock_wait;
            let name = format!("{} {id}", self.run.spec.ca.title());
            self.lock = Some(self.run.state.lock_order(&name, wait, give_up)?);
        }
        Ok(())
    }

    /// Writes a step before its call. From the first one that cannot be undone, the order is no longer
    /// given up for another one.
    pub(super) fn record_step(&mut self, step: PurchaseStep) -> Result<(), Failure> {
        self.purchase().step = step;
        self.journal.entry.progress = match step {
            PurchaseStep::Chosen => OrderProgress::Placing,
            _ => OrderProgress::Finalizing,
        };
        self.journal.write()
    }

    /// Goes on with another id.
    pub(super) fn record_id(&mut self, id: CertificateId) -> Result<(), Failure> {
        let purchase = self.purchase();
        let before = purchase.certificate.replace(id.to_string());
        if let Some(before) = before.filter(|before| *before != id.to_string()) {
            purchase.earlier.push(before);
        }
        self.journal.write()
    }

    /// Returns whether a certificate of the reseller is for the request of this order.
    fn match_request(&self, info: &CertificateInfo) -> RequestMatch {
        let read = |text: &str| {
            let input = DeliveryInput::new("the answer", text.as_bytes().to_vec());
            CaDelivery::read(vec![input], &DeliveryLimits::default()).unwrap_or_default()
        };
        if let Some(leaf) = info.chain.first() {
            let delivery = read(leaf);
            let mut leaves = delivery.certificates.iter();
            let is_own = leaves.any(|found| found.value.key_id == self.request.key_id);
            return if is_own {
                RequestMatch::Own
            } else {
                RequestMatch::Other
            };
        }
        let delivery = info.request.as_deref().map(read).unwrap_or_default();
        match delivery.requests.first() {
            None => RequestMatch::Unknown,
            Some(found) if found.value.der() == self.request.der() => RequestMatch::Own,
            Some(_) => RequestMatch::Other,
        }
    }

    fn is_renewal(&self) -> bool {
        matches!(self.run.spec.timing, OrderTiming::Renewal(_))
    }

    /// Looks in the account for a certificate with this request: the answer to a reissue was lost.
    fn find_reissued(&self) -> Result<Option<CertificateId>, Failure> {
        let current = self.id()?;
        let first = self.run.spec.names.primary().text();
        let mut listed = self.client.list()?;
        listed.retain(|one| {
            let is_live = matches!(
                one.status,
                CertificateStatus::Purchased | CertificateStatus::Active
            );
            let is_for_name =
                one.host_name.is_empty() || one.host_name.eq_ignore_ascii_case(&first);
            is_live && is_for_name && one.id != current
        });
        // The newest ones first.
        listed.sort_by_key(|one| std::cmp::Reverse(one.id));
        for one in listed.into_iter().take(MOST_CANDIDATES) {
            let info = self.client.info(one.id)?;
            if self.match_request(&info) == RequestMatch::Own {
                return Ok(Some(one.id));
            }
        }
        Ok(None)
    }

    /// Sends the request. What the API itself refuses has not happened.
    fn send(&mut self, step: PurchaseStep) -> Result<(), Failure> {
        let id = self.id()?;
        let email = self.run.spec.email().map(str::to_owned);
        let email = email.ok_or_else(advice::email_missing)?;
        let further = further_names(self.run.spec);
        let request = self.request.to_pem();
        self.record_step(step)?;
        let issue = IssueRequest {
            request: &request,
            email: &email,
            further_names: &further,
        };
        let sent = match step {
            PurchaseStep::Activating => self.client.activate(id, issue),
            _ => self.client.reissue(id, issue),
        };
        match sent {
            Ok(started) => {
                self.record_id(started.id)?;
                self.record_step(PurchaseStep::Started)?;
                self.keep_records(&started.records)
            }
            Err(error) => {
                if is_without_effect(&error) {
                    self.record_step(PurchaseStep::Chosen)?;
                }
                Err(error.into())
            }
        }
    }

    /// Writes down the records of the API. Where it returns none, they are asked for later.
    fn keep_records(&mut self, records: &[ResellerRecord]) -> Result<(), Failure> {
        let accepted = accept_records(self.run.spec, records)?;
        if accepted.is_empty() {
            return Ok(());
        }
        self.findings
            .retain(|one| one.code != "record-differs-from-request");
        self.findings
            .extend(compare_with_request(&accepted, &self.request));
        self.purchase().records = accepted;
        self.journal.write()
    }

    /// Makes the CA look for the records; returns what the API says they are.
    fn edit_method(&self, id: CertificateId) -> Result<Vec<ResellerRecord>, NamecheapError> {
        let mut names = vec![self.run.spec.names.primary().text()];
        names.extend(further_names(self.run.spec));
        self.client.edit_dcv_method(id, &names)
    }
}

/// Returns whether a call certainly changed nothing. What fails inside of the API, or at the CA behind
/// it, may have happened before.
pub(super) fn is_without_effect(error: &NamecheapError) -> bool {
    let is_refusal = |fault: &NamecheapFault| {
        !matches!(fault_kind(fault), FaultKind::Provider | FaultKind::Server)
    };
    match error {
        NamecheapError::Refused { faults, .. } => faults.iter().all(is_refusal),
        NamecheapError::Api(error) => error.was_not_sent(),
    }
}

impl OrderCalls for BoughtOrder<'_> {
    type Proof = JournaledRecord;

    /// Activates or reissues. What cannot be undone is printed before it is sent.
    fn start(&mut self) -> Result<(), Failure> {
        let Some((info, next)) = self.last.clone() else {
            return Ok(());
        };
        let id = self.id()?;
        let names = self.run.spec.name_texts().join(", ");
        if next == NextMove::Reissue {
            if self.step() == PurchaseStep::Reissuing
                && let Some(found) = self.find_reissued()?
            {
                self.record_id(found)?;
                return self.record_step(PurchaseStep::Started);
            }
            return self.send(PurchaseStep::Reissuing);
        }
        if self.is_renewal() && self.step() == PurchaseStep::Chosen {
            // A renewal never uses up what was bought.
            return Err(advice::activation_is_not_a_renewal(id, &info.product));
        }
        let finding = advice::activation_cannot_be_repeated(id, &info.product, &names);
        self.run.context.sink.show_finding(&finding);
        self.findings.push(finding);
        self.send(PurchaseStep::Activating)?;
        audit_order(self.run, "activated", Some(&id.to_string()));
        Ok(())
    }

    fn records(&mut self) -> Result<Vec<JournaledRecord>, Failure> {
        if self.purchase().records.is_empty() {
            let records = self.edit_method(self.id()?)?;
            self.keep_records(&records)?;
        }
        let records = self.purchase().records.clone();
        if records.is_empty() {
            return Err(advice::no_records());
        }
        Ok(records)
    }

    /// Sets the method of validation again. In a state in which the API refuses that, the certificate
    /// may be issued already: the next poll tells.
    fn poke(&mut self) -> Result<(), Failure> {
        let id = self.id()?;
        match self.edit_method(id) {
            Ok(records) => self.keep_records(&records),
            Err(NamecheapError::Refused { .. }) => {
                let _ = self.client.resend_approver_email(id);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn poll(&mut self) -> Result<OrderPhase, Failure> {
        self.lock_certificate()?;
        for _ in 0..MOST_FOLLOWED {
            let info = self.client.info(self.id()?)?;
            let next = judge(&info, self.match_request(&info), self.step());
            if let NextMove::Follow(next) = next
                && next != self.id()?
            {
                self.record_id(next)?;
                continue;
            }
            let phase = match next {
                NextMove::Activate | NextMove::Reissue => OrderPhase::Unstarted,
                NextMove::Validate => OrderPhase::Validating,
                NextMove::Wait | NextMove::Follow(_) => OrderPhase::Processing,
                NextMove::Download => OrderPhase::Issued,
                NextMove::OtherRequest | NextMove::Stop => OrderPhase::Closed,
            };
            self.last = Some((info, next));
            return Ok(phase);
        }
        Err(advice::too_many_reissues(self.id()?))
    }

    fn chain(&mut self) -> Result<String, Failure> {
        let info = self.last.as_ref().map(|(info, _)| info);
        let mut pem = String::new();
        for certificate in info.map(|info| info.chain.as_slice()).unwrap_or_default() {
            pem.push_str(certificate.trim());
            pem.push('\n');
        }
        Ok(pem)
    }
}
