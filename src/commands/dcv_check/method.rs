//! What `dcv-check` ends with where the proof is no DNS record: a file on the web server, an answer
//! to an e-mail.

use serde_json::{Value, json};

use crate::dcv::judge::DcvVerdict;
use crate::finding::{Finding, NextStep, Severity};
use crate::report::{Outcome, TextOutput};

/// What one name, or one domain, comes to.
#[derive(Debug)]
pub(super) struct MethodResult {
    pub(super) verdict: DcvVerdict,
    pub(super) answered: bool,
    /// Its entry of `records`.
    pub(super) record: Value,
    pub(super) name: String,
    /// Label and words of its lines.
    pub(super) lines: Vec<(&'static str, String)>,
    pub(super) rows: Vec<(String, String)>,
}

/// What a check by another method ends with.
#[derive(Debug)]
pub(crate) struct MethodOutcome {
    pub(super) parts: Vec<MethodResult>,
    pub(super) findings: Vec<Finding>,
    /// Whether a `.dcv` file was written.
    pub(super) changed: bool,
    /// What to do when all is visible, and when it is not.
    pub(super) done: NextStep,
    pub(super) again: NextStep,
}

impl MethodOutcome {
    /// The worst of all.
    pub(super) fn verdict(&self) -> DcvVerdict {
        let stray = self
            .findings
            .iter()
            .any(|finding| finding.code.starts_with("record-of-another"));
        let worst = self
            .parts
            .iter()
            .max_by_key(|part| (severity(part), part.verdict));
        let verdict = worst.map_or(DcvVerdict::Unreachable, |part| part.verdict);
        if stray {
            verdict.max(DcvVerdict::Unchecked)
        } else {
            verdict
        }
    }

    fn next(&self) -> Vec<NextStep> {
        vec![if self.exit_code() == 0 {
            self.done.clone()
        } else {
            self.again.clone()
        }]
    }
}

/// 0 visible, 1 nobody answered, 2 judged not visible.
fn severity(part: &MethodResult) -> u8 {
    match part.verdict {
        DcvVerdict::Visible => 0,
        DcvVerdict::Unreachable if !part.answered => 1,
        _ => 2,
    }
}

impl Outcome for MethodOutcome {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.dcv-check/1",
            "verdict": self.verdict().word(),
            "changed": self.changed,
            "records": self.parts.iter().map(|part| &part.record).collect::<Vec<_>>(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for part in &self.parts {
            part.lines
                .iter()
                .for_each(|(label, words)| text.fact(label, words));
            let width = part
                .rows
                .iter()
                .map(|(who, _)| who.len())
                .max()
                .unwrap_or(0);
            part.rows
                .iter()
                .for_each(|(who, said)| text.fact("says", format!("{who:width$}  {said}")));
        }
        text.findings(&self.findings);
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        let wrong = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        match self.parts.iter().map(severity).max() {
            Some(0) if !wrong => 0,
            Some(1) if self.verdict() == DcvVerdict::Unreachable => 4,
            _ => 1,
        }
    }
}
