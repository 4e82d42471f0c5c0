//! The next step that removes validation records.

use crate::advice::dcv_publish;
use crate::context::Context;
use crate::finding::NextStep;
use crate::install::outcome::{InstallVerdict, TransactionOutcome};
use crate::publication::needless_records;

/// Removes the records that the installed certificate no longer needs. After anything else than a
/// success, they may be needed again.
pub(super) fn removal_step(
    context: &Context,
    transaction: &TransactionOutcome,
) -> Option<NextStep> {
    let is_installed = matches!(
        transaction.verdict,
        InstallVerdict::Live | InstallVerdict::Files | InstallVerdict::Unchanged
    );
    if !is_installed || transaction.dry_run.is_some() {
        return None;
    }
    let names = needless_records(context, &transaction.leaf);
    if names.is_empty() {
        return None;
    }
    let mut words = context.command_words("dcv-publish");
    words.extend(names);
    words.push("--remove".to_owned());
    Some(dcv_publish::remove_needless(&words))
}
