//! The release that a rollback restores: the previous one, or one of the history.

use jiff::Timestamp;

use crate::advice::{install_command, lineages};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::install::request::{InstallRequest, RunMode};
use crate::install_plan::allow;
use crate::install_plan::observe;
use crate::store::disk;
use crate::store::history::{self, PastRelease};
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::store::release::Release;
use crate::store::settings::LineageSettings;
use crate::wording::{date_and_time, day};

/// How many releases are listed at most.
const SHOWN: usize = 10;

/// Lists the releases that can be restored, each with its command.
pub(super) fn list_releases(
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
    expires: Timestamp,
}

/// Loads every release that was live once and still exists, the newest first.
fn load_kept(layout: &LineageLayout, settings: &LineageSettings) -> Vec<KeptRelease> {
    let past_releases = history::list_past_releases(&settings.history).into_iter();
    let kept = past_releases.filter_map(|past| {
        let expires = read_expiry(layout, &past.release)?;
        Some(KeptRelease { past, expires })
    });
    kept.take(SHOWN).collect()
}

/// Returns when a release expires; for users who may not read its key, by its chain alone. `None` if
/// no server could load it.
fn read_expiry(layout: &LineageLayout, id: &ReleaseId) -> Option<Timestamp> {
    let release = disk::load(layout, id);
    if let Err(error) = &release
        && error.is_denied()
    {
        let public = disk::load_public(layout, id);
        let public = public.ok()??;
        return Some(public.leaf().not_after);
    }
    let release = release.ok()??;
    Some(release.not_after())
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
    for KeptRelease { past, expires } in kept {
        let installed = past.since.map_or_else(
            || "which existed before certctl".to_owned(),
            |at| format!("installed on {}", day(at)),
        );
        let now = if live.as_ref() == Some(&past.release) {
            " (live now)"
        } else {
            ""
        };
        let id = past.release.as_str();
        let expires = day(*expires);
        let description = format!("{id}, {installed}; it expires on {expires}{now}");
        let root = context.root.as_deref();
        failure = failure.with_step(install_command::restore_version(
            root,
            layout.stem(),
            id,
            &description,
        ));
    }
    failure
}

/// Finds the release that a rollback restores: `to` if it is given; else `proven` when `live` is not
/// proven, else the one before `live` in the history.
///
/// # Errors
/// When there is none, or its files cannot be loaded.
pub(crate) fn find_release(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    to: Option<&ReleaseId>,
) -> Result<Release, Failure> {
    let target = find_target(context, layout, settings, to)?;
    disk::load(layout, &target)?.ok_or_else(|| {
        let message = format!(
            "the previous version in {} is missing or cannot be loaded",
            layout.release(&target).display()
        );
        let failure = Failure::new(FailureKind::NotFound, message);
        let live = observe::read_pointer(layout, ReleasePointer::Live);
        let live = live.ok().flatten();
        let mut others = load_kept(layout, settings);
        others.retain(|kept| Some(&kept.past.release) != live.as_ref());
        if others.is_empty() {
            return failure.with_step(show_state(context, layout));
        }
        add_releases(context, layout, &others, failure)
    })
}

/// Finds the id of the release that [`find_release`] loads.
///
/// # Errors
/// When there is none.
pub(super) fn find_target(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    to: Option<&ReleaseId>,
) -> Result<ReleaseId, Failure> {
    let live = observe::read_pointer(layout, ReleasePointer::Live)?
        .ok_or_else(|| not_installed(context, layout))?;
    let proven = observe::read_pointer(layout, ReleasePointer::Proven)?;
    let target = match (to, proven) {
        (Some(to), _) => Some(to.clone()),
        (None, Some(proven)) if proven != live => Some(proven),
        (None, None) => None,
        (None, Some(_)) => settings.release_before(&live).cloned(),
    };
    target.ok_or_else(|| nothing_before(context, layout, settings))
}

/// Warns about certificates that are not valid now; this does not block a rollback.
#[must_use]
pub(crate) fn check_validity(release: &Release, now: Timestamp) -> Vec<Finding> {
    let certificates = || release.certificates.iter();
    let expired = certificates()
        .filter(|certificate| certificate.not_after < now)
        .map(|certificate| {
            let message = format!(
                "{} expired on {}",
                certificate.label(),
                day(certificate.not_after)
            );
            Finding::warning("expired", message)
        });
    let not_yet_valid = certificates()
        .filter(|certificate| certificate.not_before > now)
        .map(|certificate| {
            let message = format!(
                "{} is not valid before {}",
                certificate.label(),
                date_and_time(certificate.not_before)
            );
            Finding::warning("not-yet-valid", message)
        });
    expired
        .chain(not_yet_valid)
        .map(|finding| finding.with_step(lineages::install_a_valid_one()))
        .collect()
}

/// Judges the dates of the release that a rollback restores: an expired certificate is refused unless
/// that is allowed.
#[must_use]
fn judge_dates(release: &Release, request: &InstallRequest<'_>, now: Timestamp) -> Vec<Finding> {
    let is_allowed = request.mode == RunMode::Check || request.allow.contains(&allow::EXPIRED);
    // An intermediate that has expired may be one that clients do not need.
    let is_refused = release.leaf().not_after < now && !is_allowed;
    check_validity(release, now)
        .into_iter()
        .map(|finding| {
            if !is_refused || finding.code != allow::EXPIRED {
                return finding;
            }
            Finding {
                severity: Severity::Error,
                ..finding
            }
            .with_step(lineages::restore_expired())
        })
        .collect()
}

/// Judges the release that a rollback restores: by its dates, and whether it was revoked. Clients that
/// check revocation refuse it, so it is refused unless that is allowed.
#[must_use]
pub(super) fn judge_target(
    release: &Release,
    request: &InstallRequest<'_>,
    settings: &LineageSettings,
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = judge_dates(release, request, now);
    let leaf = release.leaf();
    if settings.is_revoked(&leaf.sha256()) {
        let message = format!(
            "{} was revoked with certctl, or was about to be",
            leaf.label()
        );
        let is_allowed = request.mode == RunMode::Check || request.allow.contains(&allow::REVOKED);
        findings.push(if is_allowed {
            Finding::warning(allow::REVOKED, message)
        } else {
            Finding::error(allow::REVOKED, message).with_step(lineages::restore_revoked())
        });
    }
    findings
}

/// The failure of a rollback where no version was installed before the live one. It lists other
/// releases that can be restored.
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
        let message = format!("no version of {stem} was installed before the live one");
        let failure = Failure::new(FailureKind::NotFound, message);
        return add_releases(context, layout, &others, failure);
    }
    let message = format!("{stem} has no earlier version to restore");
    Failure::new(FailureKind::NotFound, message)
        .because("no earlier install succeeded on this machine")
        .with_step(show_state(context, layout))
}

/// The step for a certificate that no rollback can help: what is installed, and whether servers send
/// it.
fn show_state(context: &Context, layout: &LineageLayout) -> NextStep {
    let mut words = context.command_words("status");
    words.push(layout.stem().to_owned());
    lineages::show_what_is_served(&words)
}

fn not_installed(context: &Context, layout: &LineageLayout) -> Failure {
    let message = format!("{} is not installed", layout.stem());
    Failure::new(FailureKind::NotFound, message)
        .with_step(lineages::show_status(&context.command_words("status")))
}
