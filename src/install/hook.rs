//! The command of `--after`, given or saved: when an installation runs it.

use std::time::Duration;

use crate::advice::install_command;
use crate::configuration::ConfiguredDefaults;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::request::{InstallGoal, InstallRequest, RunMode};
use crate::install::servers::parse_command;
use crate::install_plan::apply::hook::HOOK_TIMEOUT;
use crate::install_plan::plan::{InstallPlan, PlanEnd, PlanStep};
use crate::store::layout::ReleaseId;
use crate::store::settings::{DueHook, LineageSettings, PROBE_NONE};
use crate::system::command_words;

/// The command of `--after`.
#[derive(Clone, Debug)]
pub(crate) struct InstallHook {
    /// As it was given.
    pub(super) text: String,
    pub(super) argv: Vec<String>,
    pub(super) deadline: Duration,
    verification: LiveVerification,
    /// The release for which it has not succeeded yet.
    due: Option<DueHook>,
}

/// Whether this run verifies what servers serve, as far as they are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LiveVerification {
    Done,
    /// `--probe none`
    Skipped,
}

impl InstallHook {
    /// Finds the command of a request; none for a placeholder, and none with `--root`, whose tree
    /// belongs to another machine. `settings` are the saved options, overridden by those of the
    /// command line; the configured command applies where they have none.
    ///
    /// A saved command that cannot be run any more does not prevent the installation or the rollback:
    /// it fails when it is run.
    ///
    /// # Errors
    /// When it cannot be split into words; when a command of the command line does not exist, or users
    /// other than root can change what root would run.
    pub(super) fn find(
        context: &Context,
        request: &InstallRequest<'_>,
        settings: &LineageSettings,
        defaults: &ConfiguredDefaults,
    ) -> Result<Option<Self>, Failure> {
        let is_placeholder = matches!(request.goal, InstallGoal::Placeholder(_));
        let after = settings.after.as_ref().or(defaults.after.as_ref());
        let Some(text) = after.filter(|_| !is_placeholder) else {
            return Ok(None);
        };
        if context.root.is_some() || request.mode == RunMode::Check {
            return Ok(None);
        }
        let argv = match request.flags.after {
            Some(_) => parse_command(text)?,
            None => command_words::split_command(text)?,
        };
        let is_skipped = settings.probe.iter().any(|probe| probe == PROBE_NONE);
        let limit = settings.hook_timeout.map(Duration::from_secs);
        let limit = limit.or(defaults.hook_timeout);
        Ok(Some(Self {
            text: text.clone(),
            argv,
            deadline: limit.unwrap_or(HOOK_TIMEOUT),
            verification: if is_skipped {
                LiveVerification::Skipped
            } else {
                LiveVerification::Done
            },
            due: settings.after_due.clone(),
        }))
    }

    /// Adds the step to a plan that verifies the release `wanted`, or after which the command is still
    /// due for it.
    pub(super) fn add_to(&self, plan: &mut InstallPlan, wanted: &ReleaseId) {
        if self.is_due(plan, wanted) && self.verification == LiveVerification::Done {
            plan.steps.push(PlanStep::RunHook {
                command: self.text.clone(),
            });
        }
    }

    /// Whether it is due after the plan and not run, because nothing is verified.
    pub(super) fn is_skipped(&self, plan: &InstallPlan, wanted: &ReleaseId) -> bool {
        self.is_due(plan, wanted) && self.verification == LiveVerification::Skipped
    }

    /// Whether it has to be run after the plan.
    pub(super) fn is_due(&self, plan: &InstallPlan, wanted: &ReleaseId) -> bool {
        let finishes = |step: &PlanStep| {
            matches!(
                step,
                PlanStep::MarkProven { .. } | PlanStep::Record { .. } | PlanStep::Switch { .. }
            )
        };
        plan.end == PlanEnd::Proven
            && (self.saved_due(wanted).is_some() || plan.steps.iter().any(finishes))
    }

    /// The saved note that it is due for the release `wanted`.
    pub(super) fn saved_due(&self, wanted: &ReleaseId) -> Option<&DueHook> {
        self.due.as_ref().filter(|due| due.release == *wanted)
    }
}

/// Reports that the command of `--after` has not succeeded for the live release.
#[must_use]
pub(super) fn report_due(
    context: &Context,
    stem: &str,
    settings: &LineageSettings,
    live: &ReleaseId,
) -> Option<Finding> {
    let due = settings.after_due.as_ref();
    due.filter(|due| due.release == *live && context.root.is_none())?;
    let command = settings.after.as_deref().unwrap_or_default();
    Some(install_command::report_due_hook(stem, command))
}
