//! `certctl renew`: the next request for what is due. It is prepared, not renewed: servers go on
//! with the pair they have.

mod args;
mod folders;
mod outcome;
mod previous;
mod round;
mod select;

pub(crate) use self::args::RenewArgs;
use self::folders::RequestFolders;
pub(crate) use self::outcome::RenewOutcome;
use self::select::DueSelection;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::{self, RunMode};

/// Prepares the next round of each certificate that is due or named. What goes wrong with one of
/// several is told, and the others are prepared.
///
/// # Errors
/// Names that are not known; files that cannot be read or written, where that leaves nothing
/// prepared.
pub(crate) fn run(context: &Context, args: &RenewArgs) -> Result<RenewOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    request::judged_by_now(context, mode)?;
    let DueSelection {
        rows,
        waiting,
        findings,
    } = select::choose(context, args)?;
    let mut folders = RequestFolders::default();
    let (mut rounds, mut failures) = (Vec::new(), Vec::new());
    for row in &rows {
        match round::prepare(context, args, row, &mut folders) {
            Ok(round) => rounds.push(round),
            Err(failure) => failures.push((row.name.clone(), failure)),
        }
    }
    if let (true, Some(((_, first), others))) = (rounds.is_empty(), failures.split_first()) {
        let also = |failure: Failure, (name, other): &(String, Failure)| {
            failure.because(format!(
                "the next round of {name} could not be prepared either: {}",
                other.message
            ))
        };
        return Err(others.iter().fold(first.clone(), also));
    }
    Ok(RenewOutcome::new(rounds, failures, waiting, findings))
}
