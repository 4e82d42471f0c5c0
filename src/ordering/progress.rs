//! Waits for the CA: as long as it asks, within a limit.
//!
//! The CA's wish is bounded by the HTTP client to a day. If it goes beyond the limit of one run, the
//! run ends with the time to come back, and the order is kept.

use std::time::Duration;

use jiff::Timestamp;

use super::order_calls::{OrderCalls, OrderPhase};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::system::acme::{AcmeOrder, OrderStage};
use crate::system::clock::{self, Stopwatch};

/// The pauses between questions where the CA asks for none; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// The same for a reseller, whose API allows few calls in a minute.
const RESELLER_PAUSES: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
];
/// The longest time that one run waits for a stage.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How a wait ended.
pub(super) enum WaitResult {
    /// The order has left the stage.
    Moved,
    /// The CA asks to come back later.
    Later(Timestamp),
}

/// Asks until the order has left `stage`.
pub(super) fn wait_while(
    context: &Context,
    order: &mut AcmeOrder,
    stage: &OrderStage,
) -> Result<WaitResult, Failure> {
    let watch = Stopwatch::start();
    let mut asked = 0;
    loop {
        if order.stage() != *stage {
            return Ok(WaitResult::Moved);
        }
        let wish = order.retry_at().map(|at| at.duration_since(clock::now()));
        let wish = wish.and_then(|wish| Duration::try_from(wish).ok());
        let pause = pause_before(wish, asked);
        if is_too_long(watch.elapsed(), pause) {
            let later = clock::now().checked_add(pause);
            return Ok(WaitResult::Later(later.unwrap_or(Timestamp::MAX)));
        }
        if let Some(signal) = clock::sleep_until_signal(pause, &context.interrupt) {
            return Err(interrupted(signal));
        }
        order.refresh()?;
        asked += 1;
    }
}

/// Asks a reseller until the order has left `phase`.
pub(super) fn wait_in_phase(
    context: &Context,
    order: &mut impl OrderCalls,
    phase: OrderPhase,
) -> Result<WaitResult, Failure> {
    let watch = Stopwatch::start();
    let mut asked = 0;
    while order.poll()? == phase {
        let pause = RESELLER_PAUSES[asked.min(RESELLER_PAUSES.len() - 1)];
        if is_too_long(watch.elapsed(), pause) {
            return Ok(WaitResult::Later(clock::now()));
        }
        if let Some(signal) = clock::sleep_until_signal(pause, &context.interrupt) {
            return Err(interrupted(signal));
        }
        asked += 1;
    }
    Ok(WaitResult::Moved)
}

/// The CA's wish, else a pause that grows.
fn pause_before(wish: Option<Duration>, asked: usize) -> Duration {
    let usual = PAUSES[asked.min(PAUSES.len() - 1)];
    wish.unwrap_or(usual).max(PAUSES[0])
}

/// Returns whether the run ends instead of pausing once more.
fn is_too_long(elapsed: Duration, pause: Duration) -> bool {
    elapsed + pause > LONGEST_WAIT
}

/// A signal while the CA was asked.
pub(super) fn interrupted(signal: i32) -> Failure {
    Failure::new(
        FailureKind::Interrupted(signal),
        "interrupted while waiting for the CA; the same command continues the order",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST_WAIT, PAUSES, is_too_long, pause_before};

    #[test]
    fn a_run_ends_although_the_ca_never_does() {
        let mut total = Duration::ZERO;
        let mut asked = 0;
        while !is_too_long(total, pause_before(None, asked)) {
            total += pause_before(None, asked);
            asked += 1;
            assert!(asked < 100, "the CA is asked for ever");
        }
        assert!(total + PAUSES[PAUSES.len() - 1] > LONGEST_WAIT);
    }

    #[test]
    fn the_wish_of_the_ca_counts_within_limits() {
        for (wish, pause) in [
            (Some(Duration::ZERO), PAUSES[0]),
            (Some(Duration::from_secs(30)), Duration::from_secs(30)),
            (None, PAUSES[4]),
        ] {
            assert_eq!(pause_before(wish, 9), pause);
        }
        assert!(is_too_long(Duration::ZERO, LONGEST_WAIT * 2));
        assert!(!is_too_long(Duration::ZERO, LONGEST_WAIT));
    }
}
