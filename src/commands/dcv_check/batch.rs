//! `--batch`: what a list names, many at once; one JSON object a line as each is known, the last
//! one the summary.

pub(crate) mod line;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use super::outcome::{DcvCheckOutcome, DcvDocument, NextLines};
use super::{DcvCheckArgs, again, inquiry, judged};
use crate::commands::dcv_check::batch::line::LineParser;
use crate::commands::dcv_check::expected::ExpectedRecord;
use crate::context::Context;
use crate::dcv::judge::DcvVerdict;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::report::{LiveProgress, Outcome, TextOutput, push_json_line};
use crate::system::dns::{
    self, BatchAnswer, BatchHandler, BatchQuery, BatchSurvey, RecordQuery, ResolverList,
    SurveyDepth,
};
use crate::system::line_reader::{LineReader, NumberedLine};

/// How many lines came to what; worse verdicts count more.
#[derive(Debug, Default)]
pub(crate) struct BatchOutcome {
    verdicts: BTreeMap<DcvVerdict, usize>,
    /// Lines that are judged wrong or not complete.
    wrong: usize,
    /// Lines that nobody answered for.
    unanswered: usize,
    /// Lines that are no name, no request and no record.
    errors: usize,
}

/// One line of the list.
struct Entry {
    number: usize,
    text: String,
    asked: Result<Vec<ExpectedRecord>, Failure>,
}

/// Checks what the list names; each line of it is printed as soon as it is judged.
///
/// # Errors
/// A list that cannot be read or names nothing; a signal.
pub(crate) fn run(context: &Context, args: &DcvCheckArgs) -> Result<BatchOutcome, Failure> {
    let file = args.batch.clone().unwrap_or_default();
    let mut lines = LineReader::open(&file)?;
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::of(FailureKind::Internal, &error))?;
    let live = if context.sink.columns().is_some() {
        None
    } else {
        context.sink.live()
    };
    let mut desk = Desk {
        context,
        args,
        list: LineParser::new(context, args.ca),
        outcome: BatchOutcome::default(),
        next: NextLines::new(context, batch_again(context, args)),
        live,
        written: Vec::new(),
        unwritten: None,
    };
    let asked = dns::survey_each(
        &mut lines,
        &ResolverList::new(&args.resolver),
        &context.interrupt,
        &mut desk,
    );
    desk.live
        .iter_mut()
        .for_each(|live| context.sink.clear(live));
    let Desk {
        outcome, unwritten, ..
    } = desk;
    if let Err(error) = asked {
        let failure = Failure::from(error).because(outcome.stood());
        return Err(Failure {
            next: vec![NextStep::run(&batch_again(context, args))],
            ..failure
        });
    }
    match unwritten {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            FailureKind::Io,
            "cannot write the result to stdout",
        )
        .because(error.to_string())),
        _ if outcome.lines() == 0 => Err(Failure::new(
            FailureKind::NotFound,
            format!("{} names nothing to check", file.display()),
        )
        .with(NextStep::say(
            "one line each: a name that has a request here, a request's file, or a record \
                    (host and value)",
        ))),
        _ => Ok(outcome),
    }
}

/// The words of the command line to go through the list again.
fn batch_again(context: &Context, args: &DcvCheckArgs) -> Vec<String> {
    let mut words = again(context, args, &[]);
    words.retain(|word| word != "--wait");
    words.extend(
        args.batch
            .iter()
            .flat_map(|file| ["--batch".to_owned(), file.display().to_string()]),
    );
    words
}

/// What a line asks for; comments and empty lines ask for nothing.
fn job(line: NumberedLine, list: &LineParser<'_>) -> BatchQuery<Option<Entry>> {
    let NumberedLine { number, text } = line;
    let (text, asked) = match text {
        Ok(text) => {
            let bare = text.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                return BatchQuery {
                    key: None,
                    records: Vec::new(),
                    zone: String::new(),
                    records_alone: true,
                };
            }
            let asked = list.read(bare);
            (
                if bare.len() == text.len() {
                    text
                } else {
                    bare.to_owned()
                },
                asked,
            )
        }
        Err(error) => (String::new(), Err(Failure::from(error))),
    };
    let pending = || asked.iter().flatten();
    let records = pending()
        .map(|one| (one.expected.record.kind, one.expected.record.name.clone()))
        .collect();
    let first = pending().next().map(|one| {
        one.expected
            .top()
            .unwrap_or_else(|| one.expected.domain.clone())
    });
    let records_alone = pending().all(|one| one.names.is_empty());
    BatchQuery {
        key: Some(Entry {
            number,
            text,
            asked,
        }),
        records,
        zone: first.unwrap_or_default(),
        records_alone,
    }
}

/// Where answers are judged and told.
struct Desk<'a> {
    context: &'a Context,
    args: &'a DcvCheckArgs,
    list: LineParser<'a>,
    outcome: BatchOutcome,
    next: NextLines,
    /// How far it is; on a terminal that shows the lines themselves there is none.
    live: Option<LiveProgress>,
    /// Lines to be printed, and why that is of no use any more.
    written: Vec<u8>,
    unwritten: Option<io::Error>,
}

impl BatchHandler for Desk<'_> {
    type Key = Option<Entry>;

    fn prepare(&mut self, line: NumberedLine) -> BatchQuery<Option<Entry>> {
        job(line, &self.list)
    }

    fn inquiries(&self, entry: &Option<Entry>) -> (Vec<RecordQuery>, Vec<String>) {
        let pending = || entry.iter().flat_map(|entry| entry.asked.iter().flatten());
        (
            pending().map(inquiry).collect(),
            pending().flat_map(|one| one.names.clone()).collect(),
        )
    }

    fn hear(
        &mut self,
        entry: Option<Entry>,
        came: BatchSurvey,
        depth: SurveyDepth,
    ) -> BatchAnswer<Option<Entry>> {
        let Some(entry) = entry else {
            return BatchAnswer::Done;
        };
        let pending = match &entry.asked {
            Ok(pending) => pending,
            Err(failure) => {
                self.outcome.errors += 1;
                let mut document = failure.json();
                document["line"] = json!(entry.number);
                document["input"] = json!(entry.text);
                return self.tell(&document, BatchAnswer::Done);
            }
        };
        let silent = came
            .surveys
            .iter()
            .flat_map(|survey| &survey.said)
            .flat_map(|said| &said.answers);
        let silent = silent.into_iter().all(|asked| asked.answer.is_silence());
        // A record alone is looked for again by the list.
        let has_request = pending.iter().any(|one| !one.request.is_empty());
        let again =
            has_request.then(|| again(self.context, self.args, std::slice::from_ref(&entry.text)));
        let next = again.map_or_else(|| self.next.clone(), |again| self.next.waiting_with(again));
        let mut outcome = DcvCheckOutcome::of_line(next);
        outcome.conclude(judged(self.context, pending, came.surveys, &came.caa), &[]);
        let code = outcome.exit_code();
        if depth == SurveyDepth::Glance && code != 0 && !silent {
            return BatchAnswer::LookCloser(Some(entry));
        }
        *self.outcome.verdicts.entry(outcome.verdict).or_default() += 1;
        self.outcome.wrong += usize::from(code == 1);
        self.outcome.unanswered += usize::from(code == 4);
        let heard = if code == 4 {
            BatchAnswer::Nothing
        } else {
            BatchAnswer::Done
        };
        if code == 0 && self.context.sink.is_quiet() {
            return heard;
        }
        self.tell(
            &OfLine {
                document: outcome.document(),
                line: entry.number,
                input: &entry.text,
            },
            heard,
        )
    }

    /// Prints what was heard; when nobody reads any more, that is enough.
    fn rest(&mut self) -> bool {
        if !self.written.is_empty() {
            self.live
                .iter_mut()
                .for_each(|live| self.context.sink.draw(live, &[self.outcome.stood()]));
            self.unwritten = self.context.sink.lines(&self.written).err();
            self.written.clear();
        }
        self.unwritten.is_none()
    }
}

/// What one line came to, and which line it is.
#[derive(Serialize)]
struct OfLine<'a> {
    #[serde(flatten)]
    document: DcvDocument<'a>,
    line: usize,
    input: &'a str,
}

/// So many bytes are printed at once at the most, or hardly more.
const TOGETHER: usize = 32 * 1024;

impl Desk<'_> {
    fn tell(
        &mut self,
        document: &impl Serialize,
        heard: BatchAnswer<Option<Entry>>,
    ) -> BatchAnswer<Option<Entry>> {
        push_json_line(&mut self.written, document);
        if self.written.len() < TOGETHER || self.rest() {
            heard
        } else {
            BatchAnswer::Enough
        }
    }
}

impl BatchOutcome {
    fn lines(&self) -> usize {
        self.verdicts.values().sum::<usize>() + self.errors
    }

    /// Where it stands, in words.
    fn stood(&self) -> String {
        let mut parts: Vec<String> = self
            .verdicts
            .iter()
            .map(|(verdict, count)| format!("{count} {}", verdict.word()))
            .collect();
        if self.errors > 0 {
            parts.push(format!("{} that could not be read", self.errors));
        }
        match parts.as_slice() {
            [] => "none is judged yet".to_owned(),
            parts => format!("{} judged: {}", self.lines(), parts.join(", ")),
        }
    }
}

impl Outcome for BatchOutcome {
    fn json(&self) -> Value {
        let verdicts: serde_json::Map<String, Value> = self
            .verdicts
            .iter()
            .map(|(verdict, count)| (verdict.word().to_owned(), json!(count)))
            .collect();
        json!({
            "schema": "certctl.summary/1",
            "verdict": self.verdicts.keys().next_back().map(|verdict| verdict.word()),
            "lines": self.lines(),
            "verdicts": verdicts,
            "errors": self.errors,
        })
    }

    /// A stream is read by programs.
    fn human(&self, text: &mut TextOutput) {
        text.payload(self.json().to_string());
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
