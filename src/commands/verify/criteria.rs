//! What certificates are checked against, and the result for one certificate.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::advice::pki::{lint_finding, strict_refusal_finding};
use crate::finding::{Finding, Severity};
use crate::inputs::{self, HostCertificates};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::lint;
use crate::pki::trust::{TrustAnchors, TrustScope, TrustSource};
use crate::pki::verify::{self, VerifyPolicy};
use crate::report;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Strictness {
    /// Warnings also make a certificate wrong, and the rules for public CAs apply to all.
    Strict,
    /// Only errors make a certificate wrong.
    Usual,
}

/// What all certificates of a run are checked against.
#[derive(Clone, Copy)]
pub(super) struct VerifyCriteria<'a> {
    policy: VerifyPolicy<'a>,
    strictness: Strictness,
}

impl<'a> VerifyCriteria<'a> {
    pub(super) fn new(
        at: Timestamp,
        strictness: Strictness,
        anchors: &'a TrustAnchors,
        hosts: &'a [String],
    ) -> Self {
        let policy = VerifyPolicy { hosts, anchors, at };
        Self { policy, strictness }
    }

    /// Returns the lowest severity that makes a certificate wrong.
    fn wrong_from(&self) -> Severity {
        match self.strictness {
            Strictness::Strict => Severity::Warning,
            Strictness::Usual => Severity::Error,
        }
    }

    pub(super) fn chain_criteria(&self) -> ChainCriteria<'a> {
        ChainCriteria {
            anchors: self.policy.anchors,
            at: self.policy.at,
            prefer: ChainPreference::default(),
        }
    }

    /// Returns the problems of `chain` and of the other certificates that the server sends. `bag`
    /// contains all certificates that the chain was assembled from.
    pub(super) fn findings(
        &self,
        chain: &Chain,
        served: &[Certificate],
        bag: &[Certificate],
    ) -> Vec<Finding> {
        let problems = verify::find_problems(chain, self.policy);
        let mut findings: Vec<Finding> = problems.iter().map(Finding::from).collect();
        let mut lints = lint::lint_chain(chain);
        let source = self.policy.anchors.source();
        lints.extend(lint::lint_leaf_in_detail(chain, source));
        let scope = match self.strictness {
            Strictness::Strict => TrustScope::Public,
            Strictness::Usual => lint::issuer_scope(chain, source),
        };
        findings.extend(lints.iter().map(|lint| lint_finding(lint, scope)));
        for broken in &verify::find_strict_refusals(chain, self.policy) {
            findings.push(strict_refusal_finding(broken));
        }
        for outdated in served.iter().filter_map(lint::find_retired_root) {
            findings.push(Finding::from(&outdated));
        }
        findings.extend(inputs::trust_difference(chain, bag, self.chain_criteria()));
        findings
    }

    /// The first name that the certificate must be valid for.
    pub(super) fn first_name(&self) -> Option<&str> {
        let mut hosts = self.policy.hosts.iter().map(String::as_str);
        hosts.find(|host| !host.starts_with("*."))
    }

    pub(super) fn verified(
        &self,
        file: String,
        chain: Chain,
        findings: Vec<Finding>,
    ) -> VerifiedCertificate {
        VerifiedCertificate {
            file,
            chain,
            key_path: None,
            findings,
            wrong_from: self.wrong_from(),
            hosts: self.policy.hosts.to_vec(),
            trust: self.policy.anchors.source().clone(),
            seen: None,
        }
    }
}

/// One certificate with its findings.
#[derive(Debug)]
pub(crate) struct VerifiedCertificate {
    /// The file or server that was checked.
    pub file: String,
    /// The chain, as far as it could be assembled.
    pub chain: Chain,
    /// The file of the key that matches.
    pub key_path: Option<PathBuf>,
    pub findings: Vec<Finding>,
    /// The lowest severity that makes it wrong: error, or warning with `--strict`.
    pub wrong_from: Severity,
    /// The hosts that it must be valid for.
    pub hosts: Vec<String>,
    /// The source of the trust anchors.
    pub trust: TrustSource,
    /// What the server sent; none for a file.
    pub seen: Option<HostCertificates>,
}

impl VerifiedCertificate {
    pub(super) fn is_right(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity < self.wrong_from)
    }

    pub(super) fn json(&self) -> Value {
        let mut document = json!({
            "file": self.file,
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "key_path": self.key_path.as_deref().map(report::path_text),
            "not_after": report::expiry_json(self.chain.leaf().not_after),
            "chain": report::chain_json(&self.chain),
            "findings": self.findings,
        });
        if let (Some(seen), Value::Object(fields)) = (&self.seen, &mut document) {
            fields.insert("addresses".to_owned(), json!(seen.addresses));
            fields.insert("protocol".to_owned(), json!(seen.protocol));
            fields.insert("offers".to_owned(), json!(inputs::offer_names()));
        }
        document
    }

    /// `x.pem: example.com, expires 2027-06-10; matches example.com.key; 1 intermediate; trusted by
    /// Mozilla's list of 2026-10-19`.
    pub(super) fn in_words(&self) -> String {
        let mut words = format!(
            "{}: {}",
            self.file,
            report::certificate_in_words(self.chain.leaf())
        );
        if let Some(path) = &self.key_path {
            words.push_str(&format!("; matches {}", path.display()));
        }
        if let Some(seen) = &self.seen {
            let algorithm = self.chain.leaf().algorithm;
            words.push_str(&format!("; {}, {algorithm} key", seen.protocol));
            words.push_str(&format!("; {}", inputs::OFFERS_IN_WORDS));
        }
        let intermediates = report::intermediates_in_words(&self.chain);
        words.push_str(&format!("; {intermediates}"));
        let has_errors = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        if !self.is_right() && !has_errors {
            words.push_str("; refused because `--strict` treats warnings as errors");
        }
        if self.is_right() {
            words.push_str(&format!("; trusted by {}", self.trust));
            if !self.hosts.is_empty() {
                words.push_str(&format!("; covers {}", self.hosts.join(", ")));
            }
        }
        words
    }
}
