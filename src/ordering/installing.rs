//! Installs the certificate that was issued, by the same transaction as `install`, and finishes the
//! order.

use super::challenge_records::remove_records;
use super::document::{OrderOutcome, OrderVerdict};
use super::folder_order::save_folder_order;
use super::issued::{IssuedCertificate, read_issued};
use super::journal::OrderJournal;
use super::order_run::OrderRun;
use super::preflight::install_request;
use super::spec::{InstallChoice, OrderTiming};
use super::waiting::WaitingInstall;
use crate::advice::renewal_timer::{self, TimerWork};
use crate::advice::{install_command, order as advice};
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::install::installed;
use crate::install::outcome::{InstallVerdict, TransactionOutcome};
use crate::install::request::RunMode;
use crate::install::transaction;
use crate::pki::installable::InstallableCertificate;
use crate::system::fs;
use crate::system::renewal_timer::find_renewal_timer;
use crate::wording::day;

/// Installs the certificate of a journaled order.
pub(super) fn install_issued(
    run: &OrderRun<'_>,
    mut journal: OrderJournal<'_>,
    mut findings: Vec<Finding>,
) -> Result<OrderOutcome, Failure> {
    findings.extend(remove_records(run, &mut journal)?);
    let files = journal.files();
    let trust = trust_of(run)?;
    let issued = read_issued(run.context, run.spec, &files, trust.as_deref())?;
    let mut outcome = OrderOutcome::new(run.spec, OrderVerdict::Installed);
    outcome.order.clone_from(&journal.entry.order);
    outcome.not_after = Some(issued.leaf.not_after);
    outcome.findings = findings;
    outcome.findings.extend(issued.findings.iter().cloned());
    outcome.summary = format!(
        "the certificate of {}, expires {}",
        run.spec.ca.title(),
        day(issued.leaf.not_after)
    );
    outcome.steps = vec![format!(
        "{}, {}, {}",
        files.key.display(),
        files.request.display(),
        files.chain.display()
    )];
    outcome.files = Some(files);
    finish(run, journal, issued, outcome)
}

/// Installs or keeps the certificate, unless it is refused.
fn finish(
    run: &OrderRun<'_>,
    mut journal: OrderJournal<'_>,
    issued: IssuedCertificate,
    mut outcome: OrderOutcome,
) -> Result<OrderOutcome, Failure> {
    match (issued.certified, run.spec.install) {
        (None, _) => {
            journal.record_refusal()?;
            outcome.next.push(another_order(run));
            outcome.verdict = OrderVerdict::Refused;
            outcome.exit_code = 1;
            "the certificate was issued and is kept; it was not installed"
                .clone_into(&mut outcome.summary);
            Ok(outcome)
        }
        (Some(_), InstallChoice::FilesOnly) => keep_files(run, journal, outcome),
        (Some(certified), InstallChoice::Install) => install(run, journal, &certified, outcome),
        (Some(certified), InstallChoice::Together) => {
            let flags = run.flags(Some(&journal));
            let waiting = WaitingInstall { certified, flags };
            outcome.waiting = Some(Box::new(waiting));
            Ok(outcome)
        }
    }
}

/// Leaves the certificate in its file.
fn keep_files(
    run: &OrderRun<'_>,
    journal: OrderJournal<'_>,
    mut outcome: OrderOutcome,
) -> Result<OrderOutcome, Failure> {
    outcome.verdict = OrderVerdict::Issued;
    outcome.summary = format!("{}; it was not installed", outcome.summary);
    let words = run.context.command_words("install");
    let chain = journal.entry.chain.display().to_string();
    outcome.next.push(advice::install_later(&words, &chain));
    let order = run.stored_order(Some(&journal));
    save_folder_order(fs::files::parent(&journal.entry.chain), run.spec, order)?;
    journal.finish()?;
    Ok(outcome)
}

/// Runs the transaction of `install`. The order is finished once the files are in place.
fn install(
    run: &OrderRun<'_>,
    mut journal: OrderJournal<'_>,
    certified: &InstallableCertificate,
    mut outcome: OrderOutcome,
) -> Result<OrderOutcome, Failure> {
    let flags = run.flags(Some(&journal));
    let request = install_request(run.spec, certified, flags, RunMode::Run);
    let transaction = transaction::run(run.context, &request)?;
    let is_finished = add_transaction(run.context, &mut outcome, transaction);
    if is_finished {
        journal.finish()?;
        outcome.next.extend(missing_timer(run));
    } else {
        journal.record_refusal()?;
    }
    Ok(outcome)
}

/// How to order another certificate instead of one that is refused.
fn another_order(run: &OrderRun<'_>) -> NextStep {
    let is_renewal = matches!(run.spec.timing, OrderTiming::Renewal(_));
    advice::order_another(is_renewal.then_some(&run.spec.name))
}

/// Adds the result of the transaction. Returns whether the files are in place.
pub(super) fn add_transaction(
    context: &Context,
    outcome: &mut OrderOutcome,
    transaction: TransactionOutcome,
) -> bool {
    if transaction.can_roll_back() {
        let root = context.root.as_deref();
        let undo = install_command::restore_previous(root, &transaction.name);
        outcome.undo = Some(undo);
    }
    let is_finished = is_finished(transaction.verdict);
    outcome.transaction = Some(Box::new(transaction));
    if !is_finished {
        // The certificate is kept: the same command installs it without another order.
        outcome.next.push(advice::repeat_to_install());
    }
    is_finished
}

/// How to let this machine renew the certificate by itself. Under `--root` that is another machine.
fn missing_timer(run: &OrderRun<'_>) -> Option<NextStep> {
    let is_renewal = matches!(run.spec.timing, OrderTiming::Renewal(_));
    if run.context.root.is_some() || is_renewal {
        return None;
    }
    renewal_timer::start_timer(find_renewal_timer(), TimerWork::Order)
}

/// Returns whether the files are in place.
fn is_finished(verdict: InstallVerdict) -> bool {
    matches!(
        verdict,
        InstallVerdict::Files
            | InstallVerdict::Live
            | InstallVerdict::LiveIncomplete
            | InstallVerdict::NotServed
            | InstallVerdict::Unchanged
    )
}

/// The option of the command line, else the saved one.
fn trust_of(run: &OrderRun<'_>) -> Result<Option<String>, Failure> {
    if run.spec.trust.is_some() {
        return Ok(run.spec.trust.clone());
    }
    Ok(installed::read_settings(run.context, &run.spec.name)?.trust)
}

/// Writes the line of an order to the system's log.
pub(super) fn audit_order(run: &OrderRun<'_>, result: &str, order: Option<&str>) {
    let event = AuditEvent {
        action: AuditAction::Order,
        subject: &run.spec.name,
        result,
        before: None,
        after: order,
        key_id: None,
        proof: run.spec.ca.directory(),
    };
    // The order exists whether or not the system's log has it.
    let _ = audit::record(run.context, &event);
}
