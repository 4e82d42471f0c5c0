//! What a person reads, line by line.

use std::fmt;

use super::escape::escape;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};

/// The text of an outcome, line by line.
#[derive(Debug, Default)]
pub(crate) struct TextOutput {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    kind: LineKind,
    label: String,
    body: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LineKind {
    Fact,
    Act,
    Bad,
    Payload,
    Error,
    Detail,
}

impl LineKind {
    /// The escape sequence that starts the colour of the label.
    fn color(self) -> &'static str {
        match self {
            Self::Bad | Self::Error => "\x1b[31m",
            Self::Act | Self::Detail => "\x1b[33m",
            Self::Fact | Self::Payload => "\x1b[32m",
        }
    }
}

/// How much of a text is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TextAmount {
    Everything,
    /// Without facts, as with `-q`.
    NeedsAction,
}

/// Whether labels are coloured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coloring {
    Plain,
    Colored,
}

impl TextOutput {
    /// A fact under a short label: `made   example.com.key`. Left out by `-q`.
    pub(crate) fn add_fact(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Fact, label, body.into());
    }

    /// Something to act on: shown by `-q` too.
    pub(crate) fn add_action(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Act, label, body.into());
    }

    /// Something wrong: shown by `-q` too, coloured as such.
    pub(crate) fn add_problem(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Bad, label, body.into());
    }

    /// Text to copy, with its own line breaks and no indent (a request, a zone-file line, a server
    /// block).
    pub(crate) fn add_payload(&mut self, body: impl Into<String>) {
        self.push(LineKind::Payload, "", body.into());
    }

    /// A finding: its severity as the label, its next steps below it.
    pub(crate) fn add_finding(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.add_problem("wrong", finding.message.clone()),
            Severity::Warning => self.add_action("warn", finding.message.clone()),
            Severity::Note => self.add_fact("note", finding.message.clone()),
        }
        self.add_quote(&finding.lines);
        if finding.severity > Severity::Note {
            self.add_next_steps(&finding.next);
        }
    }

    /// Quotes lines of a server or program, each behind a bar, below the line before.
    pub(crate) fn add_quote(&mut self, lines: &[String]) {
        self.below("| ", lines);
    }

    /// Further lines of the line before.
    fn below(&mut self, prefix: &str, lines: &[String]) {
        let Some((kind, label)) = self
            .lines
            .last()
            .map(|last| (last.kind, last.label.clone()))
        else {
            return;
        };
        for line in lines {
            self.push(kind, &label, format!("{prefix}{line}"));
        }
    }

    /// Findings, the worst first; notes last.
    pub(crate) fn add_findings(&mut self, findings: &[Finding]) {
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in sorted {
            self.add_finding(finding);
        }
    }

    /// `error:`, `cause:` and `next:` lines.
    pub(crate) fn add_failure(&mut self, failure: &Failure) {
        self.say(LineKind::Error, "error:", failure.message.clone());
        for cause in &failure.causes {
            self.say(LineKind::Detail, "  cause:", cause.clone());
        }
        for next in &failure.next {
            self.push(LineKind::Detail, "  next:", next.text.clone());
        }
    }

    /// What to do next, one line each.
    pub(crate) fn add_next_steps(&mut self, next: &[NextStep]) {
        for step in next {
            self.push(LineKind::Act, "next", step.text.clone());
            self.below("    ", &step.lines);
        }
    }

    /// What is said, and may hold foreign text that goes on for pages; what is to be pasted goes to
    /// `push`.
    fn say(&mut self, kind: LineKind, label: &str, body: String) {
        const MOST: usize = 4000;
        // Characters are counted only where there are more octets.
        let cut = if body.len() > MOST {
            body.char_indices().nth(MOST)
        } else {
            None
        };
        match cut {
            None => self.push(kind, label, body),
            Some((at, _)) => {
                let more = body[at..].chars().count();
                self.push(
                    kind,
                    label,
                    format!(
                        "{}… and {more} more characters (--json has all)",
                        &body[..at]
                    ),
                );
            }
        }
    }

    fn push(&mut self, kind: LineKind, label: &str, body: String) {
        let label = label.to_owned();
        self.lines.push(Line { kind, label, body });
    }

    pub(super) fn render(&self, amount: TextAmount, coloring: Coloring) -> String {
        let mut out = String::new();
        let mut label_above = "";
        for line in &self.lines {
            if amount == TextAmount::NeedsAction && line.kind == LineKind::Fact {
                continue;
            }
            line.render(&mut out, label_above, coloring);
            label_above = &line.label;
        }
        out
    }
}

impl fmt::Display for TextOutput {
    /// Everything, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(TextAmount::Everything, Coloring::Plain))
    }
}

impl Line {
    /// A label is seven columns wide and not repeated on the lines below it.
    fn render(&self, out: &mut String, label_above: &str, coloring: Coloring) {
        if self.kind == LineKind::Payload {
            out.push_str(&escape(self.body.trim_end_matches('\n'), &['\n', '\t']));
            out.push('\n');
            return;
        }
        let width = match self.kind {
            LineKind::Error | LineKind::Detail => self.label.len(),
            _ if self.label.is_empty() => 0,
            _ => 6,
        };
        let is_repeated = self.label == label_above && self.kind != LineKind::Detail;
        let label = if is_repeated { "" } else { &self.label };
        let (on, off) = if label.is_empty() || coloring == Coloring::Plain {
            ("", "")
        } else {
            (self.kind.color(), "\x1b[0m")
        };
        let body = escape(&self.body, &[]);
        let gap = if width == 0 { "" } else { " " };
        out.push_str(&format!("{on}{label:<width$}{off}{gap}{body}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::json_line;
    use super::{Coloring, TextAmount, TextOutput, escape};
    use crate::failure::{Failure, FailureKind};
    use crate::finding::{Finding, NextStep};
    use serde_json::json;

    #[test]
    fn foreign_text_cannot_drive_a_terminal() {
        assert_eq!(
            escape("a\x1b[2Jb\u{202e}c\u{9b}", &[]),
            "a\\u{1b}[2Jb\\u{202e}c\\u{9b}"
        );
        assert_eq!(escape("a\nb\r", &['\n']), "a\nb\\u{d}");
        let line = json_line(&json!({"a": "\x1b\u{9b}\u{202e}\n\u{e0041}"}));
        assert_eq!(line, "{\"a\":\"\\u001b\\u009b\\u202e\\n\\udb40\\udc41\"}\n");
    }

    #[test]
    fn foreign_text_cannot_forge_a_line() {
        let forged = "x\nright  trusted by Mozilla\u{2028}next   curl e | sh";
        let mut text = TextOutput::default();
        text.add_fact("", forged);
        text.add_fact("found", forged);
        text.add_findings(&[Finding::error("wrong-key", forged)
            .with_quote([forged.to_owned()])
            .with_step(NextStep::say(forged).with_lines([forged.to_owned()]))]);
        text.add_failure(
            &Failure::new(FailureKind::Io, forged)
                .because(forged)
                .with_step(NextStep::say(forged)),
        );
        let page = text.to_string();
        assert_eq!(page.lines().count(), 9, "{page}");
        assert!(
            !page
                .lines()
                .any(|line| line.trim_start().starts_with("right")),
            "{page}"
        );
        assert!(page.contains("\n       | x\\u{a}right"), "{page}");
    }

    #[test]
    fn labels_are_columns_and_quiet_keeps_what_needs_action() {
        let mut text = TextOutput::default();
        text.add_fact("made", "a");
        text.add_fact("made", "b");
        text.add_action("next", "c");
        text.add_action("next", "d");
        text.add_payload("x\ny\n");
        assert_eq!(
            text.render(TextAmount::Everything, Coloring::Plain),
            "made   a\n       b\nnext   c\n       d\nx\ny\n"
        );
        assert_eq!(
            text.render(TextAmount::NeedsAction, Coloring::Plain),
            "next   c\n       d\nx\ny\n"
        );
    }
}
