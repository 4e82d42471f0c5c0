//! The help: examples first, commands in groups, wrapped to the terminal, except commands, which
//! are never broken.

use std::ffi::OsString;

use super::globals;
use super::groups::{self, hanging_lines};
use crate::code_table::{self, CodeKind};
use crate::report;

/// What certctl is, in one line.
pub(super) const ABOUT: &str =
    "Get TLS certificates from a CA, install them safely, and know when they expire";

/// The widest help: longer lines are hard to read.
pub(super) const WIDEST: usize = 100;

const EXAMPLES: &str = "\
Examples:
  certctl csr example.com www.example.com
  sudo certctl install example_com.zip
";

/// The width of help, in columns.
pub(super) fn width() -> usize {
    report::output_width().min(WIDEST)
}

/// The command line with its help as it is printed. Does nothing unless `args` request help.
pub(super) fn with_help(command: clap::Command, args: &[OsString]) -> clap::Command {
    if !args.iter().any(is_help) {
        return command;
    }
    let template = template(&command, width());
    globals::with_variables_in_help(command)
        .term_width(width())
        .mut_subcommands(|command| with_examples_first(command).hide(true))
        .help_template(template)
}

/// `-h` alone or among other short options, or `--help`.
fn is_help(arg: &OsString) -> bool {
    arg.to_str().is_some_and(|text| {
        let is_short = !text.starts_with("--") && text.starts_with('-') && text.contains('h');
        text == "--help" || is_short
    })
}

/// The help of certctl itself.
fn template(command: &clap::Command, width: usize) -> String {
    let commands = groups::lines(&groups::list(command), width).join("\n");
    let mut exit_codes = Vec::new();
    let rows = code_table::entries().filter(|entry| entry.kind == CodeKind::ExitCode);
    for row in rows {
        let start = format!("  {}", row.code);
        exit_codes.extend(hanging_lines(&start, row.meaning, 7, width));
    }
    format!(
        "{}.\n\n{EXAMPLES}\nUsage: certctl [OPTIONS] COMMAND\n\n{commands}\n\n\
         `certctl help COMMAND` describes a command.\n\n{{all-args}}\n\nExit codes:\n{}\n",
        report_lines(ABOUT, width),
        exit_codes.join("\n")
    )
}

fn report_lines(text: &str, width: usize) -> String {
    hanging_lines("", text, 0, width).join("\n")
}

/// Moves the examples at the end of a command's doc comment to the top of its help.
fn with_examples_first(command: clap::Command) -> clap::Command {
    let about = command
        .get_long_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    match about.split_once("Examples:") {
        Some((about, examples)) => command
            .about(about.trim().to_owned())
            // Text of a template is not wrapped.
            .help_template(format!(
                "Examples:{}\n\n{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{{all-args}}\n",
                examples.trim_end()
            )),
        None => command,
    }
}
