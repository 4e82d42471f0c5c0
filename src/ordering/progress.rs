//! Waits for the CA: as long as it asks, within a limit.
//!
//! The CA's wish is bounded by the HTTP client to a day. If it goes beyond the limit of one run, the
//! run ends with the time to come back, and the order is kept.

use std::time::Duration;

use jiff::Timestamp;

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
/// The longest time that one run waits for a stage.
const LONGEST: Duration = Duration::from_secs(300);

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
        let pause = pause_before(order, asked);
        if watch.elapsed() + pause > LONGEST {
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

/// The CA's wish, else a pause that grows.
fn pause_before(order: &AcmeOrder, asked: usize) -> Duration {
    let wish = order.retry_at().map(|at| at.duration_since(clock::now()));
    let wish = wish.and_then(|wish| Duration::try_from(wish).ok());
    let usual = PAUSES[asked.min(PAUSES.len() - 1)];
    wish.unwrap_or(usual).max(PAUSES[0])
}

/// A signal while the CA was asked.
pub(super) fn interrupted(signal: i32) -> Failure {
    Failure::new(
        FailureKind::Interrupted(signal),
        "interrupted while waiting for the CA; the same command continues the order",
    )
}
