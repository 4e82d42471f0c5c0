//! The only printing: one value, two renderings (text for people, one JSON object for programs).
//! Results go to stdout, progress and failures to stderr; foreign text is escaped here, once, for
//! all. A body is one line, whatever is in it: only the text of a payload breaks lines, and what is
//! quoted carries a bar on each.

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
    certificate_in_words, certificate_json, chain_json, intermediates_in_words, name_in_words,
};
pub(crate) use self::escape::escape;
pub(crate) use self::json::{json_line, push_json_line};
pub(crate) use self::plan::{DryRunSummary, considered_findings, plan_id, plan_json, step_json};
pub(crate) use self::progress::LiveProgress;
use self::text::{Coloring, TextAmount};
pub(crate) use self::text::{Label, TextOutput};
pub(crate) use self::wrap::wrap;

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

/// What a command ends with: one value that prints as text, as JSON, and as an exit code.
pub(crate) trait Outcome {
    /// The document; `schema` is its first field. Fields are only ever added within a version.
    fn json(&self) -> Value;
    /// What a person reads.
    fn human(&self, text: &mut TextOutput);
    /// 0, 1, 5 or 6 (product contract, "Exit codes").
    fn exit_code(&self) -> u8;
}

/// One of several outcomes: which, is known when the command runs.
impl Outcome for Box<dyn Outcome> {
    fn json(&self) -> Value {
        (**self).json()
    }

    fn human(&self, text: &mut TextOutput) {
        (**self).human(text);
    }

    fn exit_code(&self) -> u8 {
        (**self).exit_code()
    }
}

/// How the output looks; fixed once, at the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// One JSON object on stdout instead of text.
    pub json: bool,
    /// Only what needs action.
    pub quiet: bool,
    /// Progress lines that are normally omitted.
    pub verbose: bool,
    /// When colour is used.
    pub color: ColorWhen,
}

/// Where progress, results and failures go.
#[derive(Debug)]
pub(crate) struct Sink {
    style: Style,
    muted: bool,
}

impl Sink {
    /// A sink on the process's own stdout and stderr.
    #[must_use]
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            muted: false,
        }
    }

    /// A sink that says nothing: for a command that runs others and tells of them itself.
    #[must_use]
    pub(crate) fn silent() -> Self {
        Self {
            muted: true,
            ..Self::new(Style::default())
        }
    }

    /// True when one JSON object is wanted.
    #[must_use]
    pub(crate) fn wants_json(&self) -> bool {
        self.style.json
    }

    /// True when only what needs action is wanted.
    #[must_use]
    pub(crate) fn is_quiet(&self) -> bool {
        self.style.quiet
    }

    /// True when results go to a terminal.
    #[must_use]
    pub(crate) fn prints_to_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// The width of a line of the result, in columns.
    #[must_use]
    pub(crate) fn width(&self) -> usize {
        terminal::width(io::stdout())
    }

    /// One line of progress, to stderr; none with `--json`, `-q` or for a silent sink.
    pub(crate) fn show_progress(&self, line: &str) {
        self.progress(|text| text.add_plain(line));
    }

    /// A finding that is shown before the report, in the same way.
    pub(crate) fn show_finding(&self, finding: &Finding) {
        self.progress(|text| text.add_finding(finding));
    }

    fn progress(&self, tell: impl FnOnce(&mut TextOutput)) {
        if !(self.muted || self.style.json || self.style.quiet) {
            self.say(tell);
        }
    }

    /// A place for lines on a terminal (stderr) that take the place of those before; none where
    /// there is no such terminal or nothing is to be said.
    #[must_use]
    pub(crate) fn live_progress(&self) -> Option<LiveProgress> {
        let wanted = !(self.muted || self.style.json || self.style.quiet);
        (wanted && io::stderr().is_terminal() && terminal::moves_cursor())
            .then(LiveProgress::default)
    }

    /// Shows these lines, as many as there is room for.
    pub(crate) fn draw_progress(&self, live: &mut LiveProgress, lines: &[String]) {
        let _ = self.put(
            io::stderr().lock(),
            &live.frame(lines, terminal::rows(io::stderr()).unwrap_or(24)),
        );
    }

    /// Takes the lines away: what they led to is said now.
    pub(crate) fn clear_progress(&self, live: &mut LiveProgress) {
        let _ = self.put(io::stderr().lock(), &live.back());
    }

    /// One line of progress that only `-v` shows.
    pub(crate) fn show_detail(&self, line: &str) {
        if self.style.verbose {
            self.show_progress(line);
        }
    }

    /// A sink for lines that only `-v` shows, if this one shows any.
    #[must_use]
    pub(crate) fn for_details(&self) -> Option<Self> {
        let shows_details =
            self.style.verbose && !(self.muted || self.style.json || self.style.quiet);
        shows_details.then(|| Self::new(self.style))
    }

    /// Bytes that are the result itself (`--out -`, completions), as they are.
    ///
    /// # Errors
    /// When stdout cannot be written (a closed pipe is not an error).
    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        quiet_epipe(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// The same where there is nothing else to say (`--help`); gives the exit code.
    #[must_use]
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> u8 {
        match self.write_bytes(bytes) {
            Ok(()) => 0,
            Err(error) => self.unwritable(&error),
        }
    }

    /// Objects of a stream, each as [`push_json_line`] wrote it, whatever `--json` says.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe too, because nothing reads the rest.
    pub(crate) fn write_lines(&self, written: &[u8]) -> io::Result<()> {
        io::stdout().lock().write_all(written)
    }

    /// Prints what a command ended with and says the exit code of the process.
    #[must_use]
    pub(crate) fn print_outcome(&self, outcome: &dyn Outcome) -> u8 {
        let rendered = if self.style.json {
            json_line(&document(outcome))
        } else {
            let mut text = TextOutput::default();
            outcome.human(&mut text);
            let amount = if self.style.quiet {
                TextAmount::NeedsAction
            } else {
                TextAmount::Everything
            };
            text.render(amount, self.coloring(&io::stdout()), self.width())
        };
        match self.put(io::stdout().lock(), &rendered) {
            Ok(()) => outcome.exit_code(),
            // 5 and 6 tell the state of the site, which matters more than the lost output.
            Err(error) => outcome.exit_code().max(self.unwritable(&error)),
        }
    }

    /// Prints a failure (to stderr; with `--json` as one object on stdout) and says the exit code.
    #[must_use]
    pub(crate) fn print_failure(&self, failure: &Failure) -> u8 {
        let written = if self.style.json {
            self.put(io::stdout().lock(), &json_line(&failure.json()))
        } else {
            Ok(())
        };
        if !self.style.json || written.is_err() {
            self.say(|text| text.add_failure(failure));
        }
        failure.kind.exit_code()
    }

    /// Says that stdout cannot be written, and the exit code for it.
    fn unwritable(&self, error: &io::Error) -> u8 {
        let failure = Failure::new(FailureKind::Io, "cannot write the result to stdout")
            .because(error.to_string());
        self.say(|text| text.add_failure(&failure));
        failure.kind.exit_code()
    }

    /// Writes to stderr. When that cannot be written either, the text is lost.
    fn say(&self, tell: impl FnOnce(&mut TextOutput)) {
        let mut text = TextOutput::default();
        tell(&mut text);
        let _ = self.put(
            io::stderr().lock(),
            &text.render(
                TextAmount::Everything,
                self.coloring(&io::stderr()),
                terminal::width(io::stderr()),
            ),
        );
    }

    fn put(&self, mut to: impl Write, text: &str) -> io::Result<()> {
        if self.muted {
            return Ok(());
        }
        quiet_epipe(to.write_all(text.as_bytes()).and_then(|()| to.flush()))
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

/// The document of `outcome` with `comment`, one line for people, behind its first field.
pub(crate) fn document(outcome: &dyn Outcome) -> Value {
    let mut document = outcome.json();
    let mut text = TextOutput::default();
    outcome.human(&mut text);
    if let Some(fields) = document.as_object_mut() {
        let index = fields.len().min(1);
        // What prints no text, such as the summary of a stream, has its own.
        let own = fields.get("comment").cloned();
        let comment = own.unwrap_or_else(|| text.summary().into());
        fields.shift_insert(index, "comment".to_owned(), comment);
    }
    document
}

/// The reader has gone (`certctl ... | head -1`): that is theirs to decide, not a failure.
fn quiet_epipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A path in a document. Not the path itself: one that is not UTF-8 would make `json!` panic.
#[must_use]
pub(crate) fn path_text(path: &Path) -> Cow<'_, str> {
    path.to_str()
        .map_or_else(|| path.to_string_lossy(), Cow::Borrowed)
}
