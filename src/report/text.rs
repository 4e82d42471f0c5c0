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

impl TextOutput {
    /// A fact under a short label: `made   example.com.key`. Left out by `-q`.
    pub(crate) fn fact(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Fact, label, body.into());
    }

    /// Something to act on: shown by `-q` too.
    pub(crate) fn act(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Act, label, body.into());
    }

    /// Something wrong: shown by `-q` too, coloured as such.
    pub(crate) fn bad(&mut self, label: &str, body: impl Into<String>) {
        self.say(LineKind::Bad, label, body.into());
    }

    /// Text to copy, with its own line breaks and no indent (a request, a zone-file line, a server
    /// block).
    pub(crate) fn payload(&mut self, body: impl Into<String>) {
        self.push(LineKind::Payload, "", body.into());
    }

    /// A finding: its severity as the label, its next steps below it.
    pub(crate) fn finding(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.bad("wrong", finding.message.clone()),
            Severity::Warning => self.act("warn", finding.message.clone()),
            Severity::Note => self.fact("note", finding.message.clone()),
        }
        self.quote(&finding.lines);
        if finding.severity > Severity::Note {
            self.nexts(&finding.next);
        }
    }

    /// Lines of somebody else's, each behind a bar below the line before.
    pub(crate) fn quote(&mut self, lines: &[String]) {
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
    pub(crate) fn findings(&mut self, findings: &[Finding]) {
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in sorted {
            self.finding(finding);
        }
    }

    /// `error:`, `cause:` and `next:` lines.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.say(LineKind::Error, "error:", failure.message.clone());
        for cause in &failure.causes {
            self.say(LineKind::Detail, "  cause:", cause.clone());
        }
        for next in &failure.next {
            self.push(LineKind::Detail, "  next:", next.text.clone());
        }
    }

    /// What to do next, one line each.
    pub(crate) fn nexts(&mut self, next: &[NextStep]) {
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

    /// With `quiet` without the facts.
    pub(super) fn render(&self, quiet: bool, color: bool) -> String {
        let mut out = String::new();
        let mut last = "";
        for line in &self.lines {
            if quiet && line.kind == LineKind::Fact {
                continue;
            }
            line.render(&mut out, line.label == last, color);
            last = &line.label;
        }
        out
    }
}

impl fmt::Display for TextOutput {
    /// Without colour, nothing left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, false))
    }
}

impl Line {
    /// A label is seven columns wide and not repeated on the lines below it.
    fn render(&self, out: &mut String, repeated: bool, color: bool) {
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
        let label = if repeated && self.kind != LineKind::Detail {
            ""
        } else {
            self.label.as_str()
        };
        let (on, off) = match (color && !label.is_empty(), self.kind) {
            (false, _) => ("", ""),
            (true, LineKind::Bad | LineKind::Error) => ("\x1b[31m", "\x1b[0m"),
            (true, LineKind::Act | LineKind::Detail) => ("\x1b[33m", "\x1b[0m"),
            (true, _) => ("\x1b[32m", "\x1b[0m"),
        };
        let body = escape(&self.body, &[]);
        let gap = if width == 0 { "" } else { " " };
        out.push_str(&format!("{on}{label:<width$}{off}{gap}{body}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::json_line;
    use super::{TextOutput, escape};
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
        text.fact("", forged);
        text.fact("found", forged);
        text.findings(&[Finding::error("wrong-key", forged)
            .quoting([forged.to_owned()])
            .with(NextStep::say(forged).pasting([forged.to_owned()]))]);
        text.failure(
            &Failure::new(FailureKind::Io, forged)
                .because(forged)
                .with(NextStep::say(forged)),
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
        text.fact("made", "a");
        text.fact("made", "b");
        text.act("next", "c");
        text.act("next", "d");
        text.payload("x\ny\n");
        assert_eq!(
            text.render(false, false),
            "made   a\n       b\nnext   c\n       d\nx\ny\n"
        );
        assert_eq!(text.render(true, false), "next   c\n       d\nx\ny\n");
    }
}
