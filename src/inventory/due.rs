//! When the renewal of a certificate is due.

use jiff::{SignedDuration, Timestamp};

/// How long before its expiry a certificate is due for renewal (`--renew-before`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum RenewBefore {
    Before(SignedDuration),
    /// A percentage of its validity period.
    Share(u8),
    /// 30 days or a third of the validity period, whichever is less: a certificate for 47 days is
    /// due 15 days and 16 hours before its expiry.
    #[default]
    Usual,
}

const DAY: i64 = 86_400;

impl RenewBefore {
    /// Parses `20d`, `36h` or `25%`.
    ///
    /// # Errors
    /// A message that shows the expected form.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "expected days, hours or a percentage of the lifetime, such as 20d, 36h or 25%";
        if let Some(share) = text.strip_suffix('%') {
            let share: u8 = share.parse().map_err(|_| FORM)?;
            return if (1..=99).contains(&share) {
                Ok(Self::Share(share))
            } else {
                Err(FORM)
            };
        }
        let days = text.strip_suffix(['d', 'D']);
        let (number, unit) = match (days, text.strip_suffix(['h', 'H'])) {
            (Some(days), _) => (days, DAY),
            (_, Some(hours)) => (hours, 3600),
            _ => return Err(FORM),
        };
        let count: u16 = number.parse().map_err(|_| FORM)?;
        Ok(Self::Before(SignedDuration::from_secs(
            i64::from(count) * unit,
        )))
    }

    /// Returns when a certificate that is valid from `start` to `end` is due.
    #[must_use]
    pub(crate) fn due(self, start: Timestamp, end: Timestamp) -> Timestamp {
        let lifetime = end.as_second().saturating_sub(start.as_second()).max(0);
        let before = match self {
            Self::Before(time) => time.as_secs(),
            Self::Share(share) => lifetime / 100 * i64::from(share),
            Self::Usual => (lifetime / 3).min(30 * DAY),
        };
        Timestamp::from_second(end.as_second().saturating_sub(before)).unwrap_or(Timestamp::MIN)
    }
}

/// Returns whether less than half of the time between due date and expiry is left.
#[must_use]
pub(crate) fn is_urgent(now: Timestamp, due: Timestamp, expiry: Timestamp) -> bool {
    let left = expiry.as_second().saturating_sub(now.as_second());
    let whole = expiry.as_second().saturating_sub(due.as_second());
    left <= 0 || left < whole / 2
}

/// Returns when a certificate is due that the CA suggests to renew at `suggested`. A suggestion that leaves
/// less than half of the usual time is not followed.
#[must_use]
pub(crate) fn follow_suggestion(
    suggested: Timestamp,
    usual: Timestamp,
    expiry: Timestamp,
) -> Timestamp {
    if is_urgent(suggested, usual, expiry) {
        usual
    } else {
        suggested
    }
}

/// Returns the whole days from `now` to `then`, rounded down: 0 on the last day, negative after it.
#[must_use]
pub(crate) fn days_between(now: Timestamp, then: Timestamp) -> i64 {
    then.as_second()
        .saturating_sub(now.as_second())
        .div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::{RenewBefore, Timestamp, days_between, follow_suggestion, is_urgent};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn renewal_is_due_thirty_days_or_a_third_before_expiry() {
        let start = at("2027-01-01T00:00:00Z");
        for (before, end, due) in [
            (
                RenewBefore::Usual,
                "2027-07-20T00:00:00Z",
                "2027-06-20T00:00:00Z",
            ),
            (
                RenewBefore::Usual,
                "2027-02-17T00:00:00Z",
                "2027-02-01T08:00:00Z",
            ),
            (
                RenewBefore::Usual,
                "2027-01-07T00:00:00Z",
                "2027-01-05T00:00:00Z",
            ),
            (
                RenewBefore::Usual,
                "2027-01-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                RenewBefore::Usual,
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
            ),
            (
                RenewBefore::parse("20d").unwrap(),
                "2027-07-20T00:00:00Z",
                "2027-06-30T00:00:00Z",
            ),
            (
                RenewBefore::parse("36h").unwrap(),
                "2027-07-20T00:00:00Z",
                "2027-07-18T12:00:00Z",
            ),
            (
                RenewBefore::parse("25%").unwrap(),
                "2027-04-11T00:00:00Z",
                "2027-03-17T00:00:00Z",
            ),
        ] {
            assert_eq!(before.due(start, at(end)), at(due), "{before:?} {end}");
        }
        for text in ["", "d", "20", "-1d", "0%", "100%", "1.5d", "20 d", "99999d"] {
            assert!(RenewBefore::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_second_half_of_the_time_is_urgent() {
        let due = at("2027-01-01T00:00:00Z");
        let expiry = at("2027-01-31T00:00:00Z");
        for (now, expected) in [
            ("2026-12-01T00:00:00Z", false),
            ("2027-01-15T23:59:59Z", false),
            ("2027-01-16T00:00:01Z", true),
            ("2027-01-31T00:00:00Z", true),
            ("2027-02-01T00:00:00Z", true),
        ] {
            assert_eq!(is_urgent(at(now), due, expiry), expected, "{now}");
        }
    }

    #[test]
    fn a_suggestion_that_comes_too_late_is_not_followed() {
        let usual = at("2027-01-01T00:00:00Z");
        let expiry = at("2027-01-31T00:00:00Z");
        for (suggested, due) in [
            ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z"),
            ("2027-01-10T00:00:00Z", "2027-01-10T00:00:00Z"),
            ("2027-01-20T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2030-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let found = follow_suggestion(at(suggested), usual, expiry);
            assert_eq!(found, at(due), "{suggested}");
        }
    }

    #[test]
    fn days_are_rounded_down() {
        let now = at("2027-01-01T12:00:00Z");
        for (then, days) in [
            ("2027-01-02T12:00:00Z", 1),
            ("2027-01-02T11:59:59Z", 0),
            ("2027-01-01T11:59:59Z", -1),
            ("2028-01-01T12:00:00Z", 365),
        ] {
            assert_eq!(days_between(now, at(then)), days, "{then}");
        }
    }
}
