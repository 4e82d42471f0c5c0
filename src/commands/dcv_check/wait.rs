//! `--wait`: looks again until all is visible and nothing around it keeps the CA from issuing, the
//! time is over, or a signal comes. On a terminal a table of who says what since when, elsewhere
//! one line for each change; what is wrong around the record is told when it comes up, with what to
//! do, for somebody has to do it.

mod pause;
mod table;

use std::time::Duration;

use self::table::{ProgressTable, TableGroup};
use super::method::MethodOutcome;
use super::outcome::{self, RecordCheck, says};
use crate::context::Context;
use crate::dcv::judge::DcvVerdict;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::system::clock;

/// What one look came to.
pub(super) trait WaitObservation {
    /// Looking again changes nothing: all is visible and fine, or there and the shop's record was
    /// not given to compare it with.
    fn settled(&self) -> bool;
    /// How it stands, in one line.
    fn summary(&self) -> String;
    /// Who says what of each.
    fn groups(&self) -> Vec<TableGroup>;
    /// What else stands in the way.
    fn wrong(&self) -> Vec<&Finding> {
        Vec::new()
    }
    /// How long to wait before the next one.
    fn pause(&self, round: usize) -> Duration;
}

/// `stopped` makes of a failure, and of how it stood before, what is told.
pub(super) fn wait<T: WaitObservation>(
    context: &Context,
    limit: Duration,
    stopped: impl Fn(Failure, &str) -> Failure,
    look: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let started = clock::now();
    let gone = || Duration::try_from(clock::now().duration_since(started)).unwrap_or_default();
    let (mut last, mut round, mut table) = (
        String::new(),
        0,
        ProgressTable::new(&context.sink, time(limit)),
    );
    let mut told = Vec::new();
    loop {
        let looked = look().map_err(|failure| stopped(failure, &last))?;
        let left = limit.saturating_sub(gone());
        if left.is_zero() || looked.settled() {
            table.clear();
            return Ok(looked);
        }
        let pause = looked.pause(round).min(left);
        let (seen, now, next) = (looked.summary(), time(Duration::ZERO), time(pause));
        tell(context, &mut table, &mut told, &looked.wrong());
        if !table.draw(&looked.groups(), &now, &next) && seen != last {
            context
                .sink
                .event(&format!("{now}  {seen}; next look {next}"));
        }
        (last, round) = (seen, round + 1);
        rest(context, pause).map_err(|failure| stopped(failure, &last))?;
    }
}

/// Says above the table what has come up.
fn tell(
    context: &Context,
    table: &mut ProgressTable<'_>,
    told: &mut Vec<Finding>,
    wrong: &[&Finding],
) {
    for finding in wrong {
        // The next step may tell a time that runs down.
        if !told
            .iter()
            .any(|one| one.code == finding.code && one.message == finding.message)
        {
            table.clear();
            context.sink.finding(finding);
            told.push((*finding).clone());
        }
    }
}

/// A failure to ask with the line to go on by, and where it stood when a signal came.
pub(super) fn stopped(failure: Failure, stood: &str, again: &[String]) -> Failure {
    let stood = if stood.is_empty() {
        "nobody has answered yet"
    } else {
        stood
    };
    let failure = if matches!(failure.kind, FailureKind::Interrupted(_)) {
        failure.because(stood)
    } else {
        failure
    };
    Failure {
        next: vec![NextStep::run(again)],
        ..failure
    }
}

fn is_settled(verdict: DcvVerdict) -> bool {
    matches!(verdict, DcvVerdict::Visible | DcvVerdict::Unchecked)
}

impl WaitObservation for Vec<RecordCheck> {
    fn settled(&self) -> bool {
        self.iter().all(|check| match check.judgement.verdict {
            DcvVerdict::Visible => check.around.wrong().next().is_none(),
            verdict => is_settled(verdict),
        })
    }

    fn summary(&self) -> String {
        let mut codes: Vec<&str> = self.wrong().iter().map(|finding| finding.code).collect();
        codes.dedup();
        let wrong = if codes.is_empty() {
            String::new()
        } else {
            format!("; wrong still: {}", codes.join(", "))
        };
        format!("{}{wrong}", outcome::summary(self))
    }

    fn groups(&self) -> Vec<TableGroup> {
        let group = |check: &RecordCheck| {
            let servers = check
                .judgement
                .standings
                .iter()
                .map(|one| (one.server.to_string(), says(one)));
            let wrong = check
                .around
                .wrong()
                .map(|finding| (finding.code.to_owned(), finding.message.clone()));
            TableGroup {
                verdict: check.judgement.verdict,
                name: check.expected.record.name.clone(),
                rows: servers.chain(wrong).collect(),
            }
        };
        self.iter().map(group).collect()
    }

    fn wrong(&self) -> Vec<&Finding> {
        self.iter().flat_map(|check| check.around.wrong()).collect()
    }

    fn pause(&self, round: usize) -> Duration {
        pause::by_records(round, self)
    }
}

impl WaitObservation for MethodOutcome {
    fn settled(&self) -> bool {
        is_settled(self.verdict())
    }

    fn summary(&self) -> String {
        let each = self.parts.iter().map(|part| {
            let rows: Vec<String> = part
                .rows
                .iter()
                .map(|(who, said)| format!("{who} {said}"))
                .collect();
            let rows = if rows.is_empty() {
                String::new()
            } else {
                format!(" ({})", rows.join(", "))
            };
            format!("{} {}{rows}", part.verdict.word(), part.name)
        });
        each.collect::<Vec<_>>().join("; ")
    }

    fn groups(&self) -> Vec<TableGroup> {
        let parts = self.parts.iter();
        parts
            .map(|part| TableGroup {
                verdict: part.verdict,
                name: part.name.clone(),
                rows: part.rows.clone(),
            })
            .collect()
    }

    fn pause(&self, round: usize) -> Duration {
        pause::plain(round)
    }
}

/// When that much time has passed, as people read it.
fn time(after: Duration) -> String {
    let then = clock::now()
        .checked_add(after)
        .unwrap_or_else(|_| clock::now());
    then.strftime("%H:%M:%SZ").to_string()
}

/// Sleeps, but not through a signal.
fn rest(context: &Context, pause: Duration) -> Result<(), Failure> {
    const SLICE: Duration = Duration::from_millis(50);
    let mut left = pause;
    while !left.is_zero() {
        if let Some(signal) = context.interrupt.signal() {
            return Err(Failure::new(
                FailureKind::Interrupted(signal),
                "interrupted while waiting for the proof",
            ));
        }
        let slice = left.min(SLICE);
        clock::sleep(slice);
        left = left.saturating_sub(slice);
    }
    Ok(())
}
