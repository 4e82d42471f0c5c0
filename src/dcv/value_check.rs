//! Is a value that was seen the right one? If not, what it looks like tells how it came about.

use super::answer::{DnsAnswer, RecordKind};
use super::ca;
use crate::dcv::expectation::{ExpectationSource, ExpectedAnswer, ValueLikeness};
use crate::dcv::reseller_record;

/// What is the matter with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueFlaw {
    /// It was made from another request.
    AnotherRequest,
    /// Neither right nor of a kind that tells how it came about.
    Other,
    /// Of the CA's form, but with another random value than the shop's: of another order.
    OtherToken,
    /// Of this request, but with another unique value than the shop's.
    OtherUnique,
    /// Right but for quotes or spaces that were typed with it.
    Quoted,
    /// Of this request or of the CA's form, but the shop's record was never given to compare it
    /// with.
    Unchecked,
    /// The DNS provider added the zone's name to it.
    WithZone,
}

/// A value that was seen, and what is the matter with it; `None` for one known to be right.
pub(super) struct ObservedValue<'a> {
    pub(super) value: &'a str,
    pub(super) flaw: Option<ValueFlaw>,
}

/// The value that an answer to the record's own question holds. Of several texts the one nearest to
/// the proof; texts that have nothing to do with it (SPF and others stand at the same name) are
/// none.
pub(super) fn seen<'a>(
    expected: &ExpectedAnswer,
    zone: Option<&str>,
    answer: &'a DnsAnswer,
) -> Option<ObservedValue<'a>> {
    match (expected.record.kind, answer) {
        (RecordKind::Cname, DnsAnswer::Cname(target)) => Some(ObservedValue {
            value: target,
            flaw: flaw(expected, zone, target),
        }),
        (RecordKind::Txt, DnsAnswer::Txt(texts)) => nearest(expected, zone, texts),
        _ => None,
    }
}

/// Of several texts the one nearest to the proof.
pub(super) fn nearest<'a>(
    expected: &ExpectedAnswer,
    zone: Option<&str>,
    texts: &'a [String],
) -> Option<ObservedValue<'a>> {
    let seen = texts.iter().map(|text| ObservedValue {
        value: text,
        flaw: flaw(expected, zone, text),
    });
    let telling = seen.filter(|seen| seen.flaw != Some(ValueFlaw::Other));
    telling.min_by_key(|seen| seen.flaw.is_some())
}

/// `None` for a value known to be right.
pub(super) fn flaw(expected: &ExpectedAnswer, zone: Option<&str>, seen: &str) -> Option<ValueFlaw> {
    let same = |one: &str, other: &str| match expected.record.kind {
        RecordKind::Txt => one == other,
        _ => one.eq_ignore_ascii_case(other),
    };
    let is_right = |seen: &str| expected.values.iter().any(|value| same(value, seen));
    if is_right(seen) {
        return None;
    }
    if is_right(seen.trim_matches(['"', '\'', ' ', '\t'])) {
        return Some(ValueFlaw::Quoted);
    }
    let lower = seen.to_ascii_lowercase();
    let without_zone = zone.and_then(|zone| lower.strip_suffix(zone)?.strip_suffix('.'));
    let known = expected.source == ExpectationSource::Shop;
    Some(match &expected.likeness {
        ValueLikeness::Hash(hash) if starts_with(&lower, hash) => match (without_zone, known) {
            (Some(_), _) => ValueFlaw::WithZone,
            (None, true) => ValueFlaw::OtherUnique,
            (None, false) => ValueFlaw::Unchecked,
        },
        ValueLikeness::Shape(shape) if ca::fits(shape, seen) => {
            if known {
                ValueFlaw::OtherToken
            } else {
                ValueFlaw::Unchecked
            }
        }
        ValueLikeness::Shape(shape) if without_zone.is_some_and(|rest| ca::fits(shape, rest)) => {
            ValueFlaw::WithZone
        }
        _ if without_zone.is_some_and(is_right) => ValueFlaw::WithZone,
        _ if reseller_record::made_of_a_request(&lower) => ValueFlaw::AnotherRequest,
        _ => ValueFlaw::Other,
    })
}

fn starts_with(value: &str, hash: &str) -> bool {
    value
        .strip_prefix(hash)
        .is_some_and(|rest| rest.starts_with('.'))
}
