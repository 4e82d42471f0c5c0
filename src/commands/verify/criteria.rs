//! What is judged by, and one judgement.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::advice::pki::lint_finding;
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
    /// Warnings refuse too, and the rules for public CAs hold for all.
    Strict,
    /// Errors refuse.
    Usual,
}

/// What everything is judged by.
#[derive(Clone, Copy)]
pub(super) struct VerifyCriteria<'a> {
    policy: VerifyPolicy<'a>,
    scope: TrustScope,
    /// What makes it wrong.
    bar: Severity,
}

impl<'a> VerifyCriteria<'a> {
    pub(super) fn new(
        at: Timestamp,
        rules: Strictness,
        anchors: &'a TrustAnchors,
        hosts: &'a [String],
    ) -> Self {
        let (scope, bar) = match rules {
            Strictness::Strict => (TrustScope::Public, Severity::Warning),
            Strictness::Usual => (anchors.source().scope(), Severity::Error),
        };
        Self {
            policy: VerifyPolicy { hosts, anchors, at },
            scope,
            bar,
        }
    }

    pub(super) fn wanted(&self) -> ChainCriteria<'a> {
        ChainCriteria {
            anchors: self.policy.anchors,
            at: self.policy.at,
            prefer: ChainPreference::default(),
        }
    }

    /// What is wrong with a chain, and with what is sent beside it; `bag` is all that it was made
    /// of.
    pub(super) fn findings(
        &self,
        chain: &Chain,
        served: &[Certificate],
        bag: &[Certificate],
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = verify::problems(chain, self.policy)
            .iter()
            .map(Finding::from)
            .collect();
        findings.extend(
            lint::lints(chain)
                .iter()
                .map(|lint| lint_finding(lint, self.scope)),
        );
        findings.extend(
            served
                .iter()
                .filter_map(lint::outdated)
                .map(|outdated| Finding::from(&outdated)),
        );
        findings.extend(inputs::second_opinion(chain, bag, self.wanted()));
        findings
    }

    pub(super) fn verified(
        &self,
        file: String,
        chain: Chain,
        findings: Vec<Finding>,
    ) -> VerifiedCertificate {
        let (hosts, trust) = (
            self.policy.hosts.to_vec(),
            self.policy.anchors.source().clone(),
        );
        VerifiedCertificate {
            file,
            chain,
            key_path: None,
            findings,
            bar: self.bar,
            hosts,
            trust,
            seen: None,
        }
    }
}

/// One certificate with what was found about it.
#[derive(Debug)]
pub(crate) struct VerifiedCertificate {
    /// The file that was judged.
    pub file: String,
    /// The chain as far as it leads.
    pub chain: Chain,
    /// The key that fits and its file.
    pub key_path: Option<PathBuf>,
    pub findings: Vec<Finding>,
    /// What makes it wrong: errors, with `--strict` warnings too.
    pub bar: Severity,
    /// The hosts that it must be for.
    pub hosts: Vec<String>,
    /// Whose roots were believed.
    pub trust: TrustSource,
    /// Where it came from a server: what that sent.
    pub seen: Option<HostCertificates>,
}

impl VerifiedCertificate {
    pub(super) fn is_right(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity < self.bar)
    }

    pub(super) fn json(&self) -> Value {
        let mut document = json!({
            "file": self.file,
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "key_path": self.key_path.as_deref().map(report::shown),
            "not_after": self.chain.leaf().not_after,
            "chain": report::chain_json(&self.chain),
        });
        if let (Some(seen), Value::Object(fields)) = (&self.seen, &mut document) {
            fields.insert("addresses".to_owned(), json!(seen.addresses));
            fields.insert("protocol".to_owned(), json!(seen.protocol));
        }
        document
    }

    /// `x.pem: example.com, until 2027-06-10; fits example.com.key; 1 intermediate; trusted by Mozilla's list`.
    pub(super) fn in_words(&self) -> String {
        let mut words = format!("{}: {}", self.file, report::in_words(self.chain.leaf()));
        if let Some(path) = &self.key_path {
            words.push_str(&format!("; fits {}", path.display()));
        }
        if let Some(seen) = &self.seen {
            words.push_str(&format!("; {}", seen.protocol));
        }
        words.push_str(&format!(
            "; {}",
            report::intermediates_in_words(&self.chain)
        ));
        if self.is_right() {
            words.push_str(&format!("; trusted by {}", self.trust));
            if !self.hosts.is_empty() {
                words.push_str(&format!("; good for {}", self.hosts.join(", ")));
            }
        }
        words
    }
}
