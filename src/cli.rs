//! The command line: global flags, and from them the [`Context`]. Help and usage errors leave here,
//! the latter as text or JSON with exit 2.

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::Timestamp;

use crate::commands::CliCommand;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
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
    #[arg(long, global = true, value_name = "TIME", value_parser = instant, help_heading = "Global")]
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

fn instant(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "not a time as RFC 3339 writes it, such as 2027-05-11T00:00:00Z")
}

impl Globals {
    fn context(self) -> Context {
        Context {
            directory: self.directory.unwrap_or_else(|| PathBuf::from(".")),
            root: self.root,
            at: self.at,
            sink: Sink::new(Style {
                json: self.json,
                quiet: self.quiet,
                verbose: self.verbose,
                color: settled(self.color.unwrap_or_default()),
            }),
            interrupt: signals::InterruptSignal::default(),
        }
    }
}

/// `NO_COLOR` (no-color.org) decides where the command line leaves it open.
fn settled(color: ColorWhen) -> ColorWhen {
    if color == ColorWhen::Auto && terminal::refuses_color() {
        ColorWhen::Never
    } else {
        color
    }
}

/// The whole program: `args` start with the program's name; says the exit code of the process.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    signals::keep_memory_private();
    signals::outlive_limits();
    let json = args
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--json");
    match parse(&args) {
        Ok((globals, command)) => {
            let context = globals.context();
            match command {
                Some(command) => command.run(&context, command_line),
                None if json => context.sink.fail(&no_command()),
                None => context.sink.answer(OVERVIEW.as_bytes()),
            }
        }
        Err(error) => refused(&error, json, &args),
    }
}

/// The whole command line, with every verb.
fn command_line() -> clap::Command {
    CliCommand::augment_subcommands(Globals::command())
}

/// To make the whole command line costs as much as to read a zip, so first only the verbs that are
/// among `args` are there. What is understood so would be understood of the whole in the same way;
/// help and errors come from the whole. Nothing is taken apart at the end, which would cost a third
/// of it again: the process ends soon.
fn parse(args: &[OsString]) -> Result<(Globals, Option<CliCommand>), clap::Error> {
    let mut short = ManuallyDrop::new(CliCommand::augment_named(Globals::command(), args));
    let understood = match short.try_get_matches_from_mut(args) {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => {
            with_examples(command_line(), args).try_get_matches_from(args)
        }
        understood => understood,
    };
    let mut matches = ManuallyDrop::new(understood?);
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
  shell      completions SHELL
Start with:  certctl rehearse      Help for one:  certctl install --help
";

/// A program that wants JSON has left out what it wants done.
fn no_command() -> Failure {
    Failure::new(FailureKind::Usage, "no command given").with(NextStep::say("certctl --help"))
}

/// The examples at the foot of each verb's doc comment open its help. Done only where help is asked
/// for.
fn with_examples(command: clap::Command, args: &[OsString]) -> clap::Command {
    if !args.iter().any(|arg| arg == "--help" || arg == "-h") {
        return command;
    }
    command.mut_subcommands(|verb| {
        let long = verb
            .get_long_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        match long.split_once("Examples:") {
            Some((about, examples)) => verb
                .before_help(format!("Examples:{examples}"))
                .about(about.trim().to_owned()),
            None => verb,
        }
    })
}

/// `--help` and `--version` are answers; everything else is a usage error.
fn refused(error: &clap::Error, json: bool, args: &[OsString]) -> u8 {
    let sink = Sink::new(Style {
        json,
        color: settled(ColorWhen::Auto),
        ..Style::default()
    });
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return sink.answer(error.render().to_string().as_bytes());
    }
    let rendered = error.render().to_string();
    let mut paragraphs = rendered
        .split("\n\n")
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let message = paragraphs
        .next()
        .unwrap_or("the command line was not understood");
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut failure = Failure::new(FailureKind::Usage, plain(message));
    failure.causes = paragraphs
        .filter_map(|part| part.strip_prefix("tip: "))
        .map(plain)
        .collect();
    let command = command_line();
    let verb = args
        .iter()
        .skip(1)
        .find_map(|arg| command.find_subcommand(arg))
        .map(clap::Command::get_name);
    let help: Vec<&str> = verb.into_iter().chain(["--help"]).collect();
    sink.fail(&failure.with(NextStep::run(&help)))
}
