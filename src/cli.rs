//! The command line: global flags, and from them the [`Context`]. Usage errors leave here as text or JSON, exit 2.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use jiff::Timestamp;

use crate::commands::Command;
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::report::{ColorWhen, Sink, Style};
use crate::system::signals;

/// From a private key to the padlock in the browser, for certificates that a CA issues against a CSR.
#[derive(Debug, Parser)]
#[command(name = "certctl", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, clap::Args)]
struct Globals {
    /// One JSON object on stdout, whatever happens
    #[arg(long, global = true, help_heading = "Global")]
    json: bool,
    /// Where names are looked up and files go
    #[arg(short = 'C', long, global = true, value_name = "DIR", default_value = ".", help_heading = "Global")]
    directory: PathBuf,
    /// A tree to install into instead of /
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    root: Option<PathBuf>,
    /// The instant that dates are judged by (RFC 3339)
    #[arg(long, global = true, value_name = "TIME", help_heading = "Global")]
    at: Option<Timestamp>,
    /// Only what needs action
    #[arg(short, long, global = true, help_heading = "Global")]
    quiet: bool,
    /// More of what is being done
    #[arg(short, long, global = true, help_heading = "Global")]
    verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global")]
    color: ColorWhen,
}

impl Globals {
    fn context(self) -> Context {
        Context {
            directory: self.directory,
            root: self.root,
            at: self.at,
            sink: Sink::new(Style { json: self.json, quiet: self.quiet, verbose: self.verbose, color: self.color }),
            interrupt: signals::Interrupt::default(),
        }
    }
}

/// The whole program: `args` start with the program's name; says the exit code of the process.
#[must_use]
pub fn main(args: Vec<OsString>) -> u8 {
    signals::keep_memory_private();
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    match Cli::try_parse_from(&args) {
        Ok(Cli { globals, command }) => {
            let context = globals.context();
            match command {
                Some(command) => command.run(&context),
                None => overview(&context.sink),
            }
        }
        Err(error) => refused(&error, json),
    }
}

/// The command line of certctl, for completions.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
}

const OVERVIEW: &str = "\
certctl: from a private key to the padlock in the browser

  the round  csr NAME...              key and request, and what to publish
             dcv-check [NAME]...      would the CA see the proof now?
             install [NAME|FILE]...   into /etc/ssl, server tested, reloaded, seen live, or put back
  look       verify [NAME|FILE]...    does it all fit: key, chain, names, dates, trust
             inspect FILE...          what is this file
  files      bundle ZIP|FILE...       whatever the CA sent -> the verified chain file
  undo       rollback NAME            the files before
  try        rehearse [NAME]          the whole round here and now, on this machine alone
  shell      completions SHELL
Start with:  certctl rehearse      Help for one:  certctl install --help
";

fn overview(sink: &Sink) -> u8 {
    match sink.raw(OVERVIEW.as_bytes()) {
        Ok(()) => 0,
        Err(_) => 4,
    }
}

/// `--help` and `--version` are answers; everything else is a usage error.
fn refused(error: &clap::Error, json: bool) -> u8 {
    let sink = Sink::new(Style { json, ..Style::default() });
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match sink.raw(error.render().to_string().as_bytes()) {
            Ok(()) => 0,
            Err(_) => 4,
        };
    }
    let rendered = error.render().to_string();
    let mut paragraphs = rendered.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    let message = paragraphs.next().unwrap_or("the command line was not understood");
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut failure = Failure::new(Kind::Usage, message.split_whitespace().collect::<Vec<_>>().join(" "));
    failure.causes = paragraphs.filter_map(|part| part.strip_prefix("tip: ")).map(ToOwned::to_owned).collect();
    sink.fail(&failure.with(Next::say("certctl --help")))
}
