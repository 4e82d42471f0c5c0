//! A pair that only keeps the place of one: where it may be put, and what is told of it.

pub(crate) mod certificate;

use jiff::{SignedDuration, Timestamp};

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next};
use crate::install::placeholder::certificate::Placeholder;
use crate::install::request::again;
use crate::install_plan::observe::{self, Obstacle};
use crate::install_plan::plan::{Observed, Spot};
use crate::store::disk;
use crate::store::layout::{Layout, Pointer};
use crate::store::release::{Access, Release};
use crate::store::settings::Settings;

/// One that ends sooner is made anew.
const LEFT: SignedDuration = SignedDuration::from_hours(24);

/// The placeholder that is live and can stay.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn present(
    layout: &Layout,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<Release>, Failure> {
    let live = observe::pointer(layout, Pointer::Live)?;
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
pub(crate) fn release(pair: &Placeholder, access: Access) -> Result<Release, Failure> {
    pair.release(access)
        .map_err(|error| Failure::of(Kind::Internal, &error))
}

/// What it would replace: a plain file, or a pair that is no placeholder.
#[must_use]
pub(crate) fn in_the_way(
    context: &Context,
    layout: &Layout,
    (seen, settings): (&Observed, &Settings),
) -> Vec<Obstacle> {
    let install = again(context, &["install", layout.stem()]).text;
    let real = seen.live.is_some() && seen.live != settings.placeholder;
    let taken = |spot: &Spot| match spot {
        Spot::Absent => false,
        Spot::Ours => real,
        Spot::File | Spot::Held | Spot::Own => true,
    };
    let links = layout
        .links()
        .iter()
        .zip(&seen.spots)
        .filter(|(_, spot)| taken(spot));
    links
        .map(|(link, _)| Obstacle::Present(link.path.clone(), install.clone()))
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
    Failure::new(Kind::NotFound, message).with(real_one(context))
}

fn real_one(context: &Context) -> Next {
    let next = again(context, &["install", "FILE"]).text;
    Next::say(format!("when the CA has sent the real one:  {next}"))
}
