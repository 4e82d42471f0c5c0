//! Builds the command line and parses the arguments with it.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Subcommand};

use super::globals::{self, Globals};
use super::help;
use crate::commands::CliCommand;

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

/// Parses the arguments with only the commands that they name, because building all commands takes
/// as long as reading a zip. What that parser refuses (help, errors, values in another case) goes to
/// the complete command line, which accepts whatever the first one does. The parser is not freed:
/// that takes time, and the process ends soon.
pub(super) fn parse(args: &[OsString]) -> Result<(Globals, Option<CliCommand>), clap::Error> {
    let named_commands = CliCommand::augment_named(Globals::command(), args);
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
