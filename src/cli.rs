//! Parses the command line and makes the [`Context`] from the global options. Prints help, and usage
//! errors as text or JSON with exit code 2.
//!
//! [`Context`]: crate::context::Context

use std::ffi::OsString;

use clap::error::ErrorKind;

use self::overview::OverviewOutcome;
use crate::advice::rerun;
use crate::report::{ColorWhen, Sink, Style};
use crate::system::fs::folders;
use crate::system::{local_zone, signals};
use crate::wording;

mod globals;
mod groups;
mod help;
mod overview;
mod parser;
mod pending;
mod usage;
mod verbose;
mod version;
mod words;

pub use self::parser::command_line;

/// Runs the whole program and returns its exit code; `args` start with the program's name.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    signals::keep_memory_private();
    signals::outlive_limits();
    wording::set_zone_reader(local_zone::read);
    let args = words::normalize(args);
    let command = globals::command_index(&args);
    if let Some(failure) = usage::empty_argument(&args, command) {
        return sink_of(&args).print_failure(&failure);
    }
    rerun::keep_command_line(&args, command, folders::current_user());
    match parser::parse(&args) {
        Ok((globals, command)) => {
            let context = globals.into_context();
            verbose::observe(&context.sink);
            match command {
                Some(command) => command.run(&context, parser::command_line),
                None => {
                    let overview = OverviewOutcome::new(&context, &parser::command_line());
                    context.sink.print_outcome(&overview)
                }
            }
        }
        Err(error) => report_parse_error(&error, &args),
    }
}

/// The output of a command line that is not parsed.
fn sink_of(args: &[OsString]) -> Sink {
    Sink::new(Style {
        json: globals::wants_json(args),
        color: globals::apply_no_color(ColorWhen::Auto),
        ..Style::default()
    })
}

/// Prints the help or version that was requested; reports everything else as a usage error.
fn report_parse_error(error: &clap::Error, args: &[OsString]) -> u8 {
    let sink = sink_of(args);
    match error.kind() {
        ErrorKind::DisplayHelp => sink.print_bytes(error.render().to_string().as_bytes()),
        ErrorKind::DisplayVersion => sink.print_bytes(version::text(args).as_bytes()),
        _ => sink.print_failure(&usage::failure(error, args)),
    }
}
