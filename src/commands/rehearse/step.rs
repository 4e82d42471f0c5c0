//! One command of the rehearsal: what is typed, the expected result, the actual one, and what other
//! parties did afterwards.

use serde_json::{Value, json};

use crate::finding::shell_word;
use crate::report::{Label, TextOutput};

/// What is omitted from the printed output of a command.
const OMITTED_LABELS: [Label; 2] = [Label::Note, Label::Undo];

/// A command that was run, and what happened outside of certctl.
#[derive(Debug)]
pub(super) struct RehearsalStep {
    /// What the step does: a sentence without its full stop.
    pub title: &'static str,
    /// All words, `certctl` first.
    pub argv: Vec<String>,
    /// How the command should end.
    pub expected: ExpectedResult,
    pub result: CommandResult,
    /// What the reseller, the DNS provider and visitors of the site did afterwards.
    pub events: Vec<OutsideEvent>,
}

/// How a command should end: exit code and verdict (`csr` has none).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ExpectedResult {
    pub exit_code: u8,
    pub verdict: Option<&'static str>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct CommandResult {
    pub exit_code: u8,
    /// What it prints.
    pub output: TextOutput,
    /// What it prints with `--json`.
    pub document: Value,
}

/// Something that happened outside of certctl.
#[derive(Debug)]
pub(super) struct OutsideEvent {
    pub actor: &'static str,
    /// A sentence without its full stop.
    pub event: String,
    /// The CNAME record that it is about.
    pub record: Option<ShownRecord>,
}

/// A CNAME record as a reseller shows it.
#[derive(Debug)]
pub(super) struct ShownRecord {
    pub host: String,
    pub target: String,
}

impl RehearsalStep {
    /// Describes how the result differs from the expected one; `None` if it does not.
    pub(super) fn deviation(&self) -> Option<String> {
        let ExpectedResult { exit_code, verdict } = self.expected;
        let actual = describe_result(self.result.exit_code, self.verdict());
        let expected = describe_result(exit_code, verdict);
        (actual != expected).then(|| format!("ended with {actual} instead of {expected}"))
    }

    /// Returns the verdict in the document.
    fn verdict(&self) -> Option<&str> {
        self.result.document["verdict"].as_str()
    }

    /// Returns the complete command line, quoted for a shell.
    fn command(&self) -> String {
        let mut words = Vec::new();
        for word in &self.argv {
            words.push(shell_word(word));
        }
        words.join(" ")
    }

    pub(super) fn json(&self) -> Value {
        let mut remarks = Vec::new();
        for event in &self.events {
            remarks.push(json!({
                "who": event.actor,
                "what": event.describe(),
            }));
        }
        json!({
            "command": self.command(),
            "argv": self.argv,
            "title": self.title,
            "expected": { "exit_code": self.expected.exit_code, "verdict": self.expected.verdict },
            "exit_code": self.result.exit_code,
            "as_expected": self.deviation().is_none(),
            "outcome": self.result.document,
            "remarks": remarks,
        })
    }

    /// Prints the step: what it does, its command line, what the command printed, and the events.
    pub(super) fn print(&self, number: usize, text: &mut TextOutput) {
        text.add_plain("");
        text.add_plain(format!("Step {number}. {}.", self.title));
        text.add_payload(format!("$ {}", self.command()));
        text.add_excerpt(&self.result.output, &OMITTED_LABELS);
        let result = describe_result(self.result.exit_code, self.verdict());
        text.add_plain(format!("[{result}]"));
        for event in &self.events {
            event.print(text);
        }
    }
}

impl OutsideEvent {
    /// The sentence with its record on one line.
    fn describe(&self) -> String {
        match &self.record {
            Some(record) => format!("{}: {} CNAME {}", self.event, record.host, record.target),
            None => self.event.clone(),
        }
    }

    fn print(&self, text: &mut TextOutput) {
        let Some(record) = &self.record else {
            text.add_plain(format!("{}.", self.event));
            return;
        };
        text.add_plain(format!("{}:", self.event));
        text.add_fields(&[
            ("Type", "CNAME"),
            ("Host", &record.host),
            ("Value", &record.target),
        ]);
    }
}

/// Describes an exit code with its verdict.
fn describe_result(exit_code: u8, verdict: Option<&str>) -> String {
    match verdict {
        Some(verdict) => format!("exit code {exit_code}, {verdict}"),
        None => format!("exit code {exit_code}"),
    }
}
