//! `--wait`: looks again until all is visible, the time is over, or a signal comes; one line for each change.

use std::time::Duration;

use super::outcome::{self, Check, DcvCheckOutcome};
use crate::context::Context;
use crate::dcv::answer::{Answer, Role};
use crate::dcv::judge::{Standing, Verdict};
use crate::failure::{Failure, Kind};
use crate::system::clock;

/// Seconds between looks; the last one goes on.
const PAUSES: [u64; 9] = [2, 3, 5, 8, 13, 20, 30, 45, 60];
/// The longest pause for the sake of a resolver that remembers.
const LONGEST: u64 = 300;

pub(super) fn wait(
    context: &Context,
    told: &mut DcvCheckOutcome,
    limit: Duration,
    look: impl Fn() -> Result<Vec<Check>, Failure>,
) -> Result<Vec<Check>, Failure> {
    let started = clock::now();
    let gone = || Duration::try_from(clock::now().duration_since(started)).unwrap_or_default();
    told.announce(context);
    let mut last = String::new();
    for round in 0.. {
        let checks = look().map_err(|failure| told.interrupted(failure, &last))?;
        let left = limit.saturating_sub(gone());
        if left.is_zero() || checks.iter().all(settled) {
            return Ok(checks);
        }
        let pause = pause(round, &checks).min(left);
        let seen = outcome::summary(&checks);
        if seen != last {
            context.sink.event(&format!("{}  {seen}; next look {}", time(Duration::ZERO), time(pause)));
            last = seen;
        }
        rest(context, pause).map_err(|failure| told.interrupted(failure, &last))?;
    }
    Ok(Vec::new())
}

/// Looking again changes nothing: it is visible, or there and the shop's record was not given to compare it with.
fn settled(check: &Check) -> bool {
    matches!(check.judgement.verdict, Verdict::Visible | Verdict::Unchecked)
}

/// When that many seconds have passed, as people read it.
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

/// Longer and longer; where only resolvers are behind, as long as they say that they remember (RFC 2308 5).
fn pause(round: usize, checks: &[Check]) -> Duration {
    let seconds = PAUSES.get(round).copied().unwrap_or(PAUSES[PAUSES.len() - 1]);
    let behind = || checks.iter().flat_map(|check| &check.judgement.standings).filter(|one| lags(one));
    let own_servers_have_it = behind().all(|one| one.server.role == Role::Resolver)
        && checks.iter().all(|check| check.judgement.standings.iter().any(|one| one.verdict == Verdict::Visible));
    let remembered = behind().filter_map(|one| match one.answer {
        Answer::NoName(seconds) | Answer::NoData(seconds) => seconds,
        _ => None,
    });
    match remembered.max() {
        Some(remembered) if own_servers_have_it => {
            Duration::from_secs((u64::from(remembered) + 1).clamp(seconds, LONGEST))
        }
        _ => Duration::from_secs(seconds),
    }
}

fn lags(one: &Standing) -> bool {
    one.verdict != Verdict::Visible && one.answer != Answer::NoRoute
}
