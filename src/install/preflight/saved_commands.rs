//! Checks the commands that are saved: a program may be gone by the next renewal, and the command line
//! does not show the option that names it; a process may have another number.

use crate::advice::servers;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::parse_command;
use crate::store::settings::LineageSettings;
use crate::system::command_words;
use crate::webserver::control::service;

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

/// Warns about a reload by `kill NUMBER`: at the next renewal another process may have that number.
pub(super) fn check_process_number(settings: &LineageSettings) -> Option<Finding> {
    let command = settings.reload.as_deref()?;
    let words = command_words::split_command(command).ok()?;
    let program = words.first()?.rsplit('/').next()?;
    let number = words.last()?.parse::<i32>().ok()?;
    if program != "kill" || number <= 0 {
        return None;
    }
    let message = format!(
        "`{command}` is saved for the next renewals, and process {number} may then be another program"
    );
    let unit = service::unit_of_process(number);
    let step = servers::reload_by_name(unit.as_deref());
    Some(Finding::warning("reload-by-number", message).with_step(step))
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
