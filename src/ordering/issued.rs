//! The certificate that the CA has issued: read from its file and verified as `install` does.

use jiff::Timestamp;

use super::spec::{OrderFiles, OrderSpec};
use crate::advice::order as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::folder::read_file;
use crate::inputs::{
    self, DeliveryOptions, InputReader, KeyUse, MatchedCertificate, NamedKeyOrigin, PasswordArgs,
};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::CertifiedKey;
use crate::pki::chain::ChainPreference;
use crate::pki::installable::InstallableCertificate;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{VerifiedChain, VerifyPolicy};
use crate::system::fs::folders;

/// The certificate that the CA has issued.
pub(super) struct IssuedCertificate {
    pub leaf: Certificate,
    /// With its key; `None` if it is refused.
    pub certified: Option<InstallableCertificate>,
    pub findings: Vec<Finding>,
}

/// Returns whether the certificate in the files of an order has expired. One that cannot be read has not.
pub(super) fn has_expired(files: &OrderFiles, now: Timestamp) -> bool {
    let delivery = read_file(&files.chain).ok();
    let leaf = delivery.and_then(|read| read.clone_certificates().into_iter().next());
    leaf.is_some_and(|leaf| leaf.not_after < now)
}

/// Reads and verifies the certificate in the files of an order.
pub(super) fn read_issued(
    context: &Context,
    spec: &OrderSpec,
    files: &OrderFiles,
    trust: Option<&str>,
) -> Result<IssuedCertificate, Failure> {
    let anchors = inputs::trust_anchors(trust)?;
    let reader = InputReader::new(context, &PasswordArgs::default())?;
    let options = DeliveryOptions {
        key: Some(&files.key),
        key_origin: NamedKeyOrigin::User,
        csr: None,
        anchors: &anchors,
        prefer: ChainPreference::default(),
        aia: None,
        reader: &reader,
        key_use: KeyUse::Installing,
    };
    let chain = folders::absolute(&files.chain)?.display().to_string();
    let mut matched = inputs::match_delivery(context, &[chain], &options)?;
    let Some(matched) = matched.pop() else {
        return Err(advice::no_certificate_issued(&spec.name));
    };
    Ok(verify(context, matched, &anchors))
}

/// Verifies a certificate with its key, as `install` does.
pub(super) fn verify(
    context: &Context,
    matched: MatchedCertificate,
    anchors: &TrustAnchors,
) -> IssuedCertificate {
    let policy = VerifyPolicy {
        hosts: &[],
        anchors,
        at: context.now(),
    };
    let leaf = matched.leaf().clone();
    let problems = matched.problems(policy);
    let mut findings = matched.findings;
    for problem in &problems {
        let finding = Finding::from(problem);
        findings.retain(|known| known.code != finding.code);
        findings.push(finding);
    }
    let has_error = |finding: &Finding| finding.severity == Severity::Error;
    let mut certified = None;
    if !findings.iter().any(has_error)
        && let Some((_, key)) = matched.key
        && let Ok(chain) = VerifiedChain::new(matched.assembly.chain, policy)
    {
        match CertifiedKey::new(chain, key) {
            Ok(verified) => certified = Some(verified.into()),
            Err(problem) => findings.push(Finding::from(&problem)),
        }
    }
    IssuedCertificate {
        leaf,
        certified,
        findings,
    }
}
