//! The scheduled renewals: when each is due, and what it needs. That depends on the certificate's
//! expiry, the end of the paid order term, and how long a CA may reuse a domain validation.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::due::RenewBefore;
use crate::pki::baseline_dates::{LIFETIME, VALIDATION_REUSE, midnight_utc};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ScheduledRenewal {
    /// When it is due.
    pub due: Timestamp,
    /// The expiry of the certificate that it replaces.
    pub previous_expiry: Timestamp,
    /// The maximum validity of the new certificate, in days.
    pub max_days: i64,
    /// Whether the paid order term covers it; none if no term is known.
    pub payment: Option<PaymentCoverage>,
    /// Whether the CA needs a new domain validation.
    pub validation: ValidationMethod,
}

/// Whether a renewal is covered by the paid order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PaymentCoverage {
    /// A reissue within the order.
    Reissue,
    /// It has to be purchased.
    Purchase,
}

/// How control of the names is validated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ValidationMethod {
    New,
    /// The CA may reuse the last validation until then; it may require a new one nevertheless.
    Reused(Timestamp),
}

/// The dates that the renewals of a certificate are computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenewalTerms {
    /// The expiry of the certificate, or of an intermediate that it depends on.
    pub expiry: Timestamp,
    /// When the next renewal is due.
    pub due: Timestamp,
    /// The latest possible time of the domain validation: the start of the certificate's validity.
    pub validated_at: Timestamp,
    /// The last day of the paid order term.
    pub paid_until: Option<Date>,
}

/// The end of the period for which the rules are known.
const HORIZON: Date = jiff::civil::date(2029, 12, 31);
/// The maximum number of renewals that are computed.
const MOST: usize = 32;

const DAY: i64 = 86_400;

/// Returns until when a CA may reuse a domain validation made at `proven`. The rule of the day on
/// which it is reused applies.
#[must_use]
pub(crate) fn validation_until(proven: Timestamp) -> Timestamp {
    let mut at = proven;
    loop {
        let here = VALIDATION_REUSE
            .at(at)
            .map_or(proven, |step| later(proven, step.days));
        match VALIDATION_REUSE
            .after(at)
            .map(|step| midnight_utc(step.since))
        {
            // Under the new rule, the validation may be too old at once.
            Some(next) if next <= here => at = next,
            _ => return here.max(at),
        }
    }
}

/// Returns the renewals from `now` on; the first one may be overdue.
#[must_use]
pub(crate) fn renewals(
    terms: RenewalTerms,
    before: RenewBefore,
    now: Timestamp,
) -> Vec<ScheduledRenewal> {
    let mut renewals = Vec::new();
    let RenewalTerms {
        mut expiry,
        mut due,
        validated_at: mut proven,
        mut paid_until,
    } = terms;
    while renewals.len() < MOST && (renewals.is_empty() || due < midnight_utc(HORIZON)) {
        // An overdue renewal counts as done today.
        let done = due.max(now);
        let Some(rule) = LIFETIME.at(done) else { break };
        let until = validation_until(proven);
        let proof = if done <= until {
            ValidationMethod::Reused(until)
        } else {
            ValidationMethod::New
        };
        let paid = paid_until.map(|last| paid(last, done));
        let most_days = most_days(rule.days, paid, paid_until, done);
        renewals.push(ScheduledRenewal {
            due,
            previous_expiry: expiry,
            max_days: most_days,
            payment: paid,
            validation: proof,
        });
        // The term of the next purchase is unknown.
        paid_until = paid_until.filter(|_| paid == Some(PaymentCoverage::Reissue));
        if proof == ValidationMethod::New {
            proven = done;
        }
        expiry = later(done, most_days);
        due = before.due(done, expiry);
        if due <= done {
            break;
        }
    }
    renewals
}

/// Returns when the certificates of a company's own CA are expected to be renewed from `now` on, the
/// first time at `due`: each is assumed to be valid as long as the one before.
#[must_use]
pub(crate) fn expected_renewals(
    validity: SignedDuration,
    due: Timestamp,
    before: RenewBefore,
    now: Timestamp,
) -> Vec<Timestamp> {
    let mut expected = Vec::new();
    let mut due = due;
    while expected.len() < MOST && due < midnight_utc(HORIZON) {
        expected.push(due);
        // An overdue renewal counts as done today.
        let done = due.max(now);
        let Ok(expiry) = done.checked_add(validity) else {
            break;
        };
        due = before.due(done, expiry);
        if due <= done {
            break;
        }
    }
    expected
}

/// In the last month of a term the next one is purchased, because a reissue would expire with the
/// term.
fn paid(last: Date, done: Timestamp) -> PaymentCoverage {
    if later(done, 30) < end_of(last) {
        PaymentCoverage::Reissue
    } else {
        PaymentCoverage::Purchase
    }
}

/// Returns the maximum validity of the new certificate; a reissue expires with the paid term.
fn most_days(
    rule: i64,
    paid: Option<PaymentCoverage>,
    paid_until: Option<Date>,
    done: Timestamp,
) -> i64 {
    match (paid, paid_until) {
        (Some(PaymentCoverage::Reissue), Some(last)) => {
            let left = end_of(last)
                .as_second()
                .saturating_sub(done.as_second())
                .max(0);
            rule.min(left / DAY + i64::from(left % DAY > 0))
        }
        _ => rule,
    }
}

/// Returns the end of a day, UTC.
fn end_of(day: Date) -> Timestamp {
    later(midnight_utc(day), 1)
}

fn later(at: Timestamp, days: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(days.saturating_mul(DAY)))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::{
        PaymentCoverage, RenewBefore, RenewalTerms, ScheduledRenewal, Timestamp, ValidationMethod,
        renewals, validation_until,
    };
    use crate::wording::day;

    fn at(text: &str) -> Timestamp {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_validation_can_be_reused_as_long_as_the_rule_of_that_day_allows() {
        for (proven, until) in [
            ("2024-01-01", "2025-02-02"),
            // 398 days would lead to 2026-12-04; from 2026-03-15 on only 200 count.
            ("2025-11-01", "2026-05-20"),
            ("2025-06-01", "2026-03-15"),
            ("2026-11-01", "2027-03-15"),
            ("2027-01-15", "2027-04-25"),
            ("2029-01-01", "2029-03-15"),
            ("2029-03-10", "2029-03-20"),
            ("2029-06-01", "2029-06-11"),
        ] {
            assert_eq!(day(validation_until(at(proven))), until, "{proven}");
        }
    }

    #[test]
    fn there_are_eight_renewals_a_year_from_2029_on() {
        let terms = RenewalTerms {
            expiry: at("2026-12-23"),
            due: at("2026-11-23"),
            validated_at: at("2026-06-06"),
            paid_until: Some("2027-12-31".parse().unwrap()),
        };
        let all = renewals(terms, RenewBefore::Usual, at("2026-11-01"));
        let summaries: Vec<String> = all
            .iter()
            .map(|renewal| {
                let paid = if renewal.payment == Some(PaymentCoverage::Reissue) {
                    "reissue"
                } else {
                    "buy"
                };
                let proof = if renewal.validation == ValidationMethod::New {
                    "new"
                } else {
                    "reused"
                };
                format!("{} {} {paid} {proof}", day(renewal.due), renewal.max_days)
            })
            .collect();
        assert_eq!(
            summaries[..5],
            [
                "2026-11-23 200 reissue reused",
                "2027-05-12 100 reissue new",
                "2027-07-21 100 reissue reused",
                "2027-09-29 94 reissue new",
                "2027-12-02 100 buy reused",
            ],
            "{summaries:#?}"
        );
        let in_2029 = summaries
            .iter()
            .filter(|renewal| renewal.starts_with("2029"))
            .count();
        assert!((8..=10).contains(&in_2029), "{summaries:#?}");
        assert!(
            summaries.last().unwrap().ends_with("47 buy new"),
            "{summaries:#?}"
        );
    }

    /// `DUE DAYS PAYMENT VALIDATION` of each renewal.
    fn summaries(terms: RenewalTerms, now: &str) -> Vec<String> {
        let order = |renewal: &ScheduledRenewal| match renewal.payment {
            Some(PaymentCoverage::Reissue) => "reissue",
            Some(PaymentCoverage::Purchase) => "buy",
            None => "-",
        };
        let validation = |renewal: &ScheduledRenewal| match renewal.validation {
            ValidationMethod::New => "new".to_owned(),
            ValidationMethod::Reused(until) => format!("until {}", day(until)),
        };
        let line = |renewal: &ScheduledRenewal| {
            format!(
                "{} {} {} {}",
                day(renewal.due),
                renewal.max_days,
                order(renewal),
                validation(renewal)
            )
        };
        renewals(terms, RenewBefore::Usual, at(now))
            .iter()
            .map(line)
            .collect()
    }

    #[test]
    fn an_order_for_one_year_with_a_200_day_certificate() {
        // Computed by hand from BR 6.3.2 and 4.2.1. The validation of 2026-11-23 is 112 days old
        // when the limit becomes 100 days. The third certificate expires with the term, after 56
        // days, and is due a third of that earlier. The purchase may reuse the validation of
        // 2027-09-29.
        let (start, expiry) = (at("2026-11-23"), at("2027-06-11"));
        let due = RenewBefore::Usual.due(start, expiry);
        let terms = RenewalTerms {
            expiry,
            due,
            validated_at: start,
            paid_until: Some("2027-11-23".parse().unwrap()),
        };
        let all = summaries(terms, "2026-11-23");
        assert_eq!(day(validation_until(start)), "2027-03-15");
        assert_eq!(
            all[..8],
            [
                "2027-05-12 100 reissue new",
                "2027-07-21 100 reissue until 2027-08-20",
                "2027-09-29 56 reissue new",
                "2027-11-05 100 buy until 2028-01-07",
                "2028-01-14 100 - new",
                "2028-03-24 100 - until 2028-04-23",
                "2028-06-02 100 - new",
                "2028-08-11 100 - until 2028-09-10",
            ],
            "{all:#?}"
        );
        // After the last one for 100 days, one every 31 days and 8 hours, each with a new
        // validation.
        let last = all
            .iter()
            .rposition(|renewal| renewal.contains(" 100 "))
            .unwrap();
        assert!(
            all[last].as_str() < "2029-03-15" && all[last + 1].as_str() > "2029-03-15",
            "{all:#?}"
        );
        assert!(
            all[last + 1..]
                .iter()
                .all(|renewal| renewal.ends_with(" 47 - new")),
            "{all:#?}"
        );
        assert!(all.last().unwrap().starts_with("2029-12"), "{all:#?}");
    }

    #[test]
    fn an_overdue_renewal_counts_as_done_today() {
        let terms = RenewalTerms {
            expiry: at("2026-01-01"),
            due: at("2025-12-01"),
            validated_at: at("2025-06-01"),
            paid_until: None,
        };
        let all = renewals(terms, RenewBefore::Usual, at("2028-06-01"));
        assert_eq!(
            (day(all[0].due), all[0].max_days, all[0].payment),
            ("2025-12-01".to_owned(), 100, None)
        );
        assert_eq!(day(all[1].due), "2028-08-10");
    }
}
