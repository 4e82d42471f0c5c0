//! The outcome of `csr` with a key and its request, as text and as JSON.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::dry_run::{self, certificate_json};
use super::key::{self, KeyOrigin, RequestKeyFile};
use super::spec::{CsrSpec, has_errors};
use crate::advice::{self, csr_command, dcv_publish};
use crate::commands::validation_text;
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::http_file::{self, FileRecord};
use crate::dcv::record::DcvRecord;
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::request_files::RequestPaths;
use crate::inputs::request_steps::RequestStep;
use crate::pki::alt_name::AltNames;
use crate::pki::request::SigningRequest;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::scan::newer;

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
    /// A description of the source of `--like`.
    pub from: Option<String>,
    pub key: RequestKeyFile,
    pub request_path: PathBuf,
    /// The file that stores the CA and the reseller's record.
    pub record_path: PathBuf,
    pub request: SigningRequest,
    /// The CA, if it is known.
    pub ca: Option<Ca>,
    /// The records to publish, as far as they are known.
    pub records: Vec<DcvRecord>,
    /// The files on the web server that a known CA accepts instead of the records.
    pub files: Vec<FileRecord>,
    /// The old files that `--force` renamed.
    pub backups: Vec<PathBuf>,
    /// What this run wrote, or would write.
    pub steps: Vec<RequestStep>,
    /// The fields of a dry run.
    pub dry_run: Option<DryRunSummary>,
    /// What the CA or the users of the certificate may object to.
    pub findings: Vec<Finding>,
    /// The first words of the `dcv-check` command line.
    pub check_words: Vec<String>,
    /// The first words of the `install` command line.
    pub install_words: Vec<String>,
    /// The command line that publishes a record, where a DNS provider is configured.
    pub publish_words: Option<Vec<String>>,
}

impl CsrOutcome {
    /// Describes a key and its request that existed before this run.
    pub(super) fn new(context: &Context, spec: &CsrSpec, on_disk: RequestOnDisk) -> Self {
        let instructions = DcvInstructions::new(&on_disk);
        let ca = on_disk.stored.ca();
        let mut findings = on_disk.findings;
        findings.extend(key::about_installed(context, &spec.names, on_disk.key.id));
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
            steps: Vec::new(),
            dry_run: None,
            findings,
            check_words: context.command_words("dcv-check"),
            install_words: context.command_words("install"),
            publish_words: publish_words(context),
        }
    }
}

/// Returns the words of the command line that publishes a record through the provider that is
/// configured. A configuration that cannot be read has its error there.
fn publish_words(context: &Context) -> Option<Vec<String>> {
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let choice = read_defaults(&folders).ok()?.dns?;
    let mut words = context.command_words("dcv-publish");
    words.extend(["--dns".to_owned(), choice.to_string()]);
    Some(words)
}

/// What to publish for a request.
struct DcvInstructions {
    records: Vec<DcvRecord>,
    files: Vec<FileRecord>,
    /// The CA, if no record of a reseller confirms its form of the record.
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
            on_disk.key.origin == KeyOrigin::Given || on_disk.key.path != on_disk.paths.key;
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
        let mut document = json!({
            "schema": "certctl.csr/1",
            "changed": self.changed,
            "names": self.names.texts(),
            "from": self.from,
            "key": {
                "path": self.key.path.display().to_string(),
                "algorithm": self.key.algorithm.to_string(),
                "id": self.key.id.to_string(),
                "encrypted": self.key.encrypted,
                "reused": self.key.origin == KeyOrigin::Given,
            },
            "request": {
                "path": self.request_path.display().to_string(),
                "md5": self.request.md5(),
                "sha256": self.request.sha256(),
                "subject": self.request.subject,
                "pem": self.request.to_pem(),
            },
            "records": http_file::list_records_and_files(&self.records, &self.files),
            "backups": backups,
            "certificates": [certificate_json(&self.names, report::plan_json(&self.steps), &self.findings)],
            "findings": self.findings,
            "next": self.next_steps(),
        });
        if let Some(dry_run) = &self.dry_run {
            dry_run.add_to(&mut document);
        }
        document
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
        let label = if self.made {
            Label::Wrote
        } else {
            Label::Found
        };
        text.add(label, self.describe_files());
        text.add_continuation(format!("names: {}", self.names));
        if let Some(from) = &self.from {
            text.add_continuation(format!("copied from {from}"));
        }
        if let (false, true, Some(ca)) = (self.made, self.changed, self.ca) {
            let path = self.record_path.display();
            text.add(
                Label::Wrote,
                format!("{path}, which stores the CA: {}", ca.name()),
            );
        }
        if self.dry_run.is_some() {
            dry_run::show_steps(text, &self.steps);
        }
        for backup in &self.backups {
            text.add(
                Label::Wrote,
                format!("{} (backup of the replaced file)", backup.display()),
            );
        }
    }

    fn describe_files(&self) -> String {
        let key = self.key.path.display();
        let key_details = self.key.describe();
        let request = self.request_path.display();
        match self.key.origin {
            KeyOrigin::Given => {
                format!("{request}, made with the existing key {key} ({key_details})")
            }
            KeyOrigin::Found | KeyOrigin::Made => format!("{key} ({key_details}), {request}"),
        }
    }

    fn write_findings(&self, text: &mut TextOutput) {
        for finding in &self.findings {
            match finding.severity {
                Severity::Error => text.add_finding(finding),
                Severity::Warning if newer::is_about_newer(finding) => text.add_finding(finding),
                Severity::Note => text.add(Label::Note, finding.message.clone()),
                // Its steps are alternatives to this request, not what to do next.
                Severity::Warning => {
                    text.add(Label::Warning, finding.message.clone());
                    for step in &finding.next {
                        text.add_continuation(step.sentence());
                        for line in step.command.iter().chain(&step.lines) {
                            text.add_verbatim(line.clone());
                        }
                    }
                }
            }
        }
    }

    fn write_instructions(&self, text: &mut TextOutput) {
        let kind = self
            .records
            .first()
            .map_or("CNAME", |record| record.kind.word());
        text.add(Label::Next, csr_command::paste_request(self.ca, kind));
        text.add_payload(self.request.to_pem());
        for record in &self.records {
            validation_text::add_record(text, record, self.ca);
        }
        text.add_next_steps(&self.request_steps());
    }

    fn is_complete(&self) -> bool {
        self.records.iter().all(|record| record.complete)
    }

    /// A newer certificate that a server does not serve yet comes before the request.
    fn next_steps(&self) -> Vec<NextStep> {
        let mut steps = newer::first_steps(&self.findings);
        steps.extend(self.request_steps());
        steps
    }

    fn request_steps(&self) -> Vec<NextStep> {
        let install_key = (!self.key.found_here).then_some(self.key.path.as_path());
        let install = csr_command::install_when_issued(&self.install_words, install_key);
        if self.ca == Some(Ca::Private) {
            let submit = csr_command::submit_to_windows_ca(&self.request_path);
            return vec![submit, csr_command::with_own_root(install)];
        }
        let check = self.check_step();
        if self.key.found_here {
            vec![check]
        } else {
            vec![check, install]
        }
    }

    fn publish_step(&self) -> Option<NextStep> {
        let mut words = self.publish_words.clone()?;
        words.extend([self.names.primary().file_stem(), "--wait".to_owned()]);
        if !self.is_complete() {
            words.extend(["--record".to_owned(), "-".to_owned()]);
        }
        Some(dcv_publish::publish_for_request(self.ca, &words))
    }

    fn check_step(&self) -> NextStep {
        if let Some(step) = self.publish_step() {
            return step;
        }
        let mut words = self.check_words.clone();
        words.push("--wait".to_owned());
        if self.is_complete() {
            words.push(self.names.primary().file_stem());
            csr_command::check_published_record(&words)
        } else {
            words.extend(["--record".to_owned(), "-".to_owned()]);
            csr_command::check_shown_record(self.ca, &words)
        }
    }
}
