//! Generates docs/reference/commands.md from the command line.

use std::fmt::Write;

use clap::{Arg, Command};

/// Returns the page for `program`, the command line with every command.
pub(crate) fn page(mut program: Command) -> String {
    // Fills in the usage of the commands.
    program.build();
    let mut text = "# Commands\n\nThis page is generated from the command line of the program; \
                    `certctl COMMAND --help` prints the same.\n\n"
        .to_owned();
    let commands: Vec<&Command> = program
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .collect();
    for command in &commands {
        let (about, _) = help_of(command);
        let summary = about.lines().next().unwrap_or_default();
        let name = command.get_name();
        push(
            &mut text,
            format_args!("- [`certctl {name}`](#certctl-{name}): {summary}\n"),
        );
    }
    text.push_str("\n## Global options\n\n");
    for option in program.get_arguments().filter(|arg| !arg.is_hide_set()) {
        push_argument(&mut text, option);
    }
    for command in commands {
        push_command(&mut text, command);
    }
    text
}

fn push_command(text: &mut String, command: &Command) {
    let (about, examples) = help_of(command);
    push(
        text,
        format_args!("\n## certctl {}\n\n{about}\n", command.get_name()),
    );
    let aliases: Vec<String> = command
        .get_all_aliases()
        .map(|alias| format!("`certctl {alias}`"))
        .collect();
    if !aliases.is_empty() {
        push(text, format_args!("\nAlias: {}\n", aliases.join(", ")));
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    push(text, format_args!("\n```text\n{usage}\n```\n"));
    if !examples.is_empty() {
        push(
            text,
            format_args!("\nExamples:\n\n```sh\n{examples}\n```\n"),
        );
    }
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help")
        .collect();
    if !arguments.is_empty() {
        text.push('\n');
    }
    for argument in arguments {
        push_argument(text, argument);
    }
}

/// Returns the description and the examples in the doc comment of a command.
fn help_of(command: &Command) -> (String, String) {
    let long = command.get_long_about();
    let about = long.or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let (about, examples) = about.split_once("Examples:").unwrap_or((&about, ""));
    let examples: Vec<&str> = examples.trim().lines().map(str::trim).collect();
    (about.trim().to_owned(), examples.join("\n"))
}

fn push_argument(text: &mut String, argument: &Arg) {
    let long = argument.get_long_help();
    let help = long.or_else(|| argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let help: Vec<&str> = help.split_whitespace().collect();
    push(
        text,
        format_args!("- `{}`: {}", spelling(argument), help.join(" ")),
    );
    let is_flag = !argument.get_action().takes_values();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !is_flag && !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        push(text, format_args!(" (one of {})", values.join(", ")));
    }
    text.push('\n');
}

/// Returns an argument as it is typed: `-C, --directory DIR`.
fn spelling(argument: &Arg) -> String {
    let names: Vec<String> = argument
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .chain(argument.get_long().map(|long| format!("--{long}")))
        .collect();
    let values: Vec<String> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let takes_values = argument.get_action().takes_values();
    match (names.is_empty(), takes_values) {
        (true, _) => values.join(" "),
        (false, true) => format!("{} {}", names.join(", "), values.join(" ")),
        (false, false) => names.join(", "),
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = text.write_fmt(arguments);
}
