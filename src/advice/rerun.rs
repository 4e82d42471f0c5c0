//! The same command again: as root, or with another option. The command line is process-wide, because
//! errors become advice in every layer.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use super::command_lines::{certctl_step, run_as_root_if_needed};
use crate::finding::{NextStep, ROOT_COMMANDS, shell_word};

/// The command line of this process.
static COMMAND_LINE: OnceLock<KeptCommandLine> = OnceLock::new();

/// A longer command line is not printed again with another option.
const WORD_LIMIT: usize = 40;

/// A command line without the program's name.
#[derive(Debug)]
struct KeptCommandLine {
    words: Vec<String>,
    /// The index of the command among the words.
    command: Option<usize>,
    /// The id of the user who runs it.
    user: u32,
}

impl KeptCommandLine {
    /// Returns nothing for a command line that is not UTF-8, because it could not be repeated as text.
    fn new(args: &[OsString], command: Option<usize>, user: u32) -> Option<Self> {
        let words = args.iter().skip(1);
        let words: Option<Vec<String>> =
            words.map(|word| word.to_str().map(str::to_owned)).collect();
        Some(Self {
            words: words?,
            command: command.and_then(|index| index.checked_sub(1)),
            user,
        })
    }

    /// Returns the command if its run can be repeated: not what was read from stdin, and not a
    /// rehearsal, whose commands are other ones.
    fn repeatable_command(&self) -> Option<&str> {
        let command = self.words.get(self.command?)?;
        let is_repeatable = self.words.len() <= WORD_LIMIT
            && command != "rehearse"
            && !self.words.iter().any(|word| word == "-");
        is_repeatable.then_some(command)
    }

    /// Returns the value of `--root`.
    fn root(&self) -> Option<String> {
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if word == "--root" {
                return words.next().cloned();
            }
            if let Some(root) = word.strip_prefix("--root=") {
                return Some(root.to_owned());
            }
        }
        None
    }

    /// Returns the words with `options`, which replace the same ones.
    fn with_options(&self, options: &[RepeatOption<'_>]) -> Vec<String> {
        let end = self.words.iter().position(|word| word == "--");
        let (before, after) = self.words.split_at(end.unwrap_or(self.words.len()));
        let mut words = before.to_vec();
        for option in options {
            option.replace_in(&mut words);
        }
        words.extend_from_slice(after);
        words
    }
}

/// An option of a repeated command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RepeatOption<'a> {
    /// `--trust`, or `--aia=any`.
    pub name: &'a str,
    /// Its value, if that is a word of its own.
    pub value: Option<&'a str>,
}

impl RepeatOption<'_> {
    fn replace_in(self, words: &mut Vec<String>) {
        let name = self.name.split('=').next().unwrap_or_default();
        let is_same = |word: &String| {
            let rest = word.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        while let Some(index) = words.iter().position(is_same) {
            let has_own_value = self.value.is_some() && words[index] == name;
            let end = (index + 1 + usize::from(has_own_value)).min(words.len());
            words.drain(index..end);
        }
        words.push(self.name.to_owned());
        words.extend(self.value.map(str::to_owned));
    }

    fn in_words(self) -> String {
        match self.value {
            Some(value) => format!("{} {}", self.name, shell_word(value)),
            None => self.name.to_owned(),
        }
    }
}

/// Keeps the command line for the advice of this process; `command` is the index of the command in
/// `args`, `user` the id of the user who runs it. Only the first call has an effect.
pub(crate) fn keep_command_line(args: &[OsString], command: Option<usize>, user: u32) {
    if let Some(line) = KeptCommandLine::new(args, command, user) {
        let _ = COMMAND_LINE.set(line);
    }
}

/// Returns the step that repeats the command as root; `None` if root runs it already.
#[must_use]
pub(super) fn as_root() -> Option<NextStep> {
    as_root_saying("If only root may use it, run the same command as root")
}

/// Returns the command and the step that repeats it as root, if it is one that always needs root.
#[must_use]
pub(super) fn root_command() -> Option<(String, NextStep)> {
    let line = COMMAND_LINE.get().filter(|line| line.root().is_none())?;
    let command = line.words.get(line.command?)?;
    let is_for_root = ROOT_COMMANDS.contains(&command.as_str());
    let step = as_root_saying("Run the same command as root").filter(|_| is_for_root)?;
    Some((format!("certctl {command}"), step))
}

/// Does the same with another sentence.
#[must_use]
pub(super) fn as_root_saying(sentence: &str) -> Option<NextStep> {
    let line = COMMAND_LINE.get().filter(|line| line.user != 0)?;
    Some(NextStep::run_certctl(sentence, &line.words).with_sudo())
}

/// Returns the command line as it was, if it is one of `commands` and can be repeated.
#[must_use]
pub(super) fn same_line(commands: &[&str]) -> Option<String> {
    let line = COMMAND_LINE.get()?;
    let command = line.repeatable_command()?;
    let is_wanted = commands.contains(&command);
    let step = NextStep::run_certctl("", &line.words);
    run_as_root_if_needed(step).command.filter(|_| is_wanted)
}

/// Returns another certctl command for the tree of this command.
#[must_use]
pub(super) fn run_in_same_tree(sentence: impl Into<String>, words: &[&str]) -> NextStep {
    let root = COMMAND_LINE.get().and_then(KeptCommandLine::root);
    certctl_step(root.as_deref().map(Path::new), sentence, words)
}

/// Repeats the command with `options`, if it is one of `commands`; `sentence` says when. Where that
/// command line is not known, the step is a sentence.
#[must_use]
pub(crate) fn repeat_with(
    sentence: &str,
    commands: &[&str],
    options: &[RepeatOption<'_>],
) -> NextStep {
    let mut shown = Vec::new();
    for option in options {
        shown.push(option.in_words());
    }
    let sentence = format!("{sentence} with `{}`", shown.join(" "));
    let line = COMMAND_LINE.get().filter(|line| {
        let command = line.repeatable_command();
        command.is_some_and(|command| commands.contains(&command))
    });
    match line {
        Some(line) => {
            let words = line.with_options(options);
            run_as_root_if_needed(NextStep::run_certctl(sentence, &words))
        }
        None => NextStep::say(sentence),
    }
}

/// Repeats the command with `option` in place of the option `removed`, which has a value of its own
/// if any is given here; `sentence` says what for. Where that command line is not known, the step is a
/// sentence.
#[must_use]
pub(crate) fn repeat_instead_of(
    sentence: &str,
    commands: &[&str],
    removed: RepeatOption<'_>,
    option: RepeatOption<'_>,
) -> NextStep {
    let line = COMMAND_LINE.get().filter(|line| {
        let command = line.repeatable_command();
        command.is_some_and(|command| commands.contains(&command))
    });
    match line {
        Some(line) => {
            let mut words = line.with_options(&[removed, option]);
            words.retain(|word| word != removed.name && !word.is_empty());
            run_as_root_if_needed(NextStep::run_certctl(sentence, &words))
        }
        None => NextStep::say(format!("{sentence}, with `{}`", option.in_words())),
    }
}

/// Repeats the command without the option `name`, which has a value; `sentence` says so. Where that
/// command line is not known, the step is a sentence.
#[must_use]
pub(crate) fn repeat_without(sentence: &str, commands: &[&str], name: &'static str) -> NextStep {
    let removed = RepeatOption {
        name,
        value: Some(""),
    };
    let line = COMMAND_LINE.get().filter(|line| {
        let command = line.repeatable_command();
        command.is_some_and(|command| commands.contains(&command))
    });
    let Some(line) = line else {
        return NextStep::say(sentence);
    };
    let mut words = line.with_options(&[removed]);
    words.retain(|word| word != name && !word.is_empty());
    run_as_root_if_needed(NextStep::run_certctl(sentence, &words))
}

/// Repeats the command without `--dry-run`, if it is one of `commands` and can be repeated.
#[must_use]
pub(crate) fn without_dry_run(sentence: &str, commands: &[&str]) -> Option<NextStep> {
    let line = COMMAND_LINE.get()?;
    let command = line.repeatable_command()?;
    if !commands.contains(&command) {
        return None;
    }
    let mut words = line.words.clone();
    words.retain(|word| word != "--dry-run");
    Some(run_as_root_if_needed(NextStep::run_certctl(
        sentence, &words,
    )))
}

/// Repeats the command with `typed` replaced by `corrected` in its arguments. Where that command line
/// is not known, the step is a sentence.
#[must_use]
pub(crate) fn repeat_replacing(sentence: &str, typed: &str, corrected: &str) -> NextStep {
    let line = COMMAND_LINE
        .get()
        .filter(|line| line.repeatable_command().is_some());
    let words = line.map(|line| line.words.iter().map(|word| word.replace(typed, corrected)));
    match words.map(Vec::from_iter) {
        Some(words) if words.iter().any(|word| word.contains(corrected)) => {
            run_as_root_if_needed(NextStep::run_certctl(sentence, &words))
        }
        _ => NextStep::say(format!("{sentence}, use `{corrected}`")),
    }
}

/// `--at` was given to a command that changes this machine.
#[must_use]
pub(crate) fn omit_at_or_dry_run() -> NextStep {
    let dry_run = RepeatOption {
        name: "--dry-run",
        value: None,
    };
    let sentence = "Omit `--at`; or, to see what would be done at that time, repeat the command";
    repeat_with(sentence, &["install", "rollback"], &[dry_run])
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{KeptCommandLine, RepeatOption};

    fn repeated(line: &str, name: &str, value: Option<&str>) -> Option<String> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let command = args
            .iter()
            .position(|word| word == "verify" || word == "rehearse");
        let line = KeptCommandLine::new(&args, command, 1000)?;
        line.repeatable_command()?;
        Some(line.with_options(&[RepeatOption { name, value }]).join(" "))
    }

    #[test]
    fn an_option_is_added_or_replaced() {
        for (line, expected) in [
            ("certctl verify x.crt", "verify x.crt --trust system"),
            (
                "certctl verify --trust a.pem x.crt",
                "verify x.crt --trust system",
            ),
            (
                "certctl verify --trust=a.pem x.crt",
                "verify x.crt --trust system",
            ),
            (
                "certctl verify --trusted x.crt",
                "verify --trusted x.crt --trust system",
            ),
            ("certctl verify --trust", "verify --trust system"),
            (
                "certctl verify --trust=a --trust b",
                "verify --trust system",
            ),
            (
                "certctl -q verify -- -x.crt",
                "-q verify --trust system -- -x.crt",
            ),
        ] {
            let words = repeated(line, "--trust", Some("system"));
            assert_eq!(words.as_deref(), Some(expected), "{line}");
        }
        let switched = repeated("certctl verify --aia x.crt", "--aia=any", None);
        assert_eq!(switched.unwrap(), "verify x.crt --aia=any");
    }

    #[test]
    fn some_command_lines_are_not_repeated() {
        let long = format!("certctl verify{}", " x".repeat(100));
        for line in ["certctl verify -", "certctl rehearse", "certctl", &long] {
            assert_eq!(repeated(line, "--strict", None), None, "{line}");
        }
    }
}
