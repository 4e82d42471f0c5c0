//! The machine's clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Now, UTC.
#[must_use]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits for `pause`; callers bound it and look at the interrupt between pauses.
pub(crate) fn sleep(pause: Duration) {
    std::thread::sleep(pause);
}

/// The longest wait that anybody can ask for: a CA forgets an order that nobody proved for that
/// long.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// A duration as people write it: `90s`, `10m`, `2h`.
///
/// # Errors
/// What it should look like.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= LONGEST)
        .ok_or("not a duration such as 90s, 10m or 2h")
}

/// What passes while something goes on, whatever happens to the machine's date.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// So long until now.
    #[must_use]
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
