//! The outcome of `csr` if key and request exist, as text and as JSON.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::key::{self, KeyOrigin, RequestKeyFile};
use super::spec::{CsrSpec, has_errors};
use crate::advice::{self, csr_command};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::http_file::{self, FileRecord};
use crate::dcv::record::DcvRecord;
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::request_files::RequestPaths;
use crate::pki::alt_name::AltNames;
use crate::pki::request::SigningRequest;
use crate::report::{Label, Outcome, TextOutput};

/// A key and its request on disk, with what is known about them.
pub(super) struct RequestOnDisk {
    pub paths: RequestPaths,
    pub key: RequestKeyFile,
    pub request: SigningRequest,
    /// The CA and the reseller's records of the `.dcv` file.
    pub stored: StoredRecord,
    pub findings: Vec<Finding>,
}

#[derive(Debug)]
pub(super) struct CsrOutcome {
    /// False when key and request existed already.
    pub made: bool,
    /// Whether any file was written.
    pub changed: bool,
    /// The requested names.
    pub names: AltNames,
    /// The source of `--like`, in words.
    pub from: Option<String>,
    pub key: RequestKeyFile,
    pub request_path: PathBuf,
    /// The file that stores the CA and the reseller's record.
    pub record_path: PathBuf,
    pub request: SigningRequest,
    /// The CA, if it is known.
    pub ca: Option<Ca>,
    /// What to publish, as far as it can be known.
    pub records: Vec<DcvRecord>,
    /// The files that a known CA accepts instead of the records.
    pub files: Vec<FileRecord>,
    /// The old files that `--force` renamed.
    pub backups: Vec<PathBuf>,
    /// What the CA or the users of the certificate may object to.
    pub findings: Vec<Finding>,
    /// The first words of the command that checks the record.
    pub check_words: Vec<String>,
    /// The first words of the command that installs.
    pub install_words: Vec<String>,
}

impl CsrOutcome {
    /// Describes a key and its request that existed before this run.
    pub(super) fn new(context: &Context, spec: &CsrSpec, on_disk: RequestOnDisk) -> Self {
        let instructions = DcvInstructions::new(&on_disk);
        let ca = on_disk.stored.ca();
        let mut findings = on_disk.findings;
        findings.extend(key::already_installed(context, &spec.names, on_disk.key.id));
        findings.extend(
            instructions
                .unconfirmed_ca
                .and_then(advice::dcv::not_confirmed),
        );
        Self {
            made: false,
            changed: false,
            names: spec.names.clone(),
            from: spec.from.clone(),
            key: on_disk.key,
            request_path: on_disk.paths.request,
            record_path: on_disk.paths.record,
            records: instructions.records,
            files: instructions.files,
            request: on_disk.request,
            ca,
            backups: Vec::new(),
            findings,
            check_words: context.command_words("dcv-check"),
            install_words: context.command_words("install"),
        }
    }
}

/// What to publish for a request.
struct DcvInstructions {
    records: Vec<DcvRecord>,
    files: Vec<FileRecord>,
    /// The CA, if no record of a reseller confirms what it asks for.
    unconfirmed_ca: Option<Ca>,
}

impl DcvInstructions {
    fn new(on_disk: &RequestOnDisk) -> Self {
        let request = &on_disk.request;
        let ca = on_disk.stored.ca();
        let given: Vec<_> = on_disk
            .stored
            .records()
            .into_iter()
            .filter(|record| expectation::belongs_to_request(record, request))
            .collect();
        // A key outside its usual path belongs to another request as well.
        let is_reused =
            on_disk.key.origin == KeyOrigin::Named || on_disk.key.path != on_disk.paths.key;
        let mut expected = expectation::expectations(request, ca, &given);
        let mut files = http_file::files_of_known_ca(request, ca, &given);
        if is_reused {
            for answer in &mut expected {
                answer.require_reseller_value(request);
            }
        }
        if is_reused && given.is_empty() {
            for file in &mut files {
                file.require_unique_value();
            }
        }
        Self {
            records: expected.into_iter().map(|answer| answer.record).collect(),
            files,
            unconfirmed_ca: ca.filter(|_| given.is_empty()),
        }
    }
}

impl Outcome for CsrOutcome {
    fn json(&self) -> Value {
        let backups: Vec<String> = self
            .backups
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        json!({
            "schema": "certctl.csr/1",
            "changed": self.changed,
            "names": self.names.texts(),
            "from": self.from,
            "key": {
                "path": self.key.path.display().to_string(),
                "algorithm": self.key.algorithm.to_string(),
                "id": self.key.id.to_string(),
                "encrypted": self.key.encrypted,
                "reused": self.key.origin == KeyOrigin::Named,
            },
            "request": {
                "path": self.request_path.display().to_string(),
                "md5": self.request.md5(),
                "sha256": self.request.sha256(),
                "subject": self.request.subject,
            },
            "records": http_file::list_records_and_files(&self.records, &self.files),
            "backups": backups,
            "findings": self.findings,
            "next": self.next_steps(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        self.write_files(text);
        self.write_findings(text);
        self.write_instructions(text);
    }

    fn exit_code(&self) -> u8 {
        u8::from(has_errors(&self.findings))
    }
}

impl CsrOutcome {
    fn write_files(&self, text: &mut TextOutput) {
        if let Some(from) = &self.from {
            text.add(Label::Found, from);
        }
        let label = if self.made {
            Label::Wrote
        } else {
            Label::Found
        };
        text.add(label, self.files_in_words());
        if let (false, true, Some(ca)) = (self.made, self.changed, self.ca) {
            let path = self.record_path.display();
            text.add(Label::Wrote, format!("{path} (the CA: {})", ca.name()));
        }
        for backup in &self.backups {
            text.add(
                Label::Wrote,
                format!("{} (the one before)", backup.display()),
            );
        }
    }

    fn files_in_words(&self) -> String {
        let key = self.key.path.display();
        let key_words = self.key.in_words();
        let request = self.request_path.display();
        let names = &self.names;
        match self.key.origin {
            KeyOrigin::Named => {
                format!("{request}   for {names}, with {key} ({key_words}), which stays as it is")
            }
            KeyOrigin::Found | KeyOrigin::Made => {
                format!("{key} ({key_words})   {request}   for {names}")
            }
        }
    }

    fn write_findings(&self, text: &mut TextOutput) {
        for finding in &self.findings {
            match finding.severity {
                Severity::Error => text.add_finding(finding),
                Severity::Note => text.add(Label::Note, finding.message.clone()),
                // Its steps are alternatives, not what to do next.
                Severity::Warning => {
                    text.add(Label::Warning, finding.message.clone());
                    for step in &finding.next {
                        text.add_step(Label::Note, step);
                    }
                }
            }
        }
    }

    fn write_instructions(&self, text: &mut TextOutput) {
        text.add(Label::Next, self.paste_instruction());
        text.add_payload(self.request.to_pem());
        let lines = self
            .records
            .iter()
            .flat_map(|record| self.publish_instructions(record));
        for (index, line) in lines.enumerate() {
            let number = if index == 0 { "2." } else { "  " };
            text.add(Label::Next, format!("{number} {line}"));
        }
        for (index, step) in self.next_steps().iter().enumerate() {
            let introduction = self.step_introduction(index);
            text.add(Label::Next, format!("{introduction}{}", step.text));
        }
    }

    fn paste_instruction(&self) -> String {
        match self.ca {
            Some(Ca::Private) => "1. hand this request to your CA:".to_owned(),
            Some(Ca::Namecheap) => {
                "1. Namecheap > Activate > DCV \"Add CNAME record\", paste:".to_owned()
            }
            Some(ca) => {
                let kind = self
                    .records
                    .first()
                    .map_or("CNAME", |record| record.kind.word());
                let title = ca.title();
                format!("1. paste this request at {title}, and choose DCV by {kind}:")
            }
            None => "1. paste this request at the shop or CA:".to_owned(),
        }
    }

    /// The record to publish if all of it is known; otherwise the form of what the reseller shows.
    fn publish_instructions(&self, record: &DcvRecord) -> Vec<String> {
        let zone = &record.zone;
        let host = &record.relative_name;
        let kind = record.kind.word();
        let shape = record.shape.as_deref().unwrap_or_default();
        let mut lines = match (&record.value, self.ca) {
            (Some(value), _) => vec![format!(
                "add in the panel of {zone}:  {kind} | host {host} | value {value}"
            )],
            (None, Some(ca)) => vec![
                format!(
                    "{} shows a {kind}; in the panel of {zone} its host is {host}",
                    ca.title()
                ),
                format!("and its value has the form {shape}"),
            ],
            (None, None) => vec![
                format!(
                    "if it shows a {kind} with host {host} (Sectigo, SSL.com and their shops),"
                ),
                format!("enter it in the panel of {zone}; its value has the form {shape}"),
                "if it shows another CNAME or TXT (DigiCert, GlobalSign, GoDaddy, AWS), enter that"
                    .to_owned(),
            ],
        };
        if record.validates.len() > 1 {
            lines.push(format!("it proves {}", record.validates.join(", ")));
        }
        lines
    }

    /// The number of a next step, and why to take it.
    fn step_introduction(&self, index: usize) -> String {
        match (self.ca, index) {
            (Some(Ca::Private), _) => format!("{}. ", index + 2),
            (_, 0) if self.is_complete() => "3. then wait until the CA can see it:  ".to_owned(),
            (_, 0) => "3. then give the record that the shop shows, whole, and wait:  ".to_owned(),
            _ => format!("{}. ", index + 3),
        }
    }

    fn is_complete(&self) -> bool {
        self.records.iter().all(|record| record.complete)
    }

    fn next_steps(&self) -> Vec<NextStep> {
        let install_key = (!self.key.found_here).then_some(self.key.path.as_path());
        let install = csr_command::install_when_issued(&self.install_words, install_key);
        if self.ca == Some(Ca::Private) {
            let submit = csr_command::submit_to_windows_ca(&self.request_path);
            return vec![submit, install];
        }
        let check = csr_command::check_validation(&self.check_command());
        if self.key.found_here {
            vec![check]
        } else {
            vec![check, install]
        }
    }

    fn check_command(&self) -> Vec<String> {
        let mut words = self.check_words.clone();
        words.push("--wait".to_owned());
        if self.is_complete() {
            words.push(self.names.primary().file_stem());
        } else {
            words.extend(["--record".to_owned(), "-".to_owned()]);
        }
        words
    }
}
