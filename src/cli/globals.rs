//! The options that every command has, and the environment variables that set them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::context::Context;
use crate::report::{ColorWhen, Sink, Style};
use crate::system::{environment, signals, terminal};
use crate::wording::local_zone;

#[derive(Debug, Parser)]
#[command(
    name = "certctl",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    disable_version_flag = true
)]
// No doc comment: it would become the first line of the help.
pub(super) struct Globals {
    /// Print one JSON object on stdout, for errors too
    #[arg(long, global = true, value_parser = parse_switch, help_heading = "Global")]
    json: bool,
    /// Working directory: where names are looked up and new files are written [default: .]
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global"
    )]
    directory: Option<PathBuf>,
    /// Tree to install into instead of /
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    root: Option<PathBuf>,
    /// Evaluate dates as of this date (its start) or time, such as 2027-05-11T00:00:00Z [default: now]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time, help_heading = "Global")]
    at: Option<Timestamp>,
    /// Print only what needs action
    #[arg(short, long, global = true, value_parser = parse_switch, help_heading = "Global")]
    quiet: bool,
    /// Print each command run, each file written and each query sent
    #[arg(short, long, global = true, value_parser = parse_switch, help_heading = "Global")]
    verbose: bool,
    /// When to use colour [default: auto]
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Global")]
    color: Option<ColorWhen>,
    /// Print this help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, help_heading = "Global")]
    help: Option<bool>,
    /// Print the version, the commit and the date of this build (-V: one line)
    #[arg(short = 'V', long, action = clap::ArgAction::Version, help_heading = "Global")]
    version: Option<bool>,
}

/// An option that can also be set by an environment variable.
pub(super) struct GlobalVariable {
    /// The long option, without its dashes.
    pub option: &'static str,
    /// The variable.
    pub name: &'static str,
    takes: OptionValue,
}

/// What an option takes.
#[derive(Clone, Copy, Eq, PartialEq)]
enum OptionValue {
    /// Nothing: it is on or off.
    Switch,
    /// One value.
    Value,
}

const JSON: &str = "CERTCTL_JSON";

/// Each global option except `--help` and `--version`.
pub(super) const VARIABLES: [GlobalVariable; 7] = [
    GlobalVariable {
        option: "json",
        name: JSON,
        takes: OptionValue::Switch,
    },
    GlobalVariable {
        option: "directory",
        name: "CERTCTL_DIRECTORY",
        takes: OptionValue::Value,
    },
    GlobalVariable {
        option: "root",
        name: "CERTCTL_ROOT",
        takes: OptionValue::Value,
    },
    GlobalVariable {
        option: "at",
        name: "CERTCTL_AT",
        takes: OptionValue::Value,
    },
    GlobalVariable {
        option: "quiet",
        name: "CERTCTL_QUIET",
        takes: OptionValue::Switch,
    },
    GlobalVariable {
        option: "verbose",
        name: "CERTCTL_VERBOSE",
        takes: OptionValue::Switch,
    },
    GlobalVariable {
        option: "color",
        name: "CERTCTL_COLOR",
        takes: OptionValue::Value,
    },
];

impl GlobalVariable {
    /// Its value, unless it is empty or turns off an option that is off by default.
    pub(super) fn value(&self) -> Option<OsString> {
        let value = environment::variable(self.name)?;
        let is_off =
            self.takes == OptionValue::Switch && value.to_str().map(switch) == Some(Some(false));
        (!is_off).then_some(value)
    }
}

/// Adds the environment variables to the options. `args` take precedence: a stream (`--jsonl`) is
/// not turned into one document by the environment.
pub(super) fn with_variables(command: clap::Command, args: &[OsString]) -> clap::Command {
    let is_stream = args.iter().any(|arg| arg == "--jsonl");
    VARIABLES.iter().fold(command, |command, variable| {
        if variable.value().is_none() || (variable.name == JSON && is_stream) {
            return command;
        }
        command.mut_arg(variable.option, |arg| arg.env(variable.name).hide_env(true))
    })
}

/// Names the environment variable of each option in its help.
pub(super) fn with_variables_in_help(command: clap::Command) -> clap::Command {
    VARIABLES.iter().fold(command, |command, variable| {
        command.mut_arg(variable.option, |arg| {
            let help = arg.get_help().map(ToString::to_string);
            arg.help(format!(
                "{} [env: {}]",
                help.unwrap_or_default(),
                variable.name
            ))
        })
    })
}

/// Whether the output is JSON, even if the arguments cannot be parsed.
pub(super) fn wants_json(args: &[OsString]) -> bool {
    let mut options = args.iter().take_while(|arg| *arg != "--");
    let is_stream = args.iter().any(|arg| arg == "--jsonl");
    options.any(|arg| arg == "--json")
        || (!is_stream
            && environment::variable(JSON).and_then(|value| switch(value.to_str()?)) == Some(true))
}

/// The index of the first word that is not a global option: the command.
pub(super) fn command_index(args: &[OsString]) -> Option<usize> {
    let mut index = 1;
    while let Some(word) = args.get(index) {
        let Some(word) = word.to_str() else {
            return Some(index);
        };
        match option_value(word) {
            None => return (word != "--").then_some(index),
            Some(OptionValue::Switch) => index += 1,
            Some(OptionValue::Value) => index += 2,
        }
    }
    None
}

/// What follows `word` as its own word, if it is a global option.
fn option_value(word: &str) -> Option<OptionValue> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long
            .split_once('=')
            .map_or((long, None), |(name, value)| (name, Some(value)));
        if ["help", "version"].contains(&name) {
            return Some(OptionValue::Switch);
        }
        let known = VARIABLES.iter().find(|variable| variable.option == name)?;
        return Some(if value.is_some() {
            OptionValue::Switch
        } else {
            known.takes
        });
    }
    match word.strip_prefix('-')? {
        "C" => Some(OptionValue::Value),
        short if short.starts_with('C') => Some(OptionValue::Switch),
        short => {
            let is_global = !short.is_empty() && short.chars().all(|c| "qvhV".contains(c));
            is_global.then_some(OptionValue::Switch)
        }
    }
}

/// Parses a time, or a date, which means its start in the local time zone.
fn parse_time(text: &str) -> Result<Timestamp, &'static str> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date: Option<Date> = text.parse().ok();
    let start = date.and_then(|date| local_zone().to_timestamp(date.at(0, 0, 0, 0)).ok());
    start.ok_or("not a date such as 2027-05-11, or a time such as 2027-05-11T00:00:00Z")
}

fn parse_switch(text: &str) -> Result<bool, &'static str> {
    switch(text).ok_or("not one of 1, true, yes, on, 0, false, no, off")
}

/// The meaning of a word in an environment variable.
fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

impl Globals {
    pub(super) fn into_context(self) -> Context {
        Context {
            directory: self.directory.unwrap_or_else(|| PathBuf::from(".")),
            root: self.root,
            at: self.at,
            sink: Sink::new(Style {
                json: self.json,
                quiet: self.quiet,
                verbose: self.verbose,
                color: apply_no_color(self.color.unwrap_or_default()),
            }),
            interrupt: signals::InterruptSignal::default(),
        }
    }
}

/// Applies `NO_COLOR` (no-color.org) unless the command line decides.
pub(super) fn apply_no_color(color: ColorWhen) -> ColorWhen {
    if color == ColorWhen::Auto && terminal::refuses_color() {
        ColorWhen::Never
    } else {
        color
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::{Globals, OptionValue, VARIABLES, command_index};

    #[test]
    fn every_global_option_has_a_variable() {
        let command = Globals::command();
        for arg in command.get_arguments() {
            let long = arg.get_long().unwrap();
            if ["help", "version"].contains(&long) {
                continue;
            }
            let known = VARIABLES.iter().find(|variable| variable.option == long);
            let known = known.unwrap_or_else(|| panic!("--{long} has no variable"));
            let takes_value = arg.get_action().takes_values();
            assert_eq!(known.takes == OptionValue::Value, takes_value, "--{long}");
            assert_eq!(known.name, format!("CERTCTL_{}", long.to_uppercase()));
        }
    }

    #[test]
    fn the_command_is_found_behind_global_options() {
        for (words, index) in [
            (&["csr", "a.example"][..], Some(1)),
            (&["-C", "csr", "help"], Some(3)),
            (&["-Ccsr", "-qv", "--root=x", "--at", "y", "list"], Some(6)),
            (&["--json", "--issue"], Some(2)),
            (&["--", "csr"], None),
            (&["-C"], None),
            (&[], None),
        ] {
            let args: Vec<OsString> = ["certctl"]
                .iter()
                .chain(words)
                .map(OsString::from)
                .collect();
            assert_eq!(command_index(&args), index, "{words:?}");
        }
    }
}
