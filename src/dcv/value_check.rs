//! Checks whether a value that was found is the right one. If it is not, its form shows the cause.

use super::answer::{DnsAnswer, RecordKind};
use super::ca;
use crate::dcv::expectation::{ExpectationSource, ExpectedAnswer, ValueLikeness};
use crate::dcv::reseller_record;

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueFlaw {
    /// It was derived from another request.
    AnotherRequest,
    /// It is wrong, and its form does not show the cause.
    Unrelated,
    /// It has the CA's form, but another random value than the reseller's record: it belongs to
    /// another order.
    OtherToken,
    /// It is derived from this request, but has another unique value than the reseller's record.
    OtherUnique,
    /// It is right except for quotes or spaces that were entered with it.
    Quoted,
    /// It is derived from this request or has the CA's form, but there is no reseller's record to
    /// compare it with.
    Unchecked,
    /// The DNS provider appended the zone's name to it.
    WithZone,
}

/// A value that was found, and its flaw; `None` for one known to be right.
pub(super) struct ObservedValue<'a> {
    pub value: &'a str,
    pub flaw: Option<ValueFlaw>,
}

/// Returns the value in an answer to the query for the record. Of several texts, this is the one
/// nearest to the expected value; unrelated texts at the same name (SPF and others) do not count.
pub(super) fn observed_value<'a>(
    expected: &ExpectedAnswer,
    zone: Option<&str>,
    answer: &'a DnsAnswer,
) -> Option<ObservedValue<'a>> {
    match (expected.record.kind, answer) {
        (RecordKind::Cname, DnsAnswer::Cname(target)) => Some(ObservedValue {
            value: target,
            flaw: find_flaw(expected, zone, target),
        }),
        (RecordKind::Txt, DnsAnswer::Txt(texts)) => nearest_value(expected, zone, texts),
        _ => None,
    }
}

/// Returns the one of several texts that is nearest to the expected value.
pub(super) fn nearest_value<'a>(
    expected: &ExpectedAnswer,
    zone: Option<&str>,
    texts: &'a [String],
) -> Option<ObservedValue<'a>> {
    let observed = texts.iter().map(|text| ObservedValue {
        value: text,
        flaw: find_flaw(expected, zone, text),
    });
    let related = observed.filter(|value| value.flaw != Some(ValueFlaw::Unrelated));
    related.min_by_key(|value| value.flaw.is_some())
}

/// Returns the flaw of a value; `None` for one known to be right.
pub(super) fn find_flaw(
    expected: &ExpectedAnswer,
    zone: Option<&str>,
    value: &str,
) -> Option<ValueFlaw> {
    if is_right(expected, value) {
        return None;
    }
    if is_right(expected, value.trim_matches(['"', '\'', ' ', '\t'])) {
        return Some(ValueFlaw::Quoted);
    }
    let lower = value.to_ascii_lowercase();
    let without_zone = zone.and_then(|zone| lower.strip_suffix(zone)?.strip_suffix('.'));
    let flaw = flaw_by_form(expected, value, &lower, without_zone);
    Some(flaw.unwrap_or_else(|| {
        if without_zone.is_some_and(|rest| is_right(expected, rest)) {
            ValueFlaw::WithZone
        } else if reseller_record::has_request_hashes(&lower) {
            ValueFlaw::AnotherRequest
        } else {
            ValueFlaw::Unrelated
        }
    }))
}

/// Returns the flaw of a value that has the form of the expected one; `None` for another form.
fn flaw_by_form(
    expected: &ExpectedAnswer,
    value: &str,
    lower: &str,
    without_zone: Option<&str>,
) -> Option<ValueFlaw> {
    match &expected.related_form {
        ValueLikeness::Hash(hash) if starts_with_labels(lower, hash) => {
            Some(if without_zone.is_some() {
                ValueFlaw::WithZone
            } else {
                unchecked_or(expected, ValueFlaw::OtherUnique)
            })
        }
        ValueLikeness::Shape(shape) if ca::fits(shape, value) => {
            Some(unchecked_or(expected, ValueFlaw::OtherToken))
        }
        ValueLikeness::Shape(shape) if without_zone.is_some_and(|rest| ca::fits(shape, rest)) => {
            Some(ValueFlaw::WithZone)
        }
        _ => None,
    }
}

/// Returns `flaw` if the reseller's record is known, else `Unchecked`.
fn unchecked_or(expected: &ExpectedAnswer, flaw: ValueFlaw) -> ValueFlaw {
    if expected.source == ExpectationSource::Reseller {
        flaw
    } else {
        ValueFlaw::Unchecked
    }
}

/// Returns whether `value` is one of the expected values: texts are compared exactly, names without
/// regard to case.
fn is_right(expected: &ExpectedAnswer, value: &str) -> bool {
    expected
        .values
        .iter()
        .any(|right| match expected.record.kind {
            RecordKind::Txt => right == value,
            // The comparison as octets is much faster, and nearly always sufficient.
            _ => right == value || right.eq_ignore_ascii_case(value),
        })
}

fn starts_with_labels(value: &str, labels: &str) -> bool {
    value
        .strip_prefix(labels)
        .is_some_and(|rest| rest.starts_with('.'))
}
