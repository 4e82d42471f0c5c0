//! Finds the version that a rollback restores by what the user typed: an id, a date or a time.

use jiff::Timestamp;
use jiff::civil::Date;

use super::installed;
use super::rollback::list_releases;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::store::disk;
use crate::store::history::{self, RollbackArgument};
use crate::store::layout::ReleaseId;
use crate::store::root::resolve_root;
use crate::wording::local_zone;

/// Finds the release of the history that `text` means: an id, a date or a time.
///
/// # Errors
/// When it is none of them, the history has no such entry, or its files were deleted. The failure
/// lists the releases that can be restored.
pub(crate) fn find_release_by_text(
    context: &Context,
    stem: &str,
    text: &str,
) -> Result<ReleaseId, Failure> {
    let settings = installed::read_settings(context, stem)?;
    let layout = installed::usual_layout(&resolve_root(context.root.as_deref())?, stem);
    let list_kept = |failure| list_releases(context, &layout, &settings, failure);
    let Some(argument) = RollbackArgument::parse(text, local_zone()) else {
        let message = format!("{text:?} is neither a date nor an id of eight hexadecimal digits");
        return Err(list_kept(Failure::new(FailureKind::Usage, message)));
    };
    if let Some(failure) = refuse_future(&argument, text, context.now()) {
        return Err(list_kept(failure));
    }
    let found = history::find_release(&settings.history, &settings.rollbacks, &argument);
    let Some(id) = found else {
        return Err(list_kept(not_in_history(stem, text, &argument)));
    };
    if disk::load(&layout, &id)?.is_none() {
        let message = format!("version {id} of {stem} was deleted");
        let failure = Failure::new(FailureKind::NotFound, message);
        return Err(list_kept(failure.because(
            "certctl keeps the 3 newest versions, the live one and the two before it",
        )));
    }
    Ok(id)
}

fn not_in_history(stem: &str, text: &str, argument: &RollbackArgument) -> Failure {
    let message = match argument {
        // The text as it was typed: a date stands for its end.
        RollbackArgument::At(_) => format!("no version of {stem} was installed by {text}"),
        RollbackArgument::Release(id) => format!("the history of {stem} has no version {id}"),
    };
    Failure::new(FailureKind::NotFound, message)
}

/// Refuses a time after `now`, because it is unknown what will be live then. The current day as
/// `text` stands for its end, and is accepted.
fn refuse_future(argument: &RollbackArgument, text: &str, now: Timestamp) -> Option<Failure> {
    let RollbackArgument::At(at) = argument else {
        return None;
    };
    let today = local_zone().to_datetime(now).date();
    let is_today = text.parse().is_ok_and(|date: Date| date == today);
    if *at <= now || is_today {
        return None;
    }
    let message = format!("{text} is in the future");
    Some(Failure::new(FailureKind::Usage, message))
}
