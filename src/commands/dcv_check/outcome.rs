//! The outcome of `dcv-check`, as text and as JSON.

use std::cell::OnceCell;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::advice::{dcv_check_command, dcv_publish};
use crate::configuration::{ConfigurationFolders, read_defaults};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::judge::DcvVerdict;
use crate::finding::{Finding, NextStep, Severity};
use crate::publishing::name_servers::recognize;
use crate::publishing::provider::ProviderChoice;
use crate::report::{Label, Outcome, TextOutput};
use crate::validation::record_check::{RecordCheck, RecordDocument, severity};
use crate::validation::select::ChosenRecords;

/// The outcome of `dcv-check`.
#[derive(Debug)]
pub(crate) struct DcvCheckOutcome {
    /// The worst verdict of all records.
    pub verdict: DcvVerdict,
    /// One check for each record.
    pub checks: Vec<RecordCheck>,
    /// The findings about all records, without duplicates.
    pub findings: Vec<Finding>,
    /// Whether a `.dcv` file was written.
    pub changed: bool,
    /// The requests that a given record belongs to.
    matched: Vec<String>,
    /// The `.dcv` files that were written.
    written: Vec<String>,
    commands: FollowUpCommands,
    announced: bool,
}

/// The command lines for next steps; the same for all records of one run.
#[derive(Clone, Debug)]
pub(super) struct FollowUpCommands {
    /// The words of the command line that waits.
    wait: Rc<[String]>,
    /// The words of the command line that installs.
    install: Rc<[String]>,
    /// The words of the command line that publishes, without a record and a provider.
    publish: Rc<[String]>,
    /// The provider that is configured.
    provider: Option<Rc<ProviderChoice>>,
    /// The step after a right record, by the title of the CA: it is the same for all lines of a list.
    install_step: Rc<OnceCell<(&'static str, NextStep)>>,
}

impl FollowUpCommands {
    pub(super) fn new(context: &Context, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: context.command_words("install").into(),
            publish: context.command_words("dcv-publish").into(),
            provider: configured_provider(context).map(Rc::new),
            install_step: Rc::default(),
        }
    }

    /// Returns the step after a right record.
    fn install_step(&self, ca: &'static str) -> NextStep {
        let make = || dcv_check_command::install_after_record_check(ca, &self.install);
        let (known, step) = self.install_step.get_or_init(|| (ca, make()));
        if *known == ca { step.clone() } else { make() }
    }

    /// Returns the same with another command line that waits.
    pub(super) fn with_wait_command(&self, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: Rc::clone(&self.install),
            publish: Rc::clone(&self.publish),
            provider: self.provider.clone(),
            install_step: Rc::clone(&self.install_step),
        }
    }
}

impl DcvCheckOutcome {
    pub(super) fn new(chosen: &ChosenRecords, commands: FollowUpCommands) -> Self {
        Self {
            verdict: DcvVerdict::Unreachable,
            checks: Vec::new(),
            findings: Vec::new(),
            changed: !chosen.written.is_empty(),
            matched: chosen.matched.clone(),
            written: chosen
                .written
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            commands,
            announced: false,
        }
    }

    /// Returns an empty outcome for one line of a list.
    pub(super) fn without_request(commands: FollowUpCommands) -> Self {
        Self::new(&ChosenRecords::default(), commands)
    }

    /// Adds the checks and all findings; `strays` are those about records that belong to no request.
    pub(super) fn conclude(&mut self, checks: Vec<RecordCheck>, strays: &[Finding]) {
        let worst = checks
            .iter()
            .max_by_key(|check| (severity(&check.judgement), check.judgement.verdict));
        self.verdict = worst.map_or(DcvVerdict::Unreachable, |check| check.judgement.verdict);
        if !strays.is_empty() {
            // A stray record was not compared with anything.
            self.verdict = self.verdict.max(DcvVerdict::Unchecked);
        }
        self.findings = strays.to_vec();
        for finding in checks.iter().flat_map(RecordCheck::findings) {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self.checks = checks;
    }

    /// Adds findings before all others.
    pub(super) fn add_first(&mut self, findings: &[Finding]) {
        self.findings.splice(0..0, findings.iter().cloned());
    }

    /// Prints which request the given records belong to, before the wait begins.
    pub(super) fn announce(&mut self, context: &Context) {
        self.announced = true;
        for line in self.matches_in_words() {
            context.sink.show_progress(&line);
        }
    }

    /// Says which request each given record belongs to, without duplicates.
    fn matches_in_words(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for request in &self.matched {
            let stem = request.strip_suffix("csr");
            let written = self
                .written
                .iter()
                .find(|path| path.strip_suffix("dcv") == stem);
            let line = match written {
                Some(path) => format!("the record belongs to {request}; saved in {path}"),
                None => format!("the record belongs to {request}"),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn next(&self) -> Vec<NextStep> {
        if self.exit_code() == 0 {
            let ca = self.checks.iter().find_map(|check| check.ca);
            let ca = ca.map_or("the CA", Ca::title);
            return vec![self.commands.install_step(ca)];
        }
        let wait = &self.commands.wait;
        let mut steps = Vec::new();
        if self.checks.iter().any(RecordCheck::needs_reseller_record) {
            steps.push(dcv_check_command::check_again_with_record(wait));
        } else {
            steps.push(dcv_check_command::check_again(wait));
        }
        steps.extend(self.publish_step());
        steps
    }

    /// The command that publishes the record, where no server has any at its name: through the
    /// provider that is configured, or else the one that has the zone.
    fn publish_step(&self) -> Option<NextStep> {
        let [check] = self.checks.as_slice() else {
            return None;
        };
        if check.judgement.verdict != DcvVerdict::Absent {
            return None;
        }
        let known = recognize(check.zone_servers());
        let configured = self.commands.provider.as_ref();
        let choice = match (configured, known) {
            (Some(choice), _) => choice.to_string(),
            (None, known) => known?.choice.to_owned(),
        };
        let title = known.map_or(choice.as_str(), |known| known.title);
        let mut words = self.commands.publish.to_vec();
        if !check.request.is_empty() {
            words.push(check.request.clone());
        }
        words.extend(["--dns".to_owned(), choice.clone()]);
        words.extend(record_words(check)?);
        Some(dcv_publish::publish_through(title, &words))
    }
}

/// Returns the provider for `--dns` in the configuration. A configuration that cannot be read has its
/// error when something is published.
fn configured_provider(context: &Context) -> Option<ProviderChoice> {
    let folders = ConfigurationFolders::find(context.root.as_deref());
    read_defaults(&folders).ok()?.dns
}

/// Returns the words that give the record to `dcv-publish`; none if it derives it from the request.
fn record_words(check: &RecordCheck) -> Option<Vec<String>> {
    let record = &check.expected.record;
    let option = "--record".to_owned();
    if check.needs_reseller_record() || !record.complete {
        return Some(vec![option, "-".to_owned()]);
    }
    if !check.request.is_empty() {
        return Some(Vec::new());
    }
    let value = record.value.as_deref()?;
    let line = format!("{} {} {value}", record.name, record.kind.word());
    Some(vec![option, line])
}

/// The JSON document of `dcv-check`.
#[derive(Debug, Serialize)]
pub(super) struct DcvDocument<'a> {
    schema: &'static str,
    verdict: &'static str,
    changed: bool,
    records: Vec<RecordDocument<'a>>,
    findings: &'a [Finding],
    next: Vec<NextStep>,
}

impl DcvCheckOutcome {
    /// Returns one line for people, without rendering the text: the first error, else the verdict.
    pub(super) fn comment(&self) -> &str {
        let mut findings = self.findings.iter();
        let error = findings.find(|finding| finding.severity == Severity::Error);
        error.map_or_else(|| self.verdict.comment(), |error| error.message.as_str())
    }

    pub(super) fn document(&self) -> DcvDocument<'_> {
        DcvDocument {
            schema: "certctl.dcv-check/1",
            verdict: self.verdict.word(),
            changed: self.changed,
            records: self.checks.iter().map(RecordCheck::document).collect(),
            findings: &self.findings,
            next: self.next(),
        }
    }
}

impl Outcome for DcvCheckOutcome {
    fn json(&self) -> Value {
        // Only a map with keys that are not strings could fail, and there is none.
        serde_json::to_value(self.document()).unwrap_or_default()
    }

    fn human(&self, text: &mut TextOutput) {
        if !self.announced {
            for line in self.matches_in_words() {
                text.add(Label::Found, line);
            }
        }
        // What keeps the CA from issuing although it sees the record is the last word.
        let is_first = has_error(&self.findings) && self.verdict != DcvVerdict::Visible;
        if is_first {
            text.add_findings(&self.findings);
        }
        for check in &self.checks {
            check.print(text);
        }
        if !is_first {
            text.add_findings(&self.findings);
        }
        text.add_next_steps(&self.next());
    }

    fn exit_code(&self) -> u8 {
        let has_error = has_error(&self.findings);
        let worst = self
            .checks
            .iter()
            .map(|check| severity(&check.judgement))
            .max();
        match worst {
            Some(0) if !has_error && self.verdict == DcvVerdict::Visible => 0,
            Some(1) if self.verdict == DcvVerdict::Unreachable => 4,
            _ => 1,
        }
    }
}

pub(super) fn has_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
