//! What every user may know of an installed certificate, for commands that need root to do more.

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::installed;
use crate::install::rollback;
use crate::install_plan::observe;
use crate::report;
use crate::store::disk;
use crate::store::layout::ReleaseId;
use crate::store::root::resolve_root;
use crate::system::fs::folders;

/// Returns whether the failure may be one that root would not have.
#[must_use]
pub(crate) fn may_need_root(failure: &Failure) -> bool {
    failure.kind == FailureKind::Io && folders::current_user() != 0
}

/// Adds what the public files say about the live certificate to a failure that root would not have.
#[must_use]
pub(crate) fn add_live_facts(context: &Context, stem: &str, failure: Failure) -> Failure {
    if !may_need_root(&failure) {
        return failure;
    }
    match installed::find_live(context, stem) {
        Ok(Some(live)) => {
            let leaf = report::certificate_in_words(live.release.leaf());
            let state = if live.files.is_proven {
                "installed and verified"
            } else {
                "installed, not verified live"
            };
            failure.knowing(format!("{stem}: {leaf}; {state}"))
        }
        _ => failure,
    }
}

/// Does the same for each of `names` that is the name of an installed certificate.
#[must_use]
pub(crate) fn add_facts_of_names(context: &Context, names: &[String], failure: Failure) -> Failure {
    if !may_need_root(&failure) {
        return failure;
    }
    let mut failure = failure;
    let mut known = Vec::new();
    for name in names {
        let Ok(stem) = installed::find_named(context, "install", Some(name)) else {
            continue;
        };
        if !known.contains(&stem) {
            failure = add_live_facts(context, &stem, failure);
            known.push(stem);
        }
    }
    failure
}

/// Adds the version that a rollback would restore.
#[must_use]
pub(crate) fn add_rollback_facts(
    context: &Context,
    stem: &str,
    to: Option<&ReleaseId>,
    failure: Failure,
) -> Failure {
    if !may_need_root(&failure) {
        return failure;
    }
    let restored = || {
        let layout = installed::usual_layout(&resolve_root(context.root.as_deref()).ok()?, stem);
        let settings = installed::read_settings(context, stem).ok()?;
        let target = rollback::find_target(context, &layout, &settings, to).ok()?;
        let release = disk::load_public(&layout, &target).ok()??;
        let leaf = report::certificate_in_words(release.leaf());
        Some(format!("version to restore: {leaf}"))
    };
    match restored() {
        Some(fact) => failure.knowing(fact),
        None => failure,
    }
}

/// Adds the differences from what was installed, as far as everybody may see them.
#[must_use]
pub(crate) fn add_drift_facts(context: &Context, stems: &[String], failure: Failure) -> Failure {
    if !may_need_root(&failure) {
        return failure;
    }
    let mut failure = failure;
    for stem in stems {
        failure = add_live_facts(context, stem, failure);
        let Some(drifts) = find_public_drifts(context, stem) else {
            continue;
        };
        if drifts.is_empty() {
            let fact = format!("{stem}: what you may read is unchanged");
            failure = failure.knowing(fact);
        }
        for drift in drifts {
            failure = failure.knowing(drift);
        }
    }
    failure
}

fn find_public_drifts(context: &Context, stem: &str) -> Option<Vec<String>> {
    let settings = installed::read_settings(context, stem).ok()?;
    let layout = installed::saved_layout(context, stem, &settings).ok()?;
    let drifts = observe::drift::find_public_drifts(&layout).ok()?;
    Some(drifts.iter().map(ToString::to_string).collect())
}
