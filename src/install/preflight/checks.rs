//! The checks of a transaction, over what was observed. Pure.

use std::path::Path;

use super::key_readers;
use super::observation::PreflightObservation;
use crate::advice::key_access;
use crate::context::Context;
use crate::finding::Finding;
use crate::install::placeholder;
use crate::install::request::{InstallGoal, InstallRequest, certctl_again};
use crate::install_plan::observe::PathObstacle;
use crate::install_plan::plan::PathState;
use crate::permissions::Mode;
use crate::store::key_access::inherit::InheritanceDoubt;
use crate::system::fs::files;

const CHECKS: [fn(&PreflightObservation) -> Vec<Finding>; 5] = [
    check_loose_folders,
    check_replaced_files,
    check_mixed_chain,
    check_inherited_access,
    check_key_readers,
];

/// Runs all checks, in their fixed order.
pub(super) fn check_all(observation: &PreflightObservation) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(observation)).collect()
}

fn check_loose_folders(observation: &PreflightObservation) -> Vec<Finding> {
    observation
        .loose_folders
        .iter()
        .map(|(folder, mode)| report_loose_folder(folder, *mode))
        .collect()
}

fn report_loose_folder(folder: &Path, mode: Mode) -> Finding {
    let (who, change) = if mode.has_any(0o002) {
        ("anybody", "go-w")
    } else {
        ("its group", "g-w")
    };
    let message = format!("{who} may write to {} (mode {mode})", folder.display());
    Finding::warning("folder-writable", message).with_step(key_access::close_folder(folder, change))
}

fn check_replaced_files(observation: &PreflightObservation) -> Vec<Finding> {
    observation
        .access_remarks
        .iter()
        .map(Finding::from)
        .collect()
}

/// Whether the chain file that is taken over has a private key in it.
fn check_mixed_chain(observation: &PreflightObservation) -> Vec<Finding> {
    let taken_over = observation.disk.taken_over.as_ref();
    if !taken_over.is_some_and(|release| release.had_key_in_chain) {
        return Vec::new();
    }
    let message = format!(
        "{} holds a private key beside the certificates: it is kept as a numbered backup, \
                and only the certificates are taken over",
        observation.layout.chain_path().display()
    );
    vec![Finding::note("key-in-chain", message)]
}

fn check_inherited_access(observation: &PreflightObservation) -> Vec<Finding> {
    observation
        .doubts
        .iter()
        .map(|doubt| report_doubt(observation, *doubt))
        .collect()
}

fn report_doubt(observation: &PreflightObservation, doubt: InheritanceDoubt) -> Finding {
    let key = observation.key_path.as_path();
    match doubt {
        InheritanceDoubt::Group(before) => {
            report_tightened(observation, before, "its folders keep that group out")
        }
        InheritanceDoubt::Others(before) => {
            report_tightened(observation, before, "not for everybody")
        }
        InheritanceDoubt::Owner(user) => {
            let message = format!(
                "{} belongs to user {user}, and so does the new key",
                key.display()
            );
            Finding::warning("key-wrong-owner", message)
        }
        InheritanceDoubt::Stranger(user) => {
            let folder = files::parent(key);
            let message = format!(
                "{} belongs to user {user}, and {} is not root's alone: the new key is only \
                    for who runs certctl",
                key.display(),
                folder.display()
            );
            Finding::warning("key-wrong-owner", message)
                .with_step(key_access::give_folder_to_root(folder))
        }
    }
}

fn report_tightened(observation: &PreflightObservation, before: Mode, reason: &str) -> Finding {
    let message = format!(
        "{} had mode {before}; the new key has {}: {reason}",
        observation.key_path.display(),
        observation.access.mode
    );
    Finding::note("key-mode-tightened", message)
}

fn check_key_readers(observation: &PreflightObservation) -> Vec<Finding> {
    key_readers::check_folders(&observation.key_folders, observation.access)
}

/// What the request may not replace, beyond what no request may.
pub(super) fn find_obstacles(
    context: &Context,
    request: &InstallRequest<'_>,
    observation: &PreflightObservation,
) -> Vec<PathObstacle> {
    match request.goal {
        InstallGoal::Install(_) => Vec::new(),
        InstallGoal::Rollback(_) => find_unlinked(context, observation),
        InstallGoal::Placeholder(_) => placeholder::find_obstacles(
            context,
            &observation.layout,
            &observation.disk.observed,
            &observation.settings_before,
        ),
    }
}

/// Paths that are not our links: a rollback would not change what is read there.
fn find_unlinked(context: &Context, observation: &PreflightObservation) -> Vec<PathObstacle> {
    let layout = &observation.layout;
    let install = certctl_again(context, &["install", layout.stem()]).text;
    let links = layout.links().iter();
    links
        .zip(&observation.disk.observed.path_states)
        .filter(|(_, path_state)| **path_state != PathState::OurLink)
        .map(|(link, _)| PathObstacle::NotOurLink(link.path.clone(), install.clone()))
        .collect()
}
