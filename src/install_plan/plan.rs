//! The heart: from what is there to the steps of an install, and from the steps attempted to the
//! way back. Pure: a plan names pieces and paths, never bytes;
//! `--dry-run` shows the very value that `apply` runs.

use crate::store::layout::{LineageLayout, ReleaseId, StableLink};

mod flush;
pub(crate) mod scheduler;
mod show;
mod state;
mod step;
mod undo;

pub use flush::flushes;
pub(crate) use flush::together;
pub(crate) use state::{
    NameCoverage, ObservedState, PathState, PlannedServerUse, ServedBefore, ServedEvidence,
    ServerQuestions, ServerState, SettingsChange, TargetRelease,
};
pub use step::{InstallPlan, PlanEnd, PlanStep, RollbackTarget, UnfinishedStart};
pub(crate) use undo::{BackedUpFile, stays};

/// What an install of `wanted` does.
#[must_use]
pub(crate) fn install(
    wanted: &TargetRelease,
    seen: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let id = &wanted.id;
    let at_rest = seen.live.as_ref() == Some(id) && seen.is_linked();
    let mut steps = Vec::new();
    if !at_rest {
        steps.extend(arrange(wanted, seen, layout));
    } else if wanted.remembered == SettingsChange::Otherwise {
        steps.push(PlanStep::Remember {
            path: layout.settings(),
        });
    }
    let questions = questions(id, &seen.uses);
    let proven = seen.proven.as_ref() == Some(id);
    let end = end(&seen.uses);
    if !(at_rest && proven && seen.is_answered()) {
        steps.extend(questions);
    }
    if end == PlanEnd::Proven && !(at_rest && proven) {
        let before = proven_before(seen);
        if before.as_ref() != Some(id) {
            steps.push(PlanStep::MarkProven {
                from: before.clone(),
                to: id.clone(),
            });
        }
        steps.push(PlanStep::Record {
            release: id.clone(),
            before: before.filter(|before| before != id),
        });
        steps.push(PlanStep::Prune);
    }
    let back = back(seen);
    let start = start(&back, seen, layout);
    InstallPlan {
        steps,
        back,
        end,
        start,
    }
}

/// What the install of a placeholder does: nothing of it is ever proven, and nobody goes back to
/// it.
#[must_use]
pub(crate) fn placeholder(
    wanted: &TargetRelease,
    seen: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let mut plan = install(wanted, seen, layout);
    let at_rest = seen.live.as_ref() == Some(&wanted.id) && seen.is_linked();
    plan.steps.retain(|step| match step {
        PlanStep::Prove { .. }
        | PlanStep::MarkProven { .. }
        | PlanStep::Record { .. }
        | PlanStep::Prune => false,
        PlanStep::TestServer { .. } | PlanStep::Reload { .. } => !at_rest,
        _ => true,
    });
    plan.end = PlanEnd::Proven;
    plan
}

/// Everything up to and with the one rename that makes `wanted` the pair that servers read.
fn arrange(wanted: &TargetRelease, seen: &ObservedState, layout: &LineageLayout) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if !seen.releases.contains(&wanted.id) {
        steps.push(PlanStep::WriteRelease {
            release: wanted.id.clone(),
            pieces: wanted.pieces.clone(),
        });
    }
    steps.push(PlanStep::Remember {
        path: layout.settings(),
    });
    let mut live = seen.live.clone();
    if let ServedBefore::Whole(taken) = &seen.present {
        steps.extend(take_over(taken, seen));
        live = Some(taken.clone());
    }
    let kept =
        spots(seen, layout).filter(|(_, spot)| matches!(spot, PathState::File | PathState::Own));
    steps.extend(kept.map(|(link, _)| PlanStep::BackUp {
        path: link.path.clone(),
    }));
    let new = spots(seen, layout).filter(|(_, spot)| *spot != PathState::Ours);
    steps.extend(new.map(|(link, _)| PlanStep::Link {
        path: link.path.clone(),
        text: layout.link_text(link),
    }));
    if live.as_ref() != Some(&wanted.id) {
        steps.push(PlanStep::Switch {
            from: live,
            to: wanted.id.clone(),
        });
    }
    steps
}

/// What the server reads now becomes a release that is live and proven, before a link shows it:
/// nothing changes for the server.
fn take_over(taken: &ReleaseId, seen: &ObservedState) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if !seen.releases.contains(taken) {
        steps.push(PlanStep::TakeOver {
            release: taken.clone(),
        });
    }
    if seen.live.as_ref() != Some(taken) {
        steps.push(PlanStep::Switch {
            from: seen.live.clone(),
            to: taken.clone(),
        });
    }
    if seen.proven.as_ref() != Some(taken) {
        steps.push(PlanStep::MarkProven {
            from: seen.proven.clone(),
            to: taken.clone(),
        });
    }
    steps
}

fn proven_before(seen: &ObservedState) -> Option<ReleaseId> {
    match &seen.present {
        ServedBefore::Whole(taken) => Some(taken.clone()),
        _ => seen.proven.clone(),
    }
}

/// Test, reload, proof: as far as there is somebody to ask. All tests come before the first reload.
fn questions(id: &ReleaseId, uses: &[PlannedServerUse]) -> Vec<PlanStep> {
    let (mut tests, mut reloads, mut at) = (Vec::new(), Vec::new(), Vec::new());
    for PlannedServerUse { server, state } in uses {
        let (asks, runs) = match state {
            ServerState::Nothing | ServerState::NotNamed => continue,
            ServerState::Mends(asks) | ServerState::Serves(asks, _) => (asks, true),
            ServerState::Stopped(asks) => (asks, false),
        };
        tests.extend(asks.test.clone().map(|command| PlanStep::TestServer {
            server: *server,
            command,
        }));
        if runs {
            reloads.extend(asks.reload.clone().map(|command| PlanStep::Reload {
                server: *server,
                command,
            }));
            at.extend(asks.probe.iter().cloned());
        }
    }
    at.dedup();
    let proof = (!at.is_empty()).then(|| PlanStep::Prove {
        release: id.clone(),
        at,
    });
    tests.into_iter().chain(reloads).chain(proof).collect()
}

/// What falls short of proof, the farthest first.
fn end(uses: &[PlannedServerUse]) -> PlanEnd {
    let any = |is: &dyn Fn(&ServerState) -> bool| uses.iter().any(|one| is(&one.state));
    let partly = |state: &ServerState| matches!(state, ServerState::Mends(asks) | ServerState::Serves(asks, _) if asks.reach == NameCoverage::Part);
    if any(&|state| *state == ServerState::NotNamed) {
        PlanEnd::NotNamed
    } else if any(&|state| matches!(state, ServerState::Stopped(_))) {
        PlanEnd::Stopped
    } else if any(&partly) {
        PlanEnd::Partly
    } else {
        PlanEnd::Proven
    }
}

/// To what was proven or is taken over; never to a pair that no server can load.
fn back(seen: &ObservedState) -> RollbackTarget {
    if let ServedBefore::Whole(taken) = &seen.present {
        return RollbackTarget::To(taken.clone());
    }
    match (&seen.proven, &seen.present) {
        (Some(proven), _) if seen.releases.contains(proven) => RollbackTarget::To(proven.clone()),
        (Some(proven), _) => {
            RollbackTarget::Stay(format!("no server can load the files before, {proven}"))
        }
        (None, ServedBefore::Broken(why)) => RollbackTarget::Stay(why.clone()),
        (None, _) => match loaded(seen) {
            Some(live) => RollbackTarget::Unproven(live),
            None => {
                let serves = seen.any(|state| matches!(state, ServerState::Serves(..)));
                RollbackTarget::Nothing {
                    reload: serves && !seen.any(|state| matches!(state, ServerState::Mends(_))),
                }
            }
        },
    }
}

/// The pair that a server was seen to load by its own test, where it is ours.
fn loaded(seen: &ObservedState) -> Option<ReleaseId> {
    let tested =
        seen.any(|state| matches!(state, ServerState::Serves(asks, _) if asks.test.is_some()));
    seen.live
        .clone()
        .filter(|live| tested && seen.is_linked() && seen.releases.contains(live))
}

/// What a rollback to `target` does: the way of an install whose links are all there. Its files are
/// there too, unless a link came since that needs one more.
#[must_use]
pub(crate) fn rollback(
    wanted: &TargetRelease,
    seen: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let target = &wanted.id;
    let mut steps = Vec::new();
    if !seen.releases.contains(target) {
        steps.push(PlanStep::WriteRelease {
            release: target.clone(),
            pieces: wanted.pieces.clone(),
        });
    }
    if seen.live.as_ref() != Some(target) {
        steps.push(PlanStep::Switch {
            from: seen.live.clone(),
            to: target.clone(),
        });
    }
    if !(steps.is_empty() && seen.proven.as_ref() == Some(target) && seen.is_answered()) {
        steps.extend(questions(target, &seen.uses));
    }
    let end = end(&seen.uses);
    if end == PlanEnd::Proven && seen.proven.as_ref() != Some(target) {
        steps.push(PlanStep::MarkProven {
            from: seen.proven.clone(),
            to: target.clone(),
        });
    }
    let back = back(seen);
    let start = start(&back, seen, layout);
    InstallPlan {
        steps,
        back,
        end,
        start,
    }
}

fn start(back: &RollbackTarget, seen: &ObservedState, layout: &LineageLayout) -> UnfinishedStart {
    let paths = |wanted: &dyn Fn(&StableLink, PathState) -> bool| {
        let of = spots(seen, layout).filter(|(link, spot)| wanted(link, *spot));
        of.map(|(link, _)| link.path.clone()).collect()
    };
    let lacks = |link: &StableLink, _| {
        back.release()
            .is_some_and(|id| seen.lacks.contains(&(id.clone(), link.piece)))
    };
    UnfinishedStart {
        live: seen.live.clone(),
        links: paths(&|_, spot| spot == PathState::Ours),
        dangling: paths(&lacks),
        own: paths(&|_, spot| spot == PathState::Own),
    }
}

/// Each link, and what is there.
fn spots<'a>(
    seen: &'a ObservedState,
    layout: &'a LineageLayout,
) -> impl Iterator<Item = (&'a StableLink, PathState)> {
    layout.links().iter().zip(seen.spots.iter().copied())
}

#[cfg(test)]
mod tests;
