//! The outcome of `dcv-check` for validation by a file on the web server or by email.

use serde_json::{Value, json};

use crate::commands::dcv_check::outcome::has_error;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::judge::DcvVerdict;
use crate::finding::{Finding, NextStep};
use crate::report::{Label, Outcome, TextOutput};
use crate::system::dns::ResolverList;
use crate::validation::select::ChosenRecords;

/// The codes of a given record that belongs to none of the requests.
const STRAY_RECORD_CODES: [&str; 2] = ["record-for-another-domain", "record-from-another-request"];

/// What a check by another method needs.
pub(super) struct MethodCheck<'a> {
    pub context: &'a Context,
    pub resolvers: &'a ResolverList,
    /// The CA of the command line.
    pub ca: Option<Ca>,
    pub chosen: &'a ChosenRecords,
    /// The words of the command line that waits.
    pub wait_command: &'a [String],
}

/// The result for one name or domain.
#[derive(Debug)]
pub(super) struct MethodResult {
    pub verdict: DcvVerdict,
    pub answered: bool,
    /// Its entry in the `records` of the JSON document.
    pub record: Value,
    pub name: String,
    /// The paragraphs of the report.
    pub lines: Vec<MethodLine>,
    /// Each server with its status.
    pub rows: Vec<(String, String)>,
}

/// A paragraph about one name or domain.
#[derive(Debug)]
pub(super) enum MethodLine {
    /// A sentence about what was found.
    Fact(String),
    /// A line to copy, below the sentence above it.
    Content(String),
}

/// The outcome of a check by another method.
#[derive(Debug)]
pub(crate) struct MethodOutcome {
    pub(super) results: Vec<MethodResult>,
    pub(super) findings: Vec<Finding>,
    /// Whether a `.dcv` file was written.
    pub(super) changed: bool,
    pub(super) next_if_visible: NextStep,
    pub(super) next_otherwise: NextStep,
}

impl MethodOutcome {
    /// The worst verdict of all results. It is not better than unchecked if a given record belongs
    /// to none of the requests, because then nothing was compared with the reseller's record.
    pub(super) fn verdict(&self) -> DcvVerdict {
        let has_stray = self
            .findings
            .iter()
            .any(|finding| STRAY_RECORD_CODES.contains(&finding.code));
        let worst = self
            .results
            .iter()
            .max_by_key(|result| (severity(result), result.verdict));
        let verdict = worst.map_or(DcvVerdict::Unreachable, |result| result.verdict);
        if has_stray {
            verdict.max(DcvVerdict::Unchecked)
        } else {
            verdict
        }
    }

    fn next(&self) -> Vec<NextStep> {
        vec![if self.exit_code() == 0 {
            self.next_if_visible.clone()
        } else {
            self.next_otherwise.clone()
        }]
    }
}

/// Ranks a result: 0 visible, 1 no server answered, 2 not visible.
fn severity(result: &MethodResult) -> u8 {
    match result.verdict {
        DcvVerdict::Visible => 0,
        DcvVerdict::Unreachable if !result.answered => 1,
        _ => 2,
    }
}

impl MethodResult {
    fn print(&self, text: &mut TextOutput) {
        for line in &self.lines {
            match line {
                MethodLine::Fact(fact) => text.add(Label::Found, fact),
                MethodLine::Content(line) => text.add_verbatim(line),
            }
        }
        for (server, status) in &self.rows {
            text.add(Label::Found, format!("{server}: {status}"));
        }
    }
}

impl Outcome for MethodOutcome {
    fn json(&self) -> Value {
        let mut records = Vec::new();
        for result in &self.results {
            records.push(&result.record);
        }
        json!({
            "schema": "certctl.dcv-check/1",
            "verdict": self.verdict().word(),
            "changed": self.changed,
            "records": records,
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let has_error = has_error(&self.findings);
        if has_error {
            text.add_findings(&self.findings);
        }
        for result in &self.results {
            result.print(text);
        }
        if !has_error {
            text.add_findings(&self.findings);
        }
        text.add_next_steps(&self.next());
    }

    fn exit_code(&self) -> u8 {
        let has_error = has_error(&self.findings);
        let worst = self.results.iter().map(severity).max();
        match worst {
            Some(0) if !has_error => 0,
            Some(1) if self.verdict() == DcvVerdict::Unreachable => 4,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MethodOutcome, MethodResult};
    use crate::dcv::judge::DcvVerdict;
    use crate::finding::{Finding, NextStep};
    use crate::report::Outcome as _;
    use serde_json::Value;

    fn outcome(verdict: DcvVerdict, findings: Vec<Finding>) -> MethodOutcome {
        MethodOutcome {
            results: vec![MethodResult {
                verdict,
                answered: verdict != DcvVerdict::Unreachable,
                record: Value::Null,
                name: "example.com".to_owned(),
                lines: Vec::new(),
                rows: Vec::new(),
            }],
            findings,
            changed: false,
            next_if_visible: NextStep::say("Press Retry"),
            next_otherwise: NextStep::say("Check again"),
        }
    }

    #[test]
    fn a_record_of_no_request_is_never_visible() {
        for code in ["record-for-another-domain", "record-from-another-request"] {
            for (found, verdict, exit_code) in [
                (DcvVerdict::Visible, DcvVerdict::Unchecked, 1),
                (DcvVerdict::Unreachable, DcvVerdict::Unchecked, 1),
                (DcvVerdict::Different, DcvVerdict::Different, 1),
            ] {
                let outcome = outcome(found, vec![Finding::error(code, "a stray record")]);
                assert_eq!(outcome.verdict(), verdict, "{code}");
                assert_eq!(outcome.exit_code(), exit_code, "{code}");
            }
        }
        for (found, exit_code) in [(DcvVerdict::Visible, 0), (DcvVerdict::Unreachable, 4)] {
            let outcome = outcome(found, Vec::new());
            assert_eq!(outcome.verdict(), found);
            assert_eq!(outcome.exit_code(), exit_code);
        }
    }
}
