//! How the command of `--after` ended: a failure makes the installation incomplete, and rolls nothing
//! back.

use super::TransactionOutcome;
use super::verdict::InstallVerdict;
use crate::advice::{command_lines, install};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::hook_call;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::StepError;
use crate::install_plan::apply::hook::HookResult;
use crate::install_plan::plan::{InstallPlan, PlanStep};

impl TransactionOutcome {
    /// Adds a warning about a command that is due and will not be run.
    pub(super) fn with_skipped_hook(mut self, situation: &PreflightState) -> Self {
        if let Some(plan) = &self.plan {
            let skipped = hook_call::report_skipped(situation, plan);
            self.findings.extend(skipped);
        }
        self
    }

    /// Records how the command of the plan ended.
    ///
    /// # Errors
    /// When a signal ended it.
    pub(super) fn record_hook(
        &mut self,
        context: &Context,
        situation: &PreflightState,
        plan: &InstallPlan,
        result: Option<HookResult>,
    ) -> Result<(), Failure> {
        let command = command_of(plan);
        match result {
            None => {
                let skipped = hook_call::report_skipped(situation, plan);
                self.findings.extend(skipped);
            }
            Some(HookResult::Succeeded) => self.hook = Some(format!("`{command}` succeeded")),
            Some(HookResult::Unverified) => self.findings.push(hook_call::not_run(command)),
            Some(HookResult::Failed(error)) => self.record_failed_hook(context, error),
            Some(HookResult::Interrupted(signal)) => return Err(interrupted(signal, command)),
        }
        Ok(())
    }

    fn record_failed_hook(&mut self, context: &Context, error: StepError) {
        let root = context.root.as_deref();
        let finding = install::report_failed_hook(root, &self.name, error);
        self.findings.push(finding);
        if self.verdict.exit_code() == 0 {
            self.verdict = InstallVerdict::LiveIncomplete;
        }
    }
}

fn command_of(plan: &InstallPlan) -> &str {
    let mut commands = plan.steps.iter().filter_map(|step| match step {
        PlanStep::RunHook { command } => Some(command.as_str()),
        _ => None,
    });
    commands.next().unwrap_or_default()
}

fn interrupted(signal: i32, command: &str) -> Failure {
    let message = format!("interrupted by signal {signal}");
    let state = format!(
        "the certificate is installed; `{command}` has not finished, and the next install runs it again"
    );
    Failure::new(FailureKind::Interrupted(signal), message)
        .because(state)
        .with_step(command_lines::repeat_to_continue())
}
