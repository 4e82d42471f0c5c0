//! Determines which files and folders a plan flushes: each file once, a folder once after each set of
//! changes that a later step relies on. Pure.

use std::path::{Path, PathBuf};

use super::step::{InstallPlan, PlanStep};
use crate::install_plan::plan::scheduler::{NextAction, PlanScheduler};
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, StableLink};

/// Whether the lineage's folder, which `step` changed, is flushed with a later change among the steps
/// `after` it, because nothing relies on the first change until the second is done. The switch that
/// makes a certificate live is flushed on its own, whatever fails after it. Only a certificate that
/// is taken over becomes live and proven in one flush, before a link shows it.
#[must_use]
pub(crate) fn is_flushed_with_later_step<'a>(
    step: &PlanStep,
    after: impl Iterator<Item = &'a PlanStep>,
) -> bool {
    let mut after = after;
    match step {
        // Links that point to nothing yet do not rely on the settings.
        PlanStep::Remember { .. } => {
            let next = after.find(|step| {
                !matches!(
                    step,
                    PlanStep::TakeOver { .. }
                        | PlanStep::BackUp { .. }
                        | PlanStep::Keep { .. }
                        | PlanStep::Link { .. }
                )
            });
            matches!(next, Some(PlanStep::Switch { .. }))
        }
        PlanStep::Switch { .. } => {
            matches!(after.next(), Some(PlanStep::MarkProven { .. }))
                && matches!(
                    after.next(),
                    Some(PlanStep::BackUp { .. } | PlanStep::Keep { .. } | PlanStep::Link { .. })
                )
        }
        PlanStep::MarkProven { .. } => matches!(after.next(), Some(PlanStep::Record { .. })),
        _ => false,
    }
}

impl InstallPlan {
    /// The files and folders that are flushed, in order, provided that all folders exist already and
    /// no release is old enough to be deleted. `taken` are the files of the certificate that is
    /// taken over. A release is written under a temporary name first.
    #[must_use]
    pub fn flushes(&self, layout: &LineageLayout, taken: &[ReleaseFile]) -> Vec<PathBuf> {
        flushes(&[(self, layout, taken)])
    }
}

/// The files and folders that several plans flush in one transaction; releases may be written
/// before everything else.
#[must_use]
pub fn flushes(plans: &[(&InstallPlan, &LineageLayout, &[ReleaseFile])]) -> Vec<PathBuf> {
    let mut scheduler: PlanScheduler<'_, ()> =
        PlanScheduler::new(plans.iter().map(|(plan, ..)| *plan));
    let mut flushed = Vec::new();
    while let Some(action) = scheduler.next_action() {
        match action {
            NextAction::RunStep(index, step) => {
                let (_, layout, taken) = plans[index];
                let after = scheduler.steps_after(index);
                flushed.extend(flushes_of_step(&step, after, layout, taken));
                scheduler.complete_step(&[index]);
            }
            NextAction::Flush(folder) => {
                scheduler.finish_flush(&folder, None);
                flushed.push(folder);
            }
            NextAction::AskServer(_, indices) => scheduler.complete_step(&indices),
            NextAction::Prove(steps) => {
                for (index, _) in steps {
                    scheduler.complete_step(&[index]);
                }
            }
        }
    }
    flushed
}

fn flushes_of_step<'a>(
    step: &PlanStep,
    after: impl Iterator<Item = &'a PlanStep>,
    layout: &LineageLayout,
    taken: &[ReleaseFile],
) -> Vec<PathBuf> {
    let folder = if is_flushed_with_later_step(step, after) {
        None
    } else {
        Some(layout.folder())
    };
    match step {
        PlanStep::WriteRelease { release, pieces } => flushes_of_release(release, pieces, layout),
        PlanStep::TakeOver { release } => flushes_of_release(release, taken, layout),
        PlanStep::Remember { .. } | PlanStep::Record { .. } => {
            std::iter::once(layout.settings()).chain(folder).collect()
        }
        PlanStep::MarkProven { .. } | PlanStep::Switch { .. } | PlanStep::Unpoint { .. } => {
            folder.into_iter().collect()
        }
        PlanStep::Copy { files, .. } => flushes_of_copies(files),
        PlanStep::Restore { path, .. }
        | PlanStep::RemoveCopy { path }
        | PlanStep::Unlink { path } => path.parent().map(Path::to_owned).into_iter().collect(),
        // Their folders are flushed when all plans have changed them.
        PlanStep::BackUp { .. } | PlanStep::Keep { .. } | PlanStep::Link { .. } => Vec::new(),
        PlanStep::Prove { .. }
        | PlanStep::Prune
        | PlanStep::Reload { .. }
        | PlanStep::RunHook { .. }
        | PlanStep::TestServer { .. } => Vec::new(),
    }
}

/// Each copy, then each folder once.
fn flushes_of_copies(files: &[StableLink]) -> Vec<PathBuf> {
    let mut flushed: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    for file in files {
        let folder = file.path.parent().map(Path::to_owned);
        flushed.extend(folder.filter(|folder| !flushed.contains(folder)));
    }
    flushed
}

/// Each file, then the release's folder, then the folder that contains it.
fn flushes_of_release(
    release: &ReleaseId,
    pieces: &[ReleaseFile],
    layout: &LineageLayout,
) -> Vec<PathBuf> {
    let files = pieces.iter().map(|piece| layout.file_path(release, *piece));
    files
        .chain([layout.release(release), layout.releases()])
        .collect()
}
