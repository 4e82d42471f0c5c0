//! The outcome of `csr` if the CA would refuse the request: no file is written.

use serde_json::{Value, json};

use super::args::CsrArgs;
use super::command_line;
use super::dry_run::{RequestPlan, certificate_json};
use super::spec::CsrSpec;
use crate::advice::csr_command;
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::finding::{Finding, NextStep, Severity};
use crate::pki::alt_name::AltNames;
use crate::report::{DryRunSummary, Label, Outcome, TextOutput};

/// A request that a CA would refuse.
#[derive(Debug)]
pub(super) struct CsrRefusal {
    names: AltNames,
    findings: Vec<Finding>,
    /// The command line of this run with `--allow` for each error.
    allowing_words: Vec<String>,
    dry_run: Option<DryRunSummary>,
}

impl CsrRefusal {
    /// Refuses because of the errors among `findings`.
    pub(super) fn new(
        context: &Context,
        args: &CsrArgs,
        names: AltNames,
        findings: Vec<Finding>,
    ) -> Self {
        let mut args = args.clone();
        for finding in &findings {
            let is_error = finding.severity == Severity::Error;
            if is_error && !args.allow.contains(&finding.code) {
                args.allow.push(finding.code);
            }
        }
        Self {
            names,
            findings,
            allowing_words: command_line::words(context, &args),
            dry_run: None,
        }
    }

    /// Adds the fields of a dry run, if this is one.
    pub(super) fn note_dry_run(&mut self, args: &CsrArgs, spec: &CsrSpec, stored: &StoredRecord) {
        let plan = RequestPlan::of_new_request(&[], stored, &self.findings);
        self.dry_run = args.dry_run.then(|| plan.summarize(args, spec));
    }

    fn next(&self) -> NextStep {
        csr_command::allow_refused_findings(&self.allowing_words)
    }
}

impl Outcome for CsrRefusal {
    fn json(&self) -> Value {
        let mut document = json!({
            "schema": "certctl.csr/1",
            "changed": false,
            "names": self.names.texts(),
            "key": null,
            "request": null,
            "records": [],
            "backups": [],
            "certificates": [certificate_json(&self.names, Value::Null, &self.findings)],
            "findings": self.findings,
            "next": [self.next()],
        });
        if let Some(dry_run) = &self.dry_run {
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        text.add_findings(&self.findings);
        text.add(Label::Done, "no file was written");
        text.add_next_steps(&[self.next()]);
    }

    fn exit_code(&self) -> u8 {
        1
    }
}
