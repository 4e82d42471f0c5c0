//! The way back from the steps that were attempted.

use std::path::{Path, PathBuf};

use super::step::{Back, InstallPlan, Start, Step};
use crate::store::layout::{Pointer, ReleaseId};

/// A plain file that this run has kept, and the name that it got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Kept {
    pub path: PathBuf,
    pub backup: PathBuf,
}

/// The way back from the steps that were attempted (a step that failed halfway may have worked) and
/// the files that were kept. Not the reverse order: the links go back first, all of them, then one
/// reload, then the proof.
#[must_use]
pub(crate) fn undo(plan: &InstallPlan, attempted: &[Step], kept: &[Kept]) -> InstallPlan {
    let reached = attempted.iter().any(|step| {
        matches!(
            step,
            Step::Switch { .. }
                | Step::TestServer { .. }
                | Step::Reload { .. }
                | Step::Prove { .. }
        )
    });
    let live = last_switch(attempted)
        .or(plan.start.live.as_ref())
        .filter(|_| reached);
    let mut steps = match &plan.back {
        // As long as no server could see the new files, what was there comes back as it was, broken
        // or not.
        Back::Stay(_) if !reached => relink(attempted, kept),
        Back::Stay(_) => Vec::new(),
        Back::To(id) | Back::Unproven(id) => {
            let mut steps = point_back(live, attempted, id);
            steps.extend(relink_others(live, plan, attempted, kept));
            steps
        }
        Back::Nothing { .. } if stays(plan, attempted) => Vec::new(),
        Back::Nothing { .. } => remove(live, plan, attempted, kept),
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
pub(crate) fn stays(plan: &InstallPlan, attempted: &[Step]) -> bool {
    let any = |wanted: fn(&Step) -> bool| attempted.iter().any(wanted);
    match &plan.back {
        Back::Nothing { reload: false } => any(|step| matches!(step, Step::Reload { .. })),
        Back::Stay(_) => any(|step| matches!(step, Step::Switch { .. })),
        Back::Nothing { .. } | Back::To(_) | Back::Unproven(_) => false,
    }
}

fn point_back(live: Option<&ReleaseId>, attempted: &[Step], id: &ReleaseId) -> Vec<Step> {
    let from = live.cloned();
    let mut steps = Vec::new();
    if live.is_some_and(|live| live != id) {
        steps.push(Step::Switch {
            from: from.clone(),
            to: id.clone(),
        });
    }
    if attempted
        .iter()
        .any(|step| matches!(step, Step::MarkProven { to, .. } if to != id))
    {
        steps.push(Step::MarkProven {
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
    attempted: &[Step],
    kept: &[Kept],
) -> Vec<Step> {
    let mut steps = Vec::new();
    if live.is_some() {
        steps.push(Step::Unpoint {
            pointer: Pointer::Live,
        });
        steps.extend(
            plan.start
                .links
                .iter()
                .map(|path| Step::Unlink { path: path.clone() }),
        );
    }
    if attempted
        .iter()
        .any(|step| matches!(step, Step::MarkProven { .. }))
    {
        steps.push(Step::Unpoint {
            pointer: Pointer::Proven,
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
    attempted: &[Step],
    kept: &[Kept],
) -> Vec<Step> {
    let Start {
        links,
        dangling,
        own,
        ..
    } = &plan.start;
    let stale = links
        .iter()
        .filter(|path| live.is_some() && dangling.contains(path));
    let mut steps: Vec<Step> = stale
        .map(|path| Step::Unlink { path: path.clone() })
        .collect();
    steps.extend(
        relink(attempted, kept)
            .into_iter()
            .filter(|step| match step {
                Step::Unlink { path } => dangling.contains(path),
                Step::Restore { path, .. } => dangling.contains(path) || own.contains(path),
                _ => false,
            }),
    );
    steps
}

/// Our links where nothing was go; what was kept comes back.
fn relink(attempted: &[Step], kept: &[Kept]) -> Vec<Step> {
    let backup = |path: &Path| {
        kept.iter()
            .find(|kept| kept.path == path)
            .map(|kept| kept.backup.clone())
    };
    let links = attempted.iter().filter_map(|step| match step {
        Step::Link { path, .. } if backup(path).is_none() => {
            Some(Step::Unlink { path: path.clone() })
        }
        _ => None,
    });
    let files = attempted.iter().filter_map(|step| match step {
        Step::BackUp { path } => backup(path).map(|backup| Step::Restore {
            path: path.clone(),
            backup,
        }),
        _ => None,
    });
    links.chain(files).collect()
}

fn last_switch(attempted: &[Step]) -> Option<&ReleaseId> {
    attempted.iter().rev().find_map(|step| match step {
        Step::Switch { to, .. } => Some(to),
        _ => None,
    })
}

/// The questions of the plan, about what it goes back to. Where that is nothing, there is nothing
/// to prove, and a server that cannot load its configuration without the pair is left alone.
fn ask_again(step: &Step, back: &Back) -> Option<Step> {
    match (step, back) {
        (_, Back::Stay(_) | Back::Nothing { reload: false }) => None,
        (Step::TestServer { .. } | Step::Reload { .. }, _) => Some(step.clone()),
        (Step::Prove { at, .. }, Back::To(id)) => Some(Step::Prove {
            release: id.clone(),
            at: at.clone(),
        }),
        _ => None,
    }
}
