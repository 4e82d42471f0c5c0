//! How far a plan got that failed, and what its rollback restored.

use super::failed::NewFiles;
use super::verdict::InstallVerdict;
use crate::install_plan::apply::FailedPlan;
use crate::install_plan::plan::{self, InstallPlan, PlanStep, RollbackTarget};
use crate::store::layout::ReleaseId;

/// How far a failed plan got, and what its rollback restored.
pub(super) struct FailedProgress {
    /// Whether `live` was switched, or a server was tested, reloaded or probed.
    pub reached_servers: bool,
    /// Whether `live` was switched, or anything was rolled back.
    has_switched: bool,
    pub new_files: NewFiles,
    /// Whether the wanted release is live in the end.
    wanted_stays: bool,
    /// Whether every step of the rollback succeeded. A server whose test or reload failed may not
    /// start again, even if it serves the earlier certificate now.
    is_restored: bool,
    /// Whether a link could not be rolled back.
    keeps_links: bool,
}

impl FailedProgress {
    pub(super) fn new(failed: &FailedPlan, plan: &InstallPlan, wanted: &ReleaseId) -> Self {
        let switches =
            |step: &PlanStep| matches!(step, PlanStep::Switch { to, .. } if to == wanted);
        let has_switched = failed.attempted.iter().any(switches);
        let used_servers = failed.attempted.iter().any(uses_servers);
        let files_stay = failed.held.is_some() || plan::keeps_new_files(plan, &failed.attempted);
        let leads_to_wanted = matches!(&plan.back, RollbackTarget::To(id) if id == wanted);
        Self {
            reached_servers: has_switched || used_servers,
            has_switched: has_switched
                || !failed.undone.is_empty()
                || !failed.not_undone.is_empty(),
            new_files: if files_stay {
                NewFiles::Stay
            } else {
                NewFiles::Removed
            },
            wanted_stays: files_stay || leads_to_wanted,
            is_restored: failed.not_undone.is_empty(),
            keeps_links: failed
                .not_undone
                .iter()
                .any(|(step, _)| !uses_servers(step)),
        }
    }

    pub(super) fn verdict(&self) -> InstallVerdict {
        if !self.has_switched {
            InstallVerdict::NotServed
        } else if self.wanted_stays || !self.is_restored {
            InstallVerdict::PartlyRolledBack
        } else {
            InstallVerdict::RolledBack
        }
    }

    pub(super) fn has_changed_links(&self) -> bool {
        self.has_switched && (self.wanted_stays || self.keeps_links)
    }
}

/// Whether a step only tests, reloads or probes servers.
fn uses_servers(step: &PlanStep) -> bool {
    matches!(
        step,
        PlanStep::TestServer { .. } | PlanStep::Reload { .. } | PlanStep::Prove { .. }
    )
}
