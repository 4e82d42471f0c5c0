//! What of a plan is flushed, and when: each file once, a folder once after each set of changes that a later step relies
//! on. Pure.

use std::path::{Path, PathBuf};

use super::step::{InstallPlan, Step};
use crate::install::layout::{Layout, Piece, ReleaseId};

/// Whether the folder that `step` changed is flushed with the step after it: both change the pair's folder, and nothing
/// relies on the first until the second is done. What makes a pair live is flushed by itself, whatever fails after it.
#[must_use]
pub fn together(step: &Step, next: Option<&Step>) -> bool {
    matches!(
        (step, next),
        (Step::Remember { .. }, Some(Step::Switch { .. })) | (Step::MarkProven { .. }, Some(Step::Record { .. }))
    )
}

impl InstallPlan {
    /// The files and folders that are flushed, in this order, where all folders are there already and nothing is old
    /// enough to go. `taken` are the files of the pair that is taken over. A release is built under another name.
    #[must_use]
    pub fn flushes(&self, layout: &Layout, taken: &[Piece]) -> Vec<PathBuf> {
        let steps = self.steps.iter().zip(self.steps.iter().skip(1).map(Some).chain([None]));
        steps.flat_map(|(step, next)| of_step(step, next, layout, taken)).collect()
    }
}

fn of_step(step: &Step, next: Option<&Step>, layout: &Layout, taken: &[Piece]) -> Vec<PathBuf> {
    let folder = (!together(step, next)).then(|| layout.folder());
    let above = |path: &Path| path.parent().map(Path::to_owned).into_iter().collect();
    match step {
        Step::WriteRelease { release, pieces } => written(release, pieces, layout),
        Step::TakeOver { release } => written(release, taken, layout),
        Step::Remember { .. } | Step::Record { .. } => std::iter::once(layout.settings()).chain(folder).collect(),
        Step::MarkProven { .. } | Step::Switch { .. } | Step::Unpoint { .. } => folder.into_iter().collect(),
        Step::BackUp { path } | Step::Link { path, .. } | Step::Restore { path, .. } | Step::Unlink { path } => {
            above(path)
        }
        Step::Prove { .. } | Step::Prune | Step::Reload { .. } | Step::TestServer { .. } => Vec::new(),
    }
}

/// Each file, the folder that names them, the folder that names it.
fn written(release: &ReleaseId, pieces: &[Piece], layout: &Layout) -> Vec<PathBuf> {
    let files = pieces.iter().map(|piece| layout.piece(release, *piece));
    files.chain([layout.release(release), layout.releases()]).collect()
}
