//! Installs the certificates of several orders in one transaction: each server is tested and reloaded once.

use super::document::OrderOutcome;
use super::installing::add_transaction;
use super::journal::OrderJournal;
use super::preflight::install_request;
use super::spec::OrderSpec;
use super::waiting::WaitingInstall;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::outcome::{InstallVerdict, TransactionOutcome};
use crate::install::request::{InstallRequest, RunMode};
use crate::install::transaction;
use crate::state::StateFolder;

/// An order whose certificate waits for its install.
pub(crate) struct OrderToInstall<'a> {
    pub spec: &'a OrderSpec,
    pub outcome: &'a mut OrderOutcome,
}

/// How the install of one certificate ended.
type InstallResult = Result<TransactionOutcome, Failure>;

/// Installs what waits. If several are rolled back, because one of them kept a server from reloading, they
/// are installed one after the other, so that only the cause of it is left. Returns a failure for each order
/// that has one.
///
/// # Errors
/// When a signal arrives. The next run continues the orders.
pub(crate) fn install_together(
    context: &Context,
    orders: &mut [OrderToInstall<'_>],
) -> Result<Vec<Option<Failure>>, Failure> {
    let mut waiting = Vec::new();
    for order in orders.iter_mut() {
        waiting.push(order.outcome.waiting.take());
    }
    let mut requests = Vec::new();
    for (order, waiting) in orders.iter().zip(&waiting) {
        if let Some(waiting) = waiting {
            requests.push(request(order.spec, waiting));
        }
    }
    let mut results = run_all(context, &requests)?.into_iter();
    let state = StateFolder::find(context.root.as_deref())?;
    let mut failures = Vec::new();
    for (order, waiting) in orders.iter_mut().zip(&waiting) {
        let result = waiting.as_ref().and_then(|_| results.next());
        failures.push(match result {
            Some(result) => conclude(context, &state, order, result).err(),
            None => None,
        });
    }
    Ok(failures)
}

fn request<'a>(spec: &OrderSpec, waiting: &'a WaitingInstall) -> InstallRequest<'a> {
    let flags = waiting.flags.clone();
    install_request(spec, &waiting.certified, flags, RunMode::Run)
}

/// Runs the requests together; if several are rolled back, these one after the other. If none of them
/// could start, that is the result of each.
fn run_all(
    context: &Context,
    requests: &[InstallRequest<'_>],
) -> Result<Vec<InstallResult>, Failure> {
    let mut results = match transaction::run_all(context, requests) {
        Ok(results) => results,
        Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => {
            return Err(failure);
        }
        Err(failure) => {
            let each = requests.iter().map(|_| Err(failure.clone()));
            return Ok(each.collect());
        }
    };
    let rolled_back = results.iter().filter(|result| is_rolled_back(result));
    if rolled_back.count() < 2 {
        return Ok(results);
    }
    for (request, result) in requests.iter().zip(&mut results) {
        if is_rolled_back(result) {
            *result = transaction::run(context, request);
        }
    }
    Ok(results)
}

fn is_rolled_back(result: &InstallResult) -> bool {
    let outcome = result.as_ref().ok();
    outcome.is_some_and(|outcome| outcome.verdict == InstallVerdict::RolledBack)
}

/// Adds the result to the order, which ends if the files are in place.
fn conclude(
    context: &Context,
    state: &StateFolder,
    order: &mut OrderToInstall<'_>,
    result: InstallResult,
) -> Result<(), Failure> {
    let is_finished = add_transaction(context, order.outcome, result?);
    let journal = OrderJournal::resume(state, &order.spec.name)?;
    match journal {
        Some(journal) if is_finished => journal.finish(),
        Some(mut journal) => journal.record_refusal(),
        None => Ok(()),
    }
}
