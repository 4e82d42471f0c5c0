//! What the file names of requests tell: `example.com-2.csr` is the renewal after `example.com.csr`,
//! whatever names the CA put into the certificate.

use std::collections::HashMap;
use std::path::PathBuf;

use super::item::ItemLocation;
use super::reason::StatusReason;
use super::row::{RowState, StatusRow};
use crate::matching::file_names;

/// The latest renewal of each lineage that has its certificate.
pub(super) fn rounds(rows: &[StatusRow]) -> HashMap<PathBuf, u32> {
    let mut rounds = HashMap::new();
    let answered = rows
        .iter()
        .filter(|row| row.certificate.is_some())
        .flat_map(|row| &row.requests);
    for (lineage, round) in answered.filter_map(lineage) {
        let known = rounds.entry(lineage).or_insert(round);
        *known = round.max(*known);
    }
    rounds
}

/// Supersedes pending requests of which a later one in the lineage has its certificate.
pub(super) fn supersede(rows: &mut [StatusRow], rounds: &HashMap<PathBuf, u32>) {
    let pending = rows.iter_mut().filter(|row| row.state == RowState::Pending);
    for row in pending {
        let mut requests = row.requests.iter();
        if requests.all(|place| has_later_certificate(place, rounds)) {
            row.state = RowState::Superseded;
        }
    }
}

fn has_later_certificate(request: &ItemLocation, rounds: &HashMap<PathBuf, u32>) -> bool {
    let Some((lineage, round)) = lineage(request) else {
        return false;
    };
    rounds.get(&lineage).is_some_and(|latest| round <= *latest)
}

/// Adds the next request of its lineage to a row that is in use or ready. Requests for the same names
/// are added already; this is for certificates to which the CA gave other names than were requested.
pub(super) fn prepared(rows: &mut [StatusRow], rounds: &HashMap<PathBuf, u32>) {
    let next = pending_requests(rows, rounds);
    let in_use = rows.iter_mut().filter(|row| {
        matches!(
            row.state,
            RowState::Served | RowState::Installed | RowState::Ready
        )
    });
    for row in in_use.filter(|row| !is_prepared(row)) {
        let request = row
            .requests
            .iter()
            .filter_map(lineage)
            .filter(|(lineage, round)| rounds.get(lineage) == Some(round))
            .find_map(|(lineage, _)| next.get(&lineage));
        if let Some(request) = request {
            row.reasons.push(StatusReason::Prepared {
                request: request.clone(),
            });
        }
    }
}

/// The pending request of each lineage that has a certificate.
fn pending_requests(
    rows: &[StatusRow],
    rounds: &HashMap<PathBuf, u32>,
) -> HashMap<PathBuf, ItemLocation> {
    let pending = rows
        .iter()
        .filter(|row| row.state == RowState::Pending)
        .flat_map(|row| &row.requests);
    let mut next = HashMap::new();
    for place in pending {
        if let Some((lineage, _)) = lineage(place)
            && rounds.contains_key(&lineage)
        {
            next.insert(lineage, place.clone());
        }
    }
    next
}

/// Whether a reason of the row names the next request or the certificate for it.
fn is_prepared(row: &StatusRow) -> bool {
    row.reasons.iter().any(|reason| {
        matches!(
            reason,
            StatusReason::Prepared { .. } | StatusReason::NewerReady { .. }
        )
    })
}

fn lineage(place: &ItemLocation) -> Option<(PathBuf, u32)> {
    match place {
        ItemLocation::File { path, .. } => Some(file_names::split_renewal_path(path)),
        ItemLocation::Address { .. } => None,
    }
}
