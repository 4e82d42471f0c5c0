//! Orders requests by their file names: `example.com-2.csr` is the renewal after `example.com.csr`,
//! whatever names the CA put into the certificate.

use std::collections::HashMap;
use std::path::PathBuf;

use super::item::ItemLocation;
use super::reason::StatusReason;
use super::row::{RowState, StatusRow};
use crate::matching::file_names;

/// Returns the number of the latest renewal of each lineage whose certificate was found.
pub(super) fn latest_renewals(rows: &[StatusRow]) -> HashMap<PathBuf, u32> {
    let mut latest = HashMap::new();
    let answered = rows
        .iter()
        .filter(|row| row.certificate.is_some())
        .flat_map(|row| &row.requests);
    for (lineage, number) in answered.filter_map(lineage) {
        let known = latest.entry(lineage).or_insert(number);
        *known = number.max(*known);
    }
    latest
}

/// Marks pending requests as superseded if this or a later renewal of the lineage has its
/// certificate.
pub(super) fn supersede(rows: &mut [StatusRow], latest: &HashMap<PathBuf, u32>) {
    let pending = rows.iter_mut().filter(|row| row.state == RowState::Pending);
    for row in pending {
        let mut requests = row.requests.iter();
        if requests.all(|place| has_later_certificate(place, latest)) {
            row.state = RowState::Superseded;
            row.reasons.retain(|reason| !is_about_waiting(reason));
        }
    }
}

/// Whether a reason holds only while the request waits for its certificate.
fn is_about_waiting(reason: &StatusReason) -> bool {
    matches!(
        reason,
        StatusReason::RequestPending { .. } | StatusReason::RequestWithoutKey { .. }
    )
}

fn has_later_certificate(request: &ItemLocation, latest: &HashMap<PathBuf, u32>) -> bool {
    let Some((lineage, number)) = lineage(request) else {
        return false;
    };
    latest.get(&lineage).is_some_and(|latest| number <= *latest)
}

/// Adds the next request of its lineage to a row that is in use or ready. Requests for the same
/// names were already added; this is for certificates with other names than the request.
pub(super) fn prepared(rows: &mut [StatusRow], latest: &HashMap<PathBuf, u32>) {
    let next = pending_requests(rows, latest);
    let in_use = rows.iter_mut().filter(|row| {
        matches!(
            row.state,
            RowState::Served | RowState::Installed | RowState::Ready | RowState::KeyRefused
        )
    });
    for row in in_use.filter(|row| !is_prepared(row)) {
        let request = row
            .requests
            .iter()
            .filter_map(lineage)
            .filter(|(lineage, number)| latest.get(lineage) == Some(number))
            .find_map(|(lineage, _)| next.get(&lineage));
        if let Some(request) = request {
            row.reasons.push(StatusReason::Prepared {
                request: request.clone(),
            });
        }
    }
}

/// Returns the pending request of each lineage that has a certificate.
fn pending_requests(
    rows: &[StatusRow],
    latest: &HashMap<PathBuf, u32>,
) -> HashMap<PathBuf, ItemLocation> {
    let pending = rows
        .iter()
        .filter(|row| row.state == RowState::Pending)
        .flat_map(|row| &row.requests);
    let mut next = HashMap::new();
    for place in pending {
        if let Some((lineage, _)) = lineage(place)
            && latest.contains_key(&lineage)
        {
            next.insert(lineage, place.clone());
        }
    }
    next
}

/// Returns whether a reason of the row is the next request or the next certificate.
fn is_prepared(row: &StatusRow) -> bool {
    row.reasons
        .iter()
        .any(|reason| reason.is_newer() || matches!(reason, StatusReason::Prepared { .. }))
}

fn lineage(place: &ItemLocation) -> Option<(PathBuf, u32)> {
    match place {
        ItemLocation::File { path, .. } => Some(file_names::split_renewal_path(path)),
        ItemLocation::Address { .. } => None,
    }
}
