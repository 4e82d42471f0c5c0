//! `certctl renew`: renews each certificate that is due. Those that were ordered are ordered again and
//! installed; for the others a new request is prepared, and servers keep their certificate until the
//! new one is installed.

mod alternatives;
mod args;
mod attempt;
mod batch;
mod earlier_tries;
mod failed;
mod folders;
mod new_request;
mod ordered;
mod outcome;
mod previous;
mod reorder;
mod select;
mod tlsa_check;

pub(crate) use self::args::RenewArgs;
use self::batch::RenewalBatch;
pub(crate) use self::outcome::RenewOutcome;
use self::select::DueSelection;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request;

/// Renews each certificate that is due or named. A failure for one of several is reported, and the
/// others are renewed.
///
/// # Errors
/// When a name is unknown, all renewals failed, or a signal ended one.
pub(crate) fn run(context: &Context, args: &RenewArgs) -> Result<RenewOutcome, Failure> {
    request::refuse_at_option(context, args.mode())?;
    let args = &RenewArgs {
        renew_before: Some(context.renew_before(args.renew_before)?),
        ..args.clone()
    };
    let DueSelection {
        rows,
        not_due,
        findings,
    } = select::select_due(context, args)?;
    let mut batch = RenewalBatch::new(context, args, not_due)?;
    for row in &rows {
        batch.renew(row)?;
    }
    batch.finish(findings)
}
