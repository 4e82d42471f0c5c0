//! `--wait`: looks again until all is visible, the time is over, or a signal comes. On a terminal a table of who says what
//! since when, elsewhere one line for each change.

mod pause;
mod table;

use std::time::Duration;

use self::pause::pause;
use self::table::Table;
use super::method::MethodOutcome;
use super::outcome::{self, Check, DcvCheckOutcome};
use crate::context::Context;
use crate::dcv::judge::Verdict;
use crate::failure::{Failure, Kind};
use crate::system::clock;

pub(super) fn wait(
    context: &Context,
    told: &mut DcvCheckOutcome,
    limit: Duration,
    look: impl Fn() -> Result<Vec<Check>, Failure>,
) -> Result<Vec<Check>, Failure> {
    let started = clock::now();
    let gone = || Duration::try_from(clock::now().duration_since(started)).unwrap_or_default();
    told.announce(context);
    let (mut last, mut table) = (String::new(), Table::new(&context.sink, time(limit)));
    for round in 0.. {
        let checks = look().map_err(|failure| told.interrupted(failure, &last))?;
        let left = limit.saturating_sub(gone());
        if left.is_zero() || checks.iter().all(settled) {
            table.clear();
            return Ok(checks);
        }
        let pause = pause(round, &checks).min(left);
        let (seen, now, next) = (outcome::summary(&checks), time(Duration::ZERO), time(pause));
        if !table.draw(&checks, &now, &next) && seen != last {
            context.sink.event(&format!("{now}  {seen}; next look {next}"));
        }
        last = seen;
        rest(context, pause).map_err(|failure| told.interrupted(failure, &last))?;
    }
    Ok(Vec::new())
}

/// Looks for files until all are there or the time is over; said once for each change.
pub(super) fn until(
    context: &Context,
    limit: Duration,
    look: impl Fn() -> Result<MethodOutcome, Failure>,
) -> Result<MethodOutcome, Failure> {
    const PAUSE: Duration = Duration::from_secs(10);
    let started = clock::now();
    let mut last = None;
    loop {
        let outcome = look()?;
        let gone = Duration::try_from(clock::now().duration_since(started)).unwrap_or_default();
        let left = limit.saturating_sub(gone);
        let verdict = outcome.verdict();
        if left.is_zero() || matches!(verdict, Verdict::Visible | Verdict::Unchecked) {
            return Ok(outcome);
        }
        let pause = left.min(PAUSE);
        if last != Some(verdict) {
            context.sink.event(&format!("{}  {}; next look {}", time(Duration::ZERO), verdict.word(), time(pause)));
            last = Some(verdict);
        }
        rest(context, pause)?;
    }
}

/// Looking again changes nothing: it is visible, or there and the shop's record was not given to compare it with.
fn settled(check: &Check) -> bool {
    matches!(check.judgement.verdict, Verdict::Visible | Verdict::Unchecked)
}

/// When that much time has passed, as people read it.
fn time(after: Duration) -> String {
    let then = clock::now().checked_add(after).unwrap_or_else(|_| clock::now());
    then.strftime("%H:%M:%SZ").to_string()
}

/// Sleeps, but not through a signal.
fn rest(context: &Context, pause: Duration) -> Result<(), Failure> {
    const SLICE: Duration = Duration::from_millis(50);
    let mut left = pause;
    while !left.is_zero() {
        if let Some(signal) = context.interrupt.signal() {
            return Err(Failure::new(Kind::Interrupted(signal), "interrupted while waiting for the record"));
        }
        let slice = left.min(SLICE);
        clock::sleep(slice);
        left = left.saturating_sub(slice);
    }
    Ok(())
}
