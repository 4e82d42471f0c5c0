//! Why an application could not be put into service, and the commands that may fail.

use std::time::Duration;

use crate::system::fs::files::FileError;
use crate::system::process::{
    self, CommandInvocation, CommandSurroundings, FinishedCommand, ProcessError,
};

/// How long a command of the system may take.
const TIMEOUT: Duration = Duration::from_secs(90);
const OUTPUT_LIMIT: usize = 64 * 1024;
/// How many of the last lines of an output are shown.
const SHOWN: usize = 12;

/// Why an application could not be put into service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplicationFault {
    #[error("`{command}` failed")]
    Command {
        command: String,
        /// The last lines of its output.
        output: Vec<String>,
    },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
    /// The application ended.
    #[error("the application ended")]
    Ended {
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// It answers with an error.
    #[error("the application answers {status} for {host}")]
    Answered {
        status: u16,
        /// The name of the site.
        host: String,
        log: Vec<String>,
    },
    #[error("the application did not answer within {seconds} s")]
    Silent { seconds: u64, log: Vec<String> },
}

impl ApplicationFault {
    /// The lines to quote below the message.
    #[must_use]
    pub(crate) fn quoted(&self) -> &[String] {
        match self {
            Self::Command { output, .. } => output,
            Self::Ended { log } | Self::Answered { log, .. } | Self::Silent { log, .. } => log,
            Self::File(_) | Self::Process(_) | Self::Interrupted(_) => &[],
        }
    }
}

/// Runs a command of the system.
///
/// # Errors
/// When it cannot be started, or fails.
pub(crate) fn run(words: &[&str]) -> Result<(), ApplicationFault> {
    let finished = run_in(words, TIMEOUT, &CommandSurroundings::default())?;
    require_success(words, &finished)
}

/// Runs a command of the system, whose success the caller judges.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run_in(
    words: &[&str],
    deadline: Duration,
    surroundings: &CommandSurroundings,
) -> Result<FinishedCommand, ApplicationFault> {
    let invocation = CommandInvocation {
        argv: words.iter().map(|&word| word.to_owned()).collect(),
        deadline,
        output_limit: OUTPUT_LIMIT,
    };
    Ok(process::run_in(&invocation, surroundings)?)
}

/// Returns what a command of the system prints; nothing if it cannot be run.
#[must_use]
pub(crate) fn output_of(words: &[&str]) -> String {
    let finished = run_in(words, TIMEOUT, &CommandSurroundings::default());
    finished.map_or(String::new(), |finished| finished.output)
}

/// Runs a command of the system that may fail.
pub(crate) fn try_run(words: &[&str]) {
    let _ = run(words);
}

/// Refuses a command that failed.
///
/// # Errors
/// The command, with the last lines of its output.
pub(crate) fn require_success(
    words: &[&str],
    finished: &FinishedCommand,
) -> Result<(), ApplicationFault> {
    if finished.succeeded() {
        return Ok(());
    }
    Err(ApplicationFault::Command {
        command: words.join(" "),
        output: last_lines(&finished.output),
    })
}

/// Returns the last lines of a text that are not empty.
#[must_use]
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let first = lines.len().saturating_sub(SHOWN);
    lines[first..].iter().map(|&line| line.to_owned()).collect()
}

/// Returns the lines of an application's log that say why it ended: those up to the last error of
/// Python. gunicorn adds a trace of its own, which only says that a worker did not start.
#[must_use]
pub(crate) fn lines_of_failure(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().collect();
    let is_end = |index: usize| {
        let is_traced = index > 0 && lines[index - 1].starts_with("  ");
        is_traced && is_exception(lines[index])
    };
    match (0..lines.len()).rev().find(|index| is_end(*index)) {
        Some(end) => last_lines(&lines[..=end].join("\n")),
        None => last_lines(log),
    }
}

/// Whether a line is `package.Error: reason`, the last one of a Python trace.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let is_dotted = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_dotted);
    is_name && !name.starts_with("gunicorn.")
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, last_lines, lines_of_failure};

    #[test]
    fn the_error_of_the_application_is_shown_and_not_that_of_gunicorn() {
        let log = "[1] [INFO] Booting\nTraceback (most recent call last):\n  File \"a.py\"\n    x = (\n\
            \x20       ^\nSyntaxError: '(' was never closed\n[1] [INFO] Worker exiting\nTraceback:\n\
            \x20 File \"b.py\"\n    raise\ngunicorn.errors.HaltServer: <HaltServer 3>\n";
        let lines = lines_of_failure(log);
        assert_eq!(
            lines.last().map(String::as_str),
            Some("SyntaxError: '(' was never closed")
        );
        assert_eq!(lines.len(), 6);
        assert_eq!(lines_of_failure("a b\nc\n"), ["a b", "c"]);
        assert!(lines_of_failure("").is_empty());
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        let text: String = (0..100).map(|number| format!("{number}\n\n")).collect();
        let lines = last_lines(&text);
        assert_eq!(lines.len(), SHOWN);
        assert_eq!(lines.last().map(String::as_str), Some("99"));
        assert_eq!(last_lines("a"), ["a"]);
        assert!(last_lines("\n \n").is_empty());
    }
}
