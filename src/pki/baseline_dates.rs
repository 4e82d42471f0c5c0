//! The dated rules for public CAs as data, each with its source, for checks of certificates and for
//! planning renewals. Read on 2026-11-23: BR 2.2.7 (CA/Browser Forum TLS Baseline Requirements),
//! Chrome Root Program Policy 1.8.

use jiff::Timestamp;
use jiff::civil::{Date, Time, date};
use jiff::tz::Offset;

/// A limit that applies from a day until the next step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScheduleStep {
    /// Its first day, from 00:00 UTC.
    pub since: Date,
    /// The maximum number of days from then on.
    pub days: i64,
    /// The ballot that decided it.
    pub source: &'static str,
}

/// A limit in days that decreases in steps.
#[derive(Debug, Eq, PartialEq)]
pub struct ShrinkingLimit {
    /// The source of the rule.
    pub section: &'static str,
    /// The steps, the newest first.
    steps: &'static [ScheduleStep],
}

impl ShrinkingLimit {
    /// Returns the step that applies at `at`; `None` before the first.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&ScheduleStep> {
        self.steps
            .iter()
            .find(|step| at >= midnight_utc(step.since))
    }

    /// Returns the next step after `at`.
    #[must_use]
    pub(crate) fn after(&self, at: Timestamp) -> Option<&ScheduleStep> {
        self.steps
            .iter()
            .rev()
            .find(|step| at < midnight_utc(step.since))
    }
}

/// A practice that ends on a day.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct SunsetDate {
    /// The practice, in words.
    pub what: &'static str,
    /// The first day without it, from 00:00 UTC.
    pub from: Date,
    /// The source of the rule.
    pub source: &'static str,
}

impl SunsetDate {
    /// Returns whether it has ended at `at`.
    #[must_use]
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        at >= midnight_utc(self.from)
    }
}

/// A duty of CAs from a day on.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct DutyDate {
    /// The duty, in words.
    pub what: &'static str,
    /// The first day, from 00:00 UTC.
    pub from: Date,
    /// The source of the rule.
    pub source: &'static str,
}

impl DutyDate {
    /// Returns whether it applies at `at`.
    #[must_use]
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        at >= midnight_utc(self.from)
    }
}

const fn step(since: Date, days: i64, source: &'static str) -> ScheduleStep {
    ScheduleStep {
        since,
        days,
        source,
    }
}

/// The longest validity period of a certificate, by the day of its first second. A day has 86,400
/// seconds, and the last second counts.
pub static LIFETIME: ShrinkingLimit = ShrinkingLimit {
    section: "BR 6.3.2",
    steps: &[
        step(date(2029, 3, 15), 47, "SC-081v3"),
        step(date(2027, 3, 15), 100, "SC-081v3"),
        step(date(2026, 3, 15), 200, "SC-081v3"),
        step(date(2020, 9, 1), 398, "SC-031"),
        step(date(2018, 3, 1), 825, "ballot 193"),
    ],
};

/// How long a CA may reuse a domain validation, by the day of issue. CAs check a persistent record
/// (BR 3.2.2.4.22) again after 10 days, at any date.
pub(crate) static VALIDATION_REUSE: ShrinkingLimit = ShrinkingLimit {
    section: "BR 4.2.1",
    steps: &[
        step(date(2029, 3, 15), 10, "SC-081v3"),
        step(date(2027, 3, 15), 100, "SC-081v3"),
        step(date(2026, 3, 15), 200, "SC-081v3"),
        step(date(2021, 10, 1), 398, "SC-042"),
    ],
};

/// Chrome does not trust certificates that are also for TLS clients and whose validity starts on
/// that day or later.
pub(crate) static CLIENT_AUTH: SunsetDate = SunsetDate {
    what: "clientAuth in certificates of public CAs",
    from: date(2027, 3, 15),
    source: "Chrome Root Program Policy 1.8",
};

/// Domain validation by email (BR 3.2.2.4.4, .13 and .14), including the reuse of earlier
/// validations.
pub(crate) static EMAIL_VALIDATION: SunsetDate = SunsetDate {
    what: "domain validation by email",
    from: date(2028, 3, 15),
    source: "SC-090",
};

/// The CAA parameters accounturi and validationmethods (RFC 8657).
pub(crate) static CAA_PARAMETERS: DutyDate = DutyDate {
    what: "respect the parameters of CAA records",
    from: date(2027, 3, 15),
    source: "SC-098v2",
};

/// The number of remote network perspectives from which a CA must get the same DNS and web answers
/// (BR 3.2.2.9), by day; the newest first.
static PERSPECTIVES: [(Date, u8); 4] = [
    (date(2026, 12, 15), 5),
    (date(2026, 6, 15), 4),
    (date(2026, 3, 15), 3),
    (date(2025, 9, 15), 2),
];

/// Returns the number of remote network perspectives that a CA needs at `at` (SC-067).
#[must_use]
pub(crate) fn required_perspectives(at: Timestamp) -> u8 {
    PERSPECTIVES
        .iter()
        .find(|(since, _)| at >= midnight_utc(*since))
        .map_or(0, |(_, places)| *places)
}

/// Returns midnight UTC of a day; the latest time if the day does not exist.
#[must_use]
pub fn midnight_utc(day: Date) -> Timestamp {
    Offset::UTC
        .to_timestamp(day.to_datetime(Time::midnight()))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        CLIENT_AUTH, EMAIL_VALIDATION, LIFETIME, ScheduleStep, ShrinkingLimit, VALIDATION_REUSE,
    };

    fn days(schedule: &ShrinkingLimit, at: &str) -> (Option<i64>, Option<i64>) {
        let at = at.parse().unwrap();
        let days = |step: Option<&ScheduleStep>| step.map(|step| step.days);
        (days(schedule.at(at)), days(schedule.after(at)))
    }

    #[test]
    fn limits_apply_from_their_first_second() {
        for (schedule, at, expected) in [
            (&LIFETIME, "2017-01-01T00:00:00Z", (None, Some(825))),
            (&LIFETIME, "2026-03-14T23:59:59Z", (Some(398), Some(200))),
            (&LIFETIME, "2026-03-15T00:00:00Z", (Some(200), Some(100))),
            (&LIFETIME, "2029-03-14T23:59:59Z", (Some(100), Some(47))),
            (&LIFETIME, "2031-01-01T00:00:00Z", (Some(47), None)),
            (
                &VALIDATION_REUSE,
                "2026-11-23T00:00:00Z",
                (Some(200), Some(100)),
            ),
            (&VALIDATION_REUSE, "2029-03-15T00:00:00Z", (Some(10), None)),
        ] {
            assert_eq!(days(schedule, at), expected, "{} {at}", schedule.section);
        }
        for schedule in [&LIFETIME, &VALIDATION_REUSE] {
            assert!(
                schedule
                    .steps
                    .is_sorted_by(|one, next| one.since > next.since),
                "{}",
                schedule.section
            );
        }
    }

    #[test]
    fn practices_end_at_the_first_second_of_their_day() {
        for (ending, before, first) in [
            (&CLIENT_AUTH, "2027-03-14T23:59:59Z", "2027-03-15T00:00:00Z"),
            (
                &EMAIL_VALIDATION,
                "2028-03-14T23:59:59Z",
                "2028-03-15T00:00:00Z",
            ),
        ] {
            assert!(
                !ending.holds(before.parse().unwrap()) && ending.holds(first.parse().unwrap()),
                "{}",
                ending.what
            );
        }
    }
}
