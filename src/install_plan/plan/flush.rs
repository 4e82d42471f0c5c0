//! What of a plan is flushed, and when: each file once, a folder once after each set of changes
//! that a later step relies on. Pure.

use std::path::{Path, PathBuf};

use super::step::{InstallPlan, PlanStep};
use crate::install_plan::plan::scheduler::{NextAction, PlanScheduler};
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId};

/// Whether the pair's folder, which
/// `step` changed, is flushed with a change of it among those that come `after`: nothing relies on
/// the first until the second is done. What makes a pair live is flushed by itself, whatever fails
/// after it; only a pair that is taken over is live and proven at once, before a link shows it.
#[must_use]
pub(crate) fn together<'a>(step: &PlanStep, after: impl Iterator<Item = &'a PlanStep>) -> bool {
    let mut after = after.peekable();
    match step {
        // A link that shows nothing yet relies on nothing.
        PlanStep::Remember { .. } => after
            .find(|step| {
                !matches!(
                    step,
                    PlanStep::TakeOver { .. } | PlanStep::BackUp { .. } | PlanStep::Link { .. }
                )
            })
            .is_some_and(|next| matches!(next, PlanStep::Switch { .. })),
        PlanStep::Switch { .. } => {
            let proven = after
                .next()
                .is_some_and(|next| matches!(next, PlanStep::MarkProven { .. }));
            proven
                && after.next().is_some_and(|next| {
                    matches!(next, PlanStep::BackUp { .. } | PlanStep::Link { .. })
                })
        }
        PlanStep::MarkProven { .. } => after
            .peek()
            .is_some_and(|next| matches!(next, PlanStep::Record { .. })),
        _ => false,
    }
}

impl InstallPlan {
    /// The files and folders that are flushed, in this order, where all folders are there already
    /// and nothing is old enough to go. `taken` are the files of the pair that is taken over. A
    /// release is built under another name.
    #[must_use]
    pub fn flushes(&self, layout: &LineageLayout, taken: &[ReleaseFile]) -> Vec<PathBuf> {
        flushes(&[(self, layout, taken)])
    }
}

/// The same of several plans in one transaction; releases may be built before all else.
#[must_use]
pub fn flushes(plans: &[(&InstallPlan, &LineageLayout, &[ReleaseFile])]) -> Vec<PathBuf> {
    let mut course: PlanScheduler<'_, ()> =
        PlanScheduler::new(plans.iter().map(|(plan, ..)| *plan));
    let mut flushed = Vec::new();
    while let Some(act) = course.next() {
        match act {
            NextAction::Do(pair, step) => {
                let (_, layout, taken) = plans[pair];
                flushed.extend(of_step(&step, course.after(pair), layout, taken));
                course.went_well(&[pair]);
            }
            NextAction::Flush(folder) => {
                course.flushed(&folder, None);
                flushed.push(folder);
            }
            NextAction::Ask(_, pairs) => course.went_well(&pairs),
            NextAction::Prove(asked) => asked
                .iter()
                .for_each(|(pair, _)| course.went_well(&[*pair])),
        }
    }
    flushed
}

fn of_step<'a>(
    step: &PlanStep,
    after: impl Iterator<Item = &'a PlanStep>,
    layout: &LineageLayout,
    taken: &[ReleaseFile],
) -> Vec<PathBuf> {
    let folder = (!together(step, after)).then(|| layout.folder());
    let above = |path: &Path| path.parent().map(Path::to_owned).into_iter().collect();
    match step {
        PlanStep::WriteRelease { release, pieces } => written(release, pieces, layout),
        PlanStep::TakeOver { release } => written(release, taken, layout),
        PlanStep::Remember { .. } | PlanStep::Record { .. } => {
            std::iter::once(layout.settings()).chain(folder).collect()
        }
        PlanStep::MarkProven { .. } | PlanStep::Switch { .. } | PlanStep::Unpoint { .. } => {
            folder.into_iter().collect()
        }
        PlanStep::Restore { path, .. } | PlanStep::Unlink { path } => above(path),
        // Their folders are flushed when all pairs have changed them.
        PlanStep::BackUp { .. } | PlanStep::Link { .. } => Vec::new(),
        PlanStep::Prove { .. }
        | PlanStep::Prune
        | PlanStep::Reload { .. }
        | PlanStep::TestServer { .. } => Vec::new(),
    }
}

/// Each file, the folder that names them, the folder that names it.
fn written(release: &ReleaseId, pieces: &[ReleaseFile], layout: &LineageLayout) -> Vec<PathBuf> {
    let files = pieces.iter().map(|piece| layout.piece(release, *piece));
    files
        .chain([layout.release(release), layout.releases()])
        .collect()
}
