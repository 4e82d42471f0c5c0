//! The outcome of a transaction as JSON and as text.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{InstallVerdict, TransactionOutcome};
use crate::finding::{Finding, Severity};
use crate::install_plan::plan::PlanStep;
use crate::inventory::RenewBefore;
use crate::report::{Label, TextOutput};
use crate::wording::{day, joined_with_and};

/// Codes of findings that wait for a server: nothing is wrong yet.
const WAITING: [&str; 2] = ["not-served", "server-not-running"];

impl TransactionOutcome {
    /// `certctl.install/1` and `certctl.rollback/1`.
    #[must_use]
    pub(crate) fn json(&self, schema: &str) -> Value {
        json!({
            "schema": schema,
            "verdict": self.verdict.name(),
            "changed": self.changed,
            "certificates": [{
                "name": self.name,
                "release": self.release,
                "chain_path": self.chain_path,
                "key_path": self.key_path,
                "key_mode": self.key_mode.to_string(),
                "not_after": self.leaf.not_after,
                "sha256": self.leaf.sha256(),
                "proof": self.proof(),
                "probes": self.seen,
            }],
            "settings": self.settings,
            "plan": self.plan,
            "rolled_back": { "done": self.rollback.succeeded, "left": self.rollback.failed },
            "findings": self.findings,
            "next": self.next,
        })
    }

    fn proof(&self) -> &'static str {
        match self.verdict {
            InstallVerdict::Live => "live",
            InstallVerdict::Files => "files",
            InstallVerdict::Unchanged if self.seen.is_empty() => "files",
            InstallVerdict::Unchanged => "live",
            _ => "none",
        }
    }

    /// Prints the outcome for people.
    pub(crate) fn human(&self, text: &mut TextOutput) {
        self.show_files(text);
        let (waiting, others): (Vec<Finding>, Vec<Finding>) = self
            .findings
            .iter()
            .cloned()
            .partition(|finding| WAITING.contains(&finding.code));
        self.show_probes(text, &others);
        text.add_findings(&others);
        for finding in waiting {
            text.add(Label::Note, finding.message);
            text.add_quote(&finding.lines);
        }
        self.show_rollback(text);
        if matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Files | InstallVerdict::Unchanged
        ) {
            text.add(Label::Done, self.done());
        }
        text.add_next_steps(&self.next);
    }

    /// Shows the plan, or which files were installed.
    fn show_files(&self, text: &mut TextOutput) {
        match self.verdict {
            InstallVerdict::Planned => self.show_plan(text),
            InstallVerdict::Refused | InstallVerdict::RolledBack => {}
            _ if self.changed => {
                let label = if self.arranged() {
                    Label::Wrote
                } else {
                    Label::Found
                };
                let files = format!(
                    "{}   {} ({})",
                    self.chain_path, self.key_path, self.key_mode
                );
                text.add(label, files);
            }
            InstallVerdict::PartlyRolledBack => {}
            _ => {
                let unchanged = format!("{} shows these files already", self.chain_path);
                text.add(Label::Done, unchanged);
            }
        }
    }

    /// Shows which addresses serve the certificate, where all of them do.
    fn show_probes(&self, text: &mut TextOutput, findings: &[Finding]) {
        let was_probed = matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Unchanged | InstallVerdict::NotServed
        );
        let has_errors = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        if was_probed && !has_errors && !self.seen.is_empty() {
            text.add(Label::Live, self.live());
        }
    }

    /// Whether files or links had to be changed: an install that is repeated finds them unchanged.
    fn arranged(&self) -> bool {
        let arranges = |step: &PlanStep| {
            matches!(
                step,
                PlanStep::Link { .. } | PlanStep::Switch { .. } | PlanStep::WriteRelease { .. }
            )
        };
        self.plan
            .as_ref()
            .is_some_and(|plan| plan.steps.iter().any(arranges))
    }

    /// The addresses that were probed.
    #[must_use]
    pub(crate) fn join_addresses(&self) -> String {
        let all: BTreeSet<&str> = self.seen.iter().map(|seen| seen.address.as_str()).collect();
        Vec::from_iter(all).join(", ")
    }

    /// `192.0.2.10:443, [2001:db8::10]:443: both names, TLS 1.3, this certificate, whole chain   (nginx -t ok, reloaded)`
    fn live(&self) -> String {
        let names: BTreeSet<&str> = self.seen.iter().map(|seen| seen.name.as_str()).collect();
        let names = match names.len() {
            1 => "one name".to_owned(),
            2 => "both names".to_owned(),
            count => format!("{count} names"),
        };
        let protocols: BTreeSet<&str> = self
            .seen
            .iter()
            .map(|seen| seen.protocol.unwrap_or_default())
            .collect();
        let protocols = joined_with_and(&Vec::from_iter(protocols));
        let addresses = self.join_addresses();
        let server = if self.server.is_empty() {
            String::new()
        } else {
            format!("   ({})", self.server.join(", "))
        };
        format!("{addresses}: {names}, {protocols}, this certificate, whole chain{server}")
    }

    fn done(&self) -> String {
        let names = &self.leaf.dns_names;
        let site = match (
            names.iter().find(|name| !name.starts_with('*')),
            names.first(),
        ) {
            _ if self.proof() != "live" => &self.name,
            (Some(name), _) => &format!("https://{name}"),
            // A browser cannot open a wildcard name.
            (None, wildcard) => wildcard.unwrap_or(&self.name),
        };
        // A placeholder is not renewed.
        if self.leaf.is_self_issued() {
            return format!("{site} until {}", day(self.leaf.not_after));
        }
        let due = RenewBefore::default().due(self.leaf.not_before, self.leaf.not_after);
        format!(
            "{site} until {}; next round from {}",
            day(self.leaf.not_after),
            day(due)
        )
    }

    fn show_rollback(&self, text: &mut TextOutput) {
        let word = match self.verdict {
            InstallVerdict::RolledBack => "taken back: the site is as it was",
            InstallVerdict::PartlyRolledBack => "not fully taken back",
            _ => return,
        };
        text.add(Label::Error, word);
        for done in &self.rollback.succeeded {
            text.add(Label::Error, format!("  ok      {done}"));
        }
        for left in &self.rollback.failed {
            text.add(Label::Error, format!("  FAILED  {left}"));
        }
    }
}
