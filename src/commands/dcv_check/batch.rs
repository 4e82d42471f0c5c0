//! `--batch`: checks the entries of a list concurrently and prints one JSON object per line, the
//! summary last.

pub(crate) mod line;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::outcome::{DcvCheckOutcome, DcvDocument, FollowUpCommands};
use super::{DcvCheckArgs, wait_command};
use crate::advice::dcv_check_command;
use crate::commands::dcv_check::batch::line::LineParser;
use crate::context::Context;
use crate::dcv::answer::DnsSurvey;
use crate::dcv::judge::DcvVerdict;
use crate::failure::{Failure, FailureKind};
use crate::report::{LiveProgress, Outcome, TextOutput, push_json_line};
use crate::system::dns::{
    self, BatchDecision, BatchHandler, BatchQuery, BatchSurvey, RecordQuery, ResolverList,
    SurveyDepth,
};
use crate::system::line_reader::{LineReader, NumberedLine};
use crate::validation::expected::ExpectedRecord;
use crate::validation::record_check::{judge_surveys, record_query};

/// How many lines got which verdict.
#[derive(Debug, Default)]
pub(crate) struct BatchOutcome {
    verdicts: BTreeMap<DcvVerdict, usize>,
    /// The number of lines that are judged wrong or incomplete.
    wrong: usize,
    /// The number of lines for which no server answered.
    unanswered: usize,
    /// The number of lines that are neither a name nor a request nor a record.
    errors: usize,
}

/// One line of the list.
struct ListLine {
    number: usize,
    text: String,
    records: Result<Vec<ExpectedRecord>, Failure>,
}

/// Checks the lines of the list and prints the result of each as soon as it is judged.
///
/// # Errors
/// A list that cannot be read or has no entries, or a signal.
pub(crate) fn run(context: &Context, args: &DcvCheckArgs) -> Result<BatchOutcome, Failure> {
    let file = args.batch.clone().unwrap_or_default();
    let mut lines = LineReader::open(&file)?;
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let args = &args.with_defaults(context)?;
    let mut checker = BatchChecker::new(context, args);
    let surveyed = dns::survey_each(
        &mut lines,
        &ResolverList::new(&args.resolver),
        &context.interrupt,
        &mut checker,
    );
    checker.clear_progress();
    let outcome = checker.outcome;
    if let Err(error) = surveyed {
        let failure = Failure::from(error).because(outcome.progress());
        let next = dcv_check_command::check_again(&batch_command(context, args));
        return Err(Failure {
            next: vec![next],
            ..failure
        });
    }
    match checker.write_error {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(cannot_write(&error)),
        _ if outcome.lines() == 0 => Err(nothing_to_check(&file)),
        _ => Ok(outcome),
    }
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Io, "cannot write the result to stdout").because(error.to_string())
}

fn nothing_to_check(file: &Path) -> Failure {
    let message = format!("{} has no entries to check", file.display());
    Failure::new(FailureKind::NotFound, message).with_step(dcv_check_command::batch_line_syntax())
}

/// The words of the command line that checks the list again.
fn batch_command(context: &Context, args: &DcvCheckArgs) -> Vec<String> {
    let mut words = wait_command(context, args, &[]);
    words.retain(|word| word != "--wait");
    if let Some(file) = &args.batch {
        words.extend(["--batch".to_owned(), file.display().to_string()]);
    }
    words
}

/// The DNS query of a line; comments and empty lines have none.
fn batch_query(line: NumberedLine, parser: &LineParser<'_>) -> BatchQuery<Option<ListLine>> {
    let NumberedLine { number, text } = line;
    match text {
        Ok(text) if is_comment(text.trim()) => BatchQuery {
            key: None,
            records: Vec::new(),
            zone: String::new(),
            records_alone: true,
        },
        Ok(text) => query_of_line(ListLine {
            number,
            records: parser.parse(text.trim()),
            text: trimmed(text),
        }),
        Err(error) => query_of_line(ListLine {
            number,
            records: Err(Failure::from(error)),
            text: String::new(),
        }),
    }
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with(['#', ';'])
}

fn trimmed(text: String) -> String {
    let bare = text.trim();
    if bare.len() == text.len() {
        text
    } else {
        bare.to_owned()
    }
}

fn query_of_line(line: ListLine) -> BatchQuery<Option<ListLine>> {
    let expected = line.records.as_deref().unwrap_or_default();
    let records = expected.iter().map(|one| &one.expected.record);
    let records = records
        .map(|record| (record.kind, record.name.clone()))
        .collect();
    let zone = expected.first().map(|first| {
        let top = first.expected.registrable_domain();
        top.unwrap_or_else(|| first.expected.domain.clone())
    });
    let records_alone = expected.iter().all(|one| one.names.is_empty());
    BatchQuery {
        key: Some(line),
        records,
        zone: zone.unwrap_or_default(),
        records_alone,
    }
}

/// Judges the answers and prints a document for each line.
struct BatchChecker<'a> {
    context: &'a Context,
    args: &'a DcvCheckArgs,
    parser: LineParser<'a>,
    outcome: BatchOutcome,
    commands: FollowUpCommands,
    /// The progress display; `None` on a terminal that shows the lines themselves.
    progress: Option<LiveProgress>,
    /// Output that is not printed yet.
    output: Vec<u8>,
    /// The error that closed the output.
    write_error: Option<io::Error>,
}

impl<'a> BatchChecker<'a> {
    fn new(context: &'a Context, args: &'a DcvCheckArgs) -> Self {
        let progress = if context.sink.prints_to_terminal() {
            None
        } else {
            context.sink.live_progress()
        };
        Self {
            context,
            args,
            parser: LineParser::new(context, args.ca),
            outcome: BatchOutcome::default(),
            commands: FollowUpCommands::new(context, batch_command(context, args)),
            progress,
            output: Vec::new(),
            write_error: None,
        }
    }

    fn clear_progress(&mut self) {
        if let Some(progress) = &mut self.progress {
            self.context.sink.clear_progress(progress);
        }
    }

    /// Judges the answers for a line.
    fn judge_line(
        &self,
        line: &ListLine,
        records: &[ExpectedRecord],
        survey: BatchSurvey,
    ) -> DcvCheckOutcome {
        // A record without a request is checked again by the list.
        let has_request = records.iter().any(|one| !one.request.is_empty());
        let commands = if has_request {
            let names = std::slice::from_ref(&line.text);
            let command = wait_command(self.context, self.args, names);
            self.commands.with_wait_command(command)
        } else {
            self.commands.clone()
        };
        let now = self.context.now();
        let checks = judge_surveys(now, records, survey.surveys, &survey.caa);
        let mut outcome = DcvCheckOutcome::without_request(commands);
        outcome.conclude(checks, &[]);
        outcome
    }

    /// Prints the error for a line that cannot be read.
    fn print_failure(
        &mut self,
        line: &ListLine,
        failure: &Failure,
    ) -> BatchDecision<Option<ListLine>> {
        self.outcome.errors += 1;
        let mut document = failure.json();
        document["line"] = json!(line.number);
        document["input"] = json!(line.text);
        self.print(&document, BatchDecision::Done)
    }

    /// Prints a document. Returns `answer`, or `Stop` if the output is closed.
    fn print(
        &mut self,
        document: &impl Serialize,
        answer: BatchDecision<Option<ListLine>>,
    ) -> BatchDecision<Option<ListLine>> {
        push_json_line(&mut self.output, document);
        if self.output.len() < OUTPUT_BUFFER || self.on_idle() {
            answer
        } else {
            BatchDecision::Stop
        }
    }
}

impl BatchHandler for BatchChecker<'_> {
    type Key = Option<ListLine>;

    fn prepare(&mut self, line: NumberedLine) -> BatchQuery<Option<ListLine>> {
        batch_query(line, &self.parser)
    }

    fn full_queries(&self, line: &Option<ListLine>) -> (Vec<RecordQuery>, Vec<String>) {
        let mut queries = Vec::new();
        let mut names = Vec::new();
        if let Some(line) = line
            && let Ok(records) = &line.records
        {
            for record in records {
                queries.push(record_query(record));
                names.extend_from_slice(&record.names);
            }
        }
        (queries, names)
    }

    fn handle_answer(
        &mut self,
        line: Option<ListLine>,
        survey: BatchSurvey,
        depth: SurveyDepth,
    ) -> BatchDecision<Option<ListLine>> {
        let Some(line) = line else {
            return BatchDecision::Done;
        };
        let records = match &line.records {
            Ok(records) => records,
            Err(failure) => return self.print_failure(&line, failure),
        };
        let is_silent = is_silent(&survey.surveys);
        let outcome = self.judge_line(&line, records, survey);
        let exit_code = outcome.exit_code();
        if depth == SurveyDepth::RecordsOnly && exit_code != 0 && !is_silent {
            return BatchDecision::NeedsFullSurvey(Some(line));
        }
        self.outcome.count(outcome.verdict, exit_code);
        let answer = if exit_code == 4 {
            BatchDecision::NoAnswer
        } else {
            BatchDecision::Done
        };
        if exit_code == 0 && self.context.sink.is_quiet() {
            return answer;
        }
        let document = ListLineDocument {
            comment: outcome.comment(),
            document: outcome.document(),
            line: line.number,
            input: &line.text,
        };
        self.print(&document, answer)
    }

    /// Prints the buffered lines; returns false once the output is closed.
    fn on_idle(&mut self) -> bool {
        if !self.output.is_empty() {
            if let Some(progress) = &mut self.progress {
                let line = self.outcome.progress();
                self.context.sink.draw_progress(progress, &[line]);
            }
            self.write_error = self.context.sink.write_lines(&self.output).err();
            self.output.clear();
        }
        self.write_error.is_none()
    }
}

/// Whether no server answered.
fn is_silent(surveys: &[DnsSurvey]) -> bool {
    surveys
        .iter()
        .flat_map(|survey| &survey.server_answers)
        .flat_map(|server| &server.answers)
        .all(|query| query.answer.is_silence())
}

/// The document of one line, with the line's number and text.
#[derive(Serialize)]
struct ListLineDocument<'a> {
    #[serde(flatten)]
    document: DcvDocument<'a>,
    comment: &'a str,
    line: usize,
    input: &'a str,
}

/// Output is printed once it has this many bytes.
const OUTPUT_BUFFER: usize = 32 * 1024;

impl BatchOutcome {
    fn count(&mut self, verdict: DcvVerdict, exit_code: u8) {
        *self.verdicts.entry(verdict).or_default() += 1;
        self.wrong += usize::from(exit_code == 1);
        self.unanswered += usize::from(exit_code == 4);
    }

    fn lines(&self) -> usize {
        self.verdicts.values().sum::<usize>() + self.errors
    }

    /// Says how many lines have been checked so far.
    fn progress(&self) -> String {
        let mut parts: Vec<String> = self
            .verdicts
            .iter()
            .map(|(verdict, count)| format!("{count} {}", verdict.word()))
            .collect();
        if self.errors > 0 {
            parts.push(format!("{} unreadable", self.errors));
        }
        match parts.as_slice() {
            [] => "no line has been checked yet".to_owned(),
            parts => format!("{} checked: {}", self.lines(), parts.join(", ")),
        }
    }
}

impl Outcome for BatchOutcome {
    fn json(&self) -> Value {
        let mut verdicts = serde_json::Map::new();
        for (verdict, count) in &self.verdicts {
            verdicts.insert(verdict.word().to_owned(), json!(count));
        }
        let worst = self.verdicts.keys().next_back();
        json!({
            "schema": "certctl.summary/1",
            "comment": self.progress(),
            "verdict": worst.map(|verdict| verdict.word()),
            "lines": self.lines(),
            "verdicts": verdicts,
            "errors": self.errors,
        })
    }

    /// Prints JSON too, because programs read the stream.
    fn human(&self, text: &mut TextOutput) {
        text.add_payload(self.json().to_string());
    }

    fn exit_code(&self) -> u8 {
        match (self.wrong, self.errors, self.unanswered) {
            (0, 0, 0) => 0,
            (0, 0, _) => 4,
            (0, _, _) => 3,
            _ => 1,
        }
    }
}
