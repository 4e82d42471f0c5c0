//! The failure of a command: kind, message, causes, next steps. `advice/<module>.rs` converts the
//! errors of each module into a [`Failure`], and is the only place with advice.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::finding::{Finding, NextStep};
use crate::wording::error_chain;

/// The kind of a failure, which decides the exit code (product contract, "Exit codes").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureKind {
    /// Several things match, and the user has to choose.
    Ambiguous,
    /// A file exists already and is not overwritten.
    Exists,
    /// The input exceeds a limit or is malicious.
    Hostile,
    /// A bug or a broken machine; the user can only report it.
    Internal,
    /// A signal ended the command; holds its number.
    Interrupted(i32),
    /// A file or a process could not be used.
    Io,
    /// Another certctl holds the lock.
    LockHeld,
    /// A file or an answer exists but does not have the expected content.
    Malformed,
    /// A server did not answer.
    Network,
    /// A file, a program or a name does not exist.
    NotFound,
    Usage,
}

impl FailureKind {
    /// Returns the exit code of the process.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Ambiguous | Self::Exists | Self::Hostile | Self::Malformed | Self::NotFound => 3,
            Self::Internal | Self::Io | Self::LockHeld | Self::Network => 4,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }

    /// Returns the stable name in JSON.
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

/// A failure that can be printed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What the command found out before it failed.
    pub known: Vec<String>,
    /// The next steps.
    pub next: Vec<NextStep>,
    /// When the CA or the API wants to be asked again; boxed, because every result has room for a failure.
    pub retry_at: Option<Box<Timestamp>>,
}

impl Failure {
    /// Creates a failure without causes and next steps.
    #[must_use]
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            known: Vec::new(),
            next: Vec::new(),
            retry_at: None,
        }
    }

    /// Creates a failure with the message of `error`, and with its sources as causes.
    #[must_use]
    pub(crate) fn from_error(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        let causes = error_chain(error).skip(1);
        failure.causes.extend(causes.map(ToString::to_string));
        failure
    }

    /// Returns the message and its causes on one line, with colons between them.
    #[must_use]
    pub(crate) fn with_causes(&self) -> String {
        let mut parts = vec![self.message.as_str()];
        parts.extend(self.causes.iter().map(String::as_str));
        parts.join(": ")
    }

    /// Converts the failure into an error finding, for a command that continues despite it.
    #[must_use]
    pub(crate) fn into_finding(self, code: &'static str) -> Finding {
        let finding = Finding::error(code, self.with_causes());
        self.next.into_iter().fold(finding, Finding::with_step)
    }

    /// Returns the same failure with one more cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Returns the same failure with a fact that the command found out before it failed.
    #[must_use]
    pub(crate) fn knowing(mut self, fact: impl Into<String>) -> Self {
        self.known.push(fact.into());
        self
    }

    /// Returns the same failure with one more next step.
    #[must_use]
    pub(crate) fn with_step(mut self, next: NextStep) -> Self {
        self.next.push(next);
        self
    }

    /// Returns the same failure with the time at which the CA or the API wants to be asked again.
    #[must_use]
    pub(crate) fn with_retry_at(mut self, at: Option<Timestamp>) -> Self {
        self.retry_at = at.map(Box::new);
        self
    }

    /// Returns when the CA or the API wants to be asked again.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at.as_deref().copied()
    }

    /// Returns the document `certctl.error/1`.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        let mut document = json!({
            "schema": "certctl.error/1",
            "comment": self.message,
            "error": {
                "kind": self.kind.name(),
                "message": self.message,
                "causes": self.causes,
                "next": self.next,
            }
        });
        if !self.known.is_empty() {
            document["error"]["known"] = json!(self.known);
        }
        document
    }
}

impl From<anyhow::Error> for Failure {
    /// For errors that no user can act on, such as those of the rehearsal's own servers.
    fn from(error: anyhow::Error) -> Self {
        let mut causes = error.chain().map(ToString::to_string);
        let mut failure = Self::new(FailureKind::Internal, causes.next().unwrap_or_default());
        failure.causes = causes.collect();
        failure
    }
}
