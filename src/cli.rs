//! Parses the command line and makes the [`Context`] from the global options. Prints help, and usage
//! errors as text or JSON with exit code 2.
//!
//! [`Context`]: crate::context::Context

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Subcommand};

use self::globals::Globals;
use self::overview::OverviewOutcome;
use crate::commands::CliCommand;
use crate::report::{ColorWhen, Sink, Style};
use crate::system::signals;

mod globals;
mod groups;
mod help;
mod overview;
mod pending;
mod usage;
mod verbose;
mod version;
mod words;

/// Runs the whole program and returns its exit code; `args` start with the program's name.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    signals::keep_memory_private();
    signals::outlive_limits();
    let args = words::normalize(args);
    match parse(&args) {
        Ok((globals, command)) => {
            let context = globals.into_context();
            verbose::observe(&context.sink);
            match command {
                Some(command) => command.run(&context, command_line),
                None => {
                    let overview = OverviewOutcome::new(&context, &command_line());
                    context.sink.print_outcome(&overview)
                }
            }
        }
        Err(error) => report_parse_error(&error, &args),
    }
}

/// The command line with every command.
#[must_use]
pub fn command_line() -> clap::Command {
    // The doc comment of the enum is for programmers.
    let whole = CliCommand::augment_subcommands(Globals::command()).about(help::ABOUT);
    ignore_case(whole)
}

/// Accepts values such as `--ca Namecheap` in any case.
fn ignore_case(command: clap::Command) -> clap::Command {
    fn of_one(command: clap::Command) -> clap::Command {
        command.mut_args(|arg| {
            let has_fixed_values =
                arg.get_action().takes_values() && !arg.get_possible_values().is_empty();
            arg.ignore_case(has_fixed_values)
        })
    }
    of_one(command).mut_subcommands(of_one)
}

/// Parses with only the commands that `args` name: to build the whole command line takes as long as
/// to read a zip. Both parse in the same way; help and errors come from the whole. Nothing is freed,
/// which would take a third of that time again: the process ends soon.
fn parse(args: &[OsString]) -> Result<(Globals, Option<CliCommand>), clap::Error> {
    let named_commands = ignore_case(CliCommand::augment_named(Globals::command(), args));
    let mut named_commands = ManuallyDrop::new(globals::with_variables(named_commands, args));
    let matches = match named_commands.try_get_matches_from_mut(args) {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => {
            let whole = globals::with_variables(command_line(), args);
            help::with_help(whole, args).try_get_matches_from(args)
        }
        matches => matches,
    };
    let mut matches = ManuallyDrop::new(matches?);
    let globals = Globals::from_arg_matches_mut(&mut matches)?;
    let command = matches
        .subcommand_name()
        .is_some()
        .then(|| CliCommand::from_arg_matches_mut(&mut matches));
    Ok((globals, command.transpose()?))
}

/// Prints the help or version that was requested; reports everything else as a usage error.
fn report_parse_error(error: &clap::Error, args: &[OsString]) -> u8 {
    let sink = Sink::new(Style {
        json: globals::wants_json(args),
        color: globals::apply_no_color(ColorWhen::Auto),
        ..Style::default()
    });
    match error.kind() {
        ErrorKind::DisplayHelp => sink.print_bytes(error.render().to_string().as_bytes()),
        ErrorKind::DisplayVersion => sink.print_bytes(version::text(args).as_bytes()),
        _ => sink.print_failure(&usage::failure(error, args)),
    }
}
