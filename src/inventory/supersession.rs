//! Compares certificates and requests for the same names: which certificate supersedes another,
//! which one can be installed, which request is prepared for the next renewal.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;

use super::reason::{self, DeployedNewer, StatusReason};
use super::row::{RowState, StatusRow};
use crate::inventory::policy::StatusPolicy;
use crate::inventory::request_history;

use crate::pki::key::KeyAlgorithm;

/// Certificates for the same names with the same kind of key; the newest supersedes the others.
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

/// Compares the rows of each family and updates their states and reasons.
pub(super) fn settle(rows: &mut [StatusRow], policy: &StatusPolicy<'_>) {
    let answered = request_history::latest_renewals(rows);
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
        for (index, effect) in effects(rows, &family, policy) {
            match effect {
                FamilyEffect::Reason(reason) => rows[index].reasons.push(*reason),
                FamilyEffect::Superseded => {
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

/// The effect of the rest of its family on a row.
enum FamilyEffect {
    /// A reason to add to the row.
    Reason(Box<StatusReason>),
    Superseded,
}

/// Returns the effects within one family, each with the index of the row that it applies to.
fn effects(
    rows: &[StatusRow],
    family: &[usize],
    policy: &StatusPolicy<'_>,
) -> Vec<(usize, FamilyEffect)> {
    let issued: Vec<IssuedRow> = family
        .iter()
        .filter_map(|&index| IssuedRow::new(rows, index))
        .collect();
    let Some(newest) = issued.iter().max_by_key(|one| one.order) else {
        return Vec::new();
    };
    let rolled_back = rolled_back_at(&rows[newest.index], policy);
    let next = NextCertificate::find(rows, family, newest.index, policy);
    let mut effects = Vec::new();
    for one in &issued {
        let comparison = newest.order.cmp(&one.order);
        let effect = effect(rows[one.index].state, comparison, &next);
        effects.extend(effect.map(|effect| (one.index, effect)));
    }
    let reason = rolled_back.map(|at| Box::new(StatusReason::RolledBack { at }));
    effects.extend(reason.map(|reason| (newest.index, FamilyEffect::Reason(reason))));
    effects
}

/// Returns when the certificate of `row` was replaced by a rollback, if it was not installed since.
fn rolled_back_at(row: &StatusRow, policy: &StatusPolicy<'_>) -> Option<Timestamp> {
    let certificate = row.certificate.as_ref()?;
    let is_live = matches!(row.state, RowState::Served | RowState::Installed);
    let mut rollbacks = policy.terms.values().filter_map(|terms| terms.rolled_back);
    let (_, at) = rollbacks.find(|(leaf, _)| *leaf == certificate.fingerprint)?;
    (!is_live).then_some(at)
}

/// What can replace the certificates of a family.
struct NextCertificate {
    /// The newest certificate, if it can be installed.
    ready: Option<StatusReason>,
    /// The newest certificate, if it is deployed on this machine.
    deployed: Option<StatusReason>,
    /// A request that waits for its certificate.
    prepared: Option<StatusReason>,
}

impl NextCertificate {
    /// Finds it for the rows of `family`; `newest` is the row with the newest certificate, which is
    /// not suggested again if it was rolled back.
    fn find(
        rows: &[StatusRow],
        family: &[usize],
        newest: usize,
        policy: &StatusPolicy<'_>,
    ) -> Self {
        let row = &rows[newest];
        let mut members = family.iter().map(|&index| &rows[index]);
        let pending = members.find(|row| row.state == RowState::Pending);
        let prepared = pending.and_then(|row| row.requests.first()).cloned();
        let is_rolled_back = rolled_back_at(row, policy).is_some();
        Self {
            ready: newer_ready(row, policy.now).filter(|_| !is_rolled_back),
            deployed: newer_deployed(row, policy.now),
            prepared: prepared.map(|request| StatusReason::Prepared { request }),
        }
    }
}

/// Returns the effect on a certificate in `state`; `newest` is how the newest certificate compares
/// with it.
fn effect(state: RowState, newest: Ordering, next: &NextCertificate) -> Option<FamilyEffect> {
    let has_newer = newest == Ordering::Greater;
    let is_live = matches!(state, RowState::Served | RowState::Installed);
    if has_newer && !is_live {
        return Some(FamilyEffect::Superseded);
    }
    if !is_live && !matches!(state, RowState::Ready | RowState::KeyRefused) {
        return None;
    }
    let ready = next.ready.as_ref().filter(|_| has_newer);
    let is_older_served = has_newer && state == RowState::Served;
    let deployed = next.deployed.as_ref().filter(|_| is_older_served);
    let reason = ready.or(deployed).or(next.prepared.as_ref());
    reason.cloned().map(Box::new).map(FamilyEffect::Reason)
}

/// A row with a certificate.
struct IssuedRow {
    index: usize,
    /// The greatest is the newest. A placeholder is older than any real certificate, because a CA
    /// may backdate certificates.
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

/// Returns a reason if the newest certificate of the family is deployed on this machine and valid:
/// a server that sends an older one only has to load it.
fn newer_deployed(row: &StatusRow, now: Timestamp) -> Option<StatusReason> {
    let certificate = row.certificate.as_ref()?;
    if !certificate.is_in_date(now) {
        return None;
    }
    let newer = DeployedNewer {
        place: row.locations.iter().find(|place| place.is_live())?.clone(),
        key: row.keys.first().map(|(key, _)| key.clone()),
        installed_as: row.installed_as.clone(),
    };
    Some(StatusReason::NewerNotServed {
        newer,
        expiry: certificate.not_after,
    })
}

/// Returns a reason if the newest certificate of the family is valid and its key is here: it can be
/// installed, at least once its key may be used.
fn newer_ready(row: &StatusRow, now: Timestamp) -> Option<StatusReason> {
    let certificate = row.certificate.as_ref()?;
    if !certificate.is_in_date(now) {
        return None;
    }
    let place = row.main_location()?.clone();
    let expiry = certificate.not_after;
    match row.state {
        RowState::Ready => Some(StatusReason::NewerReady { place, expiry }),
        RowState::KeyRefused => {
            let mut reasons = row.reasons.iter();
            reasons.find_map(|reason| match reason {
                StatusReason::KeyRefused(key) => Some(StatusReason::NewerRefused {
                    place: place.clone(),
                    expiry,
                    key: key.clone(),
                }),
                _ => None,
            })
        }
        _ => None,
    }
}
