//! A row of the code table.

/// The kind of a word: where it stands in the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CodeKind {
    /// The exit code of the process, as a decimal number.
    ExitCode,
    /// `error.kind` in a document `certctl.error/1`.
    Failure,
    /// `code` of a finding.
    Finding,
    /// `proof` of an installed certificate.
    Proof,
    /// `caa[].verdict` of a validation record.
    RecordCaa,
    /// `state` of a row of `status`.
    State,
    /// A term of the field, which is no word of the output.
    Topic,
    /// `verdict` of a document, or of a part of it.
    Verdict,
}

impl CodeKind {
    /// The stable name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExitCode => "exit-code",
            Self::Failure => "failure",
            Self::Finding => "finding",
            Self::Proof => "proof",
            Self::RecordCaa => "record-caa",
            Self::State => "state",
            Self::Topic => "topic",
            Self::Verdict => "verdict",
        }
    }

    /// The kind in words, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ExitCode => "exit code",
            Self::Failure => "kind of error",
            Self::Finding => "finding",
            Self::Proof => "proof of an installation",
            Self::RecordCaa => "CAA verdict of a validation record",
            Self::State => "state in `status`",
            Self::Topic => "topic",
            Self::Verdict => "verdict",
        }
    }
}

/// One word of the output. A field without content is empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CodeEntry {
    /// The kind of word; the same word may exist in several.
    pub kind: CodeKind,
    /// Kebab-case, as printed.
    pub code: &'static str,
    /// What it means: one sentence without a capital and a full stop.
    pub meaning: &'static str,
    /// Why it matters: what a visitor, a CA or a server does. Whole sentences.
    pub why: &'static str,
    /// What to do about it: whole sentences, with commands in backticks.
    pub fix: &'static str,
    /// A situation, an output, a record or lines of a configuration, with its own line breaks.
    pub example: &'static str,
    /// The section of a standard or the documentation of a product; `certctl` for our own rules.
    pub source: &'static str,
}

/// A row of `kind` without content, which the rows of a section are made from.
const fn empty_row(kind: CodeKind) -> CodeEntry {
    CodeEntry {
        kind,
        code: "",
        meaning: "",
        why: "",
        fix: "",
        example: "",
        source: "",
    }
}

pub(super) const EXIT_CODE: CodeEntry = empty_row(CodeKind::ExitCode);
pub(super) const FAILURE: CodeEntry = empty_row(CodeKind::Failure);
pub(super) const FINDING: CodeEntry = empty_row(CodeKind::Finding);
pub(super) const PROOF: CodeEntry = empty_row(CodeKind::Proof);
pub(super) const RECORD_CAA: CodeEntry = empty_row(CodeKind::RecordCaa);
pub(super) const STATE: CodeEntry = empty_row(CodeKind::State);
pub(super) const TOPIC: CodeEntry = empty_row(CodeKind::Topic);
pub(super) const VERDICT: CodeEntry = empty_row(CodeKind::Verdict);
