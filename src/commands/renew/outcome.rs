//! The outcome of `renew`, as text and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::attempt::{PreparedRequest, RenewalAttempt, RenewalFiles, RenewalResult};
use crate::advice::{import_command, renew_command};
use crate::commands::renew::failed::FailedRenewal;
use crate::commands::renew::ordered::{OrderedRenewal, ReportDetail};
use crate::commands::renew::select::NotYetDue;
use crate::commands::validation_text;
use crate::dcv::ca::Ca;
use crate::finding::{Finding, NextStep};
use crate::install::request::RunMode;
use crate::inventory::schedule::{PaymentCoverage, ValidationMethod};
use crate::pki::request::SigningRequest;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput, path_text};
use crate::scan::newer;
use crate::wording::day;

/// The outcome of `renew`.
#[derive(Debug)]
pub(crate) struct RenewOutcome {
    attempts: Vec<RenewalAttempt>,
    ordered: Vec<OrderedRenewal>,
    not_due: NotYetDue,
    /// What could not be checked, prepared or ordered.
    findings: Vec<Finding>,
    exit_code: u8,
    mode: RunMode,
}

impl RenewOutcome {
    pub(super) fn new(
        mode: RunMode,
        attempts: Vec<RenewalAttempt>,
        ordered: Vec<OrderedRenewal>,
        failed: Vec<FailedRenewal>,
        not_due: NotYetDue,
        mut findings: Vec<Finding>,
    ) -> Self {
        // A certificate that could not be checked may be due.
        let mut codes = vec![u8::from(!findings.is_empty())];
        codes.extend(failed.iter().map(|failed| failed.exit_code));
        codes.extend(ordered.iter().map(OrderedRenewal::exit_code));
        codes.extend(attempts.iter().map(RenewalAttempt::exit_code));
        findings.extend(failed.into_iter().map(FailedRenewal::into_finding));
        Self {
            attempts,
            ordered,
            not_due,
            findings,
            exit_code: report::worst_exit_code(codes),
            mode,
        }
    }

    /// The verdict: the first of these words that applies to a certificate.
    fn verdict(&self) -> &'static str {
        const WORDS: [&str; 5] = ["planned", "pending", "prepared", "ready", "renewed"];
        let attempts = self.attempts.iter().map(RenewalAttempt::verdict);
        let ordered = self.ordered.iter().map(OrderedRenewal::verdict);
        let verdicts: Vec<&str> = attempts.chain(ordered).collect();
        let found = WORDS.into_iter().find(|word| verdicts.contains(word));
        found.unwrap_or("nothing-due")
    }
}

impl NotYetDue {
    fn first_json(&self) -> Option<Value> {
        let first = self.first.as_ref()?;
        Some(json!({
            "name": first.name,
            "due": first.due,
        }))
    }

    /// What certctl does not renew because another program does.
    fn notes(&self) -> Vec<Finding> {
        let mut notes = Vec::new();
        for one in &self.others {
            notes.push(import_command::left_to(one.tool, &one.names));
        }
        notes
    }

    fn describe(&self) -> String {
        let Some(first) = &self.first else {
            let reason = "none was installed by certctl, and none is in this folder";
            return match self.others.is_empty() {
                true => format!("no certificate is due for renewal: {reason}"),
                false => format!("certctl has no certificate to renew: {reason}"),
            };
        };
        let checked = match self.count {
            1 => "checked 1 certificate".to_owned(),
            count => format!("checked {count} certificates"),
        };
        let suggested = match first.is_suggested {
            true => ", as the CA suggests",
            false => "",
        };
        format!(
            "no certificate is due for renewal: {checked}; the next one, {}, becomes due on {}{suggested}",
            first.name,
            day(first.due)
        )
    }
}

impl RenewOutcome {
    /// Returns the fields of a dry run.
    fn dry_run(&self) -> DryRunSummary {
        let attempts: Vec<Value> = self
            .attempts
            .iter()
            .map(RenewalAttempt::considered)
            .collect();
        let ordered: Vec<Value> = self
            .ordered
            .iter()
            .map(OrderedRenewal::considered)
            .collect();
        let considered = json!({
            "goal": "renew",
            "certificates": attempts,
            "ordered": ordered,
            "findings": report::considered_findings(&self.findings),
        });
        DryRunSummary {
            would_change: self.would_change(),
            plan_id: report::plan_id(considered),
        }
    }
}

impl RenewOutcome {
    fn would_change(&self) -> bool {
        let is_ordered = self.ordered.iter().any(|one| one.verdict() == "planned");
        is_ordered || self.attempts.iter().any(|one| !one.steps.is_empty())
    }

    fn is_changed(&self) -> bool {
        let is_ordered = self.ordered.iter().any(OrderedRenewal::is_changed);
        is_ordered || self.attempts.iter().any(RenewalAttempt::is_new)
    }
}

impl Outcome for RenewOutcome {
    fn json(&self) -> Value {
        let attempts = &self.attempts;
        let mut findings = self.findings.clone();
        findings.extend(self.not_due.notes());
        let mut certificates = Vec::new();
        let mut next = Vec::new();
        for attempt in attempts {
            findings.extend(attempt.findings.iter().cloned());
            certificates.push(attempt.json());
            next.extend(attempt.next());
        }
        for ordered in &self.ordered {
            findings.extend(ordered.findings());
            certificates.push(ordered.json());
            next.extend(ordered.next());
        }
        let mut document = json!({
            "schema": "certctl.renew/1",
            "verdict": self.verdict(),
            "changed": self.is_changed(),
            "certificates": certificates,
            "not_due": self.not_due.count,
            "next_due": self.not_due.first_json(),
            "findings": findings,
            "next": next,
        });
        if self.mode == RunMode::DryRun {
            self.dry_run().add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        for attempt in &self.attempts {
            attempt.print(text);
        }
        let detail = match self.ordered.len() {
            1 => ReportDetail::All,
            _ => ReportDetail::Line,
        };
        for ordered in &self.ordered {
            ordered.print(detail, text);
        }
        text.add_findings(&self.findings);
        text.add_findings(&self.not_due.notes());
        let is_empty = self.attempts.is_empty() && self.ordered.is_empty();
        if is_empty && self.exit_code == 0 {
            text.add(Label::Done, self.not_due.describe());
        }
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl RenewalAttempt {
    /// Returns the request, if it exists.
    fn prepared(&self) -> Option<&PreparedRequest> {
        match &self.result {
            RenewalResult::Prepared(prepared) => Some(prepared),
            RenewalResult::Planned(_) | RenewalResult::Ready(_) => None,
        }
    }

    fn files(&self) -> Option<&RenewalFiles> {
        match &self.result {
            RenewalResult::Planned(files) => Some(files),
            RenewalResult::Prepared(prepared) => Some(&prepared.files),
            RenewalResult::Ready(_) => None,
        }
    }

    /// The verdict of this renewal.
    fn verdict(&self) -> &'static str {
        match self.result {
            RenewalResult::Planned(_) => "planned",
            RenewalResult::Prepared(_) | RenewalResult::Ready(_) => "prepared",
        }
    }

    /// The exit code: waiting for a person is right as long as there is time.
    fn exit_code(&self) -> u8 {
        u8::from(self.is_urgent && self.verdict() == "prepared")
    }

    /// Returns whether a request was made in this run.
    fn is_new(&self) -> bool {
        self.prepared().is_some_and(|prepared| prepared.is_new)
    }

    /// Returns what the id of a dry run's plan depends on.
    fn considered(&self) -> Value {
        let files = self.files();
        json!({
            "name": self.name,
            "names": self.names,
            "sha256": self.sha256,
            "ca": self.ca.map(Ca::name),
            "paid_until": self.paid_until,
            "key": files.map(|files| key_json(files, self.prepared())),
            "request": files.map(|files| request_json(files, self.prepared())),
            "deployed": self.deployed,
            "steps": self.steps,
            "findings": report::considered_findings(&self.findings),
        })
    }

    fn json(&self) -> Value {
        let prepared = self.prepared();
        let files = self.files();
        let records = prepared.map(|prepared| prepared.records.as_slice());
        json!({
            "name": self.name,
            "verdict": self.verdict(),
            "names": self.names,
            "not_after": self.not_after,
            "due": self.due,
            "changed": self.is_new(),
            "planned": matches!(self.result, RenewalResult::Planned(_)),
            "ca": self.ca.map(Ca::name),
            "paid_until": self.paid_until,
            "order": self.order_code(),
            "dcv": self.validation_code(),
            "dcv_reusable_until": self.validation_reusable_until(),
            "key": files.map(|files| key_json(files, prepared)),
            "request": files.map(|files| request_json(files, prepared)),
            "records": records.unwrap_or_default(),
            "before": self.deployed,
            "after": self.deployed,
            "plan": report::plan_json(&self.steps),
            "findings": self.findings,
            "next": self.next(),
            "ordered": null,
        })
    }

    fn order_code(&self) -> Option<&'static str> {
        self.payment.map(|payment| match payment {
            PaymentCoverage::Purchase => "buy",
            PaymentCoverage::Reissue => "reissue",
        })
    }

    fn validation_code(&self) -> Option<&'static str> {
        if self.ca == Some(Ca::Private) {
            return None;
        }
        match self.validation {
            ValidationMethod::New => Some("new"),
            ValidationMethod::Reused(_) => Some("reusable"),
        }
    }

    fn validation_reusable_until(&self) -> Option<Timestamp> {
        match self.validation {
            ValidationMethod::Reused(until) if self.ca != Some(Ca::Private) => Some(until),
            _ => None,
        }
    }

    fn print(&self, text: &mut TextOutput) {
        match &self.result {
            RenewalResult::Planned(files) => {
                text.add(Label::Plan, format!("write {}", describe_files(files)));
                self.print_names(text);
                text.add(Label::Note, self.describe_dates());
                text.add_findings(&self.findings);
            }
            RenewalResult::Prepared(prepared) => {
                let files = describe_files(&prepared.files);
                if prepared.is_new {
                    text.add(Label::Wrote, files);
                } else {
                    text.add(Label::Found, format!("{files}; prepared by an earlier run"));
                }
                self.print_names(text);
                text.add(Label::Note, self.describe_dates());
                text.add_findings(&self.findings);
                self.print_steps(prepared, text);
            }
            RenewalResult::Ready(path) => {
                let path = path.display();
                let found = format!("{path}: a newer certificate; its key is in the folder too");
                text.add(Label::Found, found);
                self.print_names(text);
                text.add_findings(&self.findings);
                text.add_next_steps(&self.next());
            }
        }
    }

    fn print_names(&self, text: &mut TextOutput) {
        text.add_continuation(format!("names: {}", self.names.join(", ")));
    }

    fn describe_dates(&self) -> String {
        format!(
            "nothing is renewed yet: servers keep the current certificate, which is due for renewal \
                on {} and expires on {}",
            day(self.due),
            day(self.not_after)
        )
    }

    /// Prints what to do, with the request to paste after the first step.
    fn print_steps(&self, prepared: &PreparedRequest, text: &mut TextOutput) {
        let steps = self.steps(prepared);
        let Some((paste, others)) = steps.split_first() else {
            return;
        };
        text.add(Label::Next, paste.sentence());
        text.add_payload(prepared.request.to_pem());
        for record in &prepared.records {
            // Without a value, the CA shows a record only if it validates again.
            if record.value.is_some() || self.validation == ValidationMethod::New {
                validation_text::add_record(text, record, self.ca);
            }
        }
        text.add_next_steps(others);
    }

    /// A newer certificate that a server does not serve yet comes before the request.
    fn next(&self) -> Vec<NextStep> {
        let mut steps = newer::first_steps(&self.findings);
        match &self.result {
            RenewalResult::Planned(_) => {}
            RenewalResult::Ready(path) => {
                let path = path.display().to_string();
                let install = renew_command::install_newer(&self.install_command, &path);
                steps.push(install);
            }
            RenewalResult::Prepared(prepared) => steps.extend(self.steps(prepared)),
        }
        steps
    }

    fn steps(&self, prepared: &PreparedRequest) -> Vec<NextStep> {
        let sentence = renew_command::paste_request(self.ca, self.payment, self.paid_until);
        let pem = prepared.request.to_pem();
        let mut steps = vec![renew_command::paste_step(&sentence, &pem)];
        if self.ca != Some(Ca::Private) {
            steps.push(self.check_step(prepared));
        }
        steps.push(renew_command::install_later(&self.install_command));
        steps
    }

    /// Waits for the records; if they are not complete, reads the one that the CA shows.
    fn check_step(&self, prepared: &PreparedRequest) -> NextStep {
        let mut words = self.check_command.clone();
        words.push("--wait".to_owned());
        if has_complete_records(prepared) {
            words.extend(self.names.first().cloned());
            renew_command::check_published_record(&words)
        } else {
            words.extend(["--record".to_owned(), "-".to_owned()]);
            renew_command::check_shown_record(self.ca, self.validation, &words)
        }
    }
}

/// Returns whether all parts of all records are known.
fn has_complete_records(prepared: &PreparedRequest) -> bool {
    let records = &prepared.records;
    !records.is_empty() && records.iter().all(|record| record.complete)
}

fn describe_files(files: &RenewalFiles) -> String {
    let key = files.key.display();
    let request = files.request.display();
    format!("{key} ({}), {request}", files.algorithm)
}

fn key_json(files: &RenewalFiles, prepared: Option<&PreparedRequest>) -> Value {
    json!({
        "path": path_text(&files.key),
        "algorithm": files.algorithm.to_string(),
        "id": prepared.map(|prepared| prepared.request.key_id.to_string()),
    })
}

fn request_json(files: &RenewalFiles, prepared: Option<&PreparedRequest>) -> Value {
    let request = prepared.map(|prepared| &prepared.request);
    json!({
        "path": path_text(&files.request),
        "md5": request.map(SigningRequest::md5),
        "sha256": request.map(SigningRequest::sha256),
        "subject": request.map(|request| request.subject.as_str()),
        "pem": request.map(SigningRequest::to_pem),
    })
}
