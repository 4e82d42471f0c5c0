//! The outcome of `revoke`, as text and as JSON.

use serde_json::{Value, json};

use super::candidates::RevocableCertificate;
use crate::acme::ca_table::AcmeChoice;
use crate::acme::revocation_reason::RevocationReason;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::outcome::show_problems;
use crate::pki::certificate::Certificate;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::wording::day;

/// What became of one certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RevocationResult {
    /// The account has revoked it.
    ByAccount,
    /// It was revoked with its own key.
    ByOwnKey,
    /// The CA says that it was revoked before.
    Earlier,
    Planned,
    Refused,
    /// The CA did not do it.
    Failed,
}

impl RevocationResult {
    /// The word in JSON.
    fn word(self) -> &'static str {
        match self {
            Self::ByAccount => "by-account",
            Self::ByOwnKey => "by-certificate-key",
            Self::Earlier => "revoked-earlier",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::ByAccount => "revoked by the account at the CA",
            Self::ByOwnKey => "revoked with the key of the certificate",
            Self::Earlier => "was revoked before",
            Self::Planned => "would be revoked",
            Self::Refused => "is not revoked",
            Self::Failed => "could not be revoked",
        }
    }

    fn is_new(self) -> bool {
        matches!(self, Self::ByAccount | Self::ByOwnKey)
    }
}

/// A certificate, and what became of it.
#[derive(Debug)]
pub(super) struct RevokedCertificate {
    pub leaf: Certificate,
    pub result: RevocationResult,
}

/// The outcome of `revoke`.
#[derive(Debug)]
pub(crate) struct RevokeOutcome {
    name: String,
    ca: String,
    directory: String,
    reason: &'static str,
    pub(super) certificates: Vec<RevokedCertificate>,
    pub(super) findings: Vec<Finding>,
    exit_code: u8,
}

impl RevokeOutcome {
    pub(super) fn new(name: &str, ca: &AcmeChoice, reason: RevocationReason) -> Self {
        Self {
            name: name.to_owned(),
            ca: ca.title().to_owned(),
            directory: ca.directory().to_owned(),
            reason: reason.word(),
            certificates: Vec::new(),
            findings: Vec::new(),
            exit_code: 0,
        }
    }

    /// Nothing is revoked.
    pub(super) fn refuse(&mut self, certificates: Vec<RevocableCertificate>) {
        self.exit_code = 1;
        self.end_all(certificates, RevocationResult::Refused);
    }

    /// A dry run.
    pub(super) fn plan(&mut self, certificates: Vec<RevocableCertificate>) {
        self.end_all(certificates, RevocationResult::Planned);
    }

    fn end_all(&mut self, certificates: Vec<RevocableCertificate>, result: RevocationResult) {
        for certificate in certificates {
            self.certificates.push(RevokedCertificate {
                leaf: certificate.leaf,
                result,
            });
        }
    }

    /// One certificate could not be revoked, after another one was.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.exit_code = failure.kind.exit_code();
        self.findings
            .push(failure.into_finding("revocation-failed"));
    }

    fn verdict(&self) -> &'static str {
        for certificate in &self.certificates {
            match certificate.result {
                RevocationResult::Planned => return "planned",
                RevocationResult::Refused => return "refused",
                _ => {}
            }
        }
        "revoked"
    }

    fn certificates_json(&self) -> Vec<Value> {
        let mut listed = Vec::new();
        for one in &self.certificates {
            let leaf = &one.leaf;
            listed.push(json!({
                "name": self.name,
                "serial": leaf.serial,
                "names": leaf.dns_names,
                "not_before": leaf.not_before,
                "not_after": leaf.not_after,
                "sha256": leaf.sha256(),
                "result": one.result.word(),
            }));
        }
        listed
    }

    fn summary(&self) -> String {
        match self.verdict() {
            "planned" => "dry run: nothing was revoked".to_owned(),
            "refused" => "nothing was revoked".to_owned(),
            _ => format!(
                "{} has revoked it; clients learn of it through the CA's CRL",
                self.ca
            ),
        }
    }
}

/// A certificate as people compare it with the CA's console.
fn in_words(one: &RevokedCertificate) -> String {
    let leaf = &one.leaf;
    format!(
        "serial {}: {}, {} to {}: {}",
        leaf.serial,
        leaf.dns_names.join(", "),
        day(leaf.not_before),
        day(leaf.not_after),
        one.result.in_words()
    )
}

impl Outcome for RevokeOutcome {
    fn json(&self) -> Value {
        let is_changed = self.certificates.iter().any(|one| one.result.is_new());
        let mut document = json!({
            "schema": "certctl.revoke/1",
            "verdict": self.verdict(),
            "changed": is_changed,
            "certificates": self.certificates_json(),
            "ca": self.ca,
            "directory": self.directory,
            "reason": self.reason,
            "findings": self.findings,
            "next": [],
        });
        if self.verdict() == "planned" {
            let dry_run = DryRunSummary {
                would_change: true,
                plan_id: report::plan_id(document.clone()),
            };
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        let label = match self.verdict() {
            "planned" => Label::Plan,
            _ => Label::Found,
        };
        for one in &self.certificates {
            text.add(label, in_words(one));
        }
        if self.verdict() == "refused" {
            return show_problems(text, &self.findings, &[], |text| {
                text.add(Label::Done, self.summary());
            });
        }
        text.add_findings(&self.findings);
        text.add(Label::Done, self.summary());
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }
}
