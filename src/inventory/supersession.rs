//! Certificates and requests for the same names: which took another's place, what lies ready, what
//! is prepared.

use std::collections::HashMap;

use jiff::Timestamp;

use super::reason::{self, StatusReason};
use super::row::{RowState, StatusRow};
use crate::inventory::request_history;
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;

/// Certificates of one family take each other's place.
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

fn meanings(rows: &[StatusRow], family: &[usize], now: Timestamp) -> Vec<(usize, Means)> {
    // A placeholder never takes the place of a real one, which a CA may have dated back.
    let order = |one: &Certificate| (!one.is_self_issued(), one.not_before, one.not_after);
    let issued = |index: usize| rows[index].certificate.as_deref().map(order);
    let Some(newest) = family
        .iter()
        .copied()
        .filter(|&index| issued(index).is_some())
        .max_by_key(|&at| issued(at))
    else {
        return Vec::new();
    };
    let pending = family
        .iter()
        .find(|&&index| rows[index].state == RowState::Pending);
    let prepared = pending.and_then(|&index| rows[index].requests.first());
    let mut meanings = Vec::new();
    for &index in family.iter().filter(|&&index| issued(index).is_some()) {
        let newer = issued(newest) > issued(index);
        let live = matches!(rows[index].state, RowState::Served | RowState::Installed);
        if newer && !live {
            meanings.push((index, Means::Superseded));
        } else if live || rows[index].state == RowState::Ready {
            let ready = newer && rows[newest].state == RowState::Ready;
            let ready = if ready {
                newer_ready(&rows[newest], now)
            } else {
                None
            };
            let prepared = prepared.map(|request| StatusReason::Prepared {
                request: request.clone(),
            });
            meanings.extend(
                ready
                    .or(prepared)
                    .map(|reason| (index, Means::Also(reason))),
            );
        }
    }
    meanings
}

fn newer_ready(row: &StatusRow, now: Timestamp) -> Option<StatusReason> {
    let certificate = row
        .certificate
        .as_ref()
        .filter(|certificate| certificate.is_in_date(now))?;
    Some(StatusReason::NewerReady {
        place: row.place()?.clone(),
        ends: certificate.not_after,
    })
}
