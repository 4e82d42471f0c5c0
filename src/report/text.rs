//! Text for people: labelled lines, wrapped at words to the width of the terminal.
//!
//! A body is wrapped; a command, a row of a table and a payload are printed as they are, because a
//! person copies them. One shape serves success, refusal and failure:
//!
//! ```text
//! found   example_com.zip: example.com, expires 2027-06-10; matches
//!         example.com.key
//! next    Install it and verify it live:
//!             sudo certctl install
//! ```

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::escape::escape;
use super::wrap::wrap;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};

/// The width of a label with the space behind it; wrapped lines begin below the body.
const LABEL_WIDTH: usize = 8;
/// Where commands and quoted lines begin.
const COMMAND_INDENT: usize = 12;
/// The width of output that does not go to a terminal.
const DEFAULT_WIDTH: usize = 80;

/// The labels in the margin. There are ten, so that a reader knows all of them after a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Label {
    /// What was read or observed.
    Found,
    /// A file that was written, moved or removed.
    Wrote,
    /// What a probe saw.
    Live,
    /// Worth knowing; nothing to do.
    Note,
    /// Works today; should be fixed.
    Warning,
    /// Wrong.
    Error,
    /// What to do now.
    Next,
    /// The result.
    Done,
    /// What a dry run would do.
    Plan,
    /// How to reverse what was done.
    Undo,
}

impl Label {
    fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Wrote => "wrote",
            Self::Live => "live",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Next => "next",
            Self::Done => "done",
            Self::Plan => "plan",
            Self::Undo => "undo",
        }
    }

    /// The escape sequence that starts the colour of the label.
    fn color(self) -> &'static str {
        match self {
            Self::Error => "\x1b[31m",
            Self::Warning | Self::Next => "\x1b[33m",
            _ => "\x1b[32m",
        }
    }

    /// True for what `-q` shows as well.
    fn needs_action(self) -> bool {
        matches!(self, Self::Warning | Self::Error | Self::Next)
    }
}

/// The text of an outcome, paragraph by paragraph.
#[derive(Debug, Default)]
pub(crate) struct TextOutput {
    paragraphs: Vec<Paragraph>,
}

#[derive(Clone, Debug)]
struct Paragraph {
    /// The label that this paragraph stands under; none for text without a margin.
    label: Option<Label>,
    layout: Layout,
    body: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    /// Wrapped, behind its label.
    Body,
    /// Wrapped, below the body of the label above.
    Continuation,
    /// One line below the body, never wrapped: a command, a value.
    Verbatim,
    /// A field, whose value begins at this column behind the indent and is wrapped there.
    Field(usize),
    /// A line of other output, behind a bar, never wrapped.
    Quote,
    /// Text with its own line breaks and no margin.
    Payload,
    /// A row of a table, never wrapped.
    FactRow,
    /// A row of a table that needs action, never wrapped.
    ActionRow,
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
    /// Adds a paragraph under a label: `wrote   example.com.key`. `-q` keeps those that need
    /// action. Words between backticks stay on one line.
    pub(crate) fn add(&mut self, label: Label, body: impl Into<String>) {
        self.push(Some(label), Layout::Body, shortened(body.into()));
    }

    /// Adds a paragraph below the body of the label above.
    pub(crate) fn add_continuation(&mut self, body: impl Into<String>) {
        let label = self.label_above();
        self.push(label, Layout::Continuation, shortened(body.into()));
    }

    /// Adds text without a margin, wrapped to the full width.
    pub(crate) fn add_plain(&mut self, body: impl Into<String>) {
        self.push(None, Layout::Body, shortened(body.into()));
    }

    /// Adds a line below the label above that is copied or aligned as it is: a command, a row.
    pub(crate) fn add_verbatim(&mut self, line: impl Into<String>) {
        let label = self.label_above();
        self.push(label, Layout::Verbatim, line.into());
    }

    /// Adds a row of a table without a margin, as it is. `-q` keeps those above a note.
    pub(crate) fn add_table_row(&mut self, severity: Severity, line: impl Into<String>) {
        let layout = if severity > Severity::Note {
            Layout::ActionRow
        } else {
            Layout::FactRow
        };
        self.push(None, layout, line.into());
    }

    /// Adds `fields` (name and value) below the label above, one on each line, aligned.
    pub(crate) fn add_fields(&mut self, fields: &[(&str, &str)]) {
        let width = fields.iter().map(|(name, _)| name.width()).max();
        let width = width.unwrap_or_default();
        for (name, value) in fields {
            let padding = " ".repeat(width - name.width());
            self.add_verbatim(format!("{name}{padding}  {value}"));
        }
    }

    /// The same as [`Self::add_fields`] with values that are wrapped at words: lists of names, not
    /// values to copy.
    pub(crate) fn add_wrapped_fields(&mut self, fields: &[(&str, &str)]) {
        let width = fields.iter().map(|(name, _)| name.width()).max();
        let width = width.unwrap_or_default();
        let label = self.label_above();
        for (name, value) in fields {
            let padding = " ".repeat(width - name.width());
            let body = format!("{name}{padding}  {value}");
            self.push(label, Layout::Field(width + 2), shortened(body));
        }
    }

    /// Adds text to copy, with its own line breaks and no indent (a request, a server block).
    pub(crate) fn add_payload(&mut self, body: impl Into<String>) {
        self.push(None, Layout::Payload, body.into());
    }

    /// Adds a finding: its severity as the label, its next steps below it.
    pub(crate) fn add_finding(&mut self, finding: &Finding) {
        let label = match finding.severity {
            Severity::Error => Label::Error,
            Severity::Warning => Label::Warning,
            Severity::Note => Label::Note,
        };
        self.add(label, finding.message.clone());
        self.add_quote(&finding.lines);
        if finding.severity > Severity::Note {
            self.add_next_steps(&finding.next);
        }
    }

    /// Quotes lines of a server or program, each behind a bar, below the line above.
    pub(crate) fn add_quote(&mut self, lines: &[String]) {
        let label = self.label_above();
        for line in lines {
            self.push(label, Layout::Quote, line.clone());
        }
    }

    /// Adds findings, the worst first; notes last.
    pub(crate) fn add_findings(&mut self, findings: &[Finding]) {
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in sorted {
            self.add_finding(finding);
        }
    }

    /// Adds why there is no result: the message, its causes below it, and what to do.
    pub(crate) fn add_failure(&mut self, failure: &Failure) {
        self.add(Label::Error, failure.message.clone());
        for cause in &failure.causes {
            self.add_continuation(format!("cause: {cause}"));
        }
        self.add_next_steps(&failure.next);
    }

    /// Adds what to do next: a sentence each, then its command and its lines as they are.
    pub(crate) fn add_next_steps(&mut self, next: &[NextStep]) {
        for step in next {
            self.add_step(Label::Next, step);
        }
    }

    /// Adds a step under `label`.
    pub(crate) fn add_step(&mut self, label: Label, step: &NextStep) {
        self.push(Some(label), Layout::Body, step.sentence());
        for line in step.command.iter().chain(&step.lines) {
            self.add_verbatim(line.clone());
        }
    }

    /// The paragraph that says most: the first error, else the result, else the first paragraph.
    /// Empty if there is none.
    pub(super) fn summary(&self) -> &str {
        let first = |label: Option<Label>| {
            let mut paragraphs = self.paragraphs.iter();
            paragraphs
                .find(|one| one.layout == Layout::Body && (label.is_none() || one.label == label))
                .map(|one| one.body.as_str())
        };
        first(Some(Label::Error))
            .or_else(|| first(Some(Label::Done)))
            .or_else(|| first(None))
            .unwrap_or_default()
    }

    /// Adds the paragraphs of `other` whose label is not among `omitted`. Of a payload only the first
    /// and the last line are added.
    pub(crate) fn add_excerpt(&mut self, other: &Self, omitted: &[Label]) {
        for paragraph in &other.paragraphs {
            if paragraph
                .label
                .is_some_and(|label| omitted.contains(&label))
            {
                continue;
            }
            let mut paragraph = paragraph.clone();
            if paragraph.layout == Layout::Payload {
                paragraph.body = first_and_last_line(&paragraph.body);
            }
            self.paragraphs.push(paragraph);
        }
    }

    fn label_above(&self) -> Option<Label> {
        self.paragraphs.last().and_then(|last| last.label)
    }

    fn push(&mut self, label: Option<Label>, layout: Layout, body: String) {
        self.paragraphs.push(Paragraph {
            label,
            layout,
            body,
        });
    }

    pub(super) fn render(&self, amount: TextAmount, coloring: Coloring, width: usize) -> String {
        let mut out = String::new();
        let mut label_above = None;
        for paragraph in &self.paragraphs {
            if amount == TextAmount::NeedsAction && !paragraph.needs_action() {
                continue;
            }
            paragraph.render(&mut out, label_above, coloring, width);
            label_above = paragraph.label;
        }
        out
    }
}

impl fmt::Display for TextOutput {
    /// Everything, without colour, at the width of output that goes nowhere in particular.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(TextAmount::Everything, Coloring::Plain, DEFAULT_WIDTH))
    }
}

impl Paragraph {
    /// True for what `-q` shows as well.
    fn needs_action(&self) -> bool {
        self.layout != Layout::FactRow && self.label.is_none_or(Label::needs_action)
    }

    /// Appends the lines of this paragraph to `out`. A label is not repeated on the lines below it,
    /// except `next`, `warning` and `error`, which begin something new.
    fn render(
        &self,
        out: &mut String,
        label_above: Option<Label>,
        coloring: Coloring,
        width: usize,
    ) {
        match self.layout {
            Layout::Body => self.render_body(out, label_above, coloring, width),
            Layout::Continuation => {
                push_wrapped(out, &escape(&self.body, &[]), LABEL_WIDTH, width);
            }
            Layout::FactRow | Layout::ActionRow => push_line(out, 0, &escape(&self.body, &[])),
            Layout::Verbatim => push_line(out, COMMAND_INDENT, &escape(&self.body, &[])),
            Layout::Field(column) => self.render_field(out, column, width),
            Layout::Quote => {
                push_line(out, LABEL_WIDTH, &format!("| {}", escape(&self.body, &[])));
            }
            Layout::Payload => {
                let text = self.body.trim_end_matches('\n');
                push_line(out, 0, &escape(text, &['\n', '\t']));
            }
        }
    }

    fn render_field(&self, out: &mut String, column: usize, width: usize) {
        let body = escape(&self.body, &[]);
        let (name, value) = body.split_at_checked(column).unwrap_or(("", &body));
        let indent = COMMAND_INDENT + column;
        let lines = wrap(value, width.saturating_sub(indent));
        for (index, line) in lines.iter().enumerate() {
            match index {
                0 => push_line(out, COMMAND_INDENT, &format!("{name}{line}")),
                _ => push_line(out, indent, line),
            }
        }
    }

    fn render_body(
        &self,
        out: &mut String,
        label_above: Option<Label>,
        coloring: Coloring,
        width: usize,
    ) {
        let body = escape(&self.body, &[]);
        let Some(label) = self.label else {
            push_wrapped(out, &body, 0, width);
            return;
        };
        let is_repeated = label_above == Some(label) && !label.needs_action();
        if is_repeated {
            push_wrapped(out, &body, LABEL_WIDTH, width);
            return;
        }
        let word = label.word();
        let padding = " ".repeat(LABEL_WIDTH - word.len());
        match coloring {
            Coloring::Plain => out.push_str(word),
            Coloring::Colored => {
                out.push_str(label.color());
                out.push_str(word);
                out.push_str("\x1b[0m");
            }
        }
        out.push_str(&padding);
        let lines = wrap(&body, width.saturating_sub(LABEL_WIDTH));
        for (index, line) in lines.iter().enumerate() {
            push_line(out, if index == 0 { 0 } else { LABEL_WIDTH }, line);
        }
    }
}

/// Appends `body` wrapped to `width`, with `indent` spaces before each line.
fn push_wrapped(out: &mut String, body: &str, indent: usize, width: usize) {
    for line in wrap(body, width.saturating_sub(indent)) {
        push_line(out, indent, &line);
    }
}

fn push_line(out: &mut String, indent: usize, line: &str) {
    if !line.is_empty() {
        out.push_str(&" ".repeat(indent));
        out.push_str(line);
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
}

/// Text that may hold foreign text that goes on for pages, cut at 4,000 characters.
fn shortened(body: String) -> String {
    const MOST: usize = 4000;
    // Characters are counted only where there are more octets.
    let cut = if body.len() > MOST {
        body.char_indices().nth(MOST)
    } else {
        None
    };
    match cut {
        None => body,
        Some((at, _)) => {
            let more = body[at..].chars().count();
            format!(
                "{}… and {more} more characters (--json has all)",
                &body[..at]
            )
        }
    }
}

/// The first and the last line of `text`, with the number of those between them.
fn first_and_last_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [first, omitted @ .., last] if omitted.len() > 1 => {
            format!("{first}\n[{} lines omitted]\n{last}", omitted.len())
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::json_line;
    use super::{Coloring, DEFAULT_WIDTH, Label, TextAmount, TextOutput, escape};
    use crate::failure::{Failure, FailureKind};
    use crate::finding::{Finding, NextStep, Severity};
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
        text.add_plain(forged);
        text.add(Label::Found, forged);
        text.add_findings(&[Finding::error("wrong-key", forged)
            .with_quote([forged.to_owned()])
            .with_step(NextStep::say(forged).with_lines([forged.to_owned()]))]);
        text.add_failure(
            &Failure::new(FailureKind::Io, forged)
                .because(forged)
                .with_step(NextStep::say(forged)),
        );
        let page = text.render(TextAmount::Everything, Coloring::Plain, 200);
        assert_eq!(page.lines().count(), 9, "{page}");
        assert!(
            !page
                .lines()
                .any(|line| line.trim_start().starts_with("right")),
            "{page}"
        );
        assert!(page.contains("\n        | x\\u{a}right"), "{page}");
    }

    #[test]
    fn every_part_has_its_place_in_the_margin() {
        let mut text = TextOutput::default();
        text.add(
            Label::Found,
            "example_com.zip: example.com; it matches example.com.key",
        );
        text.add_continuation("1 intermediate");
        text.add(Label::Wrote, "a");
        text.add(Label::Wrote, "b");
        text.add_fields(&[("Type", "CNAME"), ("Host", "_dnsauth")]);
        text.add_finding(
            &Finding::warning("wrong-key", "the server wrote")
                .with_quote(["a line of its own that is never wrapped".to_owned()]),
        );
        text.add_next_steps(&[
            NextStep::run_certctl("Install it", &["install", "example_com.zip", "--dry-run"]),
            NextStep::say("Wait for the CA"),
        ]);
        text.add_payload("x\ny\n");
        assert_eq!(
            text.render(TextAmount::Everything, Coloring::Plain, 34),
            "\
found   example_com.zip:
        example.com; it matches
        example.com.key
        1 intermediate
wrote   a
        b
            Type  CNAME
            Host  _dnsauth
warning the server wrote
        | a line of its own that is never wrapped
next    Install it:
            certctl install example_com.zip --dry-run
next    Wait for the CA.
x
y
"
        );
    }

    #[test]
    fn values_of_wrapped_fields_stay_in_their_column() {
        let mut text = TextOutput::default();
        text.add(Label::Found, "a");
        text.add_wrapped_fields(&[("Names", "a.example, b.example, c.example"), ("Key", "x")]);
        assert_eq!(
            text.render(TextAmount::Everything, Coloring::Plain, 42),
            "\
found   a
            Names  a.example, b.example,
                   c.example
            Key    x
"
        );
    }

    #[test]
    fn an_excerpt_omits_labels_and_shortens_payloads() {
        let mut other = TextOutput::default();
        other.add(Label::Note, "a");
        other.add_continuation("b");
        other.add(Label::Next, "Paste:");
        other.add_payload("BEGIN\n1\n2\nEND\n");
        let mut text = TextOutput::default();
        text.add_excerpt(&other, &[Label::Note]);
        assert_eq!(
            text.to_string(),
            "next    Paste:\nBEGIN\n[2 lines omitted]\nEND\n"
        );
    }

    #[test]
    fn quiet_output_keeps_what_needs_action() {
        let mut text = TextOutput::default();
        text.add(Label::Wrote, "a");
        text.add_verbatim("b");
        text.add_table_row(Severity::Note, "fine");
        text.add_table_row(Severity::Warning, "due");
        text.add_next_steps(&[NextStep::run_shell("Do it", "ls")]);
        assert_eq!(
            text.render(TextAmount::NeedsAction, Coloring::Plain, DEFAULT_WIDTH),
            "due\nnext    Do it:\n            ls\n"
        );
    }

    #[test]
    fn only_labels_are_coloured() {
        let mut text = TextOutput::default();
        text.add(Label::Error, "a");
        assert_eq!(
            text.render(TextAmount::Everything, Coloring::Colored, DEFAULT_WIDTH),
            "\x1b[31merror\x1b[0m   a\n"
        );
    }
}
