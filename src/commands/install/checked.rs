//! Verifies a selected certificate with its key, before the transaction.

use std::path::PathBuf;

use super::outcome::{CertificateOutcome, InstallResult};
use super::select::SelectedCertificate;
use crate::advice::matching::use_found_root;
use crate::context::Context;
use crate::finding::{Finding, Severity};
use crate::inputs::MatchedCertificate;
use crate::install::stored_roots::use_stored_root;
use crate::matching::MatchingRemark;
use crate::pki::certified_key::CertifiedKey;
use crate::pki::chain::OmissionReason;
use crate::pki::installable::InstallableCertificate;
use crate::pki::key::PrivateKey;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{VerifiedChain, VerifyPolicy};
use crate::store::layout::KeyStorage;
use crate::store::settings::LineageSettings;
use crate::wording::day;

/// A certificate before the transaction.
pub(super) struct CheckedCertificate {
    /// The file of its key, if the key was decrypted.
    pub decrypted_key: Option<PathBuf>,
    pub outcome: CertificateOutcome,
    /// The certificate with its key, unless they are refused.
    pub certified: Option<InstallableCertificate>,
    /// The folder, request and CA that it comes from.
    pub origin: LineageSettings,
}

/// Verifies a certificate with its key.
pub(super) fn check_certificate(
    context: &Context,
    selected: SelectedCertificate,
) -> CheckedCertificate {
    let SelectedCertificate {
        matched,
        anchors,
        key_storage,
        stem,
        origin,
        refusal,
    } = selected;
    let matched = match key_storage {
        KeyStorage::File => matched,
        KeyStorage::External => MatchedCertificate {
            key: None,
            ..matched
        },
    };
    let last = matched.assembly.chain.certificates().last().cloned();
    let mut description = describe(&matched);
    let approval = describe_approval(&matched, &anchors);
    let mut findings = matched.findings.clone();
    let key_path = matched.key.as_ref().map(|(path, _)| path.clone());
    let decrypted_key = key_path.filter(|_| has_code(&findings, "key-decrypted"));
    let certified = match refusal {
        Some(refusal) => Err(vec![refusal]),
        None => certify(context, matched, &anchors, key_storage),
    };
    let certified = match certified {
        Ok(certified) => {
            description = format!("{description}; {approval}");
            Some(certified)
        }
        Err(problems) => {
            add_problems(&mut findings, problems);
            use_stored_root(context, last.as_ref(), &mut findings);
            None
        }
    };
    CheckedCertificate {
        decrypted_key,
        outcome: CertificateOutcome {
            stem,
            description,
            findings,
            result: InstallResult::Refused,
            undo: None,
        },
        certified,
        origin,
    }
}

/// Adds the problems of a certificate, which replace findings with the same code.
fn add_problems(findings: &mut Vec<Finding>, problems: Vec<Finding>) {
    findings.retain(|known| !has_code(&problems, known.code));
    findings.extend(problems);
    use_found_root(findings);
}

/// Returns the verified certificate, with its key if that is a file; otherwise every problem that is not among the
/// findings yet.
fn certify(
    context: &Context,
    matched: MatchedCertificate,
    anchors: &TrustAnchors,
    key_storage: KeyStorage,
) -> Result<InstallableCertificate, Vec<Finding>> {
    let policy = VerifyPolicy {
        hosts: &[],
        anchors,
        at: context.now(),
    };
    let problems = matched.problems(policy);
    let known = &matched.findings;
    let has_error = !problems.is_empty() || has_error(known);
    let mut refusals: Vec<Finding> = problems.iter().map(Finding::from).collect();
    refusals.retain(|finding| !has_code(known, finding.code));
    let MatchedCertificate {
        assembly,
        key,
        no_key,
        ..
    } = matched;
    if key.is_none() && key_storage == KeyStorage::File && !has_error {
        refusals.extend(no_key.as_ref().map(missing_key));
        return Err(refusals);
    }
    if has_error {
        return Err(refusals);
    }
    let chain = match VerifiedChain::new(assembly.chain, policy) {
        Ok(chain) => chain,
        Err(problems) => return Err(problems.iter().map(Finding::from).collect()),
    };
    combine(chain, key.map(|(_, key)| key))
}

/// Combines a verified chain with its key, if that is a file.
fn combine(
    chain: VerifiedChain,
    key: Option<PrivateKey>,
) -> Result<InstallableCertificate, Vec<Finding>> {
    let Some(key) = key else {
        return Ok(InstallableCertificate::ChainAlone(chain));
    };
    match CertifiedKey::new(chain, key) {
        Ok(certified) => Ok(certified.into()),
        Err(problem) => Err(vec![Finding::from(&problem)]),
    }
}

fn has_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}

fn has_code(findings: &[Finding], code: &str) -> bool {
    findings.iter().any(|finding| finding.code == code)
}

/// Reports a missing key as an error; other commands only mention it.
fn missing_key(remark: &MatchingRemark) -> Finding {
    Finding {
        severity: Severity::Error,
        ..Finding::from(remark)
    }
}

/// `example.com, www.example.com, expires 2027-06-10`
fn describe(matched: &MatchedCertificate) -> String {
    let leaf = matched.leaf();
    let names = if leaf.dns_names.is_empty() {
        leaf.label()
    } else {
        leaf.dns_names.join(", ")
    };
    format!("{names}, expires {}", day(leaf.not_after))
}

/// `matches example.com.key; 1 intermediate, root omitted; trusted by Mozilla`: for a certificate
/// that is not refused.
fn describe_approval(matched: &MatchedCertificate, anchors: &TrustAnchors) -> String {
    let key = matched.key.as_ref().map_or_else(
        || "its key is not a file".to_owned(),
        |(path, _)| format!("matches {}", path.display()),
    );
    let intermediates = match matched.assembly.chain.intermediates().len() {
        0 => "no intermediate".to_owned(),
        1 => "1 intermediate".to_owned(),
        count => format!("{count} intermediates"),
    };
    let mut omissions = matched.assembly.omitted.iter();
    let root = if omissions.any(|(_, reason)| *reason == OmissionReason::Root) {
        ", root omitted"
    } else {
        ""
    };
    format!(
        "{key}; {intermediates}{root}; trusted by {}",
        anchors.source()
    )
}
