//! Usage errors: what is wrong with the command line, in certctl's own words, and where to look.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::globals::{self, VARIABLES};
use super::parser;
use crate::advice::usage;
use crate::failure::{Failure, FailureKind};
use crate::system::environment;
use crate::wording::is_typing_error;

/// The failure for command lines that `clap` cannot parse.
pub(super) fn failure(error: &clap::Error, args: &[OsString]) -> Failure {
    let typed = TypedCommand::of(args);
    if let Some(word) = typed.unknown_word()
        && let Some(foreign) = usage::foreign_word(word)
    {
        let message = match foreign.command() {
            Some(command) => {
                format!("`{word}` is not a command of certctl; the command for this is `{command}`")
            }
            None => format!("`{word}` is not a command of certctl"),
        };
        return Failure::new(FailureKind::Usage, message).with_step(foreign.step());
    }
    let problem = UsageProblem::of(error, &typed);
    let mut failure = Failure::new(FailureKind::Usage, problem.message);
    failure.causes = problem.causes;
    let command = typed.known.or(problem.nearest_command);
    failure.with_step(match command {
        Some(command) => usage::show_help(&command),
        None => usage::list_commands(),
    })
}

/// The failure for an argument without any text; `command` is the index of the command in `args`. The
/// value of an option may be empty.
pub(super) fn empty_argument(args: &[OsString], command: Option<usize>) -> Option<Failure> {
    let command = command?;
    let (_, words) = args.split_at(command);
    let is_empty =
        |pair: &[OsString]| pair[1].is_empty() && !pair[0].to_string_lossy().starts_with('-');
    // A shell completes an empty word with `completions`.
    let is_wrong = words[0] != "completions" && words.windows(2).any(is_empty);
    let name = words[0].to_str().filter(|_| is_wrong)?;
    let failure = Failure::new(FailureKind::Usage, "an argument is empty").because(
        "a quoted shell variable without a value, such as \"$NAME\", becomes an empty argument",
    );
    Some(failure.with_step(usage::show_help(name)))
}

/// The command of a command line.
struct TypedCommand {
    /// The first word that is not a global option.
    word: Option<String>,
    /// The command that it means.
    known: Option<String>,
    /// All words.
    args: Vec<String>,
}

impl TypedCommand {
    fn of(args: &[OsString]) -> Self {
        let whole = parser::command_line();
        let word = globals::command_index(args).and_then(|index| args[index].to_str());
        let known = word.and_then(|word| whole.find_subcommand(word));
        Self {
            word: word.map(str::to_owned),
            known: known.map(|command| command.get_name().to_owned()),
            args: args
                .iter()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect(),
        }
    }

    fn unknown_word(&self) -> Option<&str> {
        self.word.as_deref().filter(|_| self.known.is_none())
    }

    /// The variable that gave `option` its value, if the command line did not.
    fn variable_of(&self, option: &str) -> Option<&'static str> {
        let name = option.strip_prefix("--")?;
        let variable = VARIABLES.iter().find(|variable| variable.option == name)?;
        let short = format!("-{}", name.chars().next()?);
        let is_typed = self.args.iter().any(|arg| {
            arg.starts_with(option)
                || arg.starts_with(&short)
                || (name == "directory" && arg.starts_with("-C"))
        });
        let is_set = environment::variable(variable.name).is_some();
        (is_set && !is_typed).then_some(variable.name)
    }
}

/// What is wrong.
struct UsageProblem {
    message: String,
    causes: Vec<String>,
    nearest_command: Option<String>,
}

impl UsageProblem {
    fn of(error: &clap::Error, typed: &TypedCommand) -> Self {
        let mut problem = Self {
            message: String::new(),
            causes: Vec::new(),
            nearest_command: None,
        };
        let first = |kind| texts(error, kind).into_iter().next();
        match error.kind() {
            ErrorKind::InvalidSubcommand => {
                let word = first(ContextKind::InvalidSubcommand).unwrap_or_default();
                problem.message = format!("there is no command `{word}`");
                let nearest = first(ContextKind::SuggestedSubcommand);
                let nearest = nearest.filter(|nearest| is_typing_error(&word, nearest));
                problem.add_nearest(&word, nearest.as_deref());
                problem.nearest_command = nearest;
            }
            ErrorKind::UnknownArgument => {
                problem.describe_unknown_argument(
                    &first(ContextKind::InvalidArg).unwrap_or_default(),
                    first(ContextKind::SuggestedArg).as_deref(),
                    typed,
                );
            }
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
                problem.describe_invalid_value(error, typed);
            }
            ErrorKind::MissingRequiredArgument => problem.describe_missing_argument(error, typed),
            _ => problem.message = first_paragraph(error),
        }
        problem
    }

    fn describe_unknown_argument(
        &mut self,
        argument: &str,
        nearest: Option<&str>,
        typed: &TypedCommand,
    ) {
        let command = typed.known.as_deref();
        let subject = command.map_or_else(|| "certctl".to_owned(), |name| format!("`{name}`"));
        if !argument.starts_with('-') {
            self.message = format!("{subject} takes no argument `{argument}` here");
            return;
        }
        self.message = format!("{subject} has no option `{argument}`");
        let command = command.unwrap_or_default();
        if usage::is_name_option(command, argument) {
            self.message += "; names are plain arguments";
            return;
        }
        match usage::renamed_option(command, argument) {
            Some(present) => self.message += &format!("; it is called `{present}`"),
            None => self.add_nearest(argument, nearest),
        }
    }

    fn describe_missing_argument(&mut self, error: &clap::Error, typed: &TypedCommand) {
        let names = texts(error, ContextKind::InvalidArg).into_iter();
        let names: Vec<String> = names.map(|name| name.replace(['<', '>'], "")).collect();
        let subject = typed.known.as_deref().unwrap_or("certctl");
        self.message = format!("`{subject}` needs an argument: {}", names.join(", "));
        let whole = parser::command_line();
        let Some(command) = whole.find_subcommand(subject) else {
            return;
        };
        for argument in command.get_positionals() {
            let mut values = Vec::new();
            for value in argument
                .get_possible_values()
                .iter()
                .filter(|one| !one.is_hide_set())
            {
                values.push(value.get_name().to_owned());
            }
            if argument.is_required_set() && !values.is_empty() {
                let cause = format!("the values are {}", values.join(", "));
                self.causes.push(cause);
            }
        }
    }

    fn describe_invalid_value(&mut self, error: &clap::Error, typed: &TypedCommand) {
        let first = |kind| texts(error, kind).into_iter().next().unwrap_or_default();
        let argument = argument_name(&first(ContextKind::InvalidArg));
        let value = first(ContextKind::InvalidValue);
        self.message = if value.is_empty() {
            format!("`{argument}` needs a value")
        } else {
            format!("`{value}` is not a valid value of `{argument}`")
        };
        self.causes.extend(error.source().map(ToString::to_string));
        let values = texts(error, ContextKind::ValidValue);
        if !values.is_empty() {
            let cause = format!("the values are {}", values.join(", "));
            self.causes.push(cause);
        }
        match usage::foreign_value(&argument, &value) {
            Some(remark) => self.causes.push(remark.to_owned()),
            None => self.add_nearest(
                &value,
                texts(error, ContextKind::SuggestedValue)
                    .first()
                    .map(String::as_str),
            ),
        }
        if let Some(variable) = typed.variable_of(&argument) {
            let cause = format!("it comes from the environment variable {variable}");
            self.causes.push(cause);
        }
    }

    /// Adds the nearest word that is right, if `typed` may be that word with a typing error.
    fn add_nearest(&mut self, typed: &str, nearest: Option<&str>) {
        let nearest = nearest.map(argument_name);
        if let Some(word) = nearest.filter(|word| is_typing_error(typed, word)) {
            self.message += &format!("; did you mean `{word}`?");
        }
    }
}

/// The texts that clap gives for `kind`.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// `--ca` of `--ca <CA>`, `--wait` of `--wait[=<DURATION>]`, `NAME...` of `<NAME>...`.
fn argument_name(usage: &str) -> String {
    let end = if usage.starts_with('-') {
        usage.find([' ', '[', '=']).unwrap_or(usage.len())
    } else {
        usage.len()
    };
    usage[..end].replace(['<', '>'], "")
}

/// The first paragraph of clap's own message, on one line.
fn first_paragraph(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let first = rendered.split("\n\n").next().unwrap_or_default();
    let first = first.trim();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::argument_name;
    use crate::advice::usage::{FOREIGN_WORDS, RENAMED_OPTIONS};
    use crate::cli::parser::command_line;

    #[test]
    fn arguments_are_named_without_their_values() {
        for (usage, name) in [
            ("--ca <CA>", "--ca"),
            ("--wait[=<DURATION>]", "--wait"),
            ("--json", "--json"),
            ("<NAME>...", "NAME..."),
            ("NAME|FILE", "NAME|FILE"),
        ] {
            assert_eq!(argument_name(usage), name);
        }
    }

    #[test]
    fn foreign_words_lead_to_commands_that_exist_and_change_nothing() {
        let certctl = command_line();
        for foreign in &FOREIGN_WORDS {
            let word = foreign.word;
            assert!(certctl.find_subcommand(word).is_none(), "{word}");
            if let Some(command) = foreign.command() {
                assert!(certctl.find_subcommand(command).is_some(), "{word}");
                let argv = foreign.step().argv.unwrap();
                let is_harmless = command == "status" || argv.last().unwrap() == "--help";
                assert!(is_harmless, "{word}");
            }
        }
        assert!(FOREIGN_WORDS.is_sorted_by_key(|foreign| foreign.word));
    }

    #[test]
    fn renamed_options_exist() {
        let certctl = command_line();
        for (command, old, new) in RENAMED_OPTIONS {
            let command = certctl.find_subcommand(command).unwrap();
            let longs: Vec<&str> = command
                .get_arguments()
                .filter_map(|arg| arg.get_long())
                .collect();
            assert!(longs.contains(&new.trim_start_matches('-')));
            assert!(!longs.contains(&old.trim_start_matches('-')));
        }
    }
}
