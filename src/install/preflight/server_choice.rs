//! What must be known about servers before an install: which one serves the site, where several are
//! installed and only the user can choose, and which ones run.

use crate::advice::servers;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::ServingState;
use crate::webserver::control::process_table;
use crate::webserver::model::ServerSoftware;
use crate::wording::joined_with_and;

/// Fails unless the servers are known and the processes of those on this machine are visible.
///
/// # Errors
/// See [`require_processes`] and [`require_choice`].
pub(super) fn require(
    context: &Context,
    request: &InstallRequest<'_>,
    serving: &ServingState,
) -> Result<(), Failure> {
    if context.root.is_none() {
        require_processes(serving)?;
    }
    require_choice(request, &serving.undecided)
}

/// Fails if the process of a server cannot be seen: it would count as stopped and not be reloaded.
fn require_processes(serving: &ServingState) -> Result<(), Failure> {
    if serving.uses.iter().any(|one| one.program().is_some()) {
        process_table::check_visible()?;
    }
    Ok(())
}

/// Fails with one command line for each server if there are several; `undecided` is empty if the
/// servers are known. A rollback goes on: it only changes files that are installed already.
fn require_choice(
    request: &InstallRequest<'_>,
    undecided: &[ServerSoftware],
) -> Result<(), Failure> {
    if undecided.is_empty() || matches!(request.goal, InstallGoal::Rollback(_)) {
        return Ok(());
    }
    let mut titles = Vec::new();
    for software in undecided {
        titles.push(software.title());
    }
    let message = format!(
        "{} are installed, and certctl does not know which one serves the site",
        joined_with_and(&titles)
    );
    let failure = Failure::new(FailureKind::NotFound, message).because(
        "none of them is running, and none of their configurations uses the certificate or has its \
         names",
    );
    Err(undecided
        .iter()
        .map(|software| servers::install_for_one(*software))
        .fold(failure, Failure::with_step))
}
