//! What came of a changeover, as a document and in words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{InstallVerdict, ProbeResult, TransactionOutcome, day};
use crate::finding::Severity;
use crate::install_plan::plan::PlanStep;
use crate::inventory::RenewBefore;
use crate::report::TextOutput;

/// Not wrong: not yet served.
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
                "key_mode": format!("{:04o}", self.key_mode),
                "not_after": self.leaf.not_after,
                "sha256": self.leaf.sha256(),
                "proof": self.proof(),
                "probes": self.seen.iter().map(|seen| json!({
                    "address": seen.address,
                    "name": seen.name,
                    "sha256": seen.sha256,
                    "protocol": seen.protocol,
                })).collect::<Vec<_>>(),
            }],
            "settings": self.settings,
            "plan": self.plan,
            "rolled_back": { "done": self.back.0, "left": self.back.1 },
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

    /// What a person reads, after what was found.
    pub(crate) fn human(&self, text: &mut TextOutput) {
        match self.verdict {
            InstallVerdict::Planned => self.show_plan(text),
            InstallVerdict::Refused | InstallVerdict::TakenBack => {}
            _ if self.changed => {
                let label = if self.arranged() { "wrote" } else { "there" };
                text.fact(
                    label,
                    format!(
                        "{}   {} ({:04o})",
                        self.chain_path, self.key_path, self.key_mode
                    ),
                );
            }
            InstallVerdict::NotTakenBack => {}
            _ => text.fact(
                "same",
                format!("{} shows these files already", self.chain_path),
            ),
        }
        let (waiting, others): (Vec<_>, Vec<_>) = self
            .findings
            .iter()
            .cloned()
            .partition(|one| WAITING.contains(&one.code));
        let fails = others.iter().any(|one| one.severity == Severity::Error);
        let asked = matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Unchanged | InstallVerdict::NotServed
        );
        if asked && !fails && !self.seen.is_empty() {
            text.fact("live", self.live());
        }
        text.findings(&others);
        for one in waiting {
            text.act("note", one.message);
            text.quote(&one.lines);
        }
        self.tell_back(text);
        if matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Files | InstallVerdict::Unchanged
        ) {
            text.fact("done", self.done());
        }
        text.nexts(&self.next);
    }

    /// Whether files or links had to be changed: an install that is taken up finds them in place.
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

    /// Where it was seen; nothing where nobody was asked.
    #[must_use]
    pub(crate) fn addresses(&self) -> String {
        let all: BTreeSet<&str> = self.seen.iter().map(|seen| seen.address.as_str()).collect();
        Vec::from_iter(all).join(", ")
    }

    /// `192.0.2.10:443, [2001:db8::10]:443: both names, TLS 1.3, this certificate, whole chain   (nginx -t ok, reloaded)`
    fn live(&self) -> String {
        let unique = |of: fn(&ProbeResult) -> String| {
            let mut found: Vec<String> = self.seen.iter().map(of).collect();
            found.sort();
            found.dedup();
            found
        };
        let names = match unique(|seen| seen.name.clone()).len() {
            1 => "one name".to_owned(),
            2 => "both names".to_owned(),
            count => format!("{count} names"),
        };
        let protocols = unique(|seen| seen.protocol.unwrap_or_default().to_owned()).join(" and ");
        let addresses = self.addresses();
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
            // Nothing of that name can be opened.
            (None, wildcard) => wildcard.unwrap_or(&self.name),
        };
        // A placeholder has no next round.
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

    fn tell_back(&self, text: &mut TextOutput) {
        let word = match self.verdict {
            InstallVerdict::TakenBack => "taken back: the site is as it was",
            InstallVerdict::NotTakenBack => "not fully taken back",
            _ => return,
        };
        text.bad("back", word);
        for done in &self.back.0 {
            text.fact("back", format!("  ok      {done}"));
        }
        for left in &self.back.1 {
            text.bad("back", format!("  FAILED  {left}"));
        }
    }
}
