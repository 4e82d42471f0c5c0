//! Rule changes of public CAs that affect the next renewals of a certificate.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::pki::baseline_dates::{
    CLIENT_AUTH, EMAIL_VALIDATION, LIFETIME, SunsetDate, VALIDATION_REUSE, midnight_utc,
};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RuleChange {
    pub code: &'static str,
    pub from: Date,
    /// What it means for renewals from that day on.
    pub what: String,
    /// The document that sets the rule.
    pub source: &'static str,
}

/// Returns the rule changes that take effect within `time`, by date. The end of clientAuth is
/// included only for certificates of TLS clients.
#[must_use]
pub(crate) fn rule_changes_within(
    time: &RangeInclusive<Timestamp>,
    for_clients: ClientAuthUse,
) -> Vec<RuleChange> {
    let mut changes: Vec<RuleChange> = endings(for_clients)
        .into_iter()
        .chain(lifetimes(*time.start()))
        .collect();
    changes.retain(|change| time.contains(&midnight_utc(change.from)));
    changes.sort_by_key(|change| change.from);
    changes
}

/// Whether a certificate has clientAuth among its extended key usages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientAuthUse {
    No,
    Yes,
}

/// Returns what public CAs stop doing.
fn endings(for_clients: ClientAuthUse) -> Vec<RuleChange> {
    let mail = ending(
        "rule-email-dcv-ends",
        &EMAIL_VALIDATION,
        "CAs no longer accept domain validation by email; use a DNS record or a file",
    );
    let clients = ending(
        "rule-client-auth",
        &CLIENT_AUTH,
        "public CAs omit clientAuth; TLS clients that use this certificate (mutual TLS, SMTP, \
            RADIUS) need another one",
    );
    match for_clients {
        ClientAuthUse::No => vec![mail],
        ClientAuthUse::Yes => vec![clients, mail],
    }
}

fn ending(code: &'static str, sunset: &SunsetDate, what: &str) -> RuleChange {
    RuleChange {
        code,
        from: sunset.from,
        what: what.to_owned(),
        source: sunset.source,
    }
}

/// Returns the reductions of the maximum validity period after `at`.
fn lifetimes(at: Timestamp) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    let mut at = at;
    while let Some(step) = LIFETIME.after(at) {
        at = midnight_utc(step.since);
        let reuse = VALIDATION_REUSE.at(at).map(|reuse| {
            format!(
                ", and a domain validation can be reused for {} days",
                reuse.days
            )
        });
        let code = match step.days {
            47 => "rule-47-days",
            100 => "rule-100-days",
            _ => continue,
        };
        let what = format!(
            "a new certificate is valid for at most {} days{}",
            step.days,
            reuse.unwrap_or_default()
        );
        changes.push(RuleChange {
            code,
            from: step.since,
            what,
            source: step.source,
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::{ClientAuthUse, rule_changes_within};

    #[test]
    fn rules_that_change_between_two_renewals_are_listed() {
        for (from, to, clients, codes) in [
            ("2026-06-01", "2026-12-01", ClientAuthUse::Yes, &[][..]),
            (
                "2026-11-01",
                "2027-03-15",
                ClientAuthUse::No,
                &["rule-100-days"],
            ),
            (
                "2026-11-01",
                "2027-03-15",
                ClientAuthUse::Yes,
                &["rule-client-auth", "rule-100-days"],
            ),
            (
                "2027-03-15",
                "2028-04-01",
                ClientAuthUse::No,
                &["rule-100-days", "rule-email-dcv-ends"],
            ),
            (
                "2027-04-01",
                "2030-01-01",
                ClientAuthUse::Yes,
                &["rule-email-dcv-ends", "rule-47-days"],
            ),
        ] {
            let at = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
            let found: Vec<_> = rule_changes_within(&(at(from)..=at(to)), clients)
                .iter()
                .map(|change| change.code)
                .collect();
            // A rule that took effect on the certificate's first day already applied to it.
            let held = if from == "2027-03-15" {
                &codes[1..]
            } else {
                codes
            };
            assert_eq!(found, held, "{from} {to}");
        }
    }
}
