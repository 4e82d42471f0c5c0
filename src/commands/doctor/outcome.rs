//! The outcome of `doctor` as text and JSON.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::advice::doctor_command;
use crate::diagnosis::{CheckState, DiagnosisCheck, SiteFacts, diagnose, list_checks};
use crate::finding::{Finding, NextStep, Severity};
use crate::install::outcome::show_problems;
use crate::pki::name::DnsName;
use crate::report::{Label, Outcome, TextOutput};

/// A site with its checks and causes.
#[derive(Debug)]
pub(crate) struct ExaminedSite {
    name: DnsName,
    checks: Vec<DiagnosisCheck>,
    findings: Vec<Finding>,
}

/// The outcome of `doctor`.
#[derive(Debug)]
pub(crate) struct DoctorOutcome {
    pub sites: Vec<ExaminedSite>,
    /// That there are further sites.
    pub more: Option<Finding>,
}

impl ExaminedSite {
    /// Judges what was observed.
    pub(super) fn judge(facts: SiteFacts) -> Self {
        let mut findings = Vec::new();
        for cause in diagnose(&facts) {
            findings.push(doctor_command::report_cause(&cause, &facts.name));
        }
        Self {
            checks: list_checks(&facts),
            name: facts.name,
            findings,
        }
    }

    fn is_sick(&self) -> bool {
        let is_problem = |finding: &Finding| finding.severity > Severity::Note;
        self.findings.iter().any(is_problem)
    }

    fn verdict(&self) -> &'static str {
        if self.is_sick() { "sick" } else { "healthy" }
    }

    fn json(&self) -> Value {
        let mut checks = Vec::new();
        for check in &self.checks {
            checks.push(json!({
                "check": check.name,
                "state": check.state.word(),
                "text": check.text,
            }));
        }
        json!({
            "name": self.name.as_str(),
            "verdict": self.verdict(),
            "checks": checks,
            "findings": self.findings,
        })
    }

    /// Prints the checks; what `shown` has was printed for another site of the same server.
    fn show_checks<'s>(&'s self, shown: &mut HashSet<&'s str>, text: &mut TextOutput) {
        let has_server = self.checks.iter().any(|check| check.name == "page");
        for check in &self.checks {
            if !shown.insert(&check.text) {
                continue;
            }
            match check.state {
                CheckState::Right => text.add(Label::Found, check.text.clone()),
                CheckState::Unchecked => text.add(Label::Note, check.text.clone()),
                // The finding says it.
                CheckState::Wrong => {}
            }
        }
        if has_server && shown.insert("outside") {
            text.add(Label::Note, doctor_command::unchecked_outside());
        }
    }
}

impl DoctorOutcome {
    fn is_sick(&self) -> bool {
        self.sites.iter().any(ExaminedSite::is_sick)
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for site in &self.sites {
            findings.extend(site.findings.iter().cloned());
        }
        findings.extend(self.more.clone());
        findings
    }

    /// The step of the most likely cause of each site.
    fn next(&self) -> Vec<NextStep> {
        let mut steps = Vec::new();
        for site in &self.sites {
            let first = site.findings.first();
            steps.extend(first.and_then(|finding| finding.next.first()).cloned());
        }
        steps
    }

    fn result(&self) -> String {
        let mut sick = Vec::new();
        let mut healthy = Vec::new();
        for site in &self.sites {
            let name = site.name.as_str();
            if site.is_sick() {
                sick.push(name);
            } else {
                healthy.push(name);
            }
        }
        if sick.is_empty() {
            let names = healthy.join(", ");
            return format!("healthy, as far as this machine can see: {names}");
        }
        let mut line = format!("not healthy: {}", sick.join(", "));
        if !healthy.is_empty() {
            line.push_str(&format!("; healthy: {}", healthy.join(", ")));
        }
        line
    }
}

impl Outcome for DoctorOutcome {
    fn json(&self) -> Value {
        let mut sites = Vec::new();
        for site in &self.sites {
            sites.push(site.json());
        }
        json!({
            "schema": "certctl.doctor/1",
            "verdict": if self.is_sick() { "sick" } else { "healthy" },
            "changed": false,
            "sites": sites,
            "findings": self.findings(),
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let mut shown = HashSet::new();
        for site in &self.sites {
            site.show_checks(&mut shown, text);
        }
        let result = self.result();
        show_problems(text, &self.findings(), &[], |text| {
            text.add(Label::Done, result);
        });
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.is_sick())
    }
}
