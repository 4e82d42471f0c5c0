//! The command of `--after`, and its run. It is due from the moment a release is marked as verified
//! until the command has succeeded for it; settings.json says so, and the next install runs it again.

use std::time::Duration;

use super::error::StepError;
use crate::store::settings::DueHook;
use crate::system::process::{
    self, CommandInvocation, CommandSurroundings, FinishedCommand, LeftoverProcesses, ProcessError,
};
use crate::system::signals::InterruptSignal;
use crate::system::{environment, program_trust};

/// The time limit without `--hook-timeout`.
pub(crate) const HOOK_TIMEOUT: Duration = Duration::from_secs(300);
/// The maximum number of bytes of its output that are kept.
pub(crate) const OUTPUT_LIMIT: usize = 64 * 1024;

/// The command of `--after`, for one certificate.
#[derive(Clone, Debug)]
pub(crate) struct HookCall {
    pub argv: Vec<String>,
    pub deadline: Duration,
    /// What it learns about the certificate: names and values of environment variables.
    pub variables: Vec<(String, String)>,
    /// The note in the settings until it has succeeded.
    pub due: DueHook,
}

/// How the command of `--after` ended.
#[derive(Debug)]
pub(crate) enum HookResult {
    Failed(StepError),
    /// A signal to certctl ended it, or prevented its start.
    Interrupted(i32),
    Succeeded,
    /// What an address serves could not be determined, so it was not run.
    Unverified,
}

impl HookCall {
    /// Runs it without a shell, in an environment without secrets, and ends all its processes.
    pub(super) fn run(&self, interrupt: &InterruptSignal) -> HookResult {
        if let Some(signal) = interrupt.signal() {
            return HookResult::Interrupted(signal);
        }
        match (self.run_program(interrupt), interrupt.signal()) {
            (Err(error), _) => HookResult::Failed(error.into()),
            (Ok(finished), _) if finished.succeeded() => HookResult::Succeeded,
            (Ok(_), Some(signal)) => HookResult::Interrupted(signal),
            (Ok(finished), None) => HookResult::Failed(StepError::Hook(finished)),
        }
    }

    fn run_program(&self, interrupt: &InterruptSignal) -> Result<FinishedCommand, ProcessError> {
        program_trust::check_command(&self.argv)?;
        let mut variables = environment::without_secrets();
        variables.extend(self.variables.iter().cloned());
        let surroundings = CommandSurroundings {
            folder: None,
            variables: Some(variables),
            input: None,
            leftovers: LeftoverProcesses::Killed,
            interrupt: Some(interrupt.clone()),
        };
        let invocation = CommandInvocation {
            argv: self.argv.clone(),
            deadline: self.deadline,
            output_limit: OUTPUT_LIMIT,
        };
        process::run_in(&invocation, &surroundings)
    }
}
