//! The plan of the install before anything is ordered, with a certificate that exists only in memory:
//! what could not be installed is not ordered.
//!
//! The certificate has the names of the order and a lifetime of 90 days. It is signed by a CA that exists
//! only during this call, and neither of them is written anywhere: the transaction is a dry run.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::spec::OrderSpec;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::outcome::TransactionOutcome;
use crate::install::request::{InstallGoal, InstallRequest, RunMode};
use crate::install::transaction;
use crate::install_plan::allow::ENDS_EARLIER;
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::CertifiedKey;
use crate::pki::chain::{ChainCriteria, ChainPreference};
use crate::pki::installable::InstallableCertificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::trust::TrustAnchors;
use crate::pki::verify::{VerifiedChain, VerifyPolicy, assemble_chain};
use crate::probe::ProbePatience;
use crate::store::settings::LineageSettings;

/// The lifetime of the certificate in memory, that of most ACME certificates.
const DAYS: i64 = 90;

/// Returns what the install would do.
pub(super) fn plan_install(
    context: &Context,
    spec: &OrderSpec,
    flags: LineageSettings,
) -> Result<TransactionOutcome, Failure> {
    let certified = stand_in(spec, context.now())?.into();
    let request = install_request(spec, &certified, flags, RunMode::DryRun);
    transaction::run(context, &request)
}

/// The request of the install.
pub(super) fn install_request<'a>(
    spec: &OrderSpec,
    certified: &'a InstallableCertificate,
    flags: LineageSettings,
    mode: RunMode,
) -> InstallRequest<'a> {
    let mut allow = spec.deployment.allow.clone();
    // A new certificate may be of a shorter kind than the one that is installed.
    allow.push(ENDS_EARLIER);
    InstallRequest {
        stem: spec.name.clone(),
        goal: InstallGoal::Install(certified),
        flags,
        allow,
        lock_timeout: spec.deployment.lock_wait,
        patience: ProbePatience::default(),
        mode,
        approved: None,
    }
}

/// A certificate for the names, from a CA that exists only here.
fn stand_in(spec: &OrderSpec, now: Timestamp) -> Result<CertifiedKey, Failure> {
    let failed = |what: &str| Failure::new(FailureKind::Internal, what.to_owned());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let signed = sign(spec, &key, now);
    let signed =
        signed.map_err(|error| failed("cannot make a certificate").because(error.to_string()))?;
    let root = Certificate::from_der(signed.root.as_slice());
    let leaf = Certificate::from_der(signed.leaf.as_slice());
    let (Ok(root), Ok(leaf)) = (root, leaf) else {
        return Err(failed("cannot read a certificate that certctl has made"));
    };
    let anchors = TrustAnchors::from_certificates("the preflight", &[root]);
    let criteria = ChainCriteria {
        anchors: &anchors,
        at: now,
        prefer: ChainPreference::default(),
    };
    let policy = VerifyPolicy {
        hosts: &[],
        anchors: &anchors,
        at: now,
    };
    let chain = assemble_chain(&leaf, &[], criteria).chain;
    let chain = VerifiedChain::new(chain, policy);
    let chain = chain.map_err(|_| failed("the certificate of the preflight is not valid"))?;
    let certified = CertifiedKey::new(chain, key);
    certified.map_err(|_| failed("the key of the preflight does not fit"))
}

struct SignedStandIn {
    root: Vec<u8>,
    leaf: Vec<u8>,
}

fn sign(spec: &OrderSpec, key: &PrivateKey, now: Timestamp) -> Result<SignedStandIn, rcgen::Error> {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    let start = epoch + since(now - SignedDuration::from_hours(1));
    let end = epoch + since(now + SignedDuration::from_hours(24 * DAYS));
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.not_before = start;
    ca.not_after = end;
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(spec.name_texts())?;
    params.not_before = start;
    params.not_after = end;
    let leaf = params.signed_by(&KeyPair::try_from(key.pkcs8())?, &ca)?;
    Ok(SignedStandIn {
        root: ca.der().to_vec(),
        leaf: leaf.der().to_vec(),
    })
}
