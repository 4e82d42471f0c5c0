//! The rollback of copies: the files that were kept are renamed back, links become links again, and
//! copies at paths that were empty are removed.

use std::path::{Path, PathBuf};

use crate::install_plan::plan::backup::{BackedUpFile, backup_of};
use crate::install_plan::plan::step::{InstallPlan, PlanStep};
use crate::store::layout::{ReleaseId, StableLink, kept_name};

/// The attempted steps of a plan that deploys copies.
pub(super) struct AttemptedCopies<'a> {
    plan: &'a InstallPlan,
    attempted: &'a [PlanStep],
    backups: &'a [BackedUpFile],
}

impl<'a> AttemptedCopies<'a> {
    /// The attempted steps; `None` if the plan has no copies.
    pub(super) fn new(
        plan: &'a InstallPlan,
        attempted: &'a [PlanStep],
        backups: &'a [BackedUpFile],
    ) -> Option<Self> {
        let mut steps = plan.steps.iter();
        let has_copies = steps.any(|step| matches!(step, PlanStep::Copy { .. }));
        has_copies.then_some(Self {
            plan,
            attempted,
            backups,
        })
    }

    /// Restores every path. The plain files that were kept come first; paths whose previous file is
    /// of no use get a copy of the release `id` that is restored.
    pub(super) fn restore(&self, id: Option<&ReleaseId>) -> Vec<PlanStep> {
        let mut steps = self.restore_plain_files(id);
        let mut to_copy = Vec::new();
        for file in self.copied() {
            let is_restored = |step: &PlanStep| matches!(step, PlanStep::Restore { path, .. } if *path == file.path);
            if steps.iter().any(is_restored) {
                continue;
            }
            let relink = self
                .plan
                .start
                .relink
                .iter()
                .find(|step| links(step, &file.path));
            match (relink, id) {
                (Some(relink), Some(_)) => steps.push(relink.clone()),
                (None, Some(_)) if !self.plan.start.own.contains(&file.path) => {
                    to_copy.push(file.clone());
                }
                _ => steps.push(PlanStep::RemoveCopy {
                    path: file.path.clone(),
                }),
            }
        }
        if let (Some(id), false) = (id, to_copy.is_empty()) {
            steps.push(PlanStep::Copy {
                release: id.clone(),
                files: to_copy,
            });
        }
        steps
    }

    fn restore_plain_files(&self, id: Option<&ReleaseId>) -> Vec<PlanStep> {
        let mut steps = Vec::new();
        for step in self.attempted {
            let (PlanStep::BackUp { path } | PlanStep::Keep { path }) = step else {
                continue;
            };
            // A file that no server can load is not restored over one that works.
            let is_useless = id.is_some()
                && matches!(step, PlanStep::BackUp { .. })
                && !self.plan.start.own.contains(path)
                && self.copied().any(|file| file.path == *path);
            if let (Some(backup), false) = (backup_of(path, self.backups), is_useless) {
                steps.push(restore(path, backup.to_owned()));
            }
        }
        if self.attempted.iter().any(PlanStep::shows_new_files) {
            let kept = self.plan.start.kept.iter();
            steps.extend(kept.map(|path| restore(path, kept_name(path))));
        }
        steps
    }

    fn copied(&self) -> impl Iterator<Item = &StableLink> {
        self.attempted.iter().flat_map(|step| match step {
            PlanStep::Copy { files, .. } => files.as_slice(),
            _ => &[],
        })
    }
}

fn links(step: &PlanStep, wanted: &Path) -> bool {
    matches!(step, PlanStep::Link { path, .. } if path == wanted)
}

fn restore(path: &Path, backup: PathBuf) -> PlanStep {
    PlanStep::Restore {
        path: path.to_owned(),
        backup,
    }
}
