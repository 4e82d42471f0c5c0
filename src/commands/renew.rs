//! `certctl renew`: prepares a new request for each certificate that is due. Servers keep their
//! certificate until the new one is installed.

mod args;
mod attempt;
mod folders;
mod new_request;
mod outcome;
mod previous;
mod select;

pub(crate) use self::args::RenewArgs;
use self::folders::RequestFolders;
use self::outcome::FailedRenewal;
pub(crate) use self::outcome::RenewOutcome;
use self::select::DueSelection;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::{self, RunMode};
use crate::scan::newer::UnservedCertificates;

/// Prepares the renewal of each certificate that is due or named. A failure for one of several is
/// reported, and the others are prepared.
///
/// # Errors
/// When a name is unknown, or no renewal could be prepared.
pub(crate) fn run(context: &Context, args: &RenewArgs) -> Result<RenewOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    request::refuse_at_option(context, mode)?;
    let args = &RenewArgs {
        renew_before: Some(context.renew_before(args.renew_before)?),
        ..args.clone()
    };
    let DueSelection {
        rows,
        not_due,
        findings,
    } = select::select_due(context, args)?;
    let mut folders = RequestFolders::default();
    let unserved = UnservedCertificates::default();
    let mut attempts = Vec::new();
    let mut failed = Vec::new();
    for row in &rows {
        match attempt::prepare_renewal(context, args, row, &mut folders, &unserved) {
            Ok(attempt) => attempts.push(attempt),
            Err(failure) => failed.push(FailedRenewal {
                name: row.name.clone(),
                failure,
            }),
        }
    }
    match failed.split_first() {
        Some((first, others)) if attempts.is_empty() => Err(all_failed(first, others)),
        _ => Ok(RenewOutcome::new(mode, attempts, failed, not_due, findings)),
    }
}

fn all_failed(first: &FailedRenewal, others: &[FailedRenewal]) -> Failure {
    let mut failure = first.failure.clone();
    for other in others {
        failure = failure.because(format!(
            "the renewal of {} could not be prepared either: {}",
            other.name, other.failure.message
        ));
    }
    failure
}
