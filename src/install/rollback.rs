//! Where a rollback goes: the previous release, or the one of the history that was asked for.

use jiff::Timestamp;

use crate::advice::lineages;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install::request::certctl_again;
use crate::install_plan::observe;
use crate::store::disk;
use crate::store::history::{self, PastRelease, RollbackArgument};
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::store::release::Release;
use crate::store::root::resolve_root;
use crate::store::settings::LineageSettings;
use crate::wording::day;

/// The most releases that are listed.
const SHOWN: usize = 10;

/// Finds the release of the history that `text` means: an id or a date.
///
/// # Errors
/// When it is neither, when the history has no such entry, or when its files are not kept any more;
/// the releases that can be rolled back to are listed.
pub(crate) fn find_release_by_text(
    context: &Context,
    stem: &str,
    text: &str,
) -> Result<ReleaseId, Failure> {
    let settings = super::installed::read_settings(context, stem)?;
    let layout = super::installed::usual_layout(&resolve_root(context.root.as_deref())?, stem);
    let list_kept = |failure| list_releases(context, &layout, &settings, failure);
    let Some(argument) = RollbackArgument::parse(text) else {
        let message = format!("{text:?} is neither a date nor the eight digits of an id");
        return Err(list_kept(Failure::new(FailureKind::Usage, message)));
    };
    let Some(id) = history::find_release(&settings.history, &argument) else {
        let message = match &argument {
            // As it was typed: a day stands for its end.
            RollbackArgument::At(_) => format!("nothing of {stem} was installed by {text}"),
            RollbackArgument::Release(id) => format!("{stem} has never been served with {id}"),
        };
        return Err(list_kept(Failure::new(FailureKind::NotFound, message)));
    };
    if disk::load(&layout, &id)?.is_none() {
        let message = format!("the files {id} of {stem} are not kept any more");
        let failure = Failure::new(FailureKind::NotFound, message);
        return Err(list_kept(failure.because(
            "the 3 newest are kept, and what is live or was live before it",
        )));
    }
    Ok(id)
}

/// Lists the releases that can be rolled back to, each with its command line.
fn list_releases(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    failure: Failure,
) -> Failure {
    let kept = load_kept(layout, settings);
    if kept.is_empty() {
        return failure.with_step(lineages::list_releases(&layout.releases()));
    }
    add_releases(context, layout, &kept, failure)
}

/// A release that was live once and still exists.
struct KeptRelease {
    past: PastRelease,
    release: Release,
}

/// Loads every release that was live once and still exists, the newest first.
fn load_kept(layout: &LineageLayout, settings: &LineageSettings) -> Vec<KeptRelease> {
    let past_releases = history::list_past_releases(&settings.history).into_iter();
    let kept = past_releases.filter_map(|past| {
        let release = disk::load(layout, &past.release).ok().flatten()?;
        Some(KeptRelease { past, release })
    });
    kept.take(SHOWN).collect()
}

fn add_releases(
    context: &Context,
    layout: &LineageLayout,
    kept: &[KeptRelease],
    mut failure: Failure,
) -> Failure {
    let live = observe::read_pointer(layout, ReleasePointer::Live)
        .ok()
        .flatten();
    for KeptRelease { past, release } in kept {
        let since = past
            .since
            .map_or_else(|| "from before certctl".to_owned(), |at| format!("of {at}"));
        let now = if live.as_ref() == Some(&past.release) {
            " (live now)"
        } else {
            ""
        };
        let expires = day(release.not_after());
        let id = past.release.as_str();
        failure = failure
            .because(format!("there is {id}, {since}: ends {expires}{now}"))
            .with_step(certctl_again(
                context,
                &["rollback", layout.stem(), "--to", id],
            ));
    }
    failure
}

/// Finds the release that a rollback goes to: the one that is asked for; else `proven` when `live`
/// is not proven, else the one before in the history.
///
/// # Errors
/// When there is none, or its files cannot be loaded.
pub(crate) fn find_release(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    to: Option<&ReleaseId>,
) -> Result<Release, Failure> {
    let live = observe::read_pointer(layout, ReleasePointer::Live)?
        .ok_or_else(|| not_installed(layout))?;
    let proven = observe::read_pointer(layout, ReleasePointer::Proven)?;
    let target = match (to, proven) {
        (Some(to), _) => Some(to.clone()),
        (None, Some(proven)) if proven != live => Some(proven),
        (None, None) => None,
        (None, Some(_)) => settings.release_before(&live).cloned(),
    };
    let target = target.ok_or_else(|| nothing_before(context, layout, settings))?;
    disk::load(layout, &target)?.ok_or_else(|| {
        let message = format!(
            "the files before, {}, are not there or cannot be loaded",
            layout.release(&target).display()
        );
        Failure::new(FailureKind::NotFound, message)
            .with_step(lineages::inspect_releases(&layout.releases()))
    })
}

/// Warns about certificates that are not valid now: a rollback is not blocked by that.
#[must_use]
pub(crate) fn check_validity(release: &Release, now: Timestamp) -> Vec<Finding> {
    let certificates = || release.certificates.iter();
    let expired = certificates()
        .filter(|certificate| certificate.not_after < now)
        .map(|certificate| {
            let message = format!("{} ended {}", certificate.label(), certificate.not_after);
            Finding::warning("expired", message)
        });
    let not_yet_valid = certificates()
        .filter(|certificate| certificate.not_before > now)
        .map(|certificate| {
            let message = format!(
                "{} is valid from {} only",
                certificate.label(),
                certificate.not_before
            );
            Finding::warning("not-yet-valid", message)
        });
    expired
        .chain(not_yet_valid)
        .map(|finding| finding.with_step(lineages::install_a_valid_one()))
        .collect()
}

/// The failure of a rollback when nothing was installed before what is live; other releases are
/// listed.
#[must_use]
pub(crate) fn nothing_before(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Failure {
    let stem = layout.stem();
    let live = observe::read_pointer(layout, ReleasePointer::Live)
        .ok()
        .flatten();
    let mut others = load_kept(layout, settings);
    others.retain(|kept| Some(&kept.past.release) != live.as_ref());
    if !others.is_empty() {
        let message = format!("nothing of {stem} was installed before what is live now");
        let failure = Failure::new(FailureKind::NotFound, message);
        return add_releases(context, layout, &others, failure);
    }
    let message = format!("there are no files of {stem} to go back to");
    let next = lineages::install_what_should_be_served(context.root.as_deref());
    Failure::new(FailureKind::NotFound, message)
        .because("no earlier install of it ended well here")
        .with_step(next)
}

fn not_installed(layout: &LineageLayout) -> Failure {
    let message = format!("{} is not installed here", layout.stem());
    Failure::new(FailureKind::NotFound, message).with_step(lineages::inspect_base(&layout.base()))
}
