//! The outcome of `site` as text and JSON.

use serde_json::{Value, json};

use super::application::ShownApplication;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::finding::{Finding, NextStep};
use crate::install::outcome::{ProbeResult, show_problems};
use crate::install::site_blocks::evidence::{SiteEvidence, SitePage};
use crate::install::site_blocks::transaction::SiteRollback;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::http::SiteAnswer;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::site::plan::SiteChange;
use crate::webserver::model::ServerSoftware;

/// The verdicts of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SiteVerdict {
    Live,
    /// Failed, and not everything was rolled back.
    PartlyRolledBack,
    Planned,
    Refused,
    Removed,
    RolledBack,
    Unchanged,
}

impl SiteVerdict {
    fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::PartlyRolledBack => "rollback-failed",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Removed => "removed",
            Self::RolledBack => "rolled-back",
            Self::Unchanged => "unchanged",
        }
    }

    fn exit_code(self) -> u8 {
        match self {
            Self::Live | Self::Planned | Self::Removed | Self::Unchanged => 0,
            Self::Refused => 1,
            Self::RolledBack => 5,
            Self::PartlyRolledBack => 6,
        }
    }

    /// Whether the server may use the certificate of the site.
    pub(super) fn is_in_service(self) -> bool {
        matches!(self, Self::Live | Self::Unchanged | Self::PartlyRolledBack)
    }
}

/// The outcome of `site`.
#[derive(Debug)]
pub(crate) struct SiteOutcome {
    /// The verdict, which decides the exit code.
    pub(super) verdict: SiteVerdict,
    /// Whether anything on this machine was changed.
    pub(super) changed: bool,
    /// What is wrong, or worth knowing.
    pub(super) findings: Vec<Finding>,
    /// The name of the site.
    pub(super) name: DnsName,
    /// All names of its block.
    pub(super) names: Vec<DnsName>,
    /// The certificate; `None` if none is installed.
    pub(super) leaf: Option<Certificate>,
    /// What was or would be changed on disk.
    pub(super) change: Option<SiteChange>,
    /// The application that certctl runs, or removes.
    pub(super) application: Option<ShownApplication>,
    /// What the addresses answered.
    pub(super) evidence: SiteEvidence,
    /// The fields of a dry run.
    pub(super) dry_run: Option<DryRunSummary>,
    /// What to do now.
    pub(super) next: Vec<NextStep>,
    /// How to undo what was done.
    pub(super) undo: Option<NextStep>,
    /// What the rollback did, and what the site answered afterwards; empty without a rollback.
    pub(super) rollback: String,
}

impl SiteOutcome {
    /// Writes a line to the audit log about a change, also if it was rolled back.
    pub(super) fn audit(&self, context: &Context) -> Option<Finding> {
        if self.verdict == SiteVerdict::Unchanged {
            return None;
        }
        let is_live = self.verdict == SiteVerdict::Live;
        let served = self.leaf.as_ref().filter(|_| is_live);
        let fingerprint = served.map(Certificate::sha256);
        let event = AuditEvent {
            action: AuditAction::ChangeSite,
            subject: self.name.as_str(),
            result: self.verdict.name(),
            before: None,
            after: fingerprint.as_deref(),
            key_id: None,
            proof: if is_live { "live" } else { "" },
        };
        audit::record(context, &event)
    }

    /// The fields of a dry run.
    pub(super) fn summarize(&self) -> DryRunSummary {
        let would_change = self.changes().any(SiteChange::is_needed);
        let considered = json!({
            "name": self.name.as_str(),
            "change": format!("{:?}", self.changes().collect::<Vec<_>>()),
            "certificate": self.leaf.as_ref().map(Certificate::sha256),
        });
        DryRunSummary {
            would_change,
            plan_id: report::plan_id(considered),
        }
    }

    pub(super) fn record_evidence(&mut self, evidence: SiteEvidence) {
        self.evidence = evidence;
    }

    /// Records why the site was not put into service.
    pub(super) fn record_fault(&mut self, finding: Finding) {
        self.next.clear();
        self.findings
            .retain(|finding| finding.code != "placeholder");
        self.findings.push(finding);
    }

    /// Records what a rollback did, and what the previous site answers now.
    pub(super) fn record_rollback(&mut self, rollback: SiteRollback) {
        self.rollback = match rollback {
            SiteRollback::NotLoaded => "the server never loaded the new ones".to_owned(),
            SiteRollback::Reloaded => {
                "the server has loaded them; no page was known to compare".to_owned()
            }
            SiteRollback::Probed(restored) => {
                let seen = restored.in_words();
                self.evidence.pages = restored.pages;
                format!("the server has loaded them; {seen}")
            }
        };
    }

    /// Says that a signal ended the command, and what was rolled back.
    pub(super) fn interruption(&self, unlogged: Option<&Finding>) -> String {
        let mut message = format!(
            "interrupted; the files are as they were before; {}",
            self.rollback
        );
        if let Some(finding) = unlogged {
            message.push_str("; ");
            message.push_str(&finding.message);
        }
        message
    }

    /// The changes of the block's file and of the service's.
    fn changes(&self) -> impl Iterator<Item = &SiteChange> {
        let service = self.application.as_ref().map(|shown| &shown.change);
        self.change.iter().chain(service)
    }

    fn files_json(&self) -> Vec<Value> {
        self.changes().flat_map(change_json).collect()
    }

    /// Whether a block of somebody else stays, without the lines that certctl had added.
    fn is_plain_again(&self) -> bool {
        let change = self.change.as_ref();
        change.is_some_and(|change| change.after.is_some())
    }

    fn show_plan(&self, text: &mut TextOutput) {
        let is_changed = self.changes().any(SiteChange::is_needed);
        let Some(change) = self.change.as_ref().filter(|_| is_changed) else {
            text.add(Label::Plan, "nothing: the files are up to date");
            return;
        };
        self.show_planned_application(text);
        if self.leaf.is_none() && change.after.is_some() {
            let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
            let line = format!("install a placeholder certificate for {}", names.join(", "));
            text.add(Label::Plan, line);
        }
        let verb = match change.after {
            Some(_) => "write",
            None => "remove",
        };
        text.add(
            Label::Plan,
            format!("{verb} {}", self.files_in_words(change)),
        );
        text.add_quote(&change.difference());
        let server = ServerSoftware::Nginx.title();
        let line =
            format!("test and reload {server}, and verify certificate and page at every address");
        text.add(Label::Plan, line);
    }

    fn show_written(&self, text: &mut TextOutput) {
        let is_written = |change: &&SiteChange| change.after.is_some() && change.is_needed();
        for change in self.changes().filter(is_written) {
            text.add(Label::Wrote, self.files_in_words(change));
            let is_replaced = change.before.is_some();
            let difference = change.difference();
            text.add_quote(if is_replaced { &difference } else { &[] });
        }
        self.show_removed_application(text);
    }

    fn show_removed(&self, text: &mut TextOutput) {
        if let Some(change) = &self.change {
            let part = match change.after {
                Some(_) => "the lines that certctl had added to ",
                None => "",
            };
            let line = format!("removed {part}{}", self.files_in_words(change));
            text.add(Label::Wrote, line);
        }
        self.show_removed_application(text);
    }

    fn show_removed_application(&self, text: &mut TextOutput) {
        let removed = self.application.as_ref();
        if let Some(shown) = removed.filter(|shown| shown.object.is_none()) {
            let (user, file) = (&shown.user, shown.change.file.display());
            let line = format!("removed {file}, and the user {user} with its folders");
            text.add(Label::Wrote, line);
        }
    }

    fn show_planned_application(&self, text: &mut TextOutput) {
        let Some(shown) = &self.application else {
            return;
        };
        let (user, file) = (&shown.user, shown.change.file.display());
        let line = match &shown.object {
            Some(_) => format!(
                "create the user {user} if it does not exist, write {file}, start the application \
                 and wait until it answers"
            ),
            None => format!("stop the application, and remove {file} and the user {user}"),
        };
        text.add(Label::Plan, line);
        text.add_quote(&shown.change.difference());
    }

    fn files_in_words(&self, change: &SiteChange) -> String {
        let file = change.file.display();
        match &change.link {
            Some(link) => format!("{file} and its link {}", link.path.display()),
            None => file.to_string(),
        }
    }

    /// Shows which certificate and which pages the addresses answer with.
    fn show_evidence(&self, text: &mut TextOutput) {
        let probes = &self.evidence.probes;
        if probes.is_empty() {
            return;
        }
        let mut addresses: Vec<String> = Vec::new();
        for probe in probes {
            let address = probe.target.address.to_string();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let line = format!("{}: this certificate, full chain", addresses.join(", "));
        text.add(Label::Live, line);
        let mut pages: Vec<String> = Vec::new();
        for page in &self.evidence.pages {
            let line = page.in_words();
            if !pages.contains(&line) {
                pages.push(line);
            }
        }
        text.add(Label::Live, pages.join("; "));
    }

    fn show_result(&self, text: &mut TextOutput) {
        let name = &self.name;
        let line = match self.verdict {
            SiteVerdict::Live => format!("https://{} is in service", name.as_str()),
            SiteVerdict::Unchanged if self.evidence.probes.is_empty() => {
                format!("certctl has written no site for {name}; nothing was changed")
            }
            SiteVerdict::Unchanged => {
                format!(
                    "https://{} is up to date; nothing was changed",
                    name.as_str()
                )
            }
            SiteVerdict::Planned => "dry run: nothing was changed".to_owned(),
            SiteVerdict::Refused => "nothing was changed".to_owned(),
            SiteVerdict::Removed if self.is_plain_again() => format!(
                "nginx serves {name} in plain text again, as before; it was tested and reloaded"
            ),
            SiteVerdict::Removed => {
                format!("nginx no longer has a block for {name}; it was tested and reloaded")
            }
            SiteVerdict::RolledBack => format!(
                "rolled back: the files are as they were before; {}",
                self.rollback
            ),
            SiteVerdict::PartlyRolledBack => "not everything was rolled back".to_owned(),
        };
        text.add(Label::Done, line);
    }
}

/// The file of a change, and its link.
fn change_json(change: &SiteChange) -> Vec<Value> {
    let action = match (&change.before, &change.after) {
        (None, Some(_)) => "create",
        (Some(_), None) => "remove",
        (before, after) if before == after => "keep",
        _ => "replace",
    };
    let mut files = vec![json!({
        "path": report::path_text(&change.file),
        "action": action,
        "diff": change.difference(),
    })];
    if let Some(link) = &change.link {
        let action = match (change.changes_link(), &change.after) {
            (false, _) => "keep",
            (true, Some(_)) => "create",
            (true, None) => "remove",
        };
        files.push(json!({
            "path": report::path_text(&link.path),
            "action": action,
            "diff": [],
        }));
    }
    files
}

fn page_json(page: &SitePage) -> Value {
    json!({
        "url": page.request.to_string(),
        "address": page.request.place.address.to_string(),
        "status": page.answer.as_ref().and_then(SiteAnswer::status),
    })
}

impl Outcome for SiteOutcome {
    fn json(&self) -> Value {
        let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
        let probes = self.evidence.probes.iter().map(ProbeResult::from);
        let mut document = json!({
            "schema": "certctl.site/1",
            "verdict": self.verdict.name(),
            "changed": self.changed,
            "name": self.name.as_str(),
            "names": names,
            "server": ServerSoftware::Nginx.name(),
            "sha256": self.leaf.as_ref().map(Certificate::sha256),
            "not_after": self.leaf.as_ref().map(|leaf| report::expiry_json(leaf.not_after)),
            "files": self.files_json(),
            "application": self.application.as_ref().map(ShownApplication::json),
            "probes": probes.collect::<Vec<_>>(),
            "pages": self.evidence.pages.iter().map(page_json).collect::<Vec<_>>(),
            "findings": self.findings,
            "next": self.next,
            "undo": Vec::from_iter(&self.undo),
        });
        if let Some(dry_run) = &self.dry_run {
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        if let Some(leaf) = &self.leaf {
            text.add(Label::Found, report::certificate_in_words(leaf));
        }
        let application = self.application.as_ref();
        if let Some(found) = application.and_then(ShownApplication::in_words) {
            text.add(Label::Found, found);
        }
        match self.verdict {
            SiteVerdict::Planned => self.show_plan(text),
            SiteVerdict::Live => self.show_written(text),
            SiteVerdict::Removed => self.show_removed(text),
            _ => {}
        }
        self.show_evidence(text);
        show_problems(text, &self.findings, &self.next, |text| {
            self.show_result(text)
        });
        if let Some(undo) = &self.undo {
            text.add_step(Label::Undo, undo);
        }
    }

    fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }
}
