//! A self-signed certificate that is installed until the CA sends the real one: what it may
//! replace, and what is reported about it.

pub(crate) mod certificate;

use jiff::{SignedDuration, Timestamp};

use crate::advice::lineages;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::install::request::certctl_again;
use crate::install_plan::observe::{self, PathObstacle};
use crate::install_plan::plan::{ObservedState, PathState};
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleasePointer};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;
use crate::wording::day;

/// A placeholder that expires sooner is replaced.
const LEFT: SignedDuration = SignedDuration::from_hours(24);

/// Loads the placeholder that is live and can stay.
///
/// # Errors
/// When it exists and cannot be read.
pub(crate) fn load_live(
    layout: &LineageLayout,
    settings: &LineageSettings,
    now: Timestamp,
) -> Result<Option<Release>, Failure> {
    let live = observe::read_pointer(layout, ReleasePointer::Live)?;
    let Some(live) = live.filter(|live| settings.placeholder.as_ref() == Some(live)) else {
        return Ok(None);
    };
    let release = disk::load(layout, &live)?;
    Ok(release.filter(|release| release.not_after() > now + LEFT))
}

/// Makes the release of a new placeholder.
///
/// # Errors
/// Cannot happen: our own reader reads what was made.
pub(crate) fn make_release(
    certificate: &PlaceholderCertificate,
    access: KeyAccess,
) -> Result<Release, Failure> {
    certificate
        .release(access)
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))
}

/// What a placeholder would replace: a plain file, or a certificate that is no placeholder.
#[must_use]
pub(crate) fn find_obstacles(
    context: &Context,
    layout: &LineageLayout,
    observed: &ObservedState,
    settings: &LineageSettings,
) -> Vec<PathObstacle> {
    let install = certctl_again(context, &["install", layout.stem()]).text;
    let is_real_live = observed.live.is_some() && observed.live != settings.placeholder;
    let is_taken = |path_state: &PathState| match path_state {
        PathState::Absent => false,
        PathState::OurLink => is_real_live,
        PathState::File | PathState::Identical | PathState::OtherCertificate => true,
    };
    let links = layout.links().iter();
    links
        .zip(&observed.path_states)
        .filter(|(_, path_state)| is_taken(path_state))
        .map(|(link, _)| PathObstacle::Present(link.path.clone(), install.clone()))
        .collect()
}

/// Warns that browsers do not trust a placeholder.
#[must_use]
pub(crate) fn warn_about_placeholder(context: &Context, not_after: Timestamp) -> Finding {
    let message = format!(
        "a placeholder, self-signed, until {}: the server can start with it, and no browser trusts \
            it",
        day(not_after)
    );
    let next = lineages::install_the_real_one(context.root.as_deref());
    Finding::warning("placeholder", message).with_step(next)
}

/// Only a placeholder has this name: it cannot be installed again, as a certificate can.
#[must_use]
pub(crate) fn only_placeholder(context: &Context, stem: &str) -> Failure {
    let message =
        format!("only a placeholder of {stem} is installed, and its certificate is not here");
    let next = lineages::install_the_real_one(context.root.as_deref());
    Failure::new(FailureKind::NotFound, message).with_step(next)
}
