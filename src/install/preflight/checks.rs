//! The checks of a transaction, over what was observed. Pure.

use std::path::Path;

use super::observation::PreflightObservation;
use crate::advice::{install_command, key_access};
use crate::context::Context;
use crate::finding::Finding;
use crate::install::placeholder;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install_plan::allow::ENDS_EARLIER;
use crate::install_plan::observe::PathObstacle;
use crate::permissions::{Mode, Owner};
use crate::store::key_access::inherit::{FileAccess, InheritanceDoubt};
use crate::store::layout::DeployMode;
use crate::wording::{day, joined_with_and};

const CHECKS: [fn(&PreflightObservation) -> Vec<Finding>; 6] = [
    check_copies,
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
        .map(|(folder, access)| report_loose_folder(observation, folder, *access))
        .collect()
}

/// The folder of a service stays as it is: only one of root may lose permissions.
fn report_loose_folder(
    observation: &PreflightObservation,
    folder: &Path,
    access: FileAccess,
) -> Finding {
    let FileAccess { mode, owner } = access;
    let (who, change) = if mode.has_any(0o002) {
        ("any user", "go-w")
    } else {
        ("its group", "g-w")
    };
    let folder_name = folder.display();
    if owner == (Owner { uid: 0, gid: 0 }) {
        let message = format!("{who} can write to {folder_name} (mode {mode})");
        let finding = Finding::warning("folder-writable", message);
        return finding.with_step(key_access::close_folder(folder, change));
    }
    let owner_name = observation.readers.accounts.owner_in_words(owner);
    let message = format!("{who} can write to {folder_name} (mode {mode}, owner {owner_name})");
    Finding::warning("folder-writable", message)
}

/// Reports that copies of a certificate and its key are not replaced in one step.
fn check_copies(observation: &PreflightObservation) -> Vec<Finding> {
    let layout = &observation.layout;
    if layout.deploy_mode() == DeployMode::Link {
        return Vec::new();
    }
    let mut groups = Vec::new();
    for group in layout.link_groups() {
        if group.len() < 2 {
            continue;
        }
        let mut paths = Vec::new();
        for index in group {
            let path = &layout.links()[index].path;
            paths.push(path.display().to_string());
        }
        groups.push(joined_with_and(&paths));
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "{} are replaced by renames that follow each other: a server that reads them in between gets \
            a certificate and a key that do not match",
        groups.join("; ")
    );
    vec![Finding::note("copy-not-atomic", message)]
}

fn check_replaced_files(observation: &PreflightObservation) -> Vec<Finding> {
    observation
        .access_remarks
        .iter()
        .map(Finding::from)
        .collect()
}

/// Reports a private key in the chain file that is taken over.
fn check_mixed_chain(observation: &PreflightObservation) -> Vec<Finding> {
    let taken_over = observation.disk.taken_over.as_ref();
    if !taken_over.is_some_and(|release| release.had_key_in_chain) {
        return Vec::new();
    }
    let message = format!(
        "{} contains a private key next to the certificates; it is kept as a numbered backup, and \
            the new file contains only certificates",
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
        InheritanceDoubt::Group(before) => report_tightened(
            observation,
            before,
            "the group cannot enter the key's folders",
        ),
        InheritanceDoubt::Others(before) => report_tightened(
            observation,
            before,
            "a private key must not be readable by every user",
        ),
        InheritanceDoubt::Owner(owner) => {
            let message = format!(
                "{} belongs to {}, and so does the new key",
                key.display(),
                observation.readers.accounts.owner_in_words(owner)
            );
            Finding::warning("key-wrong-owner", message)
        }
        InheritanceDoubt::Stranger(owner) => report_stranger(observation, owner),
    }
}

/// Reports a key of another user who can replace it. A server that reads its key as root can read the
/// new one, which belongs to root; another one may have to run as that user.
fn report_stranger(observation: &PreflightObservation, owner: Owner) -> Finding {
    let accounts = &observation.readers.accounts;
    let name = accounts.owner_in_words(owner);
    let key = observation.key_path.display();
    let finding = if observation.is_read_by_root {
        let message = format!(
            "{key} belongs to {name}, who can replace it: only the user who runs certctl can read \
                the new key"
        );
        Finding::warning("key-wrong-owner", message)
    } else {
        let message = format!(
            "{key} belongs to {name}, and a server that runs as {} could not read the new key, \
                which would belong to the user who runs certctl",
            accounts.user_name(owner.uid)
        );
        Finding::error("key-wrong-owner", message)
    };
    finding.with_step(key_access::keep_owner(&name))
}

fn report_tightened(observation: &PreflightObservation, before: Mode, reason: &str) -> Finding {
    let message = format!(
        "{} had mode {before}, the new key has mode {}: {reason}",
        observation.key_path.display(),
        observation.access.mode
    );
    Finding::note("key-mode-tightened", message)
}

fn check_key_readers(observation: &PreflightObservation) -> Vec<Finding> {
    observation.readers.check_folders(observation.access)
}

/// Refuses a certificate that was issued before the one that servers read now and expires before it:
/// an old file would be installed over a newer one. A placeholder is replaced by any certificate,
/// and a rollback is meant to go back.
pub(super) fn check_age(
    request: &InstallRequest<'_>,
    observation: &PreflightObservation,
) -> Option<Finding> {
    let is_install = matches!(request.goal, InstallGoal::Install(_));
    let old = observation
        .disk
        .served_leaf
        .as_ref()
        .filter(|_| is_install)?;
    let new = observation.wanted.leaf();
    let is_older = new.not_before < old.not_before && new.not_after < old.not_after;
    if !is_older || old.is_self_issued() {
        return None;
    }
    let message = format!(
        "this certificate was issued on {} and expires on {}, but the live one was issued on {} and \
            expires on {}",
        day(new.not_before),
        day(new.not_after),
        day(old.not_before),
        day(old.not_after)
    );
    let finding =
        Finding::error(ENDS_EARLIER, message).with_step(install_command::install_older_anyway());
    Some(if request.allow.contains(&ENDS_EARLIER) {
        finding.into_allowed()
    } else {
        finding
    })
}

/// Returns what this request must not replace, beyond what no request may replace.
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

/// Returns the paths that are not certctl's links: a rollback would not change what servers read
/// there.
fn find_unlinked(context: &Context, observation: &PreflightObservation) -> Vec<PathObstacle> {
    let layout = &observation.layout;
    let install = install_command::install_links(context.root.as_deref(), layout.stem());
    let links = layout.links().iter();
    links
        .zip(&observation.disk.observed.path_states)
        .filter(|(_, path_state)| !path_state.is_ours())
        .map(|(link, _)| PathObstacle::NotOurLink(link.path.clone(), Box::new(install.clone())))
        .collect()
}
