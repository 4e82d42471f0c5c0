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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{Arg, Command};

    use super::{command_line, parse};
    use crate::install_plan::allow;

    /// An argument of a command, and a keyword that it takes.
    #[derive(Debug)]
    struct Keyword {
        command: String,
        /// What comes before the keyword: `--probe=`; nothing for a positional argument.
        option: String,
        /// Whether the command has another positional argument.
        takes_name: bool,
        word: String,
    }

    impl Keyword {
        /// Returns what the command line with `word` in place of the keyword is parsed to.
        fn parsed(&self, word: &str) -> String {
            let mut args = vec!["certctl".to_owned(), self.command.clone()];
            // The names of `import` come after the tool, and are optional.
            if self.takes_name && self.command != "import" {
                args.push("a.example".to_owned());
            }
            let needed: &[&str] = match self.command.as_str() {
                "account" if self.option.is_empty() => &["--key=a.pem", "--out=b.pem"],
                "account" => &["list"],
                "import" if !self.option.is_empty() => &["certbot"],
                "order" if self.option != "--ca=" => &["--ca=letsencrypt"],
                "revoke" => &["--replaced"],
                "site" if self.option == "--process=" => &["--app=app"],
                _ => &[],
            };
            args.extend(needed.iter().map(ToString::to_string));
            args.push(format!("{}{word}", self.option));
            let args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
            match parse(&args) {
                Ok((globals, command)) => format!("{globals:?} {command:?}"),
                Err(error) => panic!("{args:?}: {error}"),
            }
        }
    }

    /// Lists the keywords of an argument: its possible values with their aliases, the words in lower
    /// case in the name of its value (`HOST:PORT|none|auto`), and the codes of `--allow`.
    fn keywords_of(command: &Command, arg: &Arg) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for value in arg.get_possible_values() {
            words.extend(value.get_name_and_aliases().map(str::to_owned));
        }
        for name in arg.get_value_names().unwrap_or_default() {
            let is_keyword = |word: &&str| {
                word.contains(|c: char| c.is_ascii_lowercase()) && **word == word.to_lowercase()
            };
            let names = name.split('|').filter(is_keyword);
            words.extend(names.map(str::to_owned));
        }
        if (command.get_name(), arg.get_id().as_str()) == ("install", "allow") {
            words.extend(allow::ALLOWABLE.map(|(code, _)| code.to_owned()));
        }
        words
    }

    fn keywords_in(command: &Command) -> Vec<Keyword> {
        let has_name = command
            .get_positionals()
            .any(|arg| arg.get_possible_values().is_empty() && !arg.is_hide_set());
        let mut keywords = Vec::new();
        for arg in command.get_arguments().filter(|arg| {
            arg.get_action().takes_values() && !(arg.is_positional() && arg.is_hide_set())
        }) {
            let option = arg.get_long().map(|long| format!("--{long}="));
            for word in keywords_of(command, arg) {
                keywords.push(Keyword {
                    command: command.get_name().to_owned(),
                    option: option.clone().unwrap_or_default(),
                    takes_name: has_name,
                    word,
                });
            }
        }
        keywords
    }

    #[test]
    fn every_keyword_is_accepted_in_any_case() {
        let whole = command_line();
        let mut keywords: Vec<Keyword> = whole.get_subcommands().flat_map(keywords_in).collect();
        for color in ["auto", "always", "never"] {
            keywords.push(Keyword {
                command: "status".to_owned(),
                option: "--color=".to_owned(),
                takes_name: false,
                word: color.to_owned(),
            });
        }
        for keyword in &keywords {
            let listed = keyword.parsed(&keyword.word);
            let mut title = keyword.word.clone();
            title[..1].make_ascii_uppercase();
            for word in [keyword.word.to_uppercase(), title] {
                assert_eq!(keyword.parsed(&word), listed, "{keyword:?}");
            }
        }
        let is_covered = |command: &str, option: &str, word: &str| {
            keywords.iter().any(|keyword| {
                (keyword.command.as_str(), &*keyword.option, &*keyword.word)
                    == (command, option, word)
            })
        };
        for (command, option, word) in [
            ("install", "--test=", "auto"),
            ("install", "--reload=", "auto"),
            ("install", "--probe=", "none"),
            ("install", "--paid-until=", "none"),
            ("install", "--server=", "none"),
            ("install", "--allow=", "configured-elsewhere"),
            ("install", "--aia=", "any"),
            ("verify", "--trust=", "mozilla"),
            ("csr", "--ca=", "rapidssl"),
            ("completions", "", "bash"),
            ("renew", "--renew-before=", "20d"),
        ] {
            assert!(
                is_covered(command, option, word),
                "{command} {option}{word}"
            );
        }
    }

    #[test]
    fn other_values_keep_their_case() {
        for (words, expected) in [
            (&["--test", "AUTOMATIC x"][..], "AUTOMATIC x"),
            (&["--trust", "./Mozilla"], "./Mozilla"),
            (&["--probe", "None:443"], "None:443"),
        ] {
            let args = ["certctl", "install"].iter().chain(words);
            let args: Vec<OsString> = args.map(OsString::from).collect();
            let (_, command) = parse(&args).unwrap();
            let shown = format!("{command:?}");
            assert!(shown.contains(&format!("{expected:?}")), "{shown}");
        }
    }
}
