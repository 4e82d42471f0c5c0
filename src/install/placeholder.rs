//! A pair that only keeps the place of one: where it may be put, and what is told of it.

pub(crate) mod certificate;

use jiff::{SignedDuration, Timestamp};

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::install::request::again;
use crate::install_plan::observe::{self, PathObstacle};
use crate::install_plan::plan::{ObservedState, PathState};
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleasePointer};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;

/// One that ends sooner is made anew.
const LEFT: SignedDuration = SignedDuration::from_hours(24);

/// The placeholder that is live and can stay.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn present(
    layout: &LineageLayout,
    settings: &LineageSettings,
    now: Timestamp,
) -> Result<Option<Release>, Failure> {
    let live = observe::pointer(layout, ReleasePointer::Live)?;
    let Some(live) = live.filter(|live| settings.placeholder.as_ref() == Some(live)) else {
        return Ok(None);
    };
    let release = disk::load(layout, &live)?;
    Ok(release.filter(|release| release.not_after() > now + LEFT))
}

/// A new one.
///
/// # Errors
/// Cannot happen: our own reader reads what was made.
pub(crate) fn release(
    pair: &PlaceholderCertificate,
    access: KeyAccess,
) -> Result<Release, Failure> {
    pair.release(access)
        .map_err(|error| Failure::of(FailureKind::Internal, &error))
}

/// What it would replace: a plain file, or a pair that is no placeholder.
#[must_use]
pub(crate) fn in_the_way(
    context: &Context,
    layout: &LineageLayout,
    (seen, settings): (&ObservedState, &LineageSettings),
) -> Vec<PathObstacle> {
    let install = again(context, &["install", layout.stem()]).text;
    let real = seen.live.is_some() && seen.live != settings.placeholder;
    let taken = |spot: &PathState| match spot {
        PathState::Absent => false,
        PathState::Ours => real,
        PathState::File | PathState::Held | PathState::Own => true,
    };
    let links = layout
        .links()
        .iter()
        .zip(&seen.spots)
        .filter(|(_, spot)| taken(spot));
    links
        .map(|(link, _)| PathObstacle::Present(link.path.clone(), install.clone()))
        .collect()
}

/// That nobody may take it for a certificate.
#[must_use]
pub(crate) fn told(context: &Context, not_after: Timestamp) -> Finding {
    let message = format!(
        "a placeholder, self-signed, until {}: the server can start with it, and no browser trusts \
            it",
        not_after.strftime("%Y-%m-%d")
    );
    Finding::warning("placeholder", message).with(real_one(context))
}

/// That there is nothing else under this name: it cannot be installed again, as a pair can.
#[must_use]
pub(crate) fn alone(context: &Context, stem: &str) -> Failure {
    let message =
        format!("only a placeholder of {stem} is installed, and its certificate is not here");
    Failure::new(FailureKind::NotFound, message).with(real_one(context))
}

fn real_one(context: &Context) -> NextStep {
    let next = again(context, &["install", "FILE"]).text;
    NextStep::say(format!("when the CA has sent the real one:  {next}"))
}
