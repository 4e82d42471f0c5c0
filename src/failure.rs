//! Why a command has no outcome to report: kind, message, causes, next steps.
//! `advice/<module>.rs` turns each module's errors into one, and is the only place with advice.

use serde_json::{Value, json};

use crate::finding::{Finding, NextStep};
use crate::wording::error_chain;

/// Why there is no outcome; decides the exit code (product contract, "Exit codes").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureKind {
    /// More than one thing fits and the choice is the user's.
    Ambiguous,
    /// It exists already and is not overwritten.
    Exists,
    /// A bound was exceeded or the input tries to do harm.
    Hostile,
    /// A bug or a broken machine: nothing a user can act on but the report.
    Internal,
    /// A signal ended the command; holds its number.
    Interrupted(i32),
    /// A file or a process could not be used.
    Io,
    /// Another certctl holds the lock.
    LockHeld,
    /// It exists but is not what was expected.
    Malformed,
    /// A server did not answer.
    Network,
    /// It does not exist.
    NotFound,
    Usage,
}

impl FailureKind {
    /// The exit code of the process.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Ambiguous | Self::Exists | Self::Hostile | Self::Malformed | Self::NotFound => 3,
            Self::Internal | Self::Io | Self::LockHeld | Self::Network => 4,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }

    /// The stable name in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Exists => "exists",
            Self::Hostile => "hostile",
            Self::Internal => "internal",
            Self::Interrupted(_) => "interrupted",
            Self::Io => "io",
            Self::LockHeld => "lock-held",
            Self::Malformed => "malformed",
            Self::Network => "network",
            Self::NotFound => "not-found",
            Self::Usage => "usage",
        }
    }
}

/// A failure, ready to print. Boxed inside: it travels in every `Result` of the commands.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What to run or to look at now.
    pub next: Vec<NextStep>,
}

impl Failure {
    /// A failure with no cause and no advice yet.
    #[must_use]
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            next: Vec::new(),
        }
    }

    /// A failure with the message of `error`, and with its sources as causes.
    #[must_use]
    pub(crate) fn from_error(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        let causes = error_chain(error).skip(1);
        failure.causes.extend(causes.map(ToString::to_string));
        failure
    }

    /// The message and its causes on one line, with colons between them.
    #[must_use]
    pub(crate) fn with_causes(&self) -> String {
        let mut parts = vec![self.message.as_str()];
        parts.extend(self.causes.iter().map(String::as_str));
        parts.join(": ")
    }

    /// The failure as an error among the findings of a document that goes on without it.
    #[must_use]
    pub(crate) fn into_finding(self, code: &'static str) -> Finding {
        let finding = Finding::error(code, self.with_causes());
        self.next.into_iter().fold(finding, Finding::with_step)
    }

    /// The same failure with one more cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same failure with one more next step.
    #[must_use]
    pub(crate) fn with_step(mut self, next: NextStep) -> Self {
        self.next.push(next);
        self
    }

    /// `certctl.error/1`.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        json!({
            "schema": "certctl.error/1",
            "comment": self.message,
            "error": {
                "kind": self.kind.name(),
                "message": self.message,
                "causes": self.causes,
                "next": self.next,
            }
        })
    }
}

impl From<anyhow::Error> for Failure {
    /// What no user can act on: rehearsal plumbing, "cannot happen".
    fn from(error: anyhow::Error) -> Self {
        let mut causes = error.chain().map(ToString::to_string);
        let mut failure = Self::new(FailureKind::Internal, causes.next().unwrap_or_default());
        failure.causes = causes.collect();
        failure
    }
}
