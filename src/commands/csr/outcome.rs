//! What `csr` ends with where key and request are there, as text and as JSON.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::key::{KeyOrigin, RequestKeyFile};
use crate::dcv::ca::Ca;
use crate::dcv::http_file::{self, FileRecord};
use crate::dcv::record::DcvRecord;
use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::pki::alt_name::AltNames;
use crate::pki::request::SigningRequest;
use crate::report::{Outcome, TextOutput};

#[derive(Debug)]
pub(super) struct CsrOutcome {
    /// False when key and request were there already.
    pub made: bool,
    /// Whether any file was written.
    pub changed: bool,
    /// The names asked for.
    pub names: AltNames,
    /// What they were taken over from, in words.
    pub from: Option<String>,
    pub key: RequestKeyFile,
    pub request_path: PathBuf,
    /// The file that keeps the CA and the shop's record, where there is something to keep.
    pub record_path: PathBuf,
    pub request: SigningRequest,
    /// The CA, if one was named.
    pub ca: Option<Ca>,
    /// What to publish, as far as it can be known.
    pub records: Vec<DcvRecord>,
    /// The files that would do instead, where the CA is known.
    pub files: Vec<FileRecord>,
    /// The old files, moved aside by `--force`.
    pub backups: Vec<PathBuf>,
    /// What a CA, or whoever uses the certificate, may not like.
    pub findings: Vec<Finding>,
    /// The first words of the command that looks for the record.
    pub check: Vec<String>,
    /// The first words of the command that installs.
    pub install: Vec<String>,
}

impl Outcome for CsrOutcome {
    fn json(&self) -> Value {
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
            "records": http_file::listed(&self.records, &self.files),
            "backups": self.backups.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let (key, request) = (self.key.path.display(), self.request_path.display());
        let label = if self.made { "made" } else { "found" };
        let words = self.key.in_words();
        if let Some(from) = &self.from {
            text.fact("from", from);
        }
        text.fact(
            label,
            match self.key.origin {
                KeyOrigin::Named => format!(
                    "{request}   for {}, with {key} ({words}), which stays as it is",
                    self.names
                ),
                KeyOrigin::Found | KeyOrigin::Made => {
                    format!("{key} ({words})   {request}   for {}", self.names)
                }
            },
        );
        if let (false, true, Some(ca)) = (self.made, self.changed, self.ca) {
            text.fact(
                "wrote",
                format!("{} (the CA: {})", self.record_path.display(), ca.name()),
            );
        }
        for backup in &self.backups {
            text.fact("kept", format!("{} (the one before)", backup.display()));
        }
        for finding in &self.findings {
            match finding.severity {
                Severity::Error => text.finding(finding),
                Severity::Note => text.fact("note", finding.message.clone()),
                // Not what comes next: another way, for who wants it.
                Severity::Warning => {
                    text.act("warn", finding.message.clone());
                    finding
                        .next
                        .iter()
                        .for_each(|step| text.act("or", step.text.clone()));
                }
            }
        }
        text.act("next", self.paste_here());
        text.payload(self.request.to_pem());
        for (index, record) in self.records.iter().enumerate() {
            for (line, words) in self.publish(record).into_iter().enumerate() {
                let number = if index + line == 0 { "2." } else { "  " };
                text.act("next", format!("{number} {words}"));
            }
        }
        for (number, next) in self.next().iter().enumerate() {
            text.act("next", format!("{}{}", self.then(number), next.text));
        }
    }

    fn exit_code(&self) -> u8 {
        u8::from(
            self.findings
                .iter()
                .any(|finding| finding.severity == Severity::Error),
        )
    }
}

impl CsrOutcome {
    fn paste_here(&self) -> String {
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
                format!(
                    "1. paste this request at {}, and choose DCV by {kind}:",
                    ca.title()
                )
            }
            None => "1. paste this request at the shop or CA:".to_owned(),
        }
    }

    /// The line to publish where all of it is known; else the shape of what the shop will show.
    fn publish(&self, record: &DcvRecord) -> Vec<String> {
        let DcvRecord {
            zone,
            relative_name: host,
            kind,
            ..
        } = record;
        let kind = kind.word();
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

    /// The number of a last step, and why to do it.
    fn then(&self, number: usize) -> String {
        match (self.ca, number) {
            (Some(Ca::Private), _) => format!("{}. ", number + 2),
            (_, 0) if self.is_complete() => "3. then wait until the CA can see it:  ".to_owned(),
            (_, 0) => "3. then give the record that the shop shows, whole, and wait:  ".to_owned(),
            _ => format!("{}. ", number + 3),
        }
    }

    fn is_complete(&self) -> bool {
        self.records.iter().all(|record| record.complete)
    }

    fn next(&self) -> Vec<NextStep> {
        if self.ca == Some(Ca::Private) {
            return vec![self.submit(), self.install()];
        }
        let more: &[&str] = if self.is_complete() {
            &["--wait"]
        } else {
            &["--wait", "--record", "-"]
        };
        let mut words = self.check.clone();
        words.extend(more.iter().map(|&word| word.to_owned()));
        words.extend(self.is_complete().then(|| self.names.primary().file_stem()));
        let mut steps = vec![NextStep::run(&words)];
        steps.extend((!self.key.found_here).then(|| self.install()));
        steps
    }

    /// How a company's CA on Windows is asked.
    fn submit(&self) -> NextStep {
        let request = &self.request_path;
        let words = [request.clone(), request.with_extension("cer")]
            .map(|path| shell_word(&path.display().to_string()));
        NextStep::say(format!(
            "where it is Active Directory's (AD CS):  certreq -submit -attrib \
                CertificateTemplate:WebServer {}",
            words.join(" ")
        ))
    }

    /// A key that lies elsewhere has to be named.
    fn install(&self) -> NextStep {
        let install = NextStep::run(&self.install).text;
        let key = shell_word(&self.key.path.display().to_string());
        let key = if self.key.found_here {
            String::new()
        } else {
            format!(" --key {key}")
        };
        NextStep::say(format!(
            "when the certificate has come:  sudo {install} FILE{key}"
        ))
    }
}
