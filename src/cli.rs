//! Parses the command line and makes the [`Context`] from the global flags. Prints help, and usage
//! errors as text or JSON with exit code 2.

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::Timestamp;

use crate::advice::usage;
use crate::commands::CliCommand;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::report::{ColorWhen, Sink, Style};
use crate::system::{signals, terminal};

/// From a private key to the padlock in the browser, for certificates that a CA issues against a
/// CSR.
#[derive(Debug, Parser)]
#[command(
    name = "certctl",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Globals {
    /// One JSON object on stdout, whatever happens
    #[arg(long, global = true, help_heading = "Global")]
    json: bool,
    /// Where names are looked up and files go [default: .]
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global"
    )]
    directory: Option<PathBuf>,
    /// A tree to install into instead of /
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    root: Option<PathBuf>,
    /// The instant that dates are judged by, such as 2027-05-11T00:00:00Z
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time, help_heading = "Global")]
    at: Option<Timestamp>,
    /// Only what needs action
    #[arg(short, long, global = true, help_heading = "Global")]
    quiet: bool,
    /// More of what is being done
    #[arg(short, long, global = true, help_heading = "Global")]
    verbose: bool,
    /// When to use colour [default: auto]
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Global")]
    color: Option<ColorWhen>,
    /// This help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, help_heading = "Global")]
    help: Option<bool>,
}

fn parse_time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "not a time as RFC 3339 writes it, such as 2027-05-11T00:00:00Z")
}

impl Globals {
    fn into_context(self) -> Context {
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
fn apply_no_color(color: ColorWhen) -> ColorWhen {
    if color == ColorWhen::Auto && terminal::refuses_color() {
        ColorWhen::Never
    } else {
        color
    }
}

/// Runs the whole program and returns its exit code; `args` start with the program's name.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    signals::keep_memory_private();
    signals::outlive_limits();
    let report = ReportStyle::of(&args);
    match parse(&args) {
        Ok((globals, command)) => {
            let context = globals.into_context();
            match command {
                Some(command) => command.run(&context, command_line),
                None if report == ReportStyle::Json => {
                    context.sink.print_failure(&missing_command())
                }
                None => context.sink.print_bytes(OVERVIEW.as_bytes()),
            }
        }
        Err(error) => report_parse_error(&error, report, &args),
    }
}

/// How errors are reported; known even if the arguments cannot be parsed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ReportStyle {
    Json,
    Text,
}

impl ReportStyle {
    fn of(args: &[OsString]) -> Self {
        let has_json_flag = args
            .iter()
            .take_while(|arg| *arg != "--")
            .any(|arg| arg == "--json");
        if has_json_flag {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// The command line with every command.
#[must_use]
pub fn command_line() -> clap::Command {
    CliCommand::augment_subcommands(Globals::command())
}

/// Parses with only the commands that `args` name: to build the whole command line takes as long as
/// to read a zip. Both parse in the same way; help and errors come from the whole. Nothing is freed,
/// which would take a third of that time again: the process ends soon.
fn parse(args: &[OsString]) -> Result<(Globals, Option<CliCommand>), clap::Error> {
    let named_commands = CliCommand::augment_named(Globals::command(), args);
    let mut named_commands = ManuallyDrop::new(named_commands);
    let matches = match named_commands.try_get_matches_from_mut(args) {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => {
            with_examples(command_line(), args).try_get_matches_from(args)
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

const OVERVIEW: &str = "\
certctl: from a private key to the padlock in the browser
  the round  csr NAME...              key and request, and what to publish
             dcv-check [NAME]...      would the CA see the proof now?
             install [NAME|FILE]...   into /etc/ssl, server tested, reloaded, seen live, or put back
             renew [NAME]...          prepares the next round for what is due
  look       status [PATH|HOST]...    what is here, what is served, what ends when
             verify [FILE|HOST:PORT]  does it all fit: key, chain, names, dates, trust
             inspect FILE|HOST        what is this file, what does this host serve
  files      bundle ZIP|FILE...       whatever the CA sent -> the verified chain file, other formats
  undo       rollback | forget NAME   the files before | plain files, and certctl forgets them
  try        rehearse [NAME]          the whole round here and now, on this machine alone
  help       explain CODE | completions SHELL   what a code means | a script for the shell
Start with:  certctl rehearse      Help for one:  certctl install --help
";

/// The failure for `--json` without a command.
fn missing_command() -> Failure {
    Failure::new(FailureKind::Usage, "no command given").with_step(usage::list_commands())
}

/// Moves the examples at the end of each command's doc comment to the top of its help. Does nothing
/// unless help is requested.
fn with_examples(command: clap::Command, args: &[OsString]) -> clap::Command {
    if !args.iter().any(|arg| arg == "--help" || arg == "-h") {
        return command;
    }
    command.mut_subcommands(with_examples_first)
}

fn with_examples_first(command: clap::Command) -> clap::Command {
    let about = command
        .get_long_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    match about.split_once("Examples:") {
        Some((about, examples)) => command
            .before_help(format!("Examples:{examples}"))
            .about(about.trim().to_owned()),
        None => command,
    }
}

/// Prints the help or version that was requested; reports everything else as a usage error.
fn report_parse_error(error: &clap::Error, report: ReportStyle, args: &[OsString]) -> u8 {
    let sink = Sink::new(Style {
        json: report == ReportStyle::Json,
        color: apply_no_color(ColorWhen::Auto),
        ..Style::default()
    });
    let rendered = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => sink.print_bytes(rendered.as_bytes()),
        _ => sink.print_failure(&usage_failure(&rendered, args)),
    }
}

/// The failure for clap's rendered message: its first paragraph, with its tips as causes.
fn usage_failure(rendered: &str, args: &[OsString]) -> Failure {
    let mut paragraphs = rendered
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty());
    let message = paragraphs
        .next()
        .unwrap_or("the command line was not understood");
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut failure = Failure::new(FailureKind::Usage, on_one_line(message));
    failure.causes = paragraphs
        .filter_map(|paragraph| paragraph.strip_prefix("tip: "))
        .map(on_one_line)
        .collect();
    let whole = command_line();
    let command = args
        .iter()
        .skip(1)
        .find_map(|arg| whole.find_subcommand(arg))
        .map(clap::Command::get_name);
    failure.with_step(usage::show_help(command))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
