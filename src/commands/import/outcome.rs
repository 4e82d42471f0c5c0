//! The outcome of `import`, as text and as JSON.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::account::AccountImport;

use crate::advice::import_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::inputs::foreign_lineages::{ForeignLineage, ImportTool};
use crate::install::outcome::InstallVerdict;
use crate::install::request::RunMode;
use crate::ordering::{OrderOutcome, OrderSpec};
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput, worst_exit_code};
use crate::wording::day;

/// A certificate that was taken over, or would be.
#[derive(Debug)]
pub(super) struct ImportedLineage {
    /// Its name in /etc/ssl.
    name: String,
    /// The other program's name for it.
    source: String,
    tool: &'static str,
    names: Vec<String>,
    account: &'static str,
    account_url: Option<String>,
    renewal_file: PathBuf,
    findings: Vec<Finding>,
    outcome: OrderOutcome,
    /// How to stop the other program for this certificate.
    stop: Option<NextStep>,
    /// How to let the other program renew it again.
    back: Option<NextStep>,
}

impl ImportedLineage {
    pub(super) fn new(
        context: &Context,
        lineage: &ForeignLineage,
        spec: &OrderSpec,
        account: &AccountImport,
        outcome: OrderOutcome,
    ) -> Self {
        let mut imported = Self {
            name: spec.name.clone(),
            source: lineage.name.clone(),
            tool: lineage.tool.name(),
            names: spec.names.texts(),
            account: account.word(),
            account_url: account.url().map(str::to_owned),
            renewal_file: lineage.renewal_file.clone(),
            findings: Vec::new(),
            outcome,
            stop: None,
            back: None,
        };
        imported.findings.extend(account.finding().cloned());
        if spec.deployment.flags.after.is_none() {
            imported.report_hook(lineage);
        }
        if !imported.outcome.has_failed() {
            imported.add_steps(context);
        }
        imported
    }

    /// Reports the command that the other program runs.
    fn report_hook(&mut self, lineage: &ForeignLineage) {
        if let Some(hook) = &lineage.renewal.hook {
            let finding = advice::hook_not_imported(self.tool, hook);
            self.findings.push(finding);
        }
    }

    /// Adds how to stop the other program, and how to let it renew again.
    fn add_steps(&mut self, context: &Context) {
        let root = context.root.as_deref();
        let file = &self.renewal_file;
        let stop = advice::stop_renewing(self.tool, &self.name, file);
        let back = advice::switch_back(root, self.tool, &self.name, file);
        self.stop = Some(if self.is_served() {
            stop.at_once
        } else {
            stop.once_served
        });
        self.back = Some(back);
    }

    /// Returns whether servers use the files that were installed.
    fn is_served(&self) -> bool {
        let Some(transaction) = &self.outcome.transaction else {
            return false;
        };
        matches!(
            transaction.verdict,
            InstallVerdict::Live | InstallVerdict::Unchanged
        )
    }

    fn all_findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.extend(self.outcome.all_findings());
        findings
    }

    fn all_steps(&self) -> Vec<NextStep> {
        let mut steps = self.outcome.all_steps();
        steps.extend(self.stop.clone());
        steps
    }

    fn json(&self) -> Value {
        let document = report::document(&self.outcome);
        json!({
            "name": self.name,
            "source": self.source,
            "verdict": document["verdict"],
            "changed": self.outcome.is_install_changed(),
            "names": self.names,
            "not_after": self.outcome.not_after,
            "ca": self.outcome.ca,
            "directory": self.outcome.directory,
            "method": self.outcome.method,
            "account": { "result": self.account, "url": self.account_url },
            "renewal_file": report::path_text(&self.renewal_file),
            "stop": Vec::from_iter(&self.stop),
            "back": Vec::from_iter(&self.back),
            "installed": document,
            "findings": self.all_findings(),
            "next": self.all_steps(),
        })
    }

    fn print(&self, text: &mut TextOutput) {
        let until = self.outcome.not_after.map(day).unwrap_or_default();
        let line = format!(
            "{} of {}: {}, expires {until}; from {}, validated by {}",
            self.source,
            self.tool,
            self.names.join(", "),
            self.outcome.ca,
            self.outcome.method
        );
        text.add(Label::Found, line);
        text.add_findings(&self.findings);
        self.outcome.human(text);
        text.add_next_steps(self.stop.as_slice());
        if let Some(back) = &self.back {
            text.add_step(Label::Undo, back);
        }
    }
}

/// A certificate that could not be taken over.
#[derive(Debug)]
struct FailedImport {
    exit_code: u8,
    finding: Finding,
}

/// The outcome of `import`.
#[derive(Debug)]
pub(crate) struct ImportOutcome {
    tool: ImportTool,
    mode: RunMode,
    pub(super) imported: Vec<ImportedLineage>,
    failed: Vec<FailedImport>,
}

impl ImportOutcome {
    pub(super) fn new(tool: ImportTool, mode: RunMode) -> Self {
        Self {
            tool,
            mode,
            imported: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// One of several could not be taken over.
    pub(super) fn fail(&mut self, lineage: &ForeignLineage, failure: Failure) {
        let exit_code = failure.kind.exit_code();
        let mut finding = failure.into_finding("import-failed");
        finding.message = format!("{}: {}", lineage.name, finding.message);
        self.failed.push(FailedImport { exit_code, finding });
    }

    fn verdict(&self) -> &'static str {
        let is_any_done = self.imported.iter().any(|one| !one.outcome.has_failed());
        match self.mode {
            _ if !is_any_done => "refused",
            RunMode::DryRun => "planned",
            RunMode::Check | RunMode::Run => "imported",
        }
    }

    fn is_changed(&self) -> bool {
        let mut imported = self.imported.iter();
        imported.any(|one| one.outcome.is_install_changed())
    }

    fn all_findings(&self) -> Vec<Finding> {
        let failed = self.failed.iter().map(|one| one.finding.clone());
        let imported = self.imported.iter().flat_map(ImportedLineage::all_findings);
        failed.chain(imported).collect()
    }

    fn all_steps(&self) -> Vec<NextStep> {
        let imported = self.imported.iter();
        imported.flat_map(ImportedLineage::all_steps).collect()
    }
}

impl Outcome for ImportOutcome {
    fn json(&self) -> Value {
        let mut certificates = Vec::new();
        for imported in &self.imported {
            certificates.push(imported.json());
        }
        let mut document = json!({
            "schema": "certctl.import/1",
            "verdict": self.verdict(),
            "changed": self.is_changed(),
            "tool": self.tool.name(),
            "certificates": certificates,
            "findings": self.all_findings(),
            "next": self.all_steps(),
        });
        if self.mode == RunMode::DryRun {
            let plans = self.imported.iter().map(|one| one.outcome.plan_id());
            let plans: Vec<String> = plans.collect();
            let dry_run = DryRunSummary {
                would_change: !self.imported.is_empty(),
                plan_id: report::plan_id(json!(plans)),
            };
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        for imported in &self.imported {
            imported.print(text);
        }
        for failed in &self.failed {
            text.add_findings([&failed.finding]);
        }
    }

    fn exit_code(&self) -> u8 {
        let failed = self.failed.iter().map(|failed| failed.exit_code);
        let imported = self.imported.iter();
        let imported = imported.map(|imported| imported.outcome.exit_code());
        worst_exit_code(failed.chain(imported))
    }
}
