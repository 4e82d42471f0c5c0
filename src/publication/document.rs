//! The outcome of `dcv-publish`, as text and as JSON.

use serde_json::{Value, json};

use crate::finding::{Finding, NextStep, Severity};
use crate::pki::fingerprint::Fingerprint;
use crate::publication::model::{Publication, PublicationMode, PublicationVerdict};
use crate::report::{Label, Outcome, TextOutput};

/// The outcome for all records.
#[derive(Debug)]
pub(crate) struct PublicationOutcome {
    pub records: Vec<Publication>,
    pub mode: PublicationMode,
    /// Whether a `.dcv` file was written, or would be.
    pub wrote_record_file: bool,
    pub next: Vec<NextStep>,
}

/// In which order exit codes count (product contract, "Exit codes").
const WORST_FIRST: [u8; 3] = [4, 3, 1];

impl PublicationOutcome {
    /// Returns the worst verdict.
    #[must_use]
    pub(crate) fn verdict(&self) -> PublicationVerdict {
        let verdicts = self.records.iter().map(|record| record.verdict);
        verdicts.max().unwrap_or(PublicationVerdict::Refused)
    }

    /// All findings without duplicates.
    fn all_findings(&self) -> Vec<Finding> {
        let mut all: Vec<Finding> = Vec::new();
        for finding in self.records.iter().flat_map(|record| &record.findings) {
            if !all.contains(finding) {
                all.push(finding.clone());
            }
        }
        all
    }

    fn steps(&self) -> impl Iterator<Item = &String> {
        self.records.iter().flat_map(|record| &record.steps)
    }

    /// Identifies what a dry run would do.
    fn plan_id(&self) -> String {
        let steps: Vec<&str> = self.steps().map(String::as_str).collect();
        Fingerprint::of(steps.join("\n").as_bytes()).to_string()
    }
}

impl Publication {
    fn document(&self) -> Value {
        let zone = self.location.as_ref().map(|location| &location.zone);
        let published_at = self.location.as_ref().map(|location| &location.name);
        let relative = self.location.as_ref();
        let relative = relative.map(|location| location.relative_name());
        let servers: Vec<Value> = self
            .checks
            .iter()
            .flat_map(|check| check.server_documents())
            .collect();
        json!({
            "name": self.name,
            "published_at": published_at,
            "zone": zone,
            "relative_name": relative,
            "type": self.kind,
            "value": self.value,
            "provider": self.provider,
            "verdict": self.verdict.word(),
            "changed": self.changed,
            "servers": servers,
        })
    }

    /// What a dry run would do with the record.
    fn plan(&self) -> Value {
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push(json!({"text": step}));
        }
        Value::from(steps)
    }

    fn print(&self, text: &mut TextOutput) {
        for step in &self.steps {
            text.add(Label::Plan, step.clone());
        }
        if self.verdict == PublicationVerdict::Planned && self.steps.is_empty() {
            let line = format!(
                "{} already has this record; nothing would change",
                self.name
            );
            text.add(Label::Found, line);
        }
        let Some(location) = &self.location else {
            return;
        };
        if self.changed && self.verdict != PublicationVerdict::Removed {
            let line = format!(
                "{} record in the zone {} at {}:",
                self.kind, location.zone, self.provider
            );
            text.add(Label::Wrote, line);
            text.add_fields(&[
                ("Host", location.relative_name()),
                ("Value", self.value.as_str()),
            ]);
        }
        if self.verdict == PublicationVerdict::NotVisible {
            for check in &self.checks {
                check.print_answers(text);
            }
        }
        if let Some(line) = self.result_in_words() {
            text.add(Label::Done, line);
        }
    }

    fn result_in_words(&self) -> Option<String> {
        let health = self
            .checks
            .first()
            .map(|check| check.zone_health.in_words());
        let health = health.unwrap_or_default();
        let name = &self.name;
        match self.verdict {
            PublicationVerdict::Published => Some(format!(
                "{name} is published: all servers of the zone that were queried have the record{health}"
            )),
            PublicationVerdict::Unchanged => Some(format!(
                "{name} was published already: all servers of the zone that were queried have the \
                 record{health}"
            )),
            PublicationVerdict::Removed => Some(format!(
                "the {} record {name} with the value {} is removed",
                self.kind, self.value
            )),
            PublicationVerdict::Planned
            | PublicationVerdict::Unchecked
            | PublicationVerdict::NotVisible
            | PublicationVerdict::Refused => None,
        }
    }
}

impl Outcome for PublicationOutcome {
    fn json(&self) -> Value {
        let is_dry_run = self.mode == PublicationMode::DryRun;
        let mut records = Vec::new();
        for record in &self.records {
            let mut document = record.document();
            if is_dry_run {
                document["plan"] = record.plan();
            }
            records.push(document);
        }
        let is_changed = self.records.iter().any(|record| record.changed);
        let mut document = json!({
            "schema": "certctl.dcv-publish/1",
            "verdict": self.verdict().word(),
            "changed": is_changed || (self.wrote_record_file && !is_dry_run),
            "records": records,
            "findings": self.all_findings(),
            "next": self.next,
        });
        if is_dry_run {
            let has_step = self.steps().next().is_some();
            document["would_change"] = json!(has_step || self.wrote_record_file);
            document["plan_id"] = json!(self.plan_id());
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        for record in &self.records {
            record.print(text);
        }
        text.add_findings(&self.all_findings());
        text.add_next_steps(&self.next);
    }

    fn exit_code(&self) -> u8 {
        let mut codes = Vec::new();
        for record in &self.records {
            codes.push(record.exit_code);
        }
        let worst = WORST_FIRST.into_iter().find(|code| codes.contains(code));
        let findings = self.all_findings();
        let has_error = findings.iter().any(|one| one.severity == Severity::Error);
        worst.unwrap_or_else(|| u8::from(has_error))
    }
}
