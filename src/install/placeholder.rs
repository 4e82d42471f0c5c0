//! The placeholder, a self-signed certificate that is installed until the CA has issued one: what it
//! may replace, and what is reported about it.

pub(crate) mod certificate;

use jiff::{SignedDuration, Timestamp};

use crate::advice::{install_command, lineages};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::install_plan::observe::{self, PathObstacle};
use crate::install_plan::plan::{ObservedState, PathState};
use crate::pki::name::DnsName;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleasePointer};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;
use crate::wording::day;

/// A placeholder that expires within this time is replaced.
const LEFT: SignedDuration = SignedDuration::from_hours(24);

/// Loads the placeholder that is live and does not expire soon.
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
/// Not expected: certctl can parse the certificate that it made.
pub(crate) fn make_release(
    certificate: &PlaceholderCertificate,
    access: KeyAccess,
) -> Result<Release, Failure> {
    certificate
        .release(access)
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))
}

/// Returns what a placeholder must not replace: plain files, and certificates that are not
/// placeholders.
#[must_use]
pub(crate) fn find_obstacles(
    context: &Context,
    layout: &LineageLayout,
    observed: &ObservedState,
    settings: &LineageSettings,
) -> Vec<PathObstacle> {
    let install = install_command::install_over_files(context.root.as_deref(), layout.stem());
    let is_real_live = observed.live.is_some() && observed.live != settings.placeholder;
    let is_taken = |path_state: &PathState| match path_state {
        PathState::Absent => false,
        PathState::OurLink | PathState::OurCopy | PathState::OutdatedCopy => is_real_live,
        PathState::File | PathState::Identical | PathState::OtherCertificate => true,
    };
    let links = layout.links().iter();
    links
        .zip(&observed.path_states)
        .filter(|(_, path_state)| is_taken(path_state))
        .map(|(link, _)| PathObstacle::Present(link.path.clone(), Box::new(install.clone())))
        .collect()
}

/// Warns that browsers do not trust a placeholder.
#[must_use]
pub(crate) fn warn_about_placeholder(context: &Context, not_after: Timestamp) -> Finding {
    let message = format!(
        "this is a self-signed placeholder that expires {}: the server can start with it, but no \
            browser trusts it",
        day(not_after)
    );
    let next = lineages::install_the_real_one(context.root.as_deref());
    Finding::warning("placeholder", message).with_step(next)
}

/// The failure where only a placeholder has this name: unlike a certificate, a placeholder cannot be
/// installed again.
#[must_use]
pub(crate) fn only_placeholder(context: &Context, stem: &str) -> Failure {
    let message = format!(
        "only a placeholder for {stem} is installed, and this folder has no certificate for it"
    );
    let next = lineages::install_the_real_one(context.root.as_deref());
    Failure::new(FailureKind::NotFound, message).with_step(next)
}

/// `name`, then the other names of its request in the folder.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn names_of_request(context: &Context, name: &DnsName) -> Result<Vec<DnsName>, Failure> {
    let folder = FolderContents::read(context)?;
    let mut names = vec![name.clone()];
    if let Some(request) = folder.requests_named(name).first() {
        let requested = &request.value.dns_names;
        let requested = requested
            .iter()
            .filter_map(|one| DnsName::parse_presented(one));
        names.extend(requested.filter(|other| other != name));
    }
    Ok(names)
}
