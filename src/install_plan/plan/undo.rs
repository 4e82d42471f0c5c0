//! The rollback of the attempted steps.

mod copies;

use self::copies::AttemptedCopies;
use super::backup::{BackedUpFile, backup_of};
use super::step::{InstallPlan, PlanStep, RollbackTarget, UnfinishedStart};
use crate::store::layout::{ReleaseId, ReleasePointer, kept_name};

/// The plan that rolls back the `attempted` steps (a step that failed halfway may have taken effect)
/// with the `backups` that were made. It does not simply reverse their order: first all links are
/// restored, then one reload follows, then the probe.
#[must_use]
pub(crate) fn plan_undo(
    plan: &InstallPlan,
    attempted: &[PlanStep],
    backups: &[BackedUpFile],
) -> InstallPlan {
    let is_visible = attempted.iter().any(PlanStep::shows_new_files);
    let live = last_switch(attempted)
        .or(plan.start.live.as_ref())
        .filter(|_| is_visible);
    let mut steps = undo_files(plan, attempted, backups, live);
    if live.is_some_and(|live| Some(live) != plan.back.release()) {
        let planned = plan.steps.iter();
        steps.extend(planned.filter_map(|step| server_step_after_undo(step, &plan.back)));
    }
    InstallPlan {
        steps,
        ..plan.clone()
    }
}

/// The steps that restore files, links and pointers; `live` is the release that servers may read, if
/// they may have read the new files.
fn undo_files(
    plan: &InstallPlan,
    attempted: &[PlanStep],
    backups: &[BackedUpFile],
    live: Option<&ReleaseId>,
) -> Vec<PlanStep> {
    let is_visible = attempted.iter().any(PlanStep::shows_new_files);
    let copies = AttemptedCopies::new(plan, attempted, backups);
    match &plan.back {
        // While no server can see the new files, the previous state is restored, broken or not.
        RollbackTarget::Stay(_) if !is_visible => restore_paths(attempted, backups),
        RollbackTarget::Stay(_) => Vec::new(),
        RollbackTarget::To(id) | RollbackTarget::Unproven(id) if let Some(copies) = &copies => {
            let mut steps = copies.restore(Some(id));
            steps.extend(restore_pointers(live, attempted, id));
            steps
        }
        RollbackTarget::To(id) | RollbackTarget::Unproven(id) => {
            let mut steps = restore_pointers(live, attempted, id);
            steps.extend(restore_other_paths(live, plan, attempted, backups));
            steps
        }
        RollbackTarget::Nothing { .. } if keeps_new_files(plan, attempted) => Vec::new(),
        RollbackTarget::Nothing { .. } => {
            let restored = copies.map_or_else(Vec::new, |copies| copies.restore(None));
            without_repetitions(restored, remove_links(live, plan, attempted, backups))
        }
    }
}

/// Joins steps and further ones, each once.
fn without_repetitions(mut steps: Vec<PlanStep>, more: Vec<PlanStep>) -> Vec<PlanStep> {
    for step in more {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

/// Whether the new files stay in place after a failure. They do where the previous ones were broken,
/// and where there were none and the server was reloaded with the new ones: without them it would
/// keep running but could not start again.
#[must_use]
pub(crate) fn keeps_new_files(plan: &InstallPlan, attempted: &[PlanStep]) -> bool {
    let mut attempted = attempted.iter();
    match &plan.back {
        RollbackTarget::Nothing { reload: false } => {
            attempted.any(|step| matches!(step, PlanStep::Reload { .. }))
        }
        RollbackTarget::Stay(_) => attempted.any(|step| matches!(step, PlanStep::Switch { .. })),
        RollbackTarget::Nothing { .. } | RollbackTarget::To(_) | RollbackTarget::Unproven(_) => {
            false
        }
    }
}

/// Points `live` and `proven` to the release `id` again.
fn restore_pointers(
    live: Option<&ReleaseId>,
    attempted: &[PlanStep],
    id: &ReleaseId,
) -> Vec<PlanStep> {
    let from = live.cloned();
    let mut steps = Vec::new();
    if live.is_some_and(|live| live != id) {
        steps.push(PlanStep::Switch {
            from: from.clone(),
            to: id.clone(),
        });
    }
    if attempted
        .iter()
        .any(|step| matches!(step, PlanStep::MarkProven { to, .. } if to != id))
    {
        steps.push(PlanStep::MarkProven {
            from,
            to: id.clone(),
        });
    }
    steps
}

/// Removes `live` first, so that all paths become empty at once, then the links; last it restores
/// the previous files.
fn remove_links(
    live: Option<&ReleaseId>,
    plan: &InstallPlan,
    attempted: &[PlanStep],
    backups: &[BackedUpFile],
) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if live.is_some() {
        steps.push(PlanStep::Unpoint {
            pointer: ReleasePointer::Live,
        });
        let links = plan.start.links.iter().cloned();
        steps.extend(links.map(|path| PlanStep::Unlink { path }));
    }
    if attempted
        .iter()
        .any(|step| matches!(step, PlanStep::MarkProven { .. }))
    {
        steps.push(PlanStep::Unpoint {
            pointer: ReleasePointer::Proven,
        });
    }
    steps.extend(restore_paths(attempted, backups));
    steps
}

/// Restores the paths that switching `live` does not: plain files are restored, and new links and
/// links that would dangle are removed.
fn restore_other_paths(
    live: Option<&ReleaseId>,
    plan: &InstallPlan,
    attempted: &[PlanStep],
    backups: &[BackedUpFile],
) -> Vec<PlanStep> {
    let UnfinishedStart {
        links,
        dangling,
        own,
        kept,
        ..
    } = &plan.start;
    let mut steps = Vec::new();
    if live.is_some() {
        let stale = links.iter().filter(|path| dangling.contains(path)).cloned();
        steps.extend(stale.map(|path| PlanStep::Unlink { path }));
    }
    let restored = restore_paths(attempted, backups).into_iter();
    steps.extend(restored.filter(|step| match step {
        PlanStep::Unlink { path } | PlanStep::Restore { path, .. } => {
            dangling.contains(path) || own.contains(path)
        }
        _ => false,
    }));
    if live.is_some() {
        steps.extend(kept.iter().map(|path| PlanStep::Restore {
            path: path.clone(),
            backup: kept_name(path),
        }));
    }
    steps
}

/// Removes new links from paths that were empty, then restores the backups.
fn restore_paths(attempted: &[PlanStep], backups: &[BackedUpFile]) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    for step in attempted {
        if let PlanStep::Link { path, .. } = step
            && backup_of(path, backups).is_none()
        {
            steps.push(PlanStep::Unlink { path: path.clone() });
        }
    }
    for step in attempted {
        if let PlanStep::BackUp { path } | PlanStep::Keep { path } = step
            && let Some(backup) = backup_of(path, backups)
        {
            steps.push(PlanStep::Restore {
                path: path.clone(),
                backup: backup.to_owned(),
            });
        }
    }
    steps
}

fn last_switch(attempted: &[PlanStep]) -> Option<&ReleaseId> {
    attempted.iter().rev().find_map(|step| match step {
        PlanStep::Switch { to, .. } => Some(to),
        _ => None,
    })
}

/// A test, reload or probe of the plan, for the release that is restored. Where none is, there is
/// nothing to probe, and a server that cannot load its configuration without the certificate is
/// neither tested nor reloaded.
fn server_step_after_undo(step: &PlanStep, back: &RollbackTarget) -> Option<PlanStep> {
    match (step, back) {
        (_, RollbackTarget::Stay(_) | RollbackTarget::Nothing { reload: false }) => None,
        (PlanStep::TestServer { .. } | PlanStep::Reload { .. }, _) => Some(step.clone()),
        (PlanStep::Prove { at, .. }, RollbackTarget::To(id)) => Some(PlanStep::Prove {
            release: id.clone(),
            at: at.clone(),
        }),
        _ => None,
    }
}
