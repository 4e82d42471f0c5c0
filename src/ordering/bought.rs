//! Orders with a certificate that is bought from a reseller. The reseller's state decides what comes
//! next, and the journal knows of each call that cannot be undone before it is sent:
//!
//! | killed | the next run |
//! |---|---|
//! | before the purchase, or the call was refused | starts again |
//! | during the purchase | buys nothing; lists the unused certificates that are new in the account |
//! | during the activation | asks for the state; activates only if the certificate is still unused |
//! | during the reissue | looks in the account for a certificate with this request; reissues only if none has it |
//! | later | publishes the same record, asks for the state, downloads |

mod bought_order;
mod client;
mod followed;
mod judgement;
mod purchase;
mod records;

use self::bought_order::BoughtOrder;
use self::client::open_client;
use self::purchase::ChosenPurchase;
use super::caa_check::check_identities;
use super::document::OrderOutcome;
use super::journal::OrderJournal;
use super::new_files::prepare_files;
use super::order_run::{OrderRun, has_error};
use super::spec::ValidationSetup;
use crate::advice::namecheap as advice;
use crate::dcv::ca::Ca;
use crate::failure::Failure;
use crate::install::request::RunMode;
use crate::pki::key::KeyAlgorithm;
use crate::state::JournaledPurchase;

/// Checks what the reseller needs, then orders; `planned` is the outcome of a dry run.
pub(super) fn begin_bought(
    run: &OrderRun<'_>,
    mut planned: OrderOutcome,
    algorithm: KeyAlgorithm,
) -> Result<OrderOutcome, Failure> {
    check_method(run)?;
    let client = open_client(run.context, run.spec)?;
    let chosen = purchase::choose(run, &client)?;
    if let ChosenPurchase::Unusable(finding) = chosen {
        return Ok(run.refused(vec![finding]));
    }
    if run.spec.email().is_none() && chosen.needs_email() {
        return Err(advice::email_missing());
    }
    let findings = check_identities(run, &caa_identities(), "")?;
    if has_error(&findings) {
        return Ok(run.refused(findings));
    }
    if run.spec.mode == RunMode::DryRun {
        planned.steps.truncate(1);
        planned.steps.push(chosen.planned_step(run.spec));
        planned.findings.extend(findings);
        return Ok(planned);
    }
    let journal = begin_journal(run, &chosen, algorithm)?;
    BoughtOrder::new(run, client, journal, findings)?.carry_out()
}

/// Writes key and request, and the entry of the order.
fn begin_journal<'a>(
    run: &OrderRun<'a>,
    chosen: &ChosenPurchase,
    algorithm: KeyAlgorithm,
) -> Result<OrderJournal<'a>, Failure> {
    let files = prepare_files(run.context, run.spec, algorithm)?;
    let directory = run.spec.ca.directory();
    let mut journal = OrderJournal::begin(run.state, run.spec, directory, files)?;
    let certificate = chosen.id().map(|id| id.to_string());
    journal.entry.purchase = Some(JournaledPurchase::chosen(certificate));
    journal.write()?;
    Ok(journal)
}

/// Continues an order.
pub(super) fn resume_bought<'a>(
    run: &'a OrderRun<'a>,
    journal: OrderJournal<'a>,
) -> Result<OrderOutcome, Failure> {
    check_method(run)?;
    let client = open_client(run.context, run.spec)?;
    BoughtOrder::new(run, client, journal, Vec::new())?.carry_out()
}

/// A reseller validates by a record here: its validation file is not one of ACME.
fn check_method(run: &OrderRun<'_>) -> Result<(), Failure> {
    match run.spec.method {
        ValidationSetup::Records(_) | ValidationSetup::Manual => Ok(()),
        ValidationSetup::Files(_) | ValidationSetup::Listener(_) => Err(advice::only_records()),
    }
}

/// How CAA records name the CAs behind the reseller.
fn caa_identities() -> Vec<String> {
    let mut identities = Vec::new();
    for issuer in Ca::Namecheap.profile().issuers {
        identities.extend(issuer.caa_identities.iter().map(|one| (*one).to_owned()));
    }
    identities
}
