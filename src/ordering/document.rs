//! The outcome of an order, as text and as JSON.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::spec::{OrderFiles, OrderSpec};
use super::waiting::WaitingInstall;
use crate::finding::{Finding, NextStep, Severity};
use crate::install::outcome::{InstallVerdict, TransactionOutcome, show_problems};
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::state::JournaledRecord;

/// How an order ended, before or without an install.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OrderVerdict {
    /// The files are here; nothing was to be installed.
    Issued,
    /// See the transaction.
    Installed,
    /// The CA has the order, and the same command continues it.
    Pending,
    Planned,
    /// Nothing was ordered, or the CA has refused.
    Refused,
    /// The certificate is not due.
    Unchanged,
}

/// The outcome of an order.
#[derive(Debug)]
pub(crate) struct OrderOutcome {
    pub verdict: OrderVerdict,
    pub exit_code: u8,
    /// The CA in words.
    pub ca: String,
    pub directory: String,
    /// The method of validation: that of RFC 8555, or `cname` at a reseller.
    pub method: &'static str,
    pub names: Vec<String>,
    /// The URL of the order.
    pub order: Option<String>,
    pub files: Option<OrderFiles>,
    /// What was done, or would be done, in words.
    pub steps: Vec<String>,
    /// The expiry date of the new or the existing certificate.
    pub not_after: Option<Timestamp>,
    /// The time before which nothing is to be done.
    pub not_before: Option<Timestamp>,
    /// One line for people: the result.
    pub summary: String,
    pub findings: Vec<Finding>,
    pub next: Vec<NextStep>,
    pub undo: Option<NextStep>,
    pub transaction: Option<Box<TransactionOutcome>>,
    /// What is still to be installed.
    pub waiting: Option<Box<WaitingInstall>>,
    /// The id of the certificate at a reseller.
    pub certificate: Option<String>,
    /// The records that a reseller asks for.
    pub records: Vec<JournaledRecord>,
}

impl OrderOutcome {
    pub(super) fn new(spec: &OrderSpec, verdict: OrderVerdict) -> Self {
        Self {
            verdict,
            exit_code: match verdict {
                OrderVerdict::Refused => 1,
                OrderVerdict::Pending => 4,
                _ => 0,
            },
            ca: spec.ca.title().to_owned(),
            directory: spec.ca.directory().to_owned(),
            method: spec.method_name(),
            names: spec.name_texts(),
            order: None,
            files: None,
            steps: Vec::new(),
            not_after: None,
            not_before: None,
            summary: String::new(),
            findings: Vec::new(),
            next: Vec::new(),
            undo: None,
            transaction: None,
            waiting: None,
            certificate: None,
            records: Vec::new(),
        }
    }

    /// The verdict in JSON; after an install, that of the install.
    fn verdict_word(&self) -> &'static str {
        match (self.verdict, &self.transaction) {
            (OrderVerdict::Planned, _) => "planned",
            (_, Some(transaction)) => transaction.verdict.name(),
            (OrderVerdict::Issued | OrderVerdict::Installed, None) => "issued",
            (OrderVerdict::Pending, None) => "pending",
            (OrderVerdict::Refused, None) => "refused",
            (OrderVerdict::Unchanged, None) => "unchanged",
        }
    }

    /// Returns whether the install has changed anything.
    #[must_use]
    pub(crate) fn is_install_changed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|done| done.changed)
    }

    /// Whether anything outside of certctl's own journal is different now.
    #[must_use]
    pub(crate) fn is_changed(&self) -> bool {
        let is_issued = matches!(self.verdict, OrderVerdict::Issued | OrderVerdict::Installed);
        self.is_install_changed() || is_issued || self.verdict == OrderVerdict::Pending
    }

    /// Returns whether the new certificate is neither in use nor in a file, and the CA is not the one
    /// to wait for.
    #[must_use]
    pub(crate) fn has_failed(&self) -> bool {
        let is_failed_install = |done: &TransactionOutcome| {
            matches!(
                done.verdict,
                InstallVerdict::Refused
                    | InstallVerdict::RolledBack
                    | InstallVerdict::PartlyRolledBack
            )
        };
        match self.verdict {
            OrderVerdict::Refused => true,
            OrderVerdict::Pending => self.not_before.is_none() || self.has_error(),
            OrderVerdict::Installed => self.transaction.as_deref().is_some_and(is_failed_install),
            OrderVerdict::Issued | OrderVerdict::Planned | OrderVerdict::Unchanged => false,
        }
    }

    fn has_error(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity == Severity::Error)
    }

    /// What was found before, during and after the install.
    #[must_use]
    pub(crate) fn all_findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        if let Some(transaction) = &self.transaction {
            findings.extend(transaction.findings.iter().cloned());
        }
        findings
    }

    /// The next steps of the order, then those of the install.
    #[must_use]
    pub(crate) fn all_steps(&self) -> Vec<NextStep> {
        let mut next = self.next.clone();
        if let Some(transaction) = &self.transaction {
            next.extend(transaction.next.iter().cloned());
        }
        next
    }

    /// The field `order` of the document.
    fn order_json(&self) -> Value {
        let path = |path: &PathBuf| path.display().to_string();
        let files = self.files.as_ref();
        json!({
            "ca": self.ca,
            "directory": self.directory,
            "names": self.names,
            "method": self.method,
            "url": self.order,
            "certificate": self.certificate,
            "records": self.records_json(),
            "key_path": files.map(|files| path(&files.key)),
            "request_path": files.map(|files| path(&files.request)),
            "chain_path": files.map(|files| path(&files.chain)),
            "not_after": self.not_after,
            "not_before": self.not_before,
            "steps": self.steps,
        })
    }

    /// The field `records`: what is to be published.
    fn records_json(&self) -> Value {
        let mut records = Vec::new();
        for record in &self.records {
            records.push(json!({
                "name": record.host,
                "type": "CNAME",
                "value": record.target,
                "validates": record.domain,
            }));
        }
        json!(records)
    }

    /// Shows an order whose certificate was or would be installed.
    fn show_transaction(&self, transaction: &TransactionOutcome, text: &mut TextOutput) {
        if self.verdict == OrderVerdict::Planned {
            transaction.show_plan(text);
            text.add_findings(&self.all_findings());
            text.add(Label::Done, self.summary.clone());
            return;
        }
        if !self.summary.is_empty() {
            text.add(Label::Found, self.summary.clone());
        }
        transaction.human(&self.findings, text);
    }

    /// Shows an order without an installation.
    fn show_result(&self, text: &mut TextOutput) {
        if self.verdict == OrderVerdict::Refused {
            show_problems(text, &self.findings, &self.next, |text| {
                text.add(Label::Done, self.summary.clone());
            });
            return;
        }
        text.add_findings(&self.findings);
        text.add(Label::Done, self.summary.clone());
    }

    /// Identifies what a dry run would do.
    #[must_use]
    pub(crate) fn plan_id(&self) -> String {
        let install = self.transaction.as_ref();
        let install = install.and_then(|planned| planned.dry_run.as_ref());
        report::plan_id(json!([
            self.directory,
            self.names,
            self.steps,
            install.map(|planned| &planned.plan_id),
        ]))
    }
}

impl Outcome for OrderOutcome {
    fn json(&self) -> Value {
        let mut document = match &self.transaction {
            Some(transaction) => transaction.json("certctl.order/1"),
            None => json!({
                "schema": "certctl.order/1",
                "verdict": "",
                "changed": false,
                "certificates": [],
            }),
        };
        document["verdict"] = json!(self.verdict_word());
        document["changed"] = json!(self.is_changed() && self.verdict != OrderVerdict::Planned);
        document["order"] = self.order_json();
        document["findings"] = json!(self.all_findings());
        document["next"] = json!(self.all_steps());
        document["undo"] = json!(Vec::from_iter(&self.undo));
        if self.verdict == OrderVerdict::Planned {
            if let Some(fields) = document.as_object_mut() {
                fields.shift_remove("would_change");
                fields.shift_remove("plan_id");
            }
            let dry_run = DryRunSummary {
                would_change: true,
                plan_id: self.plan_id(),
            };
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        let label = match self.verdict {
            OrderVerdict::Planned => Label::Plan,
            _ => Label::Wrote,
        };
        for step in &self.steps {
            text.add(label, step.clone());
        }
        match &self.transaction {
            Some(transaction) => self.show_transaction(transaction, text),
            None => self.show_result(text),
        }
        if self.verdict != OrderVerdict::Refused || self.transaction.is_some() {
            text.add_next_steps(&self.next);
        }
        if let Some(undo) = &self.undo {
            text.add_step(Label::Undo, undo);
        }
    }

    fn exit_code(&self) -> u8 {
        match (&self.transaction, self.verdict) {
            (Some(_), OrderVerdict::Planned) | (None, _) => self.exit_code,
            (Some(transaction), _) => transaction.verdict.exit_code(),
        }
    }
}
