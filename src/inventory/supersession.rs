//! Certificates and requests for the same names: which one superseded another, which is ready to be
//! installed, which request is prepared.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;

use super::reason::{self, StatusReason};
use super::row::{RowState, StatusRow};
use crate::inventory::request_history;

use crate::pki::key::KeyAlgorithm;

/// Certificates for the same names with the same kind of key supersede each other.
#[derive(Eq, Hash, PartialEq)]
struct Family {
    names: Vec<String>,
    rsa: bool,
}

fn family(row: &StatusRow) -> Family {
    let mut names: Vec<String> = row
        .names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    names.sort();
    Family {
        names,
        rsa: matches!(row.algorithm, KeyAlgorithm::Rsa(_)),
    }
}

/// What the rows of the same names mean for each other.
pub(super) fn settle(rows: &mut [StatusRow], now: Timestamp) {
    let answered = request_history::rounds(rows);
    request_history::supersede(rows, &answered);
    let mut families: HashMap<Family, Vec<usize>> = HashMap::new();
    for (index, row) in rows
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.names.is_empty())
    {
        families.entry(family(row)).or_default().push(index);
    }
    for family in families.into_values() {
        for (index, means) in meanings(rows, &family, now) {
            match means {
                Means::Also(reason) => rows[index].reasons.push(reason),
                Means::Superseded => {
                    rows[index].state = RowState::Superseded;
                    rows[index]
                        .reasons
                        .retain(|reason| matches!(reason, StatusReason::KeyReadable { .. }));
                }
            }
        }
    }
    request_history::prepared(rows, &answered);
    for row in rows {
        reason::sort(&mut row.reasons);
    }
}

/// What the others of its family mean for a row.
enum Means {
    Also(StatusReason),
    Superseded,
}

/// What the rows of one family, by their indices, mean for each other.
fn meanings(rows: &[StatusRow], family: &[usize], now: Timestamp) -> Vec<(usize, Means)> {
    let issued: Vec<IssuedRow> = family
        .iter()
        .filter_map(|&index| IssuedRow::new(rows, index))
        .collect();
    let Some(newest) = issued.iter().max_by_key(|one| one.order) else {
        return Vec::new();
    };
    let pending = family
        .iter()
        .map(|&index| &rows[index])
        .find(|row| row.state == RowState::Pending);
    let prepared = pending.and_then(|row| row.requests.first());
    let next = NextCertificate {
        ready: newer_ready(&rows[newest.index], now),
        prepared: prepared.map(|request| StatusReason::Prepared {
            request: request.clone(),
        }),
    };
    let mut meanings = Vec::new();
    for one in &issued {
        let comparison = newest.order.cmp(&one.order);
        let meaning = meaning(rows[one.index].state, comparison, &next);
        meanings.extend(meaning.map(|meaning| (one.index, meaning)));
    }
    meanings
}

/// What may take the place of the certificates of a family.
struct NextCertificate {
    /// The newest certificate, where it can be installed.
    ready: Option<StatusReason>,
    /// A request that waits for its certificate.
    prepared: Option<StatusReason>,
}

/// What the rest of its family means for a certificate in this state; `newest` is how the newest
/// certificate compares with it.
fn meaning(state: RowState, newest: Ordering, next: &NextCertificate) -> Option<Means> {
    let has_newer = newest == Ordering::Greater;
    let is_live = matches!(state, RowState::Served | RowState::Installed);
    if has_newer && !is_live {
        return Some(Means::Superseded);
    }
    if !is_live && state != RowState::Ready {
        return None;
    }
    let ready = next.ready.as_ref().filter(|_| has_newer);
    let reason = ready.or(next.prepared.as_ref());
    reason.cloned().map(Means::Also)
}

/// A row with a certificate.
struct IssuedRow {
    index: usize,
    /// The greatest is the newest. A placeholder never takes the place of a real certificate, which
    /// a CA may have dated back.
    order: (bool, Timestamp, Timestamp),
}

impl IssuedRow {
    fn new(rows: &[StatusRow], index: usize) -> Option<Self> {
        let certificate = rows[index].certificate.as_deref()?;
        Some(Self {
            index,
            order: (
                !certificate.is_self_issued(),
                certificate.not_before,
                certificate.not_after,
            ),
        })
    }
}

/// That the newest certificate of the family, if its key is here and it is valid, can be installed.
fn newer_ready(row: &StatusRow, now: Timestamp) -> Option<StatusReason> {
    let certificate = row.certificate.as_ref()?;
    if row.state != RowState::Ready || !certificate.is_in_date(now) {
        return None;
    }
    Some(StatusReason::NewerReady {
        place: row.main_location()?.clone(),
        ends: certificate.not_after,
    })
}
