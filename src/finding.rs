//! Findings and next steps, which every report consists of. This module does not print, and does
//! not depend on the outcome of any command.

use serde::Serialize;

use crate::code_table::{self, CodeKind};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Note,
    /// Works today; should be fixed.
    Warning,
    /// Wrong: it makes the verdict of the command negative.
    Error,
}

/// When a step can be carried out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepTiming {
    /// Now: the step is one complete command.
    Now,
    /// After something that only the user or the CA can do.
    Later,
}

/// One thing to do: a sentence for a person, and the command that does it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct NextStep {
    /// What to do: one sentence without its final punctuation mark.
    pub text: String,
    /// The complete command line, as it is pasted into a shell, with sudo where it needs root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Lines to paste, where the step is to change a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The command line, one word each, without sudo; absent when it is not one certctl command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// Whether it requires root.
    pub needs_root: bool,
    /// Whether the step can be carried out now.
    pub when: StepTiming,
}

/// The commands that write below /etc.
pub(crate) const ROOT_COMMANDS: [&str; 4] = ["install", "rollback", "forget", "site"];
/// The options with which they do not.
const HARMLESS: [&str; 3] = ["--root", "--dry-run", "--check"];

impl NextStep {
    /// Creates a step without a command, because the user has to decide something, or do something
    /// elsewhere first.
    #[must_use]
    pub fn say(sentence: impl Into<String>) -> Self {
        Self {
            text: sentence.into(),
            command: None,
            lines: Vec::new(),
            argv: None,
            needs_root: false,
            when: StepTiming::Later,
        }
    }

    /// Creates a step with a certctl command that can be run now; `words` come after `certctl`.
    #[must_use]
    pub fn run_certctl<S: AsRef<str>>(sentence: impl Into<String>, words: &[S]) -> Self {
        let argv: Vec<String> = std::iter::once("certctl")
            .chain(words.iter().map(AsRef::as_ref))
            .map(str::to_owned)
            .collect();
        Self {
            command: Some(shell_line(&argv)),
            needs_root: is_for_root(&argv),
            argv: Some(argv),
            when: StepTiming::Now,
            ..Self::say(sentence)
        }
    }

    /// Creates a step with a complete command line of other programs that can be run now.
    #[must_use]
    pub fn run_shell(sentence: impl Into<String>, line: impl Into<String>) -> Self {
        let line = line.into();
        Self {
            needs_root: line.contains("sudo "),
            command: Some(line),
            when: StepTiming::Now,
            ..Self::say(sentence)
        }
    }

    /// Returns the same step, for after something that only the user or the CA can do; the sentence
    /// says what.
    #[must_use]
    pub fn later(self) -> Self {
        Self {
            when: StepTiming::Later,
            ..self
        }
    }

    /// Returns the same step with lines to paste. A line break in one of them is escaped like any
    /// other control character.
    #[must_use]
    pub fn with_lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// Returns the same step with sudo; `argv` stays without it.
    #[must_use]
    pub fn with_sudo(self) -> Self {
        Self {
            command: self.command.map(|command| format!("sudo {command}")),
            needs_root: true,
            ..self
        }
    }

    /// Returns the sentence with its final punctuation mark: a colon if a command or lines follow.
    #[must_use]
    pub(crate) fn sentence(&self) -> String {
        let is_introduction = self.command.is_some() || !self.lines.is_empty();
        format!("{}{}", self.text, if is_introduction { ':' } else { '.' })
    }
}

fn is_for_root(argv: &[String]) -> bool {
    let has = |words: &[&str]| argv.iter().any(|word| words.contains(&word.as_str()));
    has(&ROOT_COMMANDS) && !has(&HARMLESS)
}

/// Quotes `word` so that a POSIX shell reads it back unchanged.
#[must_use]
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Returns the command line that a POSIX shell reads back as these words.
#[must_use]
pub(crate) fn shell_line<S: AsRef<str>>(words: &[S]) -> String {
    let mut quoted = Vec::new();
    for word in words {
        quoted.push(shell_word(word.as_ref()));
    }
    quoted.join(" ")
}

/// One observation of a check.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// Stable kebab-case code, listed in the code table.
    pub code: &'static str,
    /// How severe it is.
    pub severity: Severity,
    /// What is wrong, and the cause: one line.
    pub message: String,
    /// Lines of output of a server or a program, shown as a quotation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The next steps.
    pub next: Vec<NextStep>,
}

impl Finding {
    /// Creates a finding that makes the verdict negative.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// Creates a finding that should be fixed but does not make the verdict negative.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        debug_assert!(
            code_table::find(CodeKind::Finding, code).is_some(),
            "{code} has no row in the code table"
        );
        Self {
            code,
            severity,
            message: message.into(),
            lines: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Returns an error that `--allow` names as a warning that says so.
    #[must_use]
    pub(crate) fn into_allowed(mut self) -> Self {
        self.severity = Severity::Warning;
        let reason = format!(" (allowed by `--allow {}`)", self.code);
        self.message.push_str(&reason);
        self.next.clear();
        self
    }

    /// Returns the same finding with lines to quote below it.
    #[must_use]
    pub fn with_quote(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// Returns the same finding with one more next step.
    #[must_use]
    pub fn with_step(mut self, next: NextStep) -> Self {
        self.next.push(next);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{NextStep, StepTiming, shell_word};

    #[test]
    fn shell_words_survive_a_shell() {
        for (word, quoted) in [
            ("example.com.key", "example.com.key"),
            ("*.example.com", "'*.example.com'"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }

    #[test]
    fn a_command_carries_its_argv() {
        let next = NextStep::run_certctl("Install it", &["install", "a b.zip"]);
        assert_eq!(next.command.as_deref(), Some("certctl install 'a b.zip'"));
        assert_eq!(next.sentence(), "Install it:");
        assert_eq!(next.argv.unwrap(), ["certctl", "install", "a b.zip"]);
    }

    #[test]
    fn a_step_knows_whether_it_needs_root_and_can_be_taken_now() {
        let step = |words: &[&str]| NextStep::run_certctl("Do it", words);
        let install = step(&["install", "a.zip"]);
        assert_eq!((install.needs_root, install.when), (true, StepTiming::Now));
        assert_eq!(install.later().when, StepTiming::Later);
        assert!(!step(&["install", "a.zip", "--root", "tree"]).needs_root);
        assert!(!step(&["rollback", "a", "--dry-run"]).needs_root);
        assert!(!step(&["csr", "a.example"]).needs_root);
        assert_eq!(NextStep::say("Wait for the CA").when, StepTiming::Later);
        let command = NextStep::run_shell("Do it", "sudo chmod 0600 /x");
        assert_eq!((command.needs_root, command.when), (true, StepTiming::Now));
    }
}
