//! Text for people: labelled lines, wrapped at words to the width of the terminal.
//!
//! The body of a paragraph is wrapped. Commands, table rows and payloads are printed unchanged,
//! because people copy them. Success, refusal and failure have the same layout:
//!
//! ```text
//! found   example_com.zip: example.com, expires 2027-06-10; matches
//!         example.com.key
//! next    Install it and verify it live:
//!             sudo certctl install
//! ```

use std::collections::HashMap;
use std::fmt;

use super::escape::escape;
use super::wrap::{columns, wrap};
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};

/// The width of a label and the space after it; wrapped lines are indented by the same width.
const LABEL_WIDTH: usize = 8;
/// The indent of commands and of lines to paste.
const COMMAND_INDENT: usize = 12;
/// The width of output that does not go to a terminal.
const DEFAULT_WIDTH: usize = 80;

/// The labels in the margin; only ten, so that users soon know all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Label {
    /// What was read or observed.
    Found,
    /// A file that was written, moved or removed.
    Wrote,
    /// The result of a probe.
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

    /// Returns the escape sequence that starts the colour of the label.
    fn color(self) -> &'static str {
        match self {
            Self::Error => "\x1b[31m",
            Self::Warning | Self::Next => "\x1b[33m",
            _ => "\x1b[32m",
        }
    }

    /// Returns true for what `-q` prints too.
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
    /// The label of this paragraph; none for text without a margin.
    label: Option<Label>,
    layout: Layout,
    body: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    /// Wrapped, after its label.
    Body,
    /// Wrapped, below the body of the label above.
    Continuation,
    /// One line below the body, never wrapped: a command, a value.
    Verbatim,
    /// A field, whose value begins at this column after the indent and is wrapped there.
    Field(usize),
    /// A line of other output, after a bar, never wrapped.
    Quote,
    /// Text with its own line breaks and no margin.
    Payload,
    /// The code of the finding above, which `-v` shows.
    Code,
    /// A row of a table, never wrapped.
    FactRow,
    /// A row of a table that needs action, never wrapped.
    ActionRow,
}

/// How much of the text is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TextAmount {
    Everything,
    /// With the codes of findings, as with `-v`.
    Details,
    /// Without facts, as with `-q`.
    NeedsAction,
}

/// Whether labels are coloured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coloring {
    Plain,
    Colored,
}

/// The steps of a note are in JSON only.
fn shown_steps(finding: &Finding) -> impl Iterator<Item = &NextStep> {
    let steps = (finding.severity > Severity::Note).then_some(&finding.next);
    steps.into_iter().flatten()
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

    /// Adds a line below the label above, unchanged: a command, an aligned row.
    pub(crate) fn add_verbatim(&mut self, line: impl Into<String>) {
        let label = self.label_above();
        self.push(label, Layout::Verbatim, line.into());
    }

    /// Adds a row of a table without a margin, unchanged. `-q` keeps rows more severe than a note.
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
        let width = fields.iter().map(|(name, _)| columns(name)).max();
        let width = width.unwrap_or_default();
        for (name, value) in fields {
            let padding = " ".repeat(width - columns(name));
            self.add_verbatim(format!("{name}{padding}  {value}"));
        }
    }

    /// The same as [`Self::add_fields`] with values that are wrapped at words: lists of names, not
    /// values to copy.
    pub(crate) fn add_wrapped_fields(&mut self, fields: &[(&str, &str)]) {
        let width = fields.iter().map(|(name, _)| columns(name)).max();
        let width = width.unwrap_or_default();
        let label = self.label_above();
        for (name, value) in fields {
            let padding = " ".repeat(width - columns(name));
            let body = format!("{name}{padding}  {value}");
            self.push(label, Layout::Field(width + 2), shortened(body));
        }
    }

    /// Adds text to copy, with its own line breaks and no indent (a request, a server block).
    pub(crate) fn add_payload(&mut self, body: impl Into<String>) {
        self.push(None, Layout::Payload, body.into());
    }

    /// Adds a finding, labelled with its severity, and its next steps below it.
    pub(crate) fn add_finding(&mut self, finding: &Finding) {
        self.add_findings([finding]);
    }

    fn add_finding_without_steps(&mut self, finding: &Finding) {
        let label = match finding.severity {
            Severity::Error => Label::Error,
            Severity::Warning => Label::Warning,
            Severity::Note => Label::Note,
        };
        self.add(label, finding.message.clone());
        self.add_quote(&finding.lines);
        self.add_code(finding.code);
    }

    /// Adds the code of the finding above, which `certctl explain` takes; `-v` shows it.
    pub(crate) fn add_code(&mut self, code: &str) {
        let label = self.label_above();
        self.push(label, Layout::Code, format!("code: {code}"));
    }

    /// Quotes lines of a server or program below the paragraph above, each after a bar.
    pub(crate) fn add_quote(&mut self, lines: &[String]) {
        let label = self.label_above();
        for line in lines {
            self.push(label, Layout::Quote, line.clone());
        }
    }

    /// Adds findings, the most severe first. A step that several of them share is added once, below
    /// the last of them.
    pub(crate) fn add_findings<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) {
        let mut sorted: Vec<&Finding> = findings.into_iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let mut last_uses: HashMap<&NextStep, usize> = HashMap::new();
        for (index, finding) in sorted.iter().enumerate() {
            last_uses.extend(shown_steps(finding).map(|step| (step, index)));
        }
        for (index, finding) in sorted.into_iter().enumerate() {
            self.add_finding_without_steps(finding);
            for step in shown_steps(finding) {
                if last_uses.get(step) == Some(&index) {
                    self.add_step(Label::Next, step);
                }
            }
        }
    }

    /// Adds a failure: what is known, its message, the causes below it, and the next steps.
    pub(crate) fn add_failure(&mut self, failure: &Failure) {
        for fact in &failure.known {
            self.add(Label::Found, fact.clone());
        }
        self.add(Label::Error, failure.message.clone());
        for cause in &failure.causes {
            self.add_continuation(format!("cause: {cause}"));
        }
        self.add_next_steps(&failure.next);
    }

    /// Adds next steps: each as a sentence, followed by its command and its lines, unchanged.
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

    /// Returns the most informative paragraph: the first error, else the result, else the first
    /// paragraph. Empty if there is none.
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

    /// Adds the paragraphs of `other`, except those with an `omitted` label. Of a payload, only the
    /// first and the last line are added.
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
            if !paragraph.is_shown(amount) {
                continue;
            }
            paragraph.render(&mut out, label_above, coloring, width);
            label_above = paragraph.label;
        }
        out
    }
}

impl fmt::Display for TextOutput {
    /// Writes everything, without colour, at the default width.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(TextAmount::Everything, Coloring::Plain, DEFAULT_WIDTH))
    }
}

impl Paragraph {
    fn is_shown(&self, amount: TextAmount) -> bool {
        match amount {
            TextAmount::Details => true,
            _ if self.layout == Layout::Code => false,
            TextAmount::Everything => true,
            TextAmount::NeedsAction => self.needs_action(),
        }
    }

    /// Returns true for what `-q` prints too.
    fn needs_action(&self) -> bool {
        self.layout != Layout::FactRow && self.label.is_none_or(Label::needs_action)
    }

    /// Appends the lines of this paragraph to `out`. A label is not repeated on the following
    /// lines, except `next`, `warning` and `error`, each of which starts a new item.
    fn render(
        &self,
        out: &mut String,
        label_above: Option<Label>,
        coloring: Coloring,
        width: usize,
    ) {
        match self.layout {
            Layout::Body => self.render_body(out, label_above, coloring, width),
            Layout::Continuation | Layout::Code => {
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
        for (index, line) in lines.into_iter().enumerate() {
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
        for (index, line) in lines.into_iter().enumerate() {
            push_line(out, if index == 0 { 0 } else { LABEL_WIDTH }, line);
        }
    }
}

/// Appends `body` wrapped to `width`, with `indent` spaces before each line.
fn push_wrapped(out: &mut String, body: &str, indent: usize, width: usize) {
    for line in wrap(body, width.saturating_sub(indent)) {
        push_line(out, indent, line);
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

/// The maximum number of characters of one message in output for people.
pub(crate) const MESSAGE_LIMIT: usize = 4000;

/// Cuts text at [`MESSAGE_LIMIT`] characters, because untrusted text in it may be very long.
fn shortened(body: String) -> String {
    // Characters are counted only if there are more bytes than that.
    let cut = if body.len() > MESSAGE_LIMIT {
        body.char_indices().nth(MESSAGE_LIMIT)
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

/// Returns the first and the last line of `text`, and between them how many lines were omitted.
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
    fn untrusted_text_cannot_control_the_terminal() {
        assert_eq!(
            escape("a\x1b[2Jb\u{202e}c\u{9b}", &[]),
            "a\\u{1b}[2Jb\\u{202e}c\\u{9b}"
        );
        assert_eq!(escape("a\nb\r", &['\n']), "a\nb\\u{d}");
        let line = json_line(&json!({"a": "\x1b\u{9b}\u{202e}\n\u{e0041}"}));
        assert_eq!(line, "{\"a\":\"\\u001b\\u009b\\u202e\\n\\udb40\\udc41\"}\n");
    }

    #[test]
    fn untrusted_text_cannot_forge_a_line() {
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
    fn labels_are_in_the_margin_and_commands_are_indented() {
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
