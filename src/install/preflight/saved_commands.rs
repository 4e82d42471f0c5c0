//! Checks the commands and servers that are saved: a program may be gone by the next renewal, and the
//! command line does not show the option that names it; a process may have another number; a later
//! version may have saved a server that this one does not know.

use crate::advice::servers;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::{discover, parse_command};
use crate::store::settings::LineageSettings;
use crate::system::command_words;
use crate::webserver::control::service;
use crate::webserver::model::ServerSoftware;

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
    if passed.server.is_empty() {
        check_servers(context, request, &settings.server)?;
    }
    if passed.test.is_empty() {
        check_commands(context, request, "--test", &settings.test)?;
    }
    if passed.reload.is_empty() {
        check_commands(context, request, "--reload", &settings.reload)?;
    }
    Ok(())
}

fn check_servers(
    context: &Context,
    request: &InstallRequest<'_>,
    names: &[String],
) -> Result<(), Failure> {
    let Err(failure) = discover::check_known(names) else {
        return Ok(());
    };
    let step = |software| match request.goal {
        InstallGoal::Rollback(_) => {
            let root = context.root.as_deref();
            servers::install_for_server(root, &request.stem, software)
        }
        InstallGoal::Install(_) | InstallGoal::Placeholder(_) => servers::install_for_one(software),
    };
    let steps = ServerSoftware::ALL.into_iter().map(step);
    Err(steps.fold(failure, Failure::with_step))
}

/// Warns about a reload by `kill NUMBER`: at the next renewal another process may have that number.
pub(super) fn check_process_number(settings: &LineageSettings) -> Option<Finding> {
    let mut commands = settings.reload.iter();
    commands.find_map(|command| report_process_number(command))
}

fn report_process_number(command: &str) -> Option<Finding> {
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

fn check_commands(
    context: &Context,
    request: &InstallRequest<'_>,
    option: &str,
    commands: &[String],
) -> Result<(), Failure> {
    for command in commands {
        check_command(context, request, option, command)?;
    }
    Ok(())
}

fn check_command(
    context: &Context,
    request: &InstallRequest<'_>,
    option: &str,
    command: &str,
) -> Result<(), Failure> {
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
