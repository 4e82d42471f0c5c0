//! What the names of requests' files tell:
//! `example.com-2.csr` is the round after `example.com.csr`, whatever names the CA put into the
//! certificate.

use std::collections::HashMap;
use std::path::PathBuf;

use super::item::Place;
use super::reason::Reason;
use super::row::{Row, State};
use crate::matching::file_names;

/// The latest round of each lineage that has its certificate.
pub(super) fn rounds(rows: &[Row]) -> HashMap<PathBuf, u32> {
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
pub(super) fn supersede(rows: &mut [Row], rounds: &HashMap<PathBuf, u32>) {
    let over = |place: &Place| {
        lineage(place).is_some_and(|(lineage, round)| {
            rounds.get(&lineage).is_some_and(|latest| round <= *latest)
        })
    };
    for row in rows
        .iter_mut()
        .filter(|row| row.state == State::Pending && row.requests.iter().all(over))
    {
        row.state = State::Superseded;
    }
}

/// What is in use or could be is told of the next round of its own request, where the CA gave it
/// other names than were asked for.
pub(super) fn prepared(rows: &mut [Row], rounds: &HashMap<PathBuf, u32>) {
    let pending = rows
        .iter()
        .filter(|row| row.state == State::Pending)
        .flat_map(|row| &row.requests);
    let next: HashMap<PathBuf, Place> = pending
        .filter_map(|place| {
            let (lineage, _) = lineage(place)?;
            rounds
                .contains_key(&lineage)
                .then(|| (lineage, place.clone()))
        })
        .collect();
    for row in rows
        .iter_mut()
        .filter(|row| matches!(row.state, State::Served | State::Installed | State::Ready))
    {
        let known = row
            .reasons
            .iter()
            .any(|one| matches!(one, Reason::Prepared { .. } | Reason::NewerReady { .. }));
        let latest = |place: &Place| {
            lineage(place).filter(|(lineage, round)| rounds.get(lineage) == Some(round))
        };
        let request = row
            .requests
            .iter()
            .filter_map(latest)
            .find_map(|(lineage, _)| next.get(&lineage));
        if let (false, Some(request)) = (known, request) {
            row.reasons.push(Reason::Prepared {
                request: request.clone(),
            });
        }
    }
}

fn lineage(place: &Place) -> Option<(PathBuf, u32)> {
    match place {
        Place::File { path, .. } => Some(file_names::lineage(path)),
        Place::Address { .. } => None,
    }
}
