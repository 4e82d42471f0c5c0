//! Is a value that was seen the right one? If not, what it looks like tells how it came about.

use super::answer::{Answer, RecordKind};
use super::ca;
use crate::dcv::expectation::{Expectation, Likeness, Source};
use crate::dcv::reseller_record;

/// What is the matter with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
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
pub(super) struct Seen<'a> {
    pub(super) value: &'a str,
    pub(super) flaw: Option<Flaw>,
}

/// The value that an answer to the record's own question holds. Of several texts the one nearest to
/// the proof; texts that have nothing to do with it (SPF and others stand at the same name) are
/// none.
pub(super) fn seen<'a>(
    expected: &Expectation,
    zone: Option<&str>,
    answer: &'a Answer,
) -> Option<Seen<'a>> {
    match (expected.record.kind, answer) {
        (RecordKind::Cname, Answer::Cname(target)) => Some(Seen {
            value: target,
            flaw: flaw(expected, zone, target),
        }),
        (RecordKind::Txt, Answer::Txt(texts)) => nearest(expected, zone, texts),
        _ => None,
    }
}

/// Of several texts the one nearest to the proof.
pub(super) fn nearest<'a>(
    expected: &Expectation,
    zone: Option<&str>,
    texts: &'a [String],
) -> Option<Seen<'a>> {
    let seen = texts.iter().map(|text| Seen {
        value: text,
        flaw: flaw(expected, zone, text),
    });
    let telling = seen.filter(|seen| seen.flaw != Some(Flaw::Other));
    telling.min_by_key(|seen| seen.flaw.is_some())
}

/// `None` for a value known to be right.
pub(super) fn flaw(expected: &Expectation, zone: Option<&str>, seen: &str) -> Option<Flaw> {
    let same = |one: &str, other: &str| match expected.record.kind {
        RecordKind::Txt => one == other,
        _ => one.eq_ignore_ascii_case(other),
    };
    let is_right = |seen: &str| expected.values.iter().any(|value| same(value, seen));
    if is_right(seen) {
        return None;
    }
    if is_right(seen.trim_matches(['"', '\'', ' ', '\t'])) {
        return Some(Flaw::Quoted);
    }
    let lower = seen.to_ascii_lowercase();
    let without_zone = zone.and_then(|zone| lower.strip_suffix(zone)?.strip_suffix('.'));
    let known = expected.source == Source::Shop;
    Some(match &expected.likeness {
        Likeness::Hash(hash) if starts_with(&lower, hash) => match (without_zone, known) {
            (Some(_), _) => Flaw::WithZone,
            (None, true) => Flaw::OtherUnique,
            (None, false) => Flaw::Unchecked,
        },
        Likeness::Shape(shape) if ca::fits(shape, seen) => {
            if known {
                Flaw::OtherToken
            } else {
                Flaw::Unchecked
            }
        }
        Likeness::Shape(shape) if without_zone.is_some_and(|rest| ca::fits(shape, rest)) => {
            Flaw::WithZone
        }
        _ if without_zone.is_some_and(is_right) => Flaw::WithZone,
        _ if reseller_record::made_of_a_request(&lower) => Flaw::AnotherRequest,
        _ => Flaw::Other,
    })
}

fn starts_with(value: &str, hash: &str) -> bool {
    value
        .strip_prefix(hash)
        .is_some_and(|rest| rest.starts_with('.'))
}
