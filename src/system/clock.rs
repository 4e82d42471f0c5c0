//! The machine's clock and time zone.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::signals::InterruptSignal;

/// Returns the current time.
#[must_use]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits for `pause`; callers keep it short and check for signals between pauses.
pub(crate) fn sleep(pause: Duration) {
    std::thread::sleep(pause);
}

/// Waits for `pause`, or until a signal arrives, whose number is returned.
pub(crate) fn sleep_until_signal(pause: Duration, interrupt: &InterruptSignal) -> Option<i32> {
    const SLICE: Duration = Duration::from_millis(50);
    let watch = Stopwatch::start();
    loop {
        let signal = interrupt.signal();
        let left = pause.saturating_sub(watch.elapsed());
        if signal.is_some() || left.is_zero() {
            return signal;
        }
        sleep(SLICE.min(left));
    }
}

/// The maximum wait that a user can request; CAs drop orders that are not validated for that long.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Parses a duration such as `90s`, `10m` or `2h`.
///
/// # Errors
/// A message that shows the expected form.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= LONGEST)
        .ok_or("not a duration such as 90s, 10m or 2h")
}

/// Measures elapsed time, independently of changes of the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    #[must_use]
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
