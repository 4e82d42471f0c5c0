//! Finds out which argument the cursor of an unfinished command line is at.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, ValueHint};

use super::names::NameScope;

/// The positional argument of a command that takes names.
#[derive(Debug)]
pub(super) struct NameArgument {
    command: &'static str,
    /// Where its names are known.
    pub scope: NameScope,
    alternative: NameAlternative,
}

/// What an argument takes besides names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NameAlternative {
    Files,
    Nothing,
}

const fn takes(
    command: &'static str,
    scope: NameScope,
    alternative: NameAlternative,
) -> NameArgument {
    NameArgument {
        command,
        scope,
        alternative,
    }
}

const ARGUMENTS: [NameArgument; 15] = [
    takes("bundle", NameScope::Folder, NameAlternative::Files),
    takes("csr", NameScope::AllOfFolder, NameAlternative::Nothing),
    takes("dcv-check", NameScope::Folder, NameAlternative::Files),
    takes("dcv-publish", NameScope::Folder, NameAlternative::Files),
    takes("forget", NameScope::Installed, NameAlternative::Nothing),
    takes("inspect", NameScope::Everywhere, NameAlternative::Files),
    takes("install", NameScope::Everywhere, NameAlternative::Files),
    takes("order", NameScope::AllOfFolder, NameAlternative::Nothing),
    takes("renew", NameScope::Everywhere, NameAlternative::Nothing),
    takes("revoke", NameScope::Installed, NameAlternative::Nothing),
    takes("rollback", NameScope::Installed, NameAlternative::Nothing),
    takes("site", NameScope::Installed, NameAlternative::Nothing),
    takes("doctor", NameScope::Installed, NameAlternative::Nothing),
    takes("status", NameScope::Everywhere, NameAlternative::Files),
    takes("verify", NameScope::Everywhere, NameAlternative::Files),
];

impl NameArgument {
    /// Returns the word that the scripts compare.
    pub(super) fn kind(&self) -> &'static str {
        match self.alternative {
            NameAlternative::Files => "names-or-files",
            NameAlternative::Nothing => "names",
        }
    }
}

/// Returns what the names of a command may be besides names, as a hint for completion scripts.
pub(super) fn value_hint(command: &str) -> Option<ValueHint> {
    let mut arguments = ARGUMENTS.iter();
    let argument = arguments.find(|argument| argument.command == command)?;
    Some(match argument.alternative {
        NameAlternative::Files => ValueHint::AnyPath,
        NameAlternative::Nothing => ValueHint::Other,
    })
}

/// A cursor at an argument that takes names.
#[derive(Debug)]
pub(super) struct CursorPosition {
    pub argument: &'static NameArgument,
    /// What was typed of the name.
    pub typed: String,
    /// The value of `-C`.
    pub directory: Option<PathBuf>,
    /// The value of `--root`.
    pub root: Option<PathBuf>,
}

impl CursorPosition {
    /// Finds the position in `words`, which start with the program's name; the last one ends at the
    /// cursor. `None` where no name is expected: at a command, an option or the value of an option.
    pub(super) fn find(command_line: &Command, words: &[OsString]) -> Option<Self> {
        let words = join_values(words);
        let (typed, before) = words.get(1..)?.split_last()?;
        let mut walk = CommandLineWalk::new(command_line);
        for word in before {
            walk.pass(word)?;
        }
        walk.position(typed)
    }
}

/// Joins an option and its value: bash splits `--root=/srv` into three words.
fn join_values(words: &[OsString]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut continues = false;
    for word in words {
        let word = word.to_string_lossy();
        match joined.last_mut() {
            Some(option) if continues || (word == "=" && option.starts_with("--")) => {
                option.push_str(&word);
                continues = word == "=" && !continues;
            }
            _ => joined.push(word.into_owned()),
        }
    }
    joined
}

/// How far a command line was read.
struct CommandLineWalk<'a> {
    whole: &'a Command,
    /// The command, once it was read.
    command: Option<&'a Command>,
    /// The option whose value is the next word.
    open_option: Option<&'a Arg>,
    /// Whether `--` was read: only arguments follow.
    has_ended_options: bool,
    /// How many positional arguments were read.
    positional_count: usize,
    directory: Option<PathBuf>,
    root: Option<PathBuf>,
}

impl<'a> CommandLineWalk<'a> {
    fn new(whole: &'a Command) -> Self {
        Self {
            whole,
            command: None,
            open_option: None,
            has_ended_options: false,
            positional_count: 0,
            directory: None,
            root: None,
        }
    }

    /// Reads one word; `None` for an unknown command.
    fn pass(&mut self, word: &str) -> Option<()> {
        if let Some(option) = self.open_option.take() {
            self.note_value(option, word);
        } else if self.has_ended_options || !word.starts_with('-') || word == "-" {
            return self.pass_argument(word);
        } else if word == "--" {
            self.has_ended_options = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            if let Some(option) = self.find_option(|arg| arg.get_long() == Some(name)) {
                self.pass_option(option, value);
            }
        } else {
            self.pass_short_options(&word[1..]);
        }
        Some(())
    }

    fn pass_argument(&mut self, word: &str) -> Option<()> {
        if self.command.is_some() {
            self.positional_count += 1;
        } else {
            self.command = Some(self.whole.find_subcommand(word)?);
        }
        Some(())
    }

    fn pass_option(&mut self, option: &'a Arg, value: Option<&str>) {
        match value {
            Some(value) => self.note_value(option, value),
            None if option.get_action().takes_values() && !option.is_require_equals_set() => {
                self.open_option = Some(option);
            }
            None => {}
        }
    }

    /// Reads `qC/srv` of `-qC/srv`.
    fn pass_short_options(&mut self, cluster: &str) {
        for (start, short) in cluster.char_indices() {
            let Some(option) = self.find_option(|arg| arg.get_short() == Some(short)) else {
                return;
            };
            if option.get_action().takes_values() {
                let value = &cluster[start + short.len_utf8()..];
                return self.pass_option(option, (!value.is_empty()).then_some(value));
            }
        }
    }

    /// Finds an option of the command, else a global one.
    fn find_option(&self, is_wanted: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        let own = self.command.into_iter().flat_map(Command::get_arguments);
        let mut options = own.chain(self.whole.get_arguments());
        options.find(|arg| is_wanted(arg))
    }

    fn note_value(&mut self, option: &Arg, value: &str) {
        match option.get_id().as_str() {
            "directory" => self.directory = Some(PathBuf::from(value)),
            "root" => self.root = Some(PathBuf::from(value)),
            _ => {}
        }
    }

    /// Returns the position of the cursor behind `typed`.
    fn position(self, typed: &str) -> Option<CursorPosition> {
        let is_option = typed.starts_with('-') && !self.has_ended_options;
        if self.open_option.is_some() || is_option {
            return None;
        }
        let command = self.command?;
        let positional = command.get_positionals().next()?;
        let takes_several = matches!(positional.get_action(), ArgAction::Append);
        if self.positional_count > 0 && !takes_several {
            return None;
        }
        let mut arguments = ARGUMENTS.iter();
        Some(CursorPosition {
            argument: arguments.find(|argument| argument.command == command.get_name())?,
            typed: typed.to_owned(),
            directory: self.directory,
            root: self.root,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{Arg, ArgAction, Command};

    use super::CursorPosition;

    fn command_line() -> Command {
        let value = |id: &'static str| Arg::new(id).long(id).action(ArgAction::Set);
        let names = Arg::new("names").action(ArgAction::Append);
        Command::new("certctl")
            .arg(value("directory").short('C'))
            .arg(value("root"))
            .arg(Arg::new("quiet").short('q').action(ArgAction::SetTrue))
            .subcommand(
                Command::new("rollback")
                    .arg(Arg::new("name"))
                    .arg(value("to")),
            )
            .subcommand(Command::new("bundle").arg(names.clone()))
            .subcommand(
                Command::new("dcv-check")
                    .alias("dcv")
                    .arg(names)
                    .arg(value("wait").num_args(0..=1).require_equals(true)),
            )
    }

    fn found(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let Some(position) = CursorPosition::find(&command_line(), &words) else {
            return "none".to_owned();
        };
        let mut text = format!("{} {}", position.argument.kind(), position.typed);
        for path in [position.directory, position.root].into_iter().flatten() {
            text.push_str(&format!(" [{}]", path.display()));
        }
        text
    }

    #[test]
    fn names_are_expected_at_arguments_only() {
        for (line, expected) in [
            ("certctl rollback ", "names "),
            ("certctl rollback ex", "names ex"),
            ("certctl rollback a.example ", "none"),
            ("certctl rollback --to ", "none"),
            ("certctl rollback --to 2027-05-11 ", "names "),
            ("certctl rollback --to=2027-05-11 ", "names "),
            ("certctl rollback --to = 2027-05-11 ", "names "),
            ("certctl rollback --to = 2027", "none"),
            ("certctl rollback --to = ", "none"),
            ("certctl rollback --", "none"),
            ("certctl rollback -- ", "names "),
            ("certctl rollback -- -x", "names -x"),
            ("certctl -q -C dir rollback x", "names x [dir]"),
            (
                "certctl -qCdir rollback --root=/srv x",
                "names x [dir] [/srv]",
            ),
            ("certctl rollback --root = /srv x", "names x [/srv]"),
            ("certctl rollback --unknown x", "names x"),
            ("certctl -C ", "none"),
            ("certctl dcv a b c", "names-or-files c"),
            ("certctl dcv-check --wait a", "names-or-files a"),
            ("certctl bundle a", "names-or-files a"),
            ("certctl explain a", "none"),
            ("certctl unknown a", "none"),
            ("certctl roll", "none"),
            ("certctl", "none"),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }
}
