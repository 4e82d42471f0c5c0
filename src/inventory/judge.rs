//! From items to judged rows: states, reasons, the rounds to come.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::due::days_between;
use super::item::{HeldKey, InventoryItem, ItemLocation, ItemOrigin, ServedLeaf, ServedQuestion};
use super::reason::{self, StatusReason};
use super::row::{RowState, StatusRow};
use crate::inventory::by_key::{KeyGroup, LeafCopies, groups};
use crate::inventory::policy::StatusPolicy;
use crate::inventory::rule_changes::{ClientAuthUse, changes};
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms};
use crate::inventory::{chain_check, crls, supersession};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::key::PublicKeyId;
use crate::pki::trust::TrustScope;
use crate::pki::verify::ChainProblem;

/// The rows of `items`: certificates, requests and keys without one, by name.
#[must_use]
pub(crate) fn rows(items: Vec<InventoryItem>, measure: &StatusPolicy<'_>) -> Vec<StatusRow> {
    let lists = crls::of(&items);
    let groups = groups(items);
    let known = Known::of(&groups, &lists, measure);
    let mut rows = Vec::new();
    for group in &groups {
        match group.leaves.as_slice() {
            [] => rows.extend(unanswered(group)),
            leaves => rows.extend(leaves.iter().map(|leaf| row(group, leaf, &known, measure))),
        }
    }
    supersession::settle(&mut rows, measure.now);
    rows.sort_by_cached_key(|row| {
        (
            row.state == RowState::Superseded,
            row.name.clone(),
            row.state,
            row.ends,
        )
    });
    rows
}

/// What is known beside the certificates, found by them: with thousands of rows, going through all
/// of it for each would take millions of looks.
struct Known<'a> {
    /// The keys that lie where servers read them, by whom they are for.
    keys: HashMap<&'a ItemOrigin, Vec<(&'a ItemLocation, PublicKeyId)>>,
    lists: &'a [(PathBuf, RevocationList)],
    /// Who should show a certificate.
    questions: HashMap<[u8; 32], Vec<&'a ServedQuestion>>,
    shown: HashSet<[u8; 32]>,
    /// Blocks that use it for names that it lacks.
    uncovered: HashMap<[u8; 32], Vec<(&'a String, &'a [String])>>,
}

impl<'a> Known<'a> {
    fn of(
        groups: &'a [KeyGroup],
        lists: &'a [(PathBuf, RevocationList)],
        measure: &StatusPolicy<'a>,
    ) -> Self {
        let mut keys: HashMap<_, Vec<_>> = HashMap::new();
        for (place, key) in groups.iter().flat_map(|group| &group.keys) {
            live(place)
                .into_iter()
                .for_each(|origin| keys.entry(origin).or_default().push((place, key.id)));
        }
        let mut questions: HashMap<_, Vec<_>> = HashMap::new();
        for question in measure.questions {
            question
                .expected
                .into_iter()
                .for_each(|leaf| questions.entry(leaf).or_default().push(question));
        }
        let shown = measure
            .questions
            .iter()
            .filter_map(|one| Some(one.answer.as_ref().ok()?.fingerprint))
            .collect();
        let mut uncovered: HashMap<_, Vec<_>> = HashMap::new();
        for (block, leaf, names) in measure.uncovered {
            uncovered
                .entry(*leaf)
                .or_default()
                .push((block, names.as_slice()));
        }
        Self {
            keys,
            lists,
            questions,
            shown,
            uncovered,
        }
    }

    /// A key that lies beside `leaf` for the same server and does not fit, where none that fits
    /// does.
    fn wrong_key(&self, leaf: &LeafCopies) -> Option<StatusReason> {
        let id = leaf.certificate.key_id;
        leaf.copies
            .iter()
            .filter_map(|copy| live(&copy.place))
            .find_map(|origin| {
                let beside = self.keys.get(origin)?;
                let (place, key) = beside
                    .first()
                    .filter(|_| beside.iter().all(|(_, key)| *key != id))?;
                let path = PathBuf::from(place.to_string());
                Some(StatusReason::WrongKey {
                    path,
                    key: *key,
                    leaf: id,
                })
            })
    }
}

fn live(place: &ItemLocation) -> Option<&ItemOrigin> {
    match place {
        ItemLocation::File { origin, .. } if origin.is_live() => Some(origin),
        _ => None,
    }
}

/// A request or a key that no certificate answers.
fn unanswered(group: &KeyGroup) -> Option<StatusRow> {
    let keys: Vec<_> = group.keys.clone();
    let (name, names, id, algorithm, state) = match (group.requests.first(), keys.first()) {
        (Some((_, asked)), _) => {
            let name = asked
                .names
                .first()
                .cloned()
                .unwrap_or_else(|| asked.id.short());
            (
                name,
                asked.names.clone(),
                asked.id,
                asked.algorithm,
                RowState::Pending,
            )
        }
        (None, Some((place, key))) => {
            // All that there is of a name is its file's.
            let path = PathBuf::from(place.to_string());
            let name = path.file_name().map_or_else(
                || key.id.short(),
                |name| name.to_string_lossy().into_owned(),
            );
            (name, Vec::new(), key.id, key.algorithm, RowState::KeyAlone)
        }
        (None, None) => return None,
    };
    let mut reasons = readable(&keys);
    reason::sort(&mut reasons);
    Some(StatusRow {
        name,
        names,
        state,
        certificate: None,
        algorithm,
        key_id: id,
        ends: None,
        due: None,
        days_left: None,
        places: Vec::new(),
        keys,
        requests: group
            .requests
            .iter()
            .map(|(place, _)| place.clone())
            .collect(),
        stem: None,
        paid_until: None,
        proof_until: None,
        rounds: Vec::new(),
        reasons,
    })
}

fn row(
    group: &KeyGroup,
    leaf: &LeafCopies,
    known: &Known<'_>,
    measure: &StatusPolicy<'_>,
) -> StatusRow {
    let certificate = &leaf.certificate;
    let stem = leaf
        .copies
        .iter()
        .find_map(|copy| copy.place.stem())
        .map(str::to_owned);
    let terms = stem
        .as_ref()
        .and_then(|stem| measure.terms.get(stem))
        .cloned()
        .unwrap_or_default();
    let state = state(group, leaf, known);
    let judged = chain_check::judge(leaf, stem.as_deref(), state, measure);
    let start = certificate.not_before;
    let due = measure.before.due(start, judged.ends);
    let mut reasons = dates(certificate, measure.now);
    let in_date = reasons.is_empty();
    reasons.extend(revoked(certificate, known.lists));
    reasons.extend(known.wrong_key(leaf));
    reasons.extend(unlike(certificate, known));
    if measure.now >= due && in_date {
        reasons.push(StatusReason::Due {
            since: due,
            ends: judged.ends,
        });
    }
    reasons.extend(judged.reasons);
    reasons.extend(readable(&group.keys));
    reasons.extend(uncovered(certificate, known));
    reasons.extend(terms.placeholder.then_some(StatusReason::Placeholder));
    let clocks = RenewalTerms {
        ends: judged.ends,
        due,
        proven: start,
        paid_until: terms.paid_until,
    };
    // What a company's own CA does with its rounds is its own business. Certificates of public CAs
    // say where their issuer is.
    let public = judged
        .scope
        .map_or(!certificate.issuer_urls.is_empty(), |scope| {
            scope == TrustScope::Public
        });
    let rounds = if public {
        schedule::rounds(clocks, measure.before, measure.now)
    } else {
        Vec::new()
    };
    let buys = rounds
        .first()
        .is_some_and(|round| round.paid == Some(PaymentCoverage::Purchase));
    reasons.extend(
        terms
            .paid_until
            .filter(|_| buys)
            .map(|on| StatusReason::TermEnds { on }),
    );
    let clients = if certificate.usage.for_clients {
        ClientAuthUse::Yes
    } else {
        ClientAuthUse::No
    };
    let until_then = start..=due.max(measure.now);
    reasons.extend(
        changes(&until_then, clients)
            .into_iter()
            .filter(|_| public)
            .map(StatusReason::Rule),
    );
    StatusRow {
        name: certificate.label(),
        names: names(certificate),
        state,
        algorithm: certificate.algorithm,
        key_id: certificate.key_id,
        ends: Some(judged.ends),
        due: Some(due),
        days_left: Some(days_between(measure.now, judged.ends)),
        places: leaf.copies.iter().map(|copy| copy.place.clone()).collect(),
        keys: group.keys.clone(),
        requests: group
            .requests
            .iter()
            .map(|(place, _)| place.clone())
            .collect(),
        stem,
        paid_until: terms.paid_until,
        proof_until: public.then(|| schedule::proof_until(start)),
        rounds,
        reasons,
        certificate: Some(Arc::clone(certificate)),
    }
}

fn state(group: &KeyGroup, leaf: &LeafCopies, known: &Known<'_>) -> RowState {
    let seen = leaf
        .copies
        .iter()
        .any(|copy| matches!(copy.place, ItemLocation::Address { .. }));
    if seen || known.shown.contains(&leaf.certificate.fingerprint) {
        RowState::Served
    } else if leaf.copies.iter().any(|copy| copy.place.is_live()) {
        RowState::Installed
    } else if group.keys.is_empty() {
        RowState::NoKey
    } else {
        RowState::Ready
    }
}

/// DNS names, then addresses.
fn names(certificate: &Certificate) -> Vec<String> {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    certificate
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .collect()
}

fn dates(certificate: &Certificate, at: Timestamp) -> Vec<StatusReason> {
    let label = certificate.label();
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    let problem = if at.as_second() < not_before.as_second() {
        ChainProblem::NotYetValid {
            label,
            not_before,
            at,
        }
    } else if at.as_second() > not_after.as_second() {
        ChainProblem::Expired {
            label,
            not_after,
            leaf: true,
        }
    } else {
        return Vec::new();
    };
    vec![StatusReason::Problem(problem)]
}

/// A list revokes it, and no later one takes it off again.
fn revoked(certificate: &Certificate, lists: &[(PathBuf, RevocationList)]) -> Option<StatusReason> {
    let (path, list) = lists.iter().find(|(_, list)| list.revokes(certificate))?;
    let lifted = |(_, other): &(PathBuf, RevocationList)| {
        other.this_update > list.this_update && other.lifts(certificate)
    };
    (!lists.iter().any(lifted)).then(|| StatusReason::Revoked { list: path.clone() })
}

/// What was shown, or why nothing was; at which addresses; for which names.
type Told = (Result<ServedLeaf, String>, Vec<SocketAddr>, Vec<String>);

/// What servers show in its place: what is the same for several names and addresses is told once.
fn unlike(certificate: &Certificate, known: &Known<'_>) -> Vec<StatusReason> {
    let is_it = |shown: &ServedLeaf| shown.fingerprint == certificate.fingerprint;
    let own = known
        .questions
        .get(&certificate.fingerprint)
        .into_iter()
        .flatten();
    let mut at_each: Vec<(Result<ServedLeaf, String>, SocketAddr, Vec<String>)> = Vec::new();
    for ServedQuestion {
        address,
        name,
        answer,
        ..
    } in own
    {
        let answer = match answer {
            Ok(shown) if is_it(shown) && shown.same_chain => continue,
            Ok(shown) => Ok(ServedLeaf {
                same_chain: is_it(shown),
                ..shown.clone()
            }),
            Err(why) => Err(why.clone()),
        };
        match at_each
            .iter_mut()
            .find(|(known, at, _)| *known == answer && at == address)
        {
            Some((.., names)) if names.contains(name) => {}
            Some((.., names)) => names.push(name.clone()),
            None => at_each.push((answer, *address, vec![name.clone()])),
        }
    }
    let mut told: Vec<Told> = Vec::new();
    for (answer, address, names) in at_each {
        match told
            .iter_mut()
            .find(|(known, _, same)| *known == answer && *same == names)
        {
            Some((_, addresses, _)) => addresses.push(address),
            None => told.push((answer, vec![address], names)),
        }
    }
    let reason = |(answer, addresses, names)| match answer {
        Ok(shown) => StatusReason::ServedDiffers {
            addresses,
            names,
            shown,
        },
        Err(why) => StatusReason::Silent {
            addresses,
            names,
            why,
        },
    };
    told.into_iter().map(reason).collect()
}

/// A file's bits for everybody.
fn readable(keys: &[(ItemLocation, HeldKey)]) -> Vec<StatusReason> {
    let open = keys.iter().filter(|(_, key)| key.mode & 0o007 != 0);
    open.map(|(place, key)| StatusReason::KeyReadable {
        path: PathBuf::from(place.to_string()),
        mode: key.mode,
    })
    .collect()
}

fn uncovered(certificate: &Certificate, known: &Known<'_>) -> Vec<StatusReason> {
    let own = known
        .uncovered
        .get(&certificate.fingerprint)
        .into_iter()
        .flatten();
    own.map(|&(block, names)| StatusReason::NamesNotCovered {
        block: block.clone(),
        names: names.to_vec(),
    })
    .collect()
}
