//! The choice that only the user can make: several servers are installed, and nothing shows which
//! one serves the site.

use crate::advice::servers;
use crate::failure::{Failure, FailureKind};
use crate::install::request::{InstallGoal, InstallRequest};
use crate::webserver::model::ServerSoftware;
use crate::wording::joined_with_and;

/// Fails with one command line for each server if there are several; `undecided` is empty if the
/// servers are known. A rollback goes on: it only changes files that are installed already.
pub(super) fn require(
    request: &InstallRequest<'_>,
    undecided: &[ServerSoftware],
) -> Result<(), Failure> {
    if undecided.is_empty() || matches!(request.goal, InstallGoal::Rollback(_)) {
        return Ok(());
    }
    let titles: Vec<&str> = undecided.iter().map(|software| software.title()).collect();
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
