//! What of a plan is flushed, and when: each file once, a folder once after each set of changes
//! that a later step relies on. Pure.

use std::path::{Path, PathBuf};

use super::step::{InstallPlan, Step};
use crate::install_plan::plan::scheduler::{Act, Course};
use crate::store::layout::{Layout, Piece, ReleaseId};

/// Whether the pair's folder, which
/// `step` changed, is flushed with a change of it among those that come `after`: nothing relies on
/// the first until the second is done. What makes a pair live is flushed by itself, whatever fails
/// after it; only a pair that is taken over is live and proven at once, before a link shows it.
#[must_use]
pub(crate) fn together<'a>(step: &Step, after: impl Iterator<Item = &'a Step>) -> bool {
    let mut after = after.peekable();
    match step {
        // A link that shows nothing yet relies on nothing.
        Step::Remember { .. } => after
            .find(|step| {
                !matches!(
                    step,
                    Step::TakeOver { .. } | Step::BackUp { .. } | Step::Link { .. }
                )
            })
            .is_some_and(|next| matches!(next, Step::Switch { .. })),
        Step::Switch { .. } => {
            let proven = after
                .next()
                .is_some_and(|next| matches!(next, Step::MarkProven { .. }));
            proven
                && after
                    .next()
                    .is_some_and(|next| matches!(next, Step::BackUp { .. } | Step::Link { .. }))
        }
        Step::MarkProven { .. } => after
            .peek()
            .is_some_and(|next| matches!(next, Step::Record { .. })),
        _ => false,
    }
}

impl InstallPlan {
    /// The files and folders that are flushed, in this order, where all folders are there already
    /// and nothing is old enough to go. `taken` are the files of the pair that is taken over. A
    /// release is built under another name.
    #[must_use]
    pub fn flushes(&self, layout: &Layout, taken: &[Piece]) -> Vec<PathBuf> {
        flushes(&[(self, layout, taken)])
    }
}

/// The same of several plans in one transaction; releases may be built before all else.
#[must_use]
pub fn flushes(plans: &[(&InstallPlan, &Layout, &[Piece])]) -> Vec<PathBuf> {
    let mut course: Course<'_, ()> = Course::new(plans.iter().map(|(plan, ..)| *plan));
    let mut flushed = Vec::new();
    while let Some(act) = course.next() {
        match act {
            Act::Do(pair, step) => {
                let (_, layout, taken) = plans[pair];
                flushed.extend(of_step(&step, course.after(pair), layout, taken));
                course.went_well(&[pair]);
            }
            Act::Flush(folder) => {
                course.flushed(&folder, None);
                flushed.push(folder);
            }
            Act::Ask(_, pairs) => course.went_well(&pairs),
            Act::Prove(asked) => asked
                .iter()
                .for_each(|(pair, _)| course.went_well(&[*pair])),
        }
    }
    flushed
}

fn of_step<'a>(
    step: &Step,
    after: impl Iterator<Item = &'a Step>,
    layout: &Layout,
    taken: &[Piece],
) -> Vec<PathBuf> {
    let folder = (!together(step, after)).then(|| layout.folder());
    let above = |path: &Path| path.parent().map(Path::to_owned).into_iter().collect();
    match step {
        Step::WriteRelease { release, pieces } => written(release, pieces, layout),
        Step::TakeOver { release } => written(release, taken, layout),
        Step::Remember { .. } | Step::Record { .. } => {
            std::iter::once(layout.settings()).chain(folder).collect()
        }
        Step::MarkProven { .. } | Step::Switch { .. } | Step::Unpoint { .. } => {
            folder.into_iter().collect()
        }
        Step::Restore { path, .. } | Step::Unlink { path } => above(path),
        // Their folders are flushed when all pairs have changed them.
        Step::BackUp { .. } | Step::Link { .. } => Vec::new(),
        Step::Prove { .. } | Step::Prune | Step::Reload { .. } | Step::TestServer { .. } => {
            Vec::new()
        }
    }
}

/// Each file, the folder that names them, the folder that names it.
fn written(release: &ReleaseId, pieces: &[Piece], layout: &Layout) -> Vec<PathBuf> {
    let files = pieces.iter().map(|piece| layout.piece(release, *piece));
    files
        .chain([layout.release(release), layout.releases()])
        .collect()
}
