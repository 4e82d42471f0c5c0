//! The way back from the steps that were attempted.

use std::path::{Path, PathBuf};

use super::step::{InstallPlan, PlanStep, RollbackTarget, UnfinishedStart};
use crate::store::layout::{ReleaseId, ReleasePointer};

/// A plain file that this run has kept, and the name that it got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BackedUpFile {
    pub path: PathBuf,
    pub backup: PathBuf,
}

/// The way back from the steps that were attempted (a step that failed halfway may have worked) and
/// the files that were kept. Not the reverse order: the links go back first, all of them, then one
/// reload, then the proof.
#[must_use]
pub(crate) fn undo(
    plan: &InstallPlan,
    attempted: &[PlanStep],
    kept: &[BackedUpFile],
) -> InstallPlan {
    let reached = attempted.iter().any(|step| {
        matches!(
            step,
            PlanStep::Switch { .. }
                | PlanStep::TestServer { .. }
                | PlanStep::Reload { .. }
                | PlanStep::Prove { .. }
        )
    });
    let live = last_switch(attempted)
        .or(plan.start.live.as_ref())
        .filter(|_| reached);
    let mut steps = match &plan.back {
        // As long as no server could see the new files, what was there comes back as it was, broken
        // or not.
        RollbackTarget::Stay(_) if !reached => relink(attempted, kept),
        RollbackTarget::Stay(_) => Vec::new(),
        RollbackTarget::To(id) | RollbackTarget::Unproven(id) => {
            let mut steps = point_back(live, attempted, id);
            steps.extend(relink_others(live, plan, attempted, kept));
            steps
        }
        RollbackTarget::Nothing { .. } if stays(plan, attempted) => Vec::new(),
        RollbackTarget::Nothing { .. } => remove(live, plan, attempted, kept),
    };
    if live.is_some_and(|live| Some(live) != plan.back.release()) {
        steps.extend(
            plan.steps
                .iter()
                .filter_map(|step| ask_again(step, &plan.back)),
        );
    }
    InstallPlan {
        steps,
        ..plan.clone()
    }
}

/// Whether the new files stay after a failure: those before were broken, or there were none and the
/// server was told to load these; taken away, it would go on with them until it cannot start any
/// more.
#[must_use]
pub(crate) fn stays(plan: &InstallPlan, attempted: &[PlanStep]) -> bool {
    let any = |wanted: fn(&PlanStep) -> bool| attempted.iter().any(wanted);
    match &plan.back {
        RollbackTarget::Nothing { reload: false } => {
            any(|step| matches!(step, PlanStep::Reload { .. }))
        }
        RollbackTarget::Stay(_) => any(|step| matches!(step, PlanStep::Switch { .. })),
        RollbackTarget::Nothing { .. } | RollbackTarget::To(_) | RollbackTarget::Unproven(_) => {
            false
        }
    }
}

fn point_back(live: Option<&ReleaseId>, attempted: &[PlanStep], id: &ReleaseId) -> Vec<PlanStep> {
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

/// `live` first, so that both paths show nothing at once; then the links, then what was there
/// before.
fn remove(
    live: Option<&ReleaseId>,
    plan: &InstallPlan,
    attempted: &[PlanStep],
    kept: &[BackedUpFile],
) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if live.is_some() {
        steps.push(PlanStep::Unpoint {
            pointer: ReleasePointer::Live,
        });
        steps.extend(
            plan.start
                .links
                .iter()
                .map(|path| PlanStep::Unlink { path: path.clone() }),
        );
    }
    if attempted
        .iter()
        .any(|step| matches!(step, PlanStep::MarkProven { .. }))
    {
        steps.push(PlanStep::Unpoint {
            pointer: ReleasePointer::Proven,
        });
    }
    steps.extend(relink(attempted, kept));
    steps
}

/// Of the paths for which `live` alone is not the way back: what was kept comes back, and no link
/// stays that shows nothing.
fn relink_others(
    live: Option<&ReleaseId>,
    plan: &InstallPlan,
    attempted: &[PlanStep],
    kept: &[BackedUpFile],
) -> Vec<PlanStep> {
    let UnfinishedStart {
        links,
        dangling,
        own,
        ..
    } = &plan.start;
    let stale = links
        .iter()
        .filter(|path| live.is_some() && dangling.contains(path));
    let mut steps: Vec<PlanStep> = stale
        .map(|path| PlanStep::Unlink { path: path.clone() })
        .collect();
    steps.extend(
        relink(attempted, kept)
            .into_iter()
            .filter(|step| match step {
                PlanStep::Unlink { path } => dangling.contains(path),
                PlanStep::Restore { path, .. } => dangling.contains(path) || own.contains(path),
                _ => false,
            }),
    );
    steps
}

/// Our links where nothing was go; what was kept comes back.
fn relink(attempted: &[PlanStep], kept: &[BackedUpFile]) -> Vec<PlanStep> {
    let backup = |path: &Path| {
        kept.iter()
            .find(|kept| kept.path == path)
            .map(|kept| kept.backup.clone())
    };
    let links = attempted.iter().filter_map(|step| match step {
        PlanStep::Link { path, .. } if backup(path).is_none() => {
            Some(PlanStep::Unlink { path: path.clone() })
        }
        _ => None,
    });
    let files = attempted.iter().filter_map(|step| match step {
        PlanStep::BackUp { path } => backup(path).map(|backup| PlanStep::Restore {
            path: path.clone(),
            backup,
        }),
        _ => None,
    });
    links.chain(files).collect()
}

fn last_switch(attempted: &[PlanStep]) -> Option<&ReleaseId> {
    attempted.iter().rev().find_map(|step| match step {
        PlanStep::Switch { to, .. } => Some(to),
        _ => None,
    })
}

/// The questions of the plan, about what it goes back to. Where that is nothing, there is nothing
/// to prove, and a server that cannot load its configuration without the pair is left alone.
fn ask_again(step: &PlanStep, back: &RollbackTarget) -> Option<PlanStep> {
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
