//! `--wait`: repeats the check until all records are visible and nothing else keeps the CA from
//! issuing, the time is over, or a signal arrives. A terminal shows a table with the status of each
//! server and the time since which it has that status; elsewhere each change is one line. Errors that
//! waiting does not fix are printed at once, each with the line to enter.

mod pause;
mod table;

use std::time::Duration;

use self::table::{ProgressTable, TableGroup};
use super::method::{MethodOutcome, MethodResult};
use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::judge::DcvVerdict;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::report::TextOutput;
use crate::system::clock;
use crate::validation::record_check::{self, RecordCheck, answer_in_words};
use crate::wording::time_of_day;

/// The result of one check.
pub(super) trait WaitObservation {
    /// Whether the result is final: everything is visible and right, or a record was found and the
    /// reseller's record was not given to compare it with.
    fn settled(&self) -> bool;
    /// Returns the result in one line.
    fn summary(&self) -> String;
    /// Returns the rows of the progress table.
    fn groups(&self) -> Vec<TableGroup>;
    /// Returns errors that waiting does not fix.
    fn errors(&self) -> Vec<Finding> {
        Vec::new()
    }
    /// Prints what has to be published, before the wait begins.
    fn introduce(&self, _: &mut TextOutput) {}
    /// Returns how long to wait before the next check; `checks` were made before this one.
    fn pause(&self, checks: usize) -> Duration;
}

/// What was printed so far while waiting.
struct WaitReport<'a> {
    context: &'a Context,
    table: ProgressTable<'a>,
    reported: Vec<Finding>,
    last_summary: String,
}

/// Repeats `check_once` until its result is final, `limit` is over or a signal arrives.
pub(super) fn wait_until_settled<T: WaitObservation>(
    context: &Context,
    limit: Duration,
    wait_command: &[String],
    check_once: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let started = clock::now();
    let mut report = WaitReport {
        context,
        table: ProgressTable::new(&context.sink, time_after(limit)),
        reported: Vec::new(),
        last_summary: String::new(),
    };
    let mut checks = 0;
    loop {
        let observation =
            check_once().map_err(|failure| stopped(failure, &report.last_summary, wait_command))?;
        let elapsed = clock::now().duration_since(started);
        let remaining = limit.saturating_sub(Duration::try_from(elapsed).unwrap_or_default());
        if remaining.is_zero() || observation.settled() {
            report.table.clear();
            return Ok(observation);
        }
        if checks == 0 {
            context
                .sink
                .print_progress(|text| observation.introduce(text));
        }
        let pause = observation.pause(checks).min(remaining);
        report.show(&observation, pause);
        checks += 1;
        sleep(context, pause)
            .map_err(|failure| stopped(failure, &report.last_summary, wait_command))?;
    }
}

impl WaitReport<'_> {
    fn show(&mut self, observation: &impl WaitObservation, pause: Duration) {
        let summary = observation.summary();
        let now = time_after(Duration::ZERO);
        let next = time_after(pause);
        self.show_errors(&observation.errors());
        let is_drawn = self.table.draw(&observation.groups(), &now, &next);
        if !is_drawn && summary != self.last_summary {
            let line = format!("{now}  {summary}; next check {next}");
            self.context.sink.show_progress(&line);
        }
        self.last_summary = summary;
    }

    /// Prints new errors above the table.
    fn show_errors(&mut self, errors: &[Finding]) {
        for finding in errors {
            // The next step is not compared: it may contain a remaining time.
            let is_known = self
                .reported
                .iter()
                .any(|one| one.code == finding.code && one.message == finding.message);
            if !is_known {
                self.table.clear();
                self.context.sink.show_finding(finding);
                self.reported.push(finding.clone());
            }
        }
    }
}

/// Adds the command line that continues the check to a failure; after a signal also the last
/// summary.
pub(super) fn stopped(failure: Failure, last_summary: &str, wait_command: &[String]) -> Failure {
    let failure = match failure.kind {
        FailureKind::Interrupted(_) if last_summary.is_empty() => {
            failure.because("no server has answered yet")
        }
        FailureKind::Interrupted(_) => failure.because(last_summary),
        _ => failure,
    };
    Failure {
        next: vec![dcv_check_command::check_again(wait_command)],
        ..failure
    }
}

fn is_settled(verdict: DcvVerdict) -> bool {
    matches!(verdict, DcvVerdict::Visible | DcvVerdict::Unchecked)
}

impl WaitObservation for Vec<RecordCheck> {
    fn settled(&self) -> bool {
        self.iter().all(|check| match check.judgement.verdict {
            DcvVerdict::Visible => check.zone_health.errors().next().is_none(),
            verdict => is_settled(verdict),
        })
    }

    fn summary(&self) -> String {
        let mut codes = Vec::new();
        for finding in self.iter().flat_map(|check| check.zone_health.errors()) {
            codes.push(finding.code);
        }
        codes.dedup();
        let summary = record_check::summary(self);
        if codes.is_empty() {
            summary
        } else {
            format!("{summary}; still wrong: {}", codes.join(", "))
        }
    }

    fn groups(&self) -> Vec<TableGroup> {
        self.iter().map(table_group).collect()
    }

    fn errors(&self) -> Vec<Finding> {
        self.iter().flat_map(RecordCheck::lasting_errors).collect()
    }

    fn introduce(&self, text: &mut TextOutput) {
        let is_absent = |check: &&RecordCheck| check.judgement.verdict == DcvVerdict::Absent;
        for check in self.iter().filter(is_absent) {
            check.print_missing(text);
        }
    }

    fn pause(&self, checks: usize) -> Duration {
        pause::after_record_check(checks, self)
    }
}

fn table_group(check: &RecordCheck) -> TableGroup {
    let mut rows = Vec::new();
    for judgement in &check.judgement.server_judgements {
        let server = judgement.server.to_string();
        rows.push((server, answer_in_words(judgement)));
    }
    for finding in check.zone_health.errors() {
        let code = finding.code.to_owned();
        rows.push((code, finding.message.clone()));
    }
    TableGroup {
        verdict: check.judgement.verdict,
        name: check.expected.record.name.clone(),
        rows,
    }
}

impl WaitObservation for MethodOutcome {
    fn settled(&self) -> bool {
        is_settled(self.verdict())
    }

    fn summary(&self) -> String {
        let mut summaries = Vec::new();
        for result in &self.results {
            summaries.push(result_summary(result));
        }
        summaries.join("; ")
    }

    fn groups(&self) -> Vec<TableGroup> {
        let results = self.results.iter();
        results
            .map(|result| TableGroup {
                verdict: result.verdict,
                name: result.name.clone(),
                rows: result.rows.clone(),
            })
            .collect()
    }

    fn pause(&self, checks: usize) -> Duration {
        pause::regular(checks)
    }
}

fn result_summary(result: &MethodResult) -> String {
    let summary = format!("{} {}", result.verdict.word(), result.name);
    if result.rows.is_empty() {
        return summary;
    }
    let rows: Vec<String> = result
        .rows
        .iter()
        .map(|(server, status)| format!("{server} {status}"))
        .collect();
    format!("{summary} ({})", rows.join(", "))
}

/// Returns the local time of day after `pause`.
fn time_after(pause: Duration) -> String {
    let time = clock::now()
        .checked_add(pause)
        .unwrap_or_else(|_| clock::now());
    time_of_day(time)
}

/// Sleeps until `pause` is over or a signal arrives.
fn sleep(context: &Context, pause: Duration) -> Result<(), Failure> {
    match clock::sleep_until_signal(pause, &context.interrupt) {
        Some(signal) => Err(Failure::new(
            FailureKind::Interrupted(signal),
            "interrupted while waiting for the validation",
        )),
        None => Ok(()),
    }
}
