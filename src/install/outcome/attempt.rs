//! Which files a plan has changed, or has begun to change.

use crate::install_plan::apply::AppliedPlan;
use crate::install_plan::plan::{InstallPlan, PlanStep};

/// What a plan has changed, or has begun to change before it was rolled back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct AttemptedChange {
    /// A file that servers read.
    pub deployed: Attempt,
    /// A release, and with it a key.
    pub release: Attempt,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Attempt {
    Made,
    NotMade,
}

impl AttemptedChange {
    pub(super) fn of(applied: &AppliedPlan, plan: &InstallPlan) -> Self {
        let attempted = match &applied.failed {
            Some(failed) => failed.attempted.as_slice(),
            None => plan.steps.as_slice(),
        };
        let changes = |step: &PlanStep| {
            matches!(
                step,
                PlanStep::BackUp { .. }
                    | PlanStep::Link { .. }
                    | PlanStep::MarkProven { .. }
                    | PlanStep::Switch { .. }
            )
        };
        let writes = |step: &PlanStep| matches!(step, PlanStep::WriteRelease { .. });
        let attempt = |is_made: fn(&PlanStep) -> bool| match attempted.iter().any(is_made) {
            true => Attempt::Made,
            false => Attempt::NotMade,
        };
        Self {
            deployed: attempt(changes),
            release: attempt(writes),
        }
    }
}
