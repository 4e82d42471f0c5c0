//! The outcome of `install`: one certificate in full, or a summary of several.

use std::path::Path;

use serde_json::{Value, json};

use self::interrupted::{InterruptedCertificate, interrupted};
use self::removal::removal_step;
use self::steps::{merge_start_steps, rollback_step};
use self::timer::missing_timer;
use crate::advice::install_command;
use crate::audit::{self, AuditAction};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::install::outcome::{InstallVerdict, TransactionOutcome, show_problems};
use crate::install::request::RunMode;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::wording::day;

mod interrupted;
mod removal;
mod steps;
mod timer;

/// The outcome of `install`.
#[derive(Debug)]
pub(crate) struct InstallOutcome {
    mode: RunMode,
    certificates: Vec<CertificateOutcome>,
    /// One step for all certificates whose servers have to be started: a second start would fail.
    start: Option<NextStep>,
    /// How to roll back several certificates.
    undo: Option<NextStep>,
    /// The last step: after a dry run, how to run exactly this plan; after an install, how to let
    /// this machine renew.
    last: Option<NextStep>,
}

/// The outcome for one certificate.
#[derive(Debug)]
pub(super) struct CertificateOutcome {
    pub stem: String,
    /// The certificate, in words.
    pub description: String,
    /// What was repaired or omitted, or does not match.
    pub findings: Vec<Finding>,
    pub result: InstallResult,
    /// How to roll back, if files were replaced.
    pub undo: Option<NextStep>,
}

/// The result for one certificate.
#[derive(Debug)]
pub(super) enum InstallResult {
    /// The certificate itself was refused.
    Refused,
    /// Its files could not be used; the deployed files have not been changed.
    Failed(Failure),
    Done(Box<TransactionOutcome>),
}

/// From worst to best: the worst is the verdict of a run with several certificates.
const RANKS: [InstallVerdict; 9] = [
    InstallVerdict::PartlyRolledBack,
    InstallVerdict::RolledBack,
    InstallVerdict::LiveIncomplete,
    InstallVerdict::Refused,
    InstallVerdict::NotServed,
    InstallVerdict::Live,
    InstallVerdict::Files,
    InstallVerdict::Planned,
    InstallVerdict::Unchanged,
];

impl CertificateOutcome {
    /// How far it got, where a signal interrupted the run.
    fn interrupted_state(&self) -> InterruptedCertificate {
        let next = match &self.result {
            InstallResult::Failed(failed) if self.signal().is_some() => failed.next.first(),
            _ => None,
        };
        InterruptedCertificate {
            stem: self.stem.clone(),
            state: self.state_in_words(),
            next: next.cloned(),
        }
    }

    /// The same certificate without the result of a transaction.
    pub(super) fn before_transaction(&self) -> Self {
        Self {
            stem: self.stem.clone(),
            description: self.description.clone(),
            findings: self.findings.clone(),
            result: InstallResult::Refused,
            undo: None,
        }
    }

    /// The id of its plan after a dry run; empty, which no plan has, if the dry run failed.
    pub(super) fn plan_id(&self) -> String {
        let dry_run = self.transaction().and_then(|done| done.dry_run.as_ref());
        dry_run
            .map(|dry_run| dry_run.plan_id.clone())
            .unwrap_or_default()
    }

    /// Adds the result of the transaction, and how to roll back.
    pub(super) fn record_result(
        &mut self,
        context: &Context,
        result: Result<TransactionOutcome, Failure>,
    ) {
        self.result = match result {
            Ok(mut transaction) => {
                transaction.next.extend(removal_step(context, &transaction));
                if transaction.can_roll_back() {
                    let root = context.root.as_deref();
                    self.undo = Some(install_command::restore_previous(root, &self.stem));
                }
                InstallResult::Done(Box::new(transaction))
            }
            Err(failure) => InstallResult::Failed(failure),
        };
    }

    /// Writes a line to the audit log if the key was encrypted in the file at `path` and is not
    /// encrypted where servers read it now.
    pub(super) fn audit_decrypted_key(&mut self, context: &Context, path: Option<&Path>) {
        let installed = self.transaction().filter(|transaction| transaction.changed);
        if let (Some(path), Some(installed)) = (path, installed) {
            let key_id = installed.leaf.key_id.to_string();
            let failed = audit::record_key(context, AuditAction::DecryptKey, path, key_id);
            self.findings.extend(failed);
        }
    }

    fn transaction(&self) -> Option<&TransactionOutcome> {
        match &self.result {
            InstallResult::Done(transaction) => Some(transaction),
            InstallResult::Refused | InstallResult::Failed(_) => None,
        }
    }

    fn transaction_mut(&mut self) -> Option<&mut TransactionOutcome> {
        match &mut self.result {
            InstallResult::Done(transaction) => Some(transaction),
            InstallResult::Refused | InstallResult::Failed(_) => None,
        }
    }

    fn verdict(&self) -> InstallVerdict {
        self.transaction()
            .map_or(InstallVerdict::Refused, |transaction| transaction.verdict)
    }

    fn exit_code(&self) -> u8 {
        match &self.result {
            InstallResult::Failed(failure) => failure.kind.exit_code(),
            _ => self.verdict().exit_code(),
        }
    }

    /// The signal that ended it.
    fn signal(&self) -> Option<i32> {
        match &self.result {
            InstallResult::Failed(Failure {
                kind: FailureKind::Interrupted(signal),
                ..
            }) => Some(*signal),
            _ => None,
        }
    }

    /// The state after a signal, in words.
    fn state_in_words(&self) -> Vec<String> {
        match &self.result {
            InstallResult::Failed(failure) if self.signal().is_some() => failure.causes.clone(),
            InstallResult::Failed(failure) => {
                let mut state = vec![failure.message.clone()];
                state.extend_from_slice(&failure.causes);
                state
            }
            _ => vec![self.verdict().name().to_owned()],
        }
    }

    /// All findings, including the failure.
    fn all_findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        match &self.result {
            InstallResult::Refused => {}
            InstallResult::Failed(failure) => findings.push(finding(failure)),
            InstallResult::Done(transaction) => {
                findings.extend(transaction.findings.iter().cloned());
            }
        }
        findings
    }

    fn document(&self) -> Value {
        let mut document = match self.transaction() {
            Some(transaction) => transaction.json("certctl.install/1"),
            None => json!({
                "schema": "certctl.install/1",
                "verdict": InstallVerdict::Refused.name(),
                "changed": false,
                "certificates": [{
                    "name": self.stem,
                    "verdict": InstallVerdict::Refused.name(),
                    "changed": false,
                    "proof": "none",
                    "probes": [],
                    "plan": null,
                    "next": [],
                }],
                "findings": [],
                "next": [],
            }),
        };
        document["findings"] = json!(self.all_findings());
        document["undo"] = json!(Vec::from_iter(&self.undo));
        for field in ["findings", "undo"] {
            document["certificates"][0][field] = document[field].clone();
        }
        document
    }

    /// What the id of a dry run's plan depends on.
    fn considered(&self) -> Value {
        let dry_run = self.transaction().and_then(|done| done.dry_run.as_ref());
        json!([
            self.stem,
            dry_run.map(|dry_run| &dry_run.plan_id),
            report::considered_findings(&self.all_findings()),
        ])
    }

    fn would_change(&self) -> bool {
        let dry_run = self.transaction().and_then(|done| done.dry_run.as_ref());
        dry_run.is_some_and(|dry_run| dry_run.would_change)
    }

    fn print(&self, text: &mut TextOutput) {
        text.add(Label::Found, self.description.clone());
        match &self.result {
            InstallResult::Done(transaction) => transaction.human(&self.findings, text),
            InstallResult::Refused => show_problems(text, &self.findings, &[], |text| {
                text.add(Label::Done, "nothing was changed");
            }),
            InstallResult::Failed(_) => show_problems(text, &self.all_findings(), &[], |text| {
                let state = "the files that servers read have not been changed";
                text.add(Label::Done, state);
            }),
        }
        if let Some(undo) = &self.undo {
            text.add_step(Label::Undo, undo);
        }
    }

    /// Prints a success as one paragraph, everything else in full.
    fn print_among_others(&self, text: &mut TextOutput) {
        match self.transaction() {
            Some(transaction)
                if self.exit_code() == 0 && transaction.verdict != InstallVerdict::Planned =>
            {
                self.print_success(transaction, text);
            }
            _ => self.print(text),
        }
    }

    fn print_success(&self, transaction: &TransactionOutcome, text: &mut TextOutput) {
        let label = match transaction.verdict {
            InstallVerdict::Live => Label::Live,
            InstallVerdict::Files => Label::Wrote,
            _ => Label::Done,
        };
        let leaf = &transaction.leaf;
        let names = leaf.dns_names.join(", ");
        let mut line = format!("{}: {names}, expires {}", self.stem, day(leaf.not_after));
        let addresses = transaction.join_addresses();
        if !addresses.is_empty() {
            line = format!("{line}; served at {addresses}");
        }
        text.add(label, line);
        let mut findings = self.all_findings();
        findings.retain(|finding| finding.severity != Severity::Note);
        text.add_findings(&findings);
    }
}

/// The failure of one of several certificates as a finding.
fn finding(failure: &Failure) -> Finding {
    failure.clone().into_finding("step-failed")
}

impl InstallOutcome {
    /// The outcome, unless a signal interrupted several certificates or the only one failed.
    pub(super) fn new(
        context: &Context,
        mode: RunMode,
        mut certificates: Vec<CertificateOutcome>,
    ) -> Result<Self, Failure> {
        if certificates.len() == 1
            && let Some(only) = certificates.pop()
        {
            return Self::single(context, mode, only);
        }
        let signal = certificates.iter().find_map(CertificateOutcome::signal);
        if let Some(signal) = signal {
            let states: Vec<InterruptedCertificate> = certificates
                .iter()
                .map(CertificateOutcome::interrupted_state)
                .collect();
            return Err(interrupted(signal, &states));
        }
        let transactions = certificates
            .iter_mut()
            .filter_map(CertificateOutcome::transaction_mut);
        let start = merge_start_steps(context, transactions);
        let can_roll_back = certificates.iter().filter(|certificate| {
            certificate.undo.is_some() && matches!(certificate.exit_code(), 0 | 7)
        });
        let mut names = Vec::new();
        for one in can_roll_back {
            names.push(one.stem.as_str());
        }
        Ok(Self {
            mode,
            start,
            undo: rollback_step(context, &names),
            certificates,
            last: None,
        }
        .with_last_step(context))
    }

    fn single(
        context: &Context,
        mode: RunMode,
        certificate: CertificateOutcome,
    ) -> Result<Self, Failure> {
        match certificate.result {
            InstallResult::Failed(failure) => Err(failure),
            _ => Ok(Self {
                mode,
                certificates: vec![certificate],
                start: None,
                undo: None,
                last: None,
            }
            .with_last_step(context)),
        }
    }

    /// After a dry run of a plan that can run: adds the step that runs exactly this plan. After an
    /// install: adds what lets this machine renew, if nothing does.
    fn with_last_step(mut self, context: &Context) -> Self {
        if self.exit_code() != 0 {
            return self;
        }
        self.last = match self.dry_run() {
            Some(dry_run) if dry_run.would_change => {
                Some(install_command::run_this_plan(&dry_run.plan_id))
            }
            Some(_) => None,
            None => {
                let mut done = Vec::new();
                for one in &self.certificates {
                    done.extend(one.transaction());
                }
                missing_timer(context, &done)
            }
        };
        self
    }

    fn verdict(&self) -> InstallVerdict {
        RANKS
            .into_iter()
            .find(|verdict| self.count(*verdict) > 0)
            .unwrap_or(InstallVerdict::Unchanged)
    }

    /// How many certificates have this verdict.
    fn count(&self, verdict: InstallVerdict) -> usize {
        self.certificates
            .iter()
            .filter(|certificate| certificate.verdict() == verdict)
            .count()
    }

    fn counts_in_words(&self) -> String {
        let mut counts = Vec::new();
        for verdict in RANKS {
            let count = self.count(verdict);
            if count > 0 {
                counts.push(format!("{count} {}", verdict.name()));
            }
        }
        counts.join(", ")
    }
}

/// The elements of the array `field` of all documents.
fn concatenate(documents: &[Value], field: &str) -> Vec<Value> {
    documents
        .iter()
        .flat_map(|document| document[field].as_array().cloned().unwrap_or_default())
        .collect()
}

impl Outcome for InstallOutcome {
    fn json(&self) -> Value {
        let mut document = match self.certificates.as_slice() {
            [only] => only.document(),
            _ => self.document_of_several(),
        };
        if let Some(dry_run) = self.dry_run() {
            dry_run.add_to(&mut document);
        }
        if let (Some(last), Some(next)) = (&self.last, document["next"].as_array_mut()) {
            next.push(json!(last));
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        if let [only] = self.certificates.as_slice() {
            only.print(text);
            text.add_next_steps(self.last.as_slice());
            return;
        }
        for certificate in &self.certificates {
            certificate.print_among_others(text);
        }
        let count = self.certificates.len();
        let counts = self.counts_in_words();
        text.add(Label::Done, format!("{count} certificates: {counts}"));
        text.add_next_steps(self.start.as_slice());
        text.add_next_steps(self.last.as_slice());
        if let Some(undo) = &self.undo {
            text.add_step(Label::Undo, undo);
        }
    }

    fn exit_code(&self) -> u8 {
        let codes = self.certificates.iter();
        report::worst_exit_code(codes.map(CertificateOutcome::exit_code))
    }
}

impl InstallOutcome {
    /// The ids of all plans are hashed into one.
    pub(super) fn plan_id(&self) -> String {
        let certificates = self.certificates.iter();
        let considered: Vec<Value> = certificates.map(CertificateOutcome::considered).collect();
        report::plan_id(json!(considered))
    }

    /// The fields of a dry run.
    fn dry_run(&self) -> Option<DryRunSummary> {
        if self.mode != RunMode::DryRun {
            return None;
        }
        Some(DryRunSummary {
            would_change: self
                .certificates
                .iter()
                .any(CertificateOutcome::would_change),
            plan_id: self.plan_id(),
        })
    }

    fn document_of_several(&self) -> Value {
        let documents: Vec<Value> = self
            .certificates
            .iter()
            .map(CertificateOutcome::document)
            .collect();
        let mut next = concatenate(&documents, "next");
        if let Some(start) = &self.start {
            next.push(json!(start));
        }
        json!({
            "schema": "certctl.install/1",
            "verdict": self.verdict().name(),
            "changed": documents.iter().any(|one| one["changed"] == true),
            "certificates": concatenate(&documents, "certificates"),
            "findings": concatenate(&documents, "findings"),
            "next": next,
            "undo": concatenate(&documents, "undo"),
        })
    }
}
