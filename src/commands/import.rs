//! `certctl import`: takes over certificates that another ACME client has ordered. Certificate and key are
//! installed like any other, and how they are renewed is saved; nothing is ordered.

mod account;
mod args;
mod outcome;
mod take_over;

pub(crate) use self::args::ImportArgs;

pub(crate) use self::outcome::ImportOutcome;
use self::take_over::LineageImport;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::foreign_lineages::{ForeignLineage, LineageSelection, find_lineages};
use crate::install::request::refuse_at_option;

/// Takes over the certificates. A failure for one of several is reported, and the others are taken over.
///
/// # Errors
/// When there is no such certificate, the only one cannot be taken over, or a signal arrives.
pub(crate) fn run(context: &Context, args: &ImportArgs) -> Result<ImportOutcome, Failure> {
    refuse_at_option(context, args.mode())?;
    let listening = context.interrupt.listen();
    listening.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let selection = LineageSelection {
        tool: args.tool,
        from: args.from.as_deref(),
        names: &args.names,
    };
    let lineages = find_lineages(context, &selection)?;
    let mut outcome = ImportOutcome::new(args.tool, args.mode());
    for lineage in &lineages {
        match LineageImport::new(context, args, lineage).carry_out() {
            Ok(imported) => outcome.imported.push(imported),
            Err(failure) if is_final(&lineages, &failure) => return Err(failure),
            Err(failure) => outcome.fail(lineage, failure),
        }
    }
    Ok(outcome)
}

/// Returns whether a failure ends the command.
fn is_final(lineages: &[ForeignLineage], failure: &Failure) -> bool {
    lineages.len() == 1 || matches!(failure.kind, FailureKind::Interrupted(_))
}
