//! The machine's clock.

use std::time::Duration;

use jiff::Timestamp;

/// Now, UTC.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits for `pause`; callers bound it and look at the interrupt between pauses.
pub fn sleep(pause: Duration) {
    std::thread::sleep(pause);
}
