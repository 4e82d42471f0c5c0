//! Finds the version that a rollback restores by what the user typed: an id, a date or a time.

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
    let Some(id) = history::find_release(&settings.history, &argument) else {
        let message = match &argument {
            // The text as it was typed: a date stands for its end.
            RollbackArgument::At(_) => format!("no version of {stem} was installed by {text}"),
            RollbackArgument::Release(id) => {
                format!("the history of {stem} has no version {id}")
            }
        };
        return Err(list_kept(Failure::new(FailureKind::NotFound, message)));
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
