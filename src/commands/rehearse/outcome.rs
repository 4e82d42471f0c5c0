//! The outcome of `rehearse`, as text and as JSON.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::step::RehearsalStep;
use crate::finding::{Finding, NextStep};
use crate::pki::name::DnsName;
use crate::report::{Label, Outcome, TextOutput, path_text};
use crate::wording::day;

/// The certificate that a visitor gets in the end.
#[derive(Clone, Debug)]
pub(super) struct RehearsalProof {
    /// The address of the site.
    pub address: String,
    /// `TLS 1.3`.
    pub protocol: &'static str,
    /// The SHA-256 fingerprint of the leaf.
    pub sha256: String,
    /// The expiry date of the leaf.
    pub not_after: jiff::Timestamp,
}

/// The outcome of `rehearse`.
#[derive(Debug)]
pub(crate) struct RehearseOutcome {
    pub(super) name: DnsName,
    pub(super) folder: PathBuf,
    /// The paragraphs before the first step.
    pub(super) intro: Vec<String>,
    /// Whether the introduction and the steps were printed while they ran.
    pub(super) is_printed: bool,
    pub(super) steps: Vec<RehearsalStep>,
    /// `None` if a step had an unexpected result.
    pub(super) proof: Option<RehearsalProof>,
    pub(super) findings: Vec<Finding>,
    /// How the same is done with a real certificate.
    pub(super) real_step: NextStep,
}

impl Outcome for RehearseOutcome {
    fn json(&self) -> Value {
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push(step.json());
        }
        let proof = self.proof.as_ref().map(|proof| {
            json!({
                "host": self.name.as_str(),
                "address": proof.address,
                "protocol": proof.protocol,
                "sha256": proof.sha256,
                "not_after": proof.not_after,
            })
        });
        json!({
            "schema": "certctl.rehearse/1",
            "comment": self.comment(),
            "verdict": if self.proof.is_some() { "as-expected" } else { "unexpected" },
            "changed": true,
            "name": self.name.as_str(),
            "directory": path_text(&self.folder),
            "steps": steps,
            "proof": proof,
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        if !self.is_printed {
            print_intro(&self.intro, text);
            for (index, step) in self.steps.iter().enumerate() {
                step.print(index + 1, text);
            }
        }
        text.add_plain("");
        text.add_findings(&self.findings);
        if let Some(proof) = &self.proof {
            self.print_proof(proof, text);
        }
        text.add_next_steps(&self.next());
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.proof.is_none())
    }
}

/// Prints what comes before the first step.
pub(super) fn print_intro(intro: &[String], text: &mut TextOutput) {
    for paragraph in intro {
        text.add_plain(paragraph);
    }
}

impl RehearseOutcome {
    fn print_proof(&self, proof: &RehearsalProof, text: &mut TextOutput) {
        let name = self.name.as_str();
        let address = &proof.address;
        let protocol = proof.protocol;
        let expiry = day(proof.not_after);
        let site = format!("https://{name} at {address}: {protocol}, full chain, expires {expiry}");
        text.add(Label::Live, site);
        text.add_fields(&[("SHA-256 fingerprint", &proof.sha256)]);
        let done = format!(
            "every step ended as expected; all files are in {0}, and the web server read those in \
                {0}/etc/ssl",
            self.folder.display()
        );
        text.add(Label::Done, done);
    }

    fn comment(&self) -> &'static str {
        if self.proof.is_some() {
            "every step of the rehearsal went as expected"
        } else {
            "a step of the rehearsal did not go as expected"
        }
    }

    fn next(&self) -> Vec<NextStep> {
        match self.proof {
            Some(_) => vec![self.real_step.clone()],
            None => Vec::new(),
        }
    }
}
