//! The outcome of a transaction as JSON and as text.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::TransactionOutcome;
use super::probe_result::ProbeResult;
use super::problems::show_problems;
use super::verdict::InstallVerdict;
use crate::finding::{Finding, Severity};
use crate::install::site_check::SiteHeadline;
use crate::install_plan::plan::{PlanEnd, PlanStep};
use crate::report::{self, Label, TextOutput};
use crate::wording::{day, joined_with_and};

/// Codes of findings that a server causes that is not set up or started yet: nothing is wrong.
const WAITING: [&str; 2] = ["not-served", "server-not-running"];

impl TransactionOutcome {
    /// `certctl.install/1` and `certctl.rollback/1`.
    #[must_use]
    pub(crate) fn json(&self, schema: &str) -> Value {
        let rolled_back = json!({
            "done": self.rollback.succeeded,
            "left": self.rollback.failed,
        });
        let mut document = json!({
            "schema": schema,
            "verdict": self.verdict.name(),
            "changed": self.changed,
            "certificates": [{
                "name": self.name,
                "verdict": self.verdict.name(),
                "changed": self.changed,
                "release": self.release,
                "chain_path": self.chain_path,
                "key_path": self.key_path,
                "key_mode": self.key_mode.map(|mode| mode.to_string()),
                "not_after": report::expiry_json(self.leaf.not_after),
                "sha256": self.leaf.sha256(),
                "before": self.before,
                "after": self.after,
                "proof": self.proof(),
                "probes": self.all_probes(),
                "plan": self.plan_json(),
                "rolled_back": rolled_back,
                "settings": self.settings,
                "findings": self.findings,
                "next": self.next,
            }],
            "settings": self.settings,
            "rolled_back": rolled_back,
            "findings": self.findings,
            "next": self.next,
        });
        if let Some(dry_run) = &self.dry_run {
            dry_run.add_to(&mut document);
        }
        document
    }

    /// Everything that was probed, also where other files are served.
    fn all_probes(&self) -> Vec<&ProbeResult> {
        self.seen.iter().chain(&self.seen_elsewhere).collect()
    }

    pub(super) fn proof(&self) -> &'static str {
        match self.verdict {
            InstallVerdict::Live | InstallVerdict::Unchanged => ProbeResult::proof(&self.seen),
            // The site answers with an error; every address serves the certificate.
            InstallVerdict::LiveIncomplete if self.serves_everywhere() && !self.seen.is_empty() => {
                ProbeResult::proof(&self.seen)
            }
            InstallVerdict::LiveIncomplete if self.serves_everywhere() => "files",
            InstallVerdict::Files => "files",
            _ => "none",
        }
    }

    /// Prints the outcome for people; `earlier` are findings from before the transaction.
    pub(crate) fn human(&self, earlier: &[Finding], text: &mut TextOutput) {
        match self.verdict {
            InstallVerdict::Refused
            | InstallVerdict::RolledBack
            | InstallVerdict::PartlyRolledBack => {
                let problems = [earlier, &self.findings].concat();
                show_problems(text, &problems, &self.next, |text| self.show_state(text));
            }
            InstallVerdict::Planned => {
                text.add_findings(earlier);
                self.show_plan(text);
                text.add_findings(&self.findings);
                text.add(Label::Done, self.dry_run_in_words());
                text.add_next_steps(&self.next);
            }
            _ => {
                text.add_findings(earlier);
                self.show_installed(text);
            }
        }
    }

    /// Says that nothing was changed, and how the install would end if that is no success.
    fn dry_run_in_words(&self) -> &'static str {
        let end = self.plan.as_ref().map(|plan| plan.end);
        match end {
            Some(PlanEnd::NotNamed | PlanEnd::Partly | PlanEnd::Stopped) => {
                "dry run: nothing was changed; the install would end with exit code 1 \
                    (not-served), because servers would not serve the certificate everywhere yet"
            }
            Some(PlanEnd::Proven) | None => "dry run: nothing was changed",
        }
    }

    /// Prints an install that was not rolled back.
    fn show_installed(&self, text: &mut TextOutput) {
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
        if self.verdict != InstallVerdict::NotServed {
            text.add(Label::Done, self.done());
        }
        if let Some(hook) = &self.hook {
            text.add(Label::Done, hook);
        }
        text.add_next_steps(&self.next);
    }

    /// Shows which files were installed.
    fn show_files(&self, text: &mut TextOutput) {
        let mut paths = vec![self.chain_path.as_str()];
        paths.extend(self.key_path.as_deref());
        paths.extend(self.further_paths.iter().map(String::as_str));
        let mut files = paths.join(", ");
        if let Some(mode) = self.key_mode {
            files = format!("{files} ({mode})");
        }
        if self.changed && self.arranged() {
            text.add(Label::Wrote, files);
        } else {
            text.add(Label::Found, format!("{files}: already up to date"));
        }
    }

    /// Shows which addresses serve the certificate, where all of them do.
    fn show_probes(&self, text: &mut TextOutput, findings: &[Finding]) {
        let has_errors = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        if self.verdict != InstallVerdict::Files && !has_errors && !self.seen.is_empty() {
            text.add(Label::Live, self.live());
        }
    }

    /// Whether files or links had to be changed: an install that is repeated finds them unchanged.
    fn arranged(&self) -> bool {
        let arranges = |step: &PlanStep| {
            matches!(
                step,
                PlanStep::Copy { .. }
                    | PlanStep::Link { .. }
                    | PlanStep::Switch { .. }
                    | PlanStep::WriteRelease { .. }
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

    /// `192.0.2.10:443, [2001:db8::10]:443: both names, TLS 1.3, this certificate, full chain; nginx
    /// -t passed, reloaded`
    fn live(&self) -> String {
        let names: BTreeSet<&str> = self.seen.iter().map(|seen| seen.name.as_str()).collect();
        let names = match names.len() {
            1 => "1 name".to_owned(),
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
            format!("; {}", self.server.join(", "))
        };
        let key = match ProbeResult::proof(&self.seen) {
            "certificate" => " (key not checked)",
            _ => "",
        };
        format!("{addresses}: {names}, {protocols}, this certificate{key}, full chain{server}")
    }

    /// The result, and when the certificate expires and is to be renewed.
    fn done(&self) -> String {
        let expires = day(self.leaf.not_after);
        let mut done = match (self.headline(), self.proof()) {
            (Some(headline), _) if headline.works => {
                let text = match self.leaf.is_self_issued() {
                    // No browser accepts it.
                    true => headline.text.replacen("works", "answers", 1),
                    false => headline.text,
                };
                format!("{} {text} until {expires}", self.site())
            }
            (Some(headline), _) => format!(
                "{} {}; its certificate expires {expires}",
                self.site(),
                headline.text
            ),
            (None, "live" | "certificate") => format!(
                "{} serves this certificate, which expires {expires}",
                self.site()
            ),
            (None, _) => format!("{} is installed and expires {expires}", self.name),
        };
        // A placeholder is not renewed.
        if let Some(due) = self.due.filter(|_| !self.leaf.is_self_issued()) {
            done.push_str(&format!("; renew from {}", day(due)));
        }
        match (self.seen.is_empty(), self.changed, self.has_reloaded()) {
            (true, true, false) => {
                done.push_str("; the files were replaced, and no server was reloaded or probed");
            }
            (true, ..) => done.push_str("; no server was probed"),
            (false, ..) => {}
        }
        if let Some(reason) = self.incomplete_reason() {
            done.push_str(reason);
        }
        done
    }

    /// What the site answered over HTTP.
    fn headline(&self) -> Option<SiteHeadline> {
        self.sites.answer_of(self.site_name()?)
    }

    /// The first name that a browser can open.
    fn site_name(&self) -> Option<&String> {
        let names = &self.leaf.dns_names;
        names.iter().find(|name| !name.starts_with('*'))
    }

    /// The site as a browser opens it; a browser cannot open a wildcard name, or a service that is
    /// not a web site.
    fn site(&self) -> String {
        let services: Option<BTreeSet<&str>> = self.seen.iter().map(|seen| seen.service).collect();
        let services = services.filter(|services| !services.is_empty());
        match (self.site_name(), self.leaf.dns_names.first()) {
            (Some(name), _) if let Some(services) = &services => {
                format!("{name} ({})", joined_with_and(&Vec::from_iter(services)))
            }
            (Some(name), _) => format!("https://{name}"),
            (None, Some(wildcard)) => wildcard.clone(),
            (None, None) => self.name.clone(),
        }
    }

    /// Shows the state of the site after a refusal or a rollback, with what was rolled back and what
    /// was not.
    fn show_state(&self, text: &mut TextOutput) {
        match self.verdict {
            InstallVerdict::Refused => text.add(Label::Done, "nothing was changed"),
            InstallVerdict::RolledBack => {
                text.add(Label::Done, "rolled back: the site is as it was before");
            }
            _ => text.add(Label::Error, "not everything was rolled back"),
        }
        for step in &self.rollback.failed {
            text.add_continuation(format!("failed: {step}"));
        }
        for step in &self.rollback.succeeded {
            text.add_continuation(format!("rolled back: {step}"));
        }
    }
}
