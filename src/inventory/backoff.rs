//! When a renewal that failed is tried again.

use jiff::{SignedDuration, Timestamp};

/// The pause after the first failure; it doubles with each further one.
pub(crate) const FIRST: SignedDuration = SignedDuration::from_hours(1);
/// The longest pause.
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// The number of failures after which the pause does not grow.
const MOST_DOUBLINGS: u32 = 5;
/// The part of the time until the expiry that may pass before the next try.
pub(crate) const SHARE_OF_REST: i32 = 4;

/// Returns when the next try is due after `failures` failures, the last one at `now`. At most a quarter
/// of the time that is left until `expiry` passes; once it has expired, the next run tries again.
#[must_use]
pub(crate) fn next_try(failures: u32, now: Timestamp, expiry: Timestamp) -> Timestamp {
    let doublings = failures.saturating_sub(1).min(MOST_DOUBLINGS);
    let pause = FIRST * (1 << doublings);
    let rest = expiry.duration_since(now).max(SignedDuration::ZERO);
    let pause = pause.min(LONGEST).min(rest / SHARE_OF_REST);
    now.checked_add(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::next_try;

    #[test]
    fn the_pause_grows_and_ends_before_the_expiry() {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        for (failures, hours_left, minutes) in [
            (1, 720, 60),
            (2, 720, 120),
            (5, 720, 960),
            (6, 720, 1440),
            (100, 720, 1440),
            (100, 8, 120),
            (1, 2, 30),
            (1, 0, 0),
            (3, -5, 0),
        ] {
            let expiry = now + SignedDuration::from_hours(hours_left);
            let expected = now + SignedDuration::from_mins(minutes);
            assert_eq!(next_try(failures, now, expiry), expected, "{failures}");
        }
    }
}
