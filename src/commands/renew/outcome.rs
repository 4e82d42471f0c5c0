//! The outcome of `renew`, as text and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::attempt::{PreparedRequest, RenewalAttempt, RenewalFiles, RenewalResult};
use crate::advice::renew_command;
use crate::commands::renew::select::NotYetDue;
use crate::dcv::ca::Ca;
use crate::dcv::record::DcvRecord;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::inventory::schedule::{PaymentCoverage, ValidationMethod};
use crate::pki::request::SigningRequest;
use crate::report::{Label, Outcome, TextOutput, path_text};
use crate::wording::day;

/// The outcome of `renew`.
#[derive(Debug)]
pub(crate) struct RenewOutcome {
    attempts: Vec<RenewalAttempt>,
    not_due: NotYetDue,
    /// What could not be checked or prepared.
    findings: Vec<Finding>,
    exit_code: u8,
}

/// A certificate whose renewal could not be prepared.
pub(super) struct FailedRenewal {
    pub(super) name: String,
    pub(super) failure: Failure,
}

impl RenewOutcome {
    pub(super) fn new(
        attempts: Vec<RenewalAttempt>,
        failed: Vec<FailedRenewal>,
        not_due: NotYetDue,
        mut findings: Vec<Finding>,
    ) -> Self {
        // What could not be checked may be due.
        let exit_code = u8::from(!failed.is_empty() || !findings.is_empty());
        findings.extend(failed.into_iter().map(not_prepared));
        Self {
            attempts,
            not_due,
            findings,
            exit_code,
        }
    }

    fn verdict(&self) -> &'static str {
        if self.attempts.is_empty() {
            "nothing-due"
        } else {
            "prepared"
        }
    }
}

/// The finding for a certificate whose renewal could not be prepared, while that of others was.
fn not_prepared(failed: FailedRenewal) -> Finding {
    let FailedRenewal { name, mut failure } = failed;
    failure.message = format!("{name}: {}", failure.message);
    failure.into_finding("request-not-prepared")
}

impl NotYetDue {
    fn first_json(&self) -> Option<Value> {
        let first = self.first.as_ref()?;
        Some(json!({ "name": first.name, "due": first.due }))
    }

    fn in_words(&self) -> String {
        let Some(first) = &self.first else {
            return "nothing is due: no certificate is installed by certctl or in this folder"
                .to_owned();
        };
        let all = match self.count {
            1 => "1 certificate".to_owned(),
            count => format!("{count} certificates"),
        };
        format!(
            "nothing is due: {all}, the first of them from {} on: {}",
            day(first.due),
            first.name
        )
    }
}

impl Outcome for RenewOutcome {
    fn json(&self) -> Value {
        let attempts = &self.attempts;
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        let mut certificates = Vec::new();
        let mut next = Vec::new();
        for attempt in attempts {
            findings.extend(&attempt.findings);
            certificates.push(attempt.json());
            next.extend(attempt.next());
        }
        json!({
            "schema": "certctl.renew/1",
            "verdict": self.verdict(),
            "changed": attempts.iter().any(RenewalAttempt::is_new),
            "certificates": certificates,
            "not_due": self.not_due.count,
            "next_due": self.not_due.first_json(),
            "findings": findings,
            "next": next,
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for attempt in &self.attempts {
            attempt.print(text);
        }
        text.add_findings(&self.findings);
        if self.attempts.is_empty() && self.exit_code == 0 {
            text.add(Label::Done, self.not_due.in_words());
        }
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl RenewalAttempt {
    /// The request, if it exists.
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

    /// Whether a request was made in this run.
    fn is_new(&self) -> bool {
        self.prepared().is_some_and(|prepared| prepared.is_new)
    }

    fn json(&self) -> Value {
        let prepared = self.prepared();
        let files = self.files();
        let records = prepared.map(|prepared| prepared.records.as_slice());
        json!({
            "name": self.name,
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
            "findings": self.findings,
            "next": self.next(),
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
        let names = self.names.join(", ");
        match &self.result {
            RenewalResult::Planned(files) => {
                let files = files_in_words(files);
                let line = format!("make {files}; the site keeps its pair: {names}");
                text.add(Label::Plan, line);
                text.add(Label::Note, self.due_in_words());
                text.add_findings(&self.findings);
            }
            RenewalResult::Prepared(prepared) => {
                let before = if prepared.is_new { "" } else { " before" };
                let files = files_in_words(&prepared.files);
                let line = format!(
                    "prepared{before}, not renewed: {names}; {files}; the site keeps its pair"
                );
                text.add_plain(line);
                text.add(Label::Note, self.due_in_words());
                text.add_findings(&self.findings);
                self.print_steps(prepared, text);
            }
            RenewalResult::Ready(path) => {
                let path = path.display();
                let line = format!("{path}: a newer certificate and its key, for {names}");
                text.add(Label::Found, line);
                text.add_findings(&self.findings);
                text.add_next_steps(&self.next());
            }
        }
    }

    fn due_in_words(&self) -> String {
        format!(
            "from {} on: it ends on {}",
            day(self.due),
            day(self.not_after)
        )
    }

    /// Prints the numbered steps, with the request to paste after the first one.
    fn print_steps(&self, prepared: &PreparedRequest, text: &mut TextOutput) {
        text.add(Label::Next, format!("1. {}", self.paste_instruction()));
        text.add_payload(prepared.request.to_pem());
        let mut steps = Vec::new();
        for record in &prepared.records {
            steps.extend(console_entry(record));
        }
        for step in self.next().into_iter().skip(1) {
            steps.push(match step.argv {
                Some(_) => format!("{}{}", self.check_reason(prepared), step.text),
                None => step.text,
            });
        }
        for (index, step) in steps.iter().enumerate() {
            text.add(Label::Next, format!("{}. {step}", index + 2));
        }
    }

    fn paste_instruction(&self) -> String {
        let shop = self.ca.map(Ca::title);
        match (self.ca, self.payment, self.paid_until) {
            (Some(Ca::Private), ..) => "hand this request to your CA:".to_owned(),
            (ca, Some(PaymentCoverage::Purchase), Some(until)) => {
                let ends = format!("what is paid for ends on {}: buy again", until);
                match (ca, shop) {
                    (Some(Ca::Namecheap), _) => {
                        format!("{ends}, then Namecheap > Activate > paste:")
                    }
                    (_, Some(shop)) => format!("{ends} at {shop}, and paste:"),
                    (_, None) => format!("{ends} at the shop or CA, and paste:"),
                }
            }
            (Some(Ca::Namecheap), ..) => "Namecheap > Reissue > paste:".to_owned(),
            (Some(_), ..) => format!("{} > Reissue > paste:", shop.unwrap_or_default()),
            (None, ..) => "have it reissued where it was bought: paste".to_owned(),
        }
    }

    /// Why the record is checked.
    fn check_reason(&self, prepared: &PreparedRequest) -> &'static str {
        if has_complete_records(prepared) {
            return "then wait until the CA can see it:  ";
        }
        match self.validation {
            ValidationMethod::New => "then, a new record:  ",
            ValidationMethod::Reused(_) => "then, where it asks for a new record:  ",
        }
    }

    fn next(&self) -> Vec<NextStep> {
        match &self.result {
            RenewalResult::Planned(_) => Vec::new(),
            RenewalResult::Ready(path) => {
                let path = path.display().to_string();
                vec![renew_command::install_newer(&self.install_command, &path)]
            }
            RenewalResult::Prepared(prepared) => self.steps(prepared),
        }
    }

    fn steps(&self, prepared: &PreparedRequest) -> Vec<NextStep> {
        let instruction = self.paste_instruction().replace(" paste:", "");
        let instruction = instruction.trim_end_matches(',');
        let pem = prepared.request.to_pem();
        let mut steps = vec![renew_command::paste_request(instruction, &pem)];
        if self.ca != Some(Ca::Private) {
            steps.push(self.check_step(prepared));
        }
        steps.push(renew_command::install_later(&self.install_command));
        steps
    }

    /// Waits for the records; without complete records, reads the one that the reseller shows.
    fn check_step(&self, prepared: &PreparedRequest) -> NextStep {
        let mut words = self.check_command.clone();
        words.push("--wait".to_owned());
        if has_complete_records(prepared) {
            words.extend(self.names.first().cloned());
        } else {
            words.extend(["--record".to_owned(), "-".to_owned()]);
        }
        renew_command::command(&words)
    }
}

/// What to enter in the DNS provider's console, if the value is known.
fn console_entry(record: &DcvRecord) -> Option<String> {
    let value = record.value.as_ref()?;
    let kind = record.kind.word();
    let zone = &record.zone;
    let host = &record.relative_name;
    Some(format!(
        "add in the panel of {zone}:  {kind} | host {host} | value {value}"
    ))
}

/// Whether all records are known completely.
fn has_complete_records(prepared: &PreparedRequest) -> bool {
    let records = &prepared.records;
    !records.is_empty() && records.iter().all(|record| record.complete)
}

fn files_in_words(files: &RenewalFiles) -> String {
    format!(
        "{}, {} ({})",
        files.key.display(),
        files.request.display(),
        files.algorithm
    )
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
    })
}
