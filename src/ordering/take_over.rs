//! Installs a certificate that another program has ordered, and saves how it is renewed.

use super::document::{OrderOutcome, OrderVerdict};
use super::issued::verify;
use super::preflight::install_request;
use super::publisher::open_publisher;
use super::run::check_names;
use super::spec::OrderSpec;
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::MatchedCertificate;
use crate::install::outcome::TransactionOutcome;
use crate::install::request::RunMode;
use crate::install::transaction;
use crate::pki::installable::InstallableCertificate;
use crate::pki::trust::TrustAnchors;
use crate::state::StateFolder;
use crate::store::settings::{ImportedOrder, LineageSettings, StoredOrder};
use crate::system::fs::lock::FileLock;

/// A certificate of another program.
pub(crate) struct TakenOverCertificate<'a> {
    pub origin: ImportedOrder,
    /// With its key.
    pub matched: MatchedCertificate,
    pub anchors: &'a TrustAnchors,
}

/// Installs the certificate by the transaction of `install`; nothing is ordered.
///
/// # Errors
/// When the method cannot validate a name, credentials are missing, another certctl orders the same
/// certificate, or a signal arrives.
pub(crate) fn take_over(
    context: &Context,
    spec: &OrderSpec,
    source: TakenOverCertificate<'_>,
) -> Result<OrderOutcome, Failure> {
    check_names(spec)?;
    // The credentials of the DNS provider are complete.
    drop(open_publisher(context, spec)?);
    let _lock = lock(context, spec)?;
    let issued = verify(context, source.matched, source.anchors);
    let mut outcome = OrderOutcome::new(spec, OrderVerdict::Installed);
    outcome.not_after = Some(issued.leaf.not_after);
    outcome.findings = issued.findings;
    let Some(certified) = issued.certified else {
        outcome.verdict = OrderVerdict::Refused;
        outcome.exit_code = 1;
        "the certificate was not taken over".clone_into(&mut outcome.summary);
        return Ok(outcome);
    };
    if spec.mode == RunMode::DryRun {
        outcome.verdict = OrderVerdict::Planned;
        "dry run: nothing was changed".clone_into(&mut outcome.summary);
    }
    let flags = saved_options(spec, source.origin);
    let transaction = install(context, spec, &certified, flags)?;
    outcome.transaction = Some(Box::new(transaction));
    Ok(outcome)
}

/// Makes sure that no other certctl orders the same certificate; a dry run does not wait.
fn lock(context: &Context, spec: &OrderSpec) -> Result<Option<FileLock>, Failure> {
    if spec.mode != RunMode::Run {
        return Ok(None);
    }
    let state = StateFolder::find(context.root.as_deref())?;
    let wait = spec.deployment.lock_wait;
    let give_up = || context.interrupt.signal().is_some();
    let lock = state.lock_order(&spec.name, wait, give_up)?;
    Ok(Some(lock))
}

/// What is saved for the next renewal.
fn saved_options(spec: &OrderSpec, origin: ImportedOrder) -> LineageSettings {
    let order = StoredOrder {
        imported: Some(origin),
        ..spec.to_store()
    };
    LineageSettings {
        trust: spec.trust.clone(),
        order: Some(order),
        ..spec.deployment.flags.clone()
    }
}

fn install(
    context: &Context,
    spec: &OrderSpec,
    certified: &InstallableCertificate,
    flags: LineageSettings,
) -> Result<TransactionOutcome, Failure> {
    let mut request = install_request(spec, certified, flags, spec.mode);
    // One that is older than the installed one is not taken over.
    request.allow.clone_from(&spec.deployment.allow);
    transaction::run(context, &request)
}
