//! A row of the code table.

/// Where a word stands in the output.
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
    /// `verdict` of a document, or of a part of it.
    Verdict,
}

/// One word of the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CodeEntry {
    /// The kind of word; the same word may exist in several.
    pub kind: CodeKind,
    /// Kebab-case, as printed.
    pub code: &'static str,
    /// What it means: one sentence without a capital and a full stop.
    pub meaning: &'static str,
    /// What to do about it; empty for all but findings.
    pub fix: &'static str,
}

impl CodeEntry {
    pub(super) const fn new(
        kind: CodeKind,
        code: &'static str,
        meaning: &'static str,
        fix: &'static str,
    ) -> Self {
        Self {
            kind,
            code,
            meaning,
            fix,
        }
    }
}
