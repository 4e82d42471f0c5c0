//! What `rehearse` ends with, for people and for scripts.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::step::{RehearsalStep, day};
use crate::finding::{Finding, NextStep};
use crate::pki::name::DnsName;
use crate::report::{Outcome, TextOutput, shown};

/// What the site shows in the end, as a visitor saw it.
#[derive(Clone, Debug)]
pub(super) struct RehearsalProof {
    /// Where it was seen.
    pub(super) address: String,
    /// `TLS 1.3`.
    pub(super) protocol: &'static str,
    /// SHA-256 of the leaf.
    pub(super) sha256: String,
    /// The last second of its validity.
    pub(super) not_after: jiff::Timestamp,
}

/// What `rehearse` ends with.
#[derive(Debug)]
pub(crate) struct RehearseOutcome {
    pub(super) name: DnsName,
    pub(super) folder: PathBuf,
    /// What is about to happen, before the first step.
    pub(super) intro: Vec<String>,
    pub(super) steps: Vec<RehearsalStep>,
    /// `None` when something did not come out as it should.
    pub(super) proof: Option<RehearsalProof>,
    pub(super) findings: Vec<Finding>,
}

impl Outcome for RehearseOutcome {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.rehearse/1",
            "verdict": if self.proof.is_some() { "as-expected" } else { "unexpected" },
            "changed": true,
            "name": self.name.as_str(),
            "directory": shown(&self.folder),
            "steps": self.steps.iter().map(RehearsalStep::json).collect::<Vec<_>>(),
            "proof": self.proof.as_ref().map(|proof| json!({
                "host": self.name.as_str(),
                "address": proof.address,
                "protocol": proof.protocol,
                "sha256": proof.sha256,
                "not_after": proof.not_after,
            })),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for line in &self.intro {
            text.fact("", line);
        }
        for (index, step) in self.steps.iter().enumerate() {
            step.human(index + 1, text);
        }
        text.fact("", "");
        text.findings(&self.findings);
        if let Some(proof) = &self.proof {
            text.fact(
                "live",
                format!(
                    "https://{} at {}: {}, whole chain, until {}",
                    self.name.as_str(),
                    proof.address,
                    proof.protocol,
                    day(proof.not_after),
                ),
            );
            text.fact("live", format!("fingerprint (SHA-256) {}", proof.sha256));
            text.fact(
                "done",
                format!(
                    "every step came out as it should; {}/etc/ssl is what the server reads",
                    self.folder.display()
                ),
            );
        }
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.proof.is_none())
    }
}

impl RehearseOutcome {
    fn next(&self) -> Vec<NextStep> {
        match self.proof {
            Some(_) => vec![NextStep::run(&[
                "csr",
                "YOUR-DOMAIN.com",
                "www.YOUR-DOMAIN.com",
                "--ca",
                "namecheap",
            ])],
            None => Vec::new(),
        }
    }
}
