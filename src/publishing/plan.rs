//! Decides how the records at one name have to change. Other values are never touched; only a CNAME
//! can conflict, because nothing else may exist at its name (RFC 1034 section 3.6.2).

use super::zone_record::{PublishableKind, RecordValue};

/// What is known about the records at one name before a change.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameObservation {
    /// The CNAME and TXT records there.
    pub existing: Vec<RecordValue>,
    /// Those that the journal lists as published by certctl.
    pub published: Vec<RecordValue>,
}

impl NameObservation {
    fn has_published(&self, value: &RecordValue) -> bool {
        self.published.iter().any(|one| one.is_same(value))
    }

    /// Returns whether the record exists.
    #[must_use]
    pub(crate) fn has(&self, value: &RecordValue) -> bool {
        self.existing.iter().any(|one| one.is_same(value))
    }
}

/// How the records at a name change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RecordPlan {
    Add,
    /// The record exists already, and certctl has not published it.
    Keep,
    /// The record exists already, because certctl has published it.
    KeepOwn,
    /// This record is replaced.
    Replace(RecordValue),
    /// This record does not allow another one, and certctl may not remove it.
    Refuse(RecordValue),
}

/// Returns how to publish `wanted`. `replaceable` is the full value of a record that the user allows
/// to be replaced.
#[must_use]
pub(crate) fn plan_publication(
    wanted: &RecordValue,
    seen: &NameObservation,
    replaceable: Option<&str>,
) -> RecordPlan {
    if seen.has(wanted) {
        return if seen.has_published(wanted) {
            RecordPlan::KeepOwn
        } else {
            RecordPlan::Keep
        };
    }
    let mut conflicting = seen.existing.iter().filter(|one| conflicts(one, wanted));
    let Some(first) = conflicting.next() else {
        return RecordPlan::Add;
    };
    if conflicting.next().is_some() || first.kind != PublishableKind::Cname {
        return RecordPlan::Refuse(first.clone());
    }
    let is_allowed = replaceable.is_some_and(|value| first.kind.is_same_value(&first.value, value));
    if is_allowed || seen.has_published(first) {
        RecordPlan::Replace(first.clone())
    } else {
        RecordPlan::Refuse(first.clone())
    }
}

fn conflicts(existing: &RecordValue, wanted: &RecordValue) -> bool {
    [existing.kind, wanted.kind].contains(&PublishableKind::Cname)
}

#[cfg(test)]
mod tests {
    use super::{NameObservation, RecordPlan, plan_publication};
    use crate::publishing::zone_record::{PublishableKind, RecordValue};

    fn record(text: &str) -> RecordValue {
        let (kind, value) = text.split_once(' ').unwrap();
        RecordValue {
            kind: match kind {
                "CNAME" => PublishableKind::Cname,
                _ => PublishableKind::Txt,
            },
            value: value.to_owned(),
        }
    }

    fn plan(wanted: &str, existing: &[&str], published: &[&str], allowed: &str) -> RecordPlan {
        let seen = NameObservation {
            existing: existing.iter().map(|one| record(one)).collect(),
            published: published.iter().map(|one| record(one)).collect(),
        };
        let allowed = (!allowed.is_empty()).then_some(allowed);
        plan_publication(&record(wanted), &seen, allowed)
    }

    #[test]
    fn only_a_cname_conflicts_and_only_a_known_one_is_replaced() {
        let replace = |old: &str| RecordPlan::Replace(record(old));
        let refuse = |old: &str| RecordPlan::Refuse(record(old));
        for (wanted, existing, published, allowed, expected) in [
            ("TXT a", &[][..], &[][..], "", RecordPlan::Add),
            ("TXT a", &["TXT b", "TXT c"], &[], "", RecordPlan::Add),
            ("TXT a", &["TXT b", "TXT a"], &[], "", RecordPlan::Keep),
            ("TXT a", &["TXT a"], &["TXT a"], "", RecordPlan::KeepOwn),
            ("TXT a", &["TXT A"], &[], "", RecordPlan::Add),
            ("TXT a", &["CNAME x.y"], &[], "", refuse("CNAME x.y")),
            (
                "TXT a",
                &["CNAME x.y"],
                &["CNAME x.y"],
                "",
                replace("CNAME x.y"),
            ),
            ("CNAME a.b", &[], &["CNAME x.y"], "", RecordPlan::Add),
            ("CNAME a.b", &["CNAME A.b."], &[], "", RecordPlan::Keep),
            ("CNAME a.b", &["CNAME x.y"], &[], "", refuse("CNAME x.y")),
            ("CNAME a.b", &["CNAME x.y"], &[], "x", refuse("CNAME x.y")),
            (
                "CNAME a.b",
                &["CNAME x.y"],
                &[],
                "X.y.",
                replace("CNAME x.y"),
            ),
            (
                "CNAME a.b",
                &["CNAME x.y"],
                &["CNAME x.y"],
                "",
                replace("CNAME x.y"),
            ),
            ("CNAME a.b", &["TXT t"], &["TXT t"], "t", refuse("TXT t")),
            (
                "CNAME a.b",
                &["CNAME x.y", "TXT t"],
                &["CNAME x.y"],
                "",
                refuse("CNAME x.y"),
            ),
        ] {
            assert_eq!(
                plan(wanted, existing, published, allowed),
                expected,
                "{wanted} {existing:?} {published:?} {allowed}"
            );
        }
    }
}
