//! What the names of requests' files tell:
//! `example.com-2.csr` is the round after `example.com.csr`, whatever names the CA put into the
//! certificate.

use std::collections::HashMap;
use std::path::PathBuf;

use super::item::ItemLocation;
use super::reason::StatusReason;
use super::row::{RowState, StatusRow};
use crate::matching::file_names;

/// The latest round of each lineage that has its certificate.
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

/// A request waits for nothing any more once a later round of it has its certificate.
pub(super) fn supersede(rows: &mut [StatusRow], rounds: &HashMap<PathBuf, u32>) {
    let over = |place: &ItemLocation| {
        lineage(place).is_some_and(|(lineage, round)| {
            rounds.get(&lineage).is_some_and(|latest| round <= *latest)
        })
    };
    for row in rows
        .iter_mut()
        .filter(|row| row.state == RowState::Pending && row.requests.iter().all(over))
    {
        row.state = RowState::Superseded;
    }
}

/// What is in use or could be is told of the next round of its own request, where the CA gave it
/// other names than were asked for.
pub(super) fn prepared(rows: &mut [StatusRow], rounds: &HashMap<PathBuf, u32>) {
    let pending = rows
        .iter()
        .filter(|row| row.state == RowState::Pending)
        .flat_map(|row| &row.requests);
    let next: HashMap<PathBuf, ItemLocation> = pending
        .filter_map(|place| {
            let (lineage, _) = lineage(place)?;
            rounds
                .contains_key(&lineage)
                .then(|| (lineage, place.clone()))
        })
        .collect();
    for row in rows.iter_mut().filter(|row| {
        matches!(
            row.state,
            RowState::Served | RowState::Installed | RowState::Ready
        )
    }) {
        let latest = |place: &ItemLocation| {
            lineage(place).filter(|(lineage, round)| rounds.get(lineage) == Some(round))
        };
        let request = row
            .requests
            .iter()
            .filter_map(latest)
            .find_map(|(lineage, _)| next.get(&lineage));
        if let (false, Some(request)) = (is_prepared(row), request) {
            row.reasons.push(StatusReason::Prepared {
                request: request.clone(),
            });
        }
    }
}

/// Whether a reason of the row names the next request or the certificate for it.
fn is_prepared(row: &StatusRow) -> bool {
    let prepared = |reason: &StatusReason| {
        matches!(
            reason,
            StatusReason::Prepared { .. } | StatusReason::NewerReady { .. }
        )
    };
    row.reasons.iter().any(prepared)
}

fn lineage(place: &ItemLocation) -> Option<(PathBuf, u32)> {
    match place {
        ItemLocation::File { path, .. } => Some(file_names::lineage(path)),
        ItemLocation::Address { .. } => None,
    }
}
