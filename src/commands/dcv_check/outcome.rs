//! The outcome of `dcv-check`, as text and as JSON.

use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::judge::DcvVerdict;
use crate::finding::{Finding, NextStep, Severity};
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
}

impl FollowUpCommands {
    pub(super) fn new(context: &Context, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: context.command_words("install").into(),
        }
    }

    /// Returns the same with another command line that waits.
    pub(super) fn with_wait_command(&self, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: Rc::clone(&self.install),
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
            let install = &self.commands.install;
            return vec![dcv_check_command::install_after_record_check(ca, install)];
        }
        if self.checks.iter().any(RecordCheck::needs_reseller_record) {
            return vec![dcv_check_command::check_again_with_record(
                &self.commands.wait,
            )];
        }
        vec![dcv_check_command::check_again(&self.commands.wait)]
    }
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
        let has_error = has_error(&self.findings);
        if has_error {
            text.add_findings(&self.findings);
        }
        for check in &self.checks {
            check.print(text);
        }
        if !has_error {
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
