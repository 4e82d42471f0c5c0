//! The core of an install: derives the steps from the observed state, and the rollback from the
//! attempted steps. Pure: a plan names pieces and paths, never bytes; `--dry-run` shows the same
//! value that `apply` runs.

use crate::store::layout::{DeployMode, LineageLayout, ReleaseId, StableLink};

mod backup;
mod flush;
pub(crate) mod scheduler;
mod show;
mod state;
mod step;
mod undo;

pub(crate) use backup::BackedUpFile;
pub use flush::flushes;
pub(crate) use flush::is_flushed_with_later_step;
pub(crate) use state::{
    NameCoverage, ObservedState, PathState, PlannedServerUse, ServedBefore, ServedEvidence,
    ServerQuestions, ServerState, SettingsChange, TargetRelease,
};
pub use step::{InstallPlan, PlanEnd, PlanStep, RollbackTarget, UnfinishedStart};
pub(crate) use undo::keeps_new_files;

/// The plan that installs `wanted`.
#[must_use]
pub(crate) fn plan_install(
    wanted: &TargetRelease,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let id = &wanted.id;
    let is_in_place = observed.shows(id, layout.deploy_mode());
    let is_proven = observed.proven.as_ref() == Some(id);
    let mut steps = Vec::new();
    if !is_in_place {
        steps.extend(file_steps(wanted, observed, layout));
    } else if wanted.settings_change != SettingsChange::Unchanged {
        steps.push(PlanStep::Remember {
            path: layout.settings(),
        });
    }
    // A command is saved for the next renewal only if it works.
    let has_new_command = wanted.settings_change == SettingsChange::Commands;
    if has_new_command || !(is_in_place && is_proven && observed.is_answered()) {
        steps.extend(server_steps(id, &observed.server_uses));
    }
    let end = plan_end(observed);
    if end == PlanEnd::Proven && !(is_in_place && is_proven) {
        steps.extend(bookkeeping_steps(id, observed));
    }
    let back = rollback_target(observed);
    let start = unfinished_start(&back, observed, layout);
    InstallPlan {
        steps,
        back,
        end,
        start,
    }
}

/// The plan that installs a placeholder. A placeholder is never proven, and no rollback restores it.
#[must_use]
pub(crate) fn plan_placeholder(
    wanted: &TargetRelease,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let mut plan = plan_install(wanted, observed, layout);
    let is_in_place = observed.shows(&wanted.id, layout.deploy_mode());
    plan.steps.retain(|step| match step {
        PlanStep::Prove { .. }
        | PlanStep::MarkProven { .. }
        | PlanStep::Record { .. }
        | PlanStep::Prune => false,
        PlanStep::TestServer { .. } | PlanStep::Reload { .. } => !is_in_place,
        _ => true,
    });
    plan.end = PlanEnd::Proven;
    plan
}

/// All changes to files, up to and including the one rename that makes servers read `wanted`.
fn file_steps(
    wanted: &TargetRelease,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    steps.extend(write_step(wanted, observed));
    steps.push(PlanStep::Remember {
        path: layout.settings(),
    });
    let mut live = observed.live.as_ref();
    if let ServedBefore::Whole(taken) = &observed.served_before {
        steps.extend(take_over_steps(taken, observed));
        live = Some(taken);
    }
    steps.extend(keep_steps(observed, layout));
    if layout.deploy_mode() == DeployMode::Link {
        for (link, state) in path_states(observed, layout) {
            if state != PathState::OurLink {
                steps.push(link_step(link, layout));
            }
        }
    }
    steps.extend(switch_step(live, &wanted.id));
    steps.extend(copy_step(wanted, observed, layout));
    steps
}

/// Keeps the plain files that are replaced.
fn keep_steps(observed: &ObservedState, layout: &LineageLayout) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    for (link, state) in path_states(observed, layout) {
        let path = link.path.clone();
        match state {
            PathState::File | PathState::OtherCertificate => steps.push(PlanStep::BackUp { path }),
            // What a killed run has kept is the file from before that run.
            PathState::OurCopy | PathState::OutdatedCopy if observed.kept.contains(&path) => {}
            PathState::Identical | PathState::OurCopy | PathState::OutdatedCopy => {
                steps.push(PlanStep::Keep { path });
            }
            PathState::Absent | PathState::OurLink => {}
        }
    }
    steps
}

fn link_step(link: &StableLink, layout: &LineageLayout) -> PlanStep {
    PlanStep::Link {
        path: link.path.clone(),
        text: layout.link_text(link),
    }
}

/// Replaces the files with copies, where copies are deployed and differ from the release.
fn copy_step(
    wanted: &TargetRelease,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> Option<PlanStep> {
    if layout.deploy_mode() == DeployMode::Link || observed.shows(&wanted.id, DeployMode::Copy) {
        return None;
    }
    Some(PlanStep::Copy {
        release: wanted.id.clone(),
        files: layout.links().to_vec(),
    })
}

/// Writes the release unless it exists already.
fn write_step(wanted: &TargetRelease, observed: &ObservedState) -> Option<PlanStep> {
    if observed.releases.contains(&wanted.id) {
        return None;
    }
    Some(PlanStep::WriteRelease {
        release: wanted.id.clone(),
        pieces: wanted.pieces.clone(),
    })
}

/// Makes `to` live unless it is.
fn switch_step(live: Option<&ReleaseId>, to: &ReleaseId) -> Option<PlanStep> {
    if live == Some(to) {
        return None;
    }
    Some(PlanStep::Switch {
        from: live.cloned(),
        to: to.clone(),
    })
}

/// Makes `to` proven unless it is.
fn mark_proven_step(proven: Option<&ReleaseId>, to: &ReleaseId) -> Option<PlanStep> {
    if proven == Some(to) {
        return None;
    }
    Some(PlanStep::MarkProven {
        from: proven.cloned(),
        to: to.clone(),
    })
}

/// Turns the files that the server reads now into a release that is live and proven before any link
/// to it is created: nothing changes for the server.
fn take_over_steps(taken: &ReleaseId, observed: &ObservedState) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if !observed.releases.contains(taken) {
        steps.push(PlanStep::TakeOver {
            release: taken.clone(),
        });
    }
    steps.extend(switch_step(observed.live.as_ref(), taken));
    steps.extend(mark_proven_step(observed.proven.as_ref(), taken));
    steps
}

/// Notes that the release is proven, adds it to the history and deletes old releases.
fn bookkeeping_steps(id: &ReleaseId, observed: &ObservedState) -> Vec<PlanStep> {
    let before = match &observed.served_before {
        ServedBefore::Whole(taken) => Some(taken),
        _ => observed.proven.as_ref(),
    };
    let mut steps = Vec::new();
    steps.extend(mark_proven_step(before, id));
    steps.push(PlanStep::Record {
        release: id.clone(),
        before: before.filter(|before| *before != id).cloned(),
    });
    steps.push(PlanStep::Prune);
    steps
}

/// Tests, reloads and probes of all servers that can be tested, reloaded or probed. All tests come
/// before the first reload.
fn server_steps(id: &ReleaseId, uses: &[PlannedServerUse]) -> Vec<PlanStep> {
    let mut tests = Vec::new();
    let mut reloads = Vec::new();
    let mut addresses = Vec::new();
    for PlannedServerUse { server, state } in uses {
        let Some(questions) = state.questions() else {
            continue;
        };
        tests.extend(questions.test.clone().map(|command| PlanStep::TestServer {
            server: *server,
            command,
        }));
        if matches!(state, ServerState::Stopped(_)) {
            continue;
        }
        reloads.extend(questions.reload.clone().map(|command| PlanStep::Reload {
            server: *server,
            command,
        }));
        addresses.extend(questions.addresses.iter().cloned());
    }
    addresses.dedup();
    let mut steps = tests;
    steps.append(&mut reloads);
    if !addresses.is_empty() {
        steps.push(PlanStep::Prove {
            release: id.clone(),
            at: addresses,
        });
    }
    steps
}

/// How far the plan gets. With several servers, the one that gets least far counts.
fn plan_end(observed: &ObservedState) -> PlanEnd {
    if observed.any(|state| *state == ServerState::NotNamed) {
        PlanEnd::NotNamed
    } else if observed.any(|state| matches!(state, ServerState::Stopped(_))) {
        PlanEnd::Stopped
    } else if observed.any(ServerState::is_partly_covered) {
        PlanEnd::Partly
    } else {
        PlanEnd::Proven
    }
}

/// A rollback restores what was proven or is taken over, never a certificate that no server can
/// load.
fn rollback_target(observed: &ObservedState) -> RollbackTarget {
    match (&observed.served_before, &observed.proven) {
        (ServedBefore::Whole(taken), _) => RollbackTarget::To(taken.clone()),
        (_, Some(proven)) if observed.releases.contains(proven) => {
            RollbackTarget::To(proven.clone())
        }
        (_, Some(proven)) => {
            RollbackTarget::Stay(format!("no server can load the previous version {proven}"))
        }
        (ServedBefore::Broken(why), None) => RollbackTarget::Stay(why.clone()),
        (_, None) => match loaded_live(observed) {
            Some(live) => RollbackTarget::Unproven(live.clone()),
            None => RollbackTarget::Nothing {
                reload: loads_without_certificate(observed),
            },
        },
    }
}

/// Whether servers serve and none of them needs the certificate to load its configuration.
fn loads_without_certificate(observed: &ObservedState) -> bool {
    observed.any(|state| matches!(state, ServerState::Serves(..)))
        && !observed.any(|state| matches!(state, ServerState::BrokenUntilInstalled(_)))
}

/// The live release, where a server's own test has shown that it loads.
fn loaded_live(observed: &ObservedState) -> Option<&ReleaseId> {
    let is_tested = observed.any(
        |state| matches!(state, ServerState::Serves(questions, _) if questions.test.is_some()),
    );
    let live = observed.live.as_ref()?;
    let is_loaded = is_tested && observed.is_deployed() && observed.releases.contains(live);
    is_loaded.then_some(live)
}

/// The plan that rolls back to `wanted`: an install whose links exist already. Its files exist too,
/// unless a new link needs another file.
#[must_use]
pub(crate) fn plan_rollback(
    wanted: &TargetRelease,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> InstallPlan {
    let target = &wanted.id;
    let mut steps = Vec::new();
    steps.extend(write_step(wanted, observed));
    let copy = copy_step(wanted, observed, layout);
    if copy.is_some() {
        steps.extend(keep_steps(observed, layout));
    }
    let switch = switch_step(observed.live.as_ref(), target);
    let changes_version = switch.is_some();
    steps.extend(switch);
    steps.extend(copy);
    let is_proven = observed.proven.as_ref() == Some(target);
    if !(steps.is_empty() && is_proven && observed.is_answered()) {
        steps.extend(server_steps(target, &observed.server_uses));
    }
    let end = plan_end(observed);
    if end == PlanEnd::Proven {
        steps.extend(mark_proven_step(observed.proven.as_ref(), target));
        if changes_version {
            steps.push(PlanStep::Record {
                release: target.clone(),
                before: observed.live.clone(),
            });
        }
    }
    let back = rollback_target(observed);
    let start = unfinished_start(&back, observed, layout);
    InstallPlan {
        steps,
        back,
        end,
        start,
    }
}

fn unfinished_start(
    back: &RollbackTarget,
    observed: &ObservedState,
    layout: &LineageLayout,
) -> UnfinishedStart {
    let mut start = UnfinishedStart {
        live: observed.live.clone(),
        kept: observed.kept.clone(),
        ..UnfinishedStart::default()
    };
    let takes_over = matches!(observed.served_before, ServedBefore::Whole(_));
    for (link, state) in path_states(observed, layout) {
        if state == PathState::OurLink {
            start.links.push(link.path.clone());
            start.relink.push(link_step(link, layout));
        }
        let is_own = match state {
            PathState::Identical | PathState::OtherCertificate => true,
            PathState::Absent | PathState::File => {
                takes_over || observed.added_paths.contains(&link.path)
            }
            PathState::OurCopy | PathState::OutdatedCopy => true,
            PathState::OurLink => false,
        };
        if is_own {
            start.own.push(link.path.clone());
        }
        if back
            .release()
            .is_some_and(|id| observed.missing_files.contains(&(id.clone(), link.piece)))
        {
            start.dangling.push(link.path.clone());
        }
    }
    start
}

/// Each link with the state of its path.
fn path_states<'a>(
    observed: &'a ObservedState,
    layout: &'a LineageLayout,
) -> impl Iterator<Item = (&'a StableLink, PathState)> {
    layout
        .links()
        .iter()
        .zip(observed.path_states.iter().copied())
}

#[cfg(test)]
mod tests;
