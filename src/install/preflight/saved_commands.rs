//! Checks the saved commands: a program may be gone by the next renewal, and the command line does
//! not show the option that names it.

use crate::advice::servers;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::parse_command;
use crate::store::settings::LineageSettings;

/// Checks the commands of `settings` that are not from the command line.
///
/// # Errors
/// When a program does not exist or must not be run by root; the failure names the option.
pub(super) fn check(
    context: &Context,
    request: &InstallRequest<'_>,
    settings: &LineageSettings,
) -> Result<(), Failure> {
    let passed = &request.flags;
    if passed.test.is_none() {
        check_command(context, request, "--test", settings.test.as_deref())?;
    }
    if passed.reload.is_none() {
        check_command(context, request, "--reload", settings.reload.as_deref())?;
    }
    Ok(())
}

fn check_command(
    context: &Context,
    request: &InstallRequest<'_>,
    option: &str,
    command: Option<&str>,
) -> Result<(), Failure> {
    let Some(command) = command else {
        return Ok(());
    };
    let Err(failure) = parse_command(command) else {
        return Ok(());
    };
    let step = match request.goal {
        InstallGoal::Rollback(_) => {
            let root = context.root.as_deref();
            servers::install_without_saved_command(root, &request.stem, option)
        }
        InstallGoal::Install(_) | InstallGoal::Placeholder(_) => {
            servers::repeat_without_saved_command(option)
        }
    };
    let unusable = servers::report_unusable_saved_command(option, command, &failure);
    Err(unusable.with_step(step))
}
