//! Prints results, progress and failures; no other module prints. Each is one value that is
//! rendered as text for people or as one JSON object for programs. Results go to stdout, progress
//! and failures to stderr. Untrusted text is escaped here and nowhere else. The body of a paragraph
//! is always one line, whatever it contains; only payloads have line breaks, and each quoted line
//! starts with a bar.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde_json::Value;

use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::system::terminal;

mod certificate;
mod escape;
mod json;
mod plan;
mod progress;
#[cfg(test)]
mod tests;
mod text;
mod wrap;

pub(crate) use self::certificate::{
    certificate_in_words, certificate_json, chain_json, expiry_json, intermediates_in_words,
    name_in_words,
};
pub(crate) use self::escape::escape;
pub(crate) use self::json::{json_line, push_json_line, write_json_line};
pub(crate) use self::plan::{DryRunSummary, considered_findings, plan_id, plan_json, step_json};
pub(crate) use self::progress::LiveProgress;
use self::text::{Coloring, TextAmount};
pub(crate) use self::text::{Label, MESSAGE_LIMIT, TextOutput};
pub(crate) use self::wrap::{columns, wrap};

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The result of a command, which prints as text and as JSON and has an exit code.
pub(crate) trait Outcome {
    /// Returns the JSON document, whose first field is `schema`. Within a version, fields are only
    /// added.
    fn json(&self) -> Value;
    /// Writes the document as one line, with a `comment` (one line for people) as its second field. A
    /// document that grows with the number of files writes its lists element by element.
    ///
    /// # Errors
    /// When writing fails.
    fn write_json(&self, comment: &str, destination: &mut dyn Write) -> io::Result<()> {
        let document = with_comment(self.json(), comment);
        destination.write_all(json_line(&document).as_bytes())
    }
    /// Adds the text for people to `text`.
    fn human(&self, text: &mut TextOutput);
    /// Returns the exit code: 0, 1, 5 or 6 (product contract, "Exit codes").
    fn exit_code(&self) -> u8;
}

/// For commands whose kind of outcome is known only at run time.
impl Outcome for Box<dyn Outcome> {
    fn json(&self) -> Value {
        (**self).json()
    }

    fn write_json(&self, comment: &str, destination: &mut dyn Write) -> io::Result<()> {
        (**self).write_json(comment, destination)
    }

    fn human(&self, text: &mut TextOutput) {
        (**self).human(text);
    }

    fn exit_code(&self) -> u8 {
        (**self).exit_code()
    }
}

/// The output options of the command line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// `--json`: one JSON object on stdout instead of text.
    pub json: bool,
    /// `-q`: only what needs action.
    pub quiet: bool,
    /// `-v`: progress lines that are normally omitted.
    pub verbose: bool,
    /// When colour is used.
    pub color: ColorWhen,
}

/// Prints progress, results and failures.
#[derive(Debug)]
pub(crate) struct Sink {
    style: Style,
    is_silent: bool,
}

impl Sink {
    /// Creates a sink that prints to stdout and stderr.
    #[must_use]
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            is_silent: false,
        }
    }

    /// Creates a sink that prints nothing, for a command that runs other commands and reports their
    /// results itself.
    #[must_use]
    pub(crate) fn silent() -> Self {
        Self {
            is_silent: true,
            ..Self::new(Style::default())
        }
    }

    /// Returns whether the result is printed as JSON (`--json`).
    #[must_use]
    pub(crate) fn wants_json(&self) -> bool {
        self.style.json
    }

    /// Returns whether only what needs action is printed (`-q`).
    #[must_use]
    pub(crate) fn is_quiet(&self) -> bool {
        self.style.quiet
    }

    /// Returns whether stdout is a terminal.
    #[must_use]
    pub(crate) fn prints_to_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Returns the width of stdout, in columns.
    #[must_use]
    pub(crate) fn width(&self) -> usize {
        output_width()
    }

    /// Prints one line of progress to stderr; nothing with `--json` or `-q`, or if the sink is
    /// silent.
    pub(crate) fn show_progress(&self, line: &str) {
        self.print_progress(|text| text.add_plain(line));
    }

    /// Prints a finding before the report, under the same conditions as [`Self::show_progress`].
    pub(crate) fn show_finding(&self, finding: &Finding) {
        self.print_progress(|text| text.add_finding(finding));
    }

    /// Prints a text before the report, under the same conditions as [`Self::show_progress`].
    pub(crate) fn print_progress(&self, fill: impl FnOnce(&mut TextOutput)) {
        if !(self.is_silent || self.style.json || self.style.quiet) {
            self.print_to_stderr(fill);
        }
    }

    /// Returns progress lines that are redrawn in place; `None` if stderr is not a terminal that
    /// can do that, or if no progress is shown.
    #[must_use]
    pub(crate) fn live_progress(&self) -> Option<LiveProgress> {
        let wanted = !(self.is_silent || self.style.json || self.style.quiet);
        (wanted && io::stderr().is_terminal() && terminal::moves_cursor())
            .then(LiveProgress::default)
    }

    /// Redraws the progress with these lines, as many as fit on the terminal.
    pub(crate) fn draw_progress(&self, live: &mut LiveProgress, lines: &[String]) {
        let _ = self.write_text(
            io::stderr().lock(),
            &live.redraw(lines, terminal::rows(io::stderr()).unwrap_or(24)),
        );
    }

    /// Erases the progress lines, before the result is printed.
    pub(crate) fn clear_progress(&self, live: &mut LiveProgress) {
        let _ = self.write_text(io::stderr().lock(), &live.erase());
    }

    /// Prints one line of progress, only with `-v`.
    pub(crate) fn show_detail(&self, line: &str) {
        if self.style.verbose {
            self.show_progress(line);
        }
    }

    /// Returns a sink for the lines that only `-v` prints; `None` without `-v`, or if no progress
    /// is shown.
    #[must_use]
    pub(crate) fn for_details(&self) -> Option<Self> {
        let shows_details =
            self.style.verbose && !(self.is_silent || self.style.json || self.style.quiet);
        shows_details.then(|| Self::new(self.style))
    }

    /// Writes bytes that are themselves the result (`--out -`, completions) to stdout, unchanged.
    ///
    /// # Errors
    /// When writing to stdout fails. A closed pipe is not an error.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        ignore_closed_pipe(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes bytes that are the whole output (`--help`) to stdout; returns the exit code.
    #[must_use]
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> u8 {
        match self.write_bytes(bytes) {
            Ok(()) => 0,
            Err(error) => self.report_lost_result(&error, None),
        }
    }

    /// Writes lines from [`push_json_line`] to stdout, with or without `--json`.
    ///
    /// # Errors
    /// When writing to stdout fails, including a closed pipe, because nothing reads the rest.
    pub(crate) fn write_lines(&self, lines: &[u8]) -> io::Result<()> {
        io::stdout().lock().write_all(lines)
    }

    /// Prints the outcome of a command; returns the exit code of the process.
    #[must_use]
    pub(crate) fn print_outcome(&self, outcome: &dyn Outcome) -> u8 {
        let written = if self.style.json {
            self.write_document(outcome)
        } else {
            self.write_text(io::stdout().lock(), &self.rendered(outcome))
        };
        match written {
            Ok(()) => outcome.exit_code(),
            // The exit codes 5 and 6 describe the state of the site, which matters more than the
            // lost output.
            Err(error) => {
                let mut text = TextOutput::default();
                outcome.human(&mut text);
                let lost = self.report_lost_result(&error, Some(text.summary()));
                outcome.exit_code().max(lost)
            }
        }
    }

    fn rendered(&self, outcome: &dyn Outcome) -> String {
        let mut text = TextOutput::default();
        outcome.human(&mut text);
        let amount = if self.style.quiet {
            TextAmount::NeedsAction
        } else if self.style.verbose {
            TextAmount::Details
        } else {
            TextAmount::Everything
        };
        text.render(amount, self.coloring(&io::stdout()), self.width())
    }

    fn write_document(&self, outcome: &dyn Outcome) -> io::Result<()> {
        if self.is_silent {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let written = outcome.write_json(&comment(outcome), &mut out);
        ignore_closed_pipe(written.and_then(|()| out.flush()))
    }

    /// Prints a failure to stderr (with `--json`, as one object to stdout); returns the exit code.
    #[must_use]
    pub(crate) fn print_failure(&self, failure: &Failure) -> u8 {
        let written = if self.style.json {
            self.write_text(io::stdout().lock(), &json_line(&failure.json()))
        } else {
            Ok(())
        };
        if !self.style.json || written.is_err() {
            self.print_to_stderr(|text| text.add_failure(failure));
        }
        failure.kind.exit_code()
    }

    /// Reports that stdout cannot be written, and `result`, the most important line of what was to be
    /// printed; returns the exit code for that.
    fn report_lost_result(&self, error: &io::Error, result: Option<&str>) -> u8 {
        let mut failure = Failure::new(FailureKind::Io, "cannot write the result to stdout")
            .because(error.to_string());
        if let Some(result) = result.filter(|result| !result.is_empty()) {
            failure = failure.knowing(format!("the command ended with: {result}"));
        }
        self.print_to_stderr(|text| text.add_failure(&failure));
        failure.kind.exit_code()
    }

    /// Prints the text that `fill` adds to stderr; if stderr cannot be written either, the text is
    /// lost.
    fn print_to_stderr(&self, fill: impl FnOnce(&mut TextOutput)) {
        let mut text = TextOutput::default();
        fill(&mut text);
        let _ = self.write_text(
            io::stderr().lock(),
            &text.render(
                TextAmount::Everything,
                self.coloring(&io::stderr()),
                terminal::width(io::stderr()),
            ),
        );
    }

    fn write_text(&self, mut to: impl Write, text: &str) -> io::Result<()> {
        if self.is_silent {
            return Ok(());
        }
        ignore_closed_pipe(to.write_all(text.as_bytes()).and_then(|()| to.flush()))
    }

    fn coloring(&self, stream: &impl IsTerminal) -> Coloring {
        let is_colored = match self.style.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => stream.is_terminal(),
        };
        if is_colored {
            Coloring::Colored
        } else {
            Coloring::Plain
        }
    }
}

/// The width of a line on stdout, in columns; 80 if that is no terminal and `COLUMNS` is not set.
#[must_use]
pub(crate) fn output_width() -> usize {
    terminal::width(io::stdout())
}

/// Returns the document of `outcome`, with a `comment` (one line for people) as its second field.
pub(crate) fn document(outcome: &dyn Outcome) -> Value {
    with_comment(outcome.json(), &comment(outcome))
}

fn comment(outcome: &dyn Outcome) -> String {
    let mut text = TextOutput::default();
    outcome.human(&mut text);
    text.summary().to_owned()
}

fn with_comment(mut document: Value, comment: &str) -> Value {
    if let Some(fields) = document.as_object_mut() {
        let index = fields.len().min(1);
        // What prints no text, such as the summary of a stream, has its own.
        let own = fields.get("comment").cloned();
        let comment = own.unwrap_or_else(|| comment.into());
        fields.shift_insert(index, "comment".to_owned(), comment);
    }
    document
}

/// Exit codes, the worst first.
const CODES: [u8; 6] = [6, 5, 7, 4, 3, 1];

/// Returns the worst of the exit codes of several certificates.
#[must_use]
pub(crate) fn worst_exit_code(codes: impl IntoIterator<Item = u8>) -> u8 {
    let codes: Vec<u8> = codes.into_iter().collect();
    let worst = CODES.into_iter().find(|code| codes.contains(code));
    worst.unwrap_or(0)
}

/// Ignores a closed pipe: in `certctl ... | head -1`, that is the reader's decision, not a failure.
fn ignore_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Returns a path as text for a document. A `Path` that is not UTF-8 would make `json!` panic.
#[must_use]
pub(crate) fn path_text(path: &Path) -> Cow<'_, str> {
    path.to_str()
        .map_or_else(|| path.to_string_lossy(), Cow::Borrowed)
}
