//! From items to judged rows: states, reasons, the rounds to come.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::answered;
use super::change::{ForClients, changes};
use super::due::{RenewBefore, days_between};
use super::group::{Group, Leaf, groups};
use super::item::{Item, Origin, Place, Question, Terms, What};
use super::reason::{self, Reason};
use super::rounds::{self, Clocks};
use super::row::{Row, State};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd, Prefer, Wanted};
use crate::pki::crl::RevocationList;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::lint::{self, Lint};
use crate::pki::trust::{Scope, TrustAnchors};
use crate::pki::verify::{self, Policy, Problem};

/// What rows are judged by.
#[derive(Debug)]
pub struct Measure<'a> {
    /// The instant.
    pub now: Timestamp,
    /// How long before its end a certificate is due.
    pub before: RenewBefore,
    /// Whom to trust, the first that knows the root counts.
    pub anchors: &'a [TrustAnchors],
    /// Of the pairs that certctl installed, by name.
    pub terms: &'a HashMap<String, Terms>,
    /// The anchors of those that are judged by somebody's own, by name.
    pub own_anchors: &'a HashMap<String, TrustAnchors>,
    /// Who was asked what is served.
    pub questions: &'a [Question],
    /// The names for which servers use what a place holds and which it lacks: `FILE:LINE`, the certificate, the names.
    pub uncovered: &'a [(String, [u8; 32], Vec<String>)],
}

/// The rows of `items`: certificates, requests and keys without one, by name.
#[must_use]
pub fn rows(items: Vec<Item>, measure: &Measure<'_>) -> Vec<Row> {
    let lists: Vec<(PathBuf, RevocationList)> = items
        .iter()
        .filter_map(|item| match (&item.what, &item.place) {
            (What::Revoked(list), Place::File { path, .. }) => Some((path.clone(), list.clone())),
            _ => None,
        })
        .collect();
    let groups = groups(items);
    let keys = LiveKeys::of(&groups);
    let mut rows = Vec::new();
    for group in &groups {
        match group.leaves.as_slice() {
            [] => rows.extend(unanswered(group)),
            leaves => rows.extend(leaves.iter().map(|leaf| row(group, leaf, &keys, &lists, measure))),
        }
    }
    settle(&mut rows, measure);
    rows.sort_by(|one, other| {
        (one.state == State::Superseded, &one.name, one.ends).cmp(&(
            other.state == State::Superseded,
            &other.name,
            other.ends,
        ))
    });
    rows
}

/// The keys that lie where servers read them, by whom they are for.
struct LiveKeys<'a>(Vec<(&'a Origin, &'a Place, PublicKeyId)>);

impl<'a> LiveKeys<'a> {
    fn of(groups: &'a [Group]) -> Self {
        let keys = groups.iter().flat_map(|group| &group.keys);
        Self(keys.filter_map(|(place, key)| Some((live(place)?, place, key.id))).collect())
    }

    /// A key that lies beside `leaf` for the same server and does not fit, where none that fits does.
    fn wrong(&self, leaf: &Leaf) -> Option<Reason> {
        let id = leaf.certificate.key_id;
        leaf.copies.iter().filter_map(|copy| live(&copy.place)).find_map(|origin| {
            let beside: Vec<_> = self.0.iter().filter(|(of, ..)| *of == origin).collect();
            let (_, place, key) = beside.first().filter(|_| beside.iter().all(|(.., key)| *key != id))?;
            let path = PathBuf::from(place.to_string());
            Some(Reason::WrongKey { path, key: *key, leaf: id })
        })
    }
}

fn live(place: &Place) -> Option<&Origin> {
    match place {
        Place::File { origin, .. } if origin.is_live() => Some(origin),
        _ => None,
    }
}

/// A request or a key that no certificate answers.
fn unanswered(group: &Group) -> Option<Row> {
    let keys: Vec<_> = group.keys.clone();
    let (name, names, id, algorithm, state) = match (group.requests.first(), keys.first()) {
        (Some((_, asked)), _) => {
            let name = asked.names.first().cloned().unwrap_or_else(|| asked.id.short());
            (name, asked.names.clone(), asked.id, asked.algorithm, State::Pending)
        }
        (None, Some((_, key))) => (key.id.short(), Vec::new(), key.id, key.algorithm, State::KeyAlone),
        (None, None) => return None,
    };
    let mut reasons = readable(&keys);
    reason::sort(&mut reasons);
    Some(Row {
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
        requests: group.requests.iter().map(|(place, _)| place.clone()).collect(),
        stem: None,
        paid_until: None,
        proof_until: None,
        rounds: Vec::new(),
        reasons,
    })
}

fn row(
    group: &Group,
    leaf: &Leaf,
    keys: &LiveKeys<'_>,
    lists: &[(PathBuf, RevocationList)],
    measure: &Measure<'_>,
) -> Row {
    let certificate = &leaf.certificate;
    let stem = leaf.copies.iter().find_map(|copy| copy.place.stem()).map(str::to_owned);
    let terms = stem.as_ref().and_then(|stem| measure.terms.get(stem)).cloned().unwrap_or_default();
    let state = state(group, leaf, measure);
    let judged = chain(leaf, stem.as_deref(), state, measure);
    let start = certificate.not_before;
    let due = measure.before.due(start, judged.ends);
    let mut reasons = dates(certificate, measure.now);
    reasons.extend(revoked(certificate, lists));
    reasons.extend(keys.wrong(leaf));
    reasons.extend(unlike(certificate, measure));
    if measure.now >= due && reasons.is_empty() {
        reasons.push(Reason::Due { since: due, ends: judged.ends });
    }
    reasons.extend(judged.reasons);
    reasons.extend(readable(&group.keys));
    reasons.extend(uncovered(certificate, measure));
    reasons.extend(terms.placeholder.then_some(Reason::Placeholder));
    let clocks = Clocks { ends: judged.ends, due, proven: start, paid_until: terms.paid_until };
    // What a company's own CA does with its rounds is its own business.
    let public = judged.scope != Some(Scope::Private);
    let rounds = if public { rounds::rounds(clocks, measure.before, measure.now) } else { Vec::new() };
    let clients = if certificate.usage.for_clients { ForClients::Yes } else { ForClients::No };
    let until_then = start..=due.max(measure.now);
    reasons.extend(changes(&until_then, clients).into_iter().filter(|_| public).map(Reason::Rule));
    Row {
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
        requests: group.requests.iter().map(|(place, _)| place.clone()).collect(),
        stem,
        paid_until: terms.paid_until,
        proof_until: public.then(|| rounds::proof_until(start)),
        rounds,
        reasons,
        certificate: Some(Arc::clone(certificate)),
    }
}

fn state(group: &Group, leaf: &Leaf, measure: &Measure<'_>) -> State {
    let shown = |question: &Question| {
        question.answer.as_ref().is_ok_and(|shown| shown.fingerprint == leaf.certificate.fingerprint)
    };
    let seen = leaf.copies.iter().any(|copy| matches!(copy.place, Place::Address { .. }));
    if seen || measure.questions.iter().any(shown) {
        State::Served
    } else if leaf.copies.iter().any(|copy| copy.place.is_live()) {
        State::Installed
    } else if group.keys.is_empty() {
        State::NoKey
    } else {
        State::Ready
    }
}

/// DNS names, then addresses.
fn names(certificate: &Certificate) -> Vec<String> {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    certificate.dns_names.iter().cloned().chain(addresses).collect()
}

fn dates(certificate: &Certificate, at: Timestamp) -> Vec<Reason> {
    let label = certificate.label();
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    let problem = if at.as_second() < not_before.as_second() {
        Problem::NotYetValid { label, not_before, at }
    } else if at.as_second() > not_after.as_second() {
        Problem::Expired { label, not_after, leaf: true }
    } else {
        return Vec::new();
    };
    vec![Reason::Problem(problem)]
}

fn revoked(certificate: &Certificate, lists: &[(PathBuf, RevocationList)]) -> Option<Reason> {
    let (path, _) = lists.iter().find(|(_, list)| list.revokes(certificate))?;
    Some(Reason::Revoked { list: path.clone() })
}

/// What servers show in its place.
fn unlike(certificate: &Certificate, measure: &Measure<'_>) -> Vec<Reason> {
    let own = measure.questions.iter().filter(|one| one.expected == Some(certificate.fingerprint));
    let told = own.filter_map(|question| {
        let (address, name) = (question.address, question.name.clone());
        match &question.answer {
            Ok(shown) if shown.fingerprint == certificate.fingerprint && shown.same_chain => None,
            Ok(shown) => {
                let same_chain = shown.fingerprint == certificate.fingerprint;
                let shown = super::item::Shown { same_chain, ..shown.clone() };
                Some(Reason::ServedDiffers { address, name, shown })
            }
            Err(why) => Some(Reason::Silent { address, name, why: why.clone() }),
        }
    });
    told.collect()
}

/// A file's bits for everybody.
fn readable(keys: &[(Place, super::item::HeldKey)]) -> Vec<Reason> {
    let open = keys.iter().filter(|(_, key)| key.mode & 0o007 != 0);
    open.map(|(place, key)| Reason::KeyReadable { path: PathBuf::from(place.to_string()), mode: key.mode }).collect()
}

fn uncovered(certificate: &Certificate, measure: &Measure<'_>) -> Vec<Reason> {
    let own = measure.uncovered.iter().filter(|(_, of, _)| *of == certificate.fingerprint);
    own.map(|(block, _, names)| Reason::NamesNotCovered { block: block.clone(), names: names.clone() }).collect()
}

/// What a chain comes to.
struct Judged {
    /// By whose rules it was issued, where that is known.
    scope: Option<Scope>,
    /// The first end of what the certificate depends on, its own among them.
    ends: Timestamp,
    reasons: Vec<Reason>,
}

/// What servers send is judged as they send it; what only lies in a file by the ends of the certificates beside it.
fn chain(leaf: &Leaf, stem: Option<&str>, state: State, measure: &Measure<'_>) -> Judged {
    let certificate = leaf.certificate.as_ref();
    let shown = leaf.copies.iter().find(|copy| matches!(copy.place, Place::Address { .. }));
    let live = leaf.copies.iter().find(|copy| copy.place.is_live());
    let longest = || leaf.copies.iter().max_by_key(|copy| copy.chain.len());
    let Some(copy) = live.or(shown).or_else(longest) else {
        return Judged { scope: None, ends: certificate.not_after, reasons: Vec::new() };
    };
    let bag: Vec<Certificate> = copy.chain.iter().map(|one| one.as_ref().clone()).collect();
    let anchors = stem.and_then(|stem| measure.own_anchors.get(stem)).map(std::slice::from_ref);
    let (assembled, problems, scope) = best(certificate, &bag, anchors.unwrap_or(measure.anchors), measure.now);
    let mut reasons = Vec::new();
    if matches!(state, State::Served | State::Installed) {
        let own_dates = |problem: &Problem| {
            matches!(problem, Problem::NotYetValid { .. }) || matches!(problem, Problem::Expired { leaf: true, .. })
        };
        reasons.extend(problems.into_iter().filter(|problem| !own_dates(problem)).map(Reason::Problem));
    } else {
        let weak = |problem: &Problem| matches!(problem, Problem::WeakKey { .. } | Problem::WeakSignature { .. });
        reasons.extend(problems.into_iter().filter(weak).map(Reason::Problem));
    }
    let first = assembled.intermediates().iter().min_by_key(|one| one.not_after);
    let first = first.filter(|one| one.not_after < certificate.not_after);
    reasons.extend(first.map(|one| Reason::EndsFirst { label: one.label(), ends: one.not_after }));
    // Of what is of nobody known only what binds everybody is held against it.
    let refuses = |lint: &Lint| lint.weight(scope.unwrap_or(Scope::Private)) == Some(lint::Weight::Refuses);
    reasons.extend(lint::lints(&assembled).into_iter().filter(refuses).map(Reason::Weak));
    Judged { scope, ends: first.map_or(certificate.not_after, |one| one.not_after), reasons }
}

/// The chain by the first of `anchors` that knows its root, else by the first of all.
fn best(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &[TrustAnchors],
    at: Timestamp,
) -> (Chain, Vec<Problem>, Option<Scope>) {
    let by = |anchors: &TrustAnchors| {
        let chain = verify::assemble(leaf, bag, Wanted { anchors, at, prefer: Prefer::default() }).chain;
        let problems = verify::problems(&chain, Policy { hosts: &[], anchors, at });
        let scope = (*chain.end() == ChainEnd::Anchored).then(|| anchors.source().scope());
        (chain, problems, scope)
    };
    let known = anchors.iter().map(by).find(|(.., scope)| scope.is_some());
    known.unwrap_or_else(|| match anchors.first() {
        Some(first) => by(first),
        None => by(&TrustAnchors::mozilla()),
    })
}

/// Certificates of one family take each other's place.
#[derive(Eq, Hash, PartialEq)]
struct Family {
    names: Vec<String>,
    rsa: bool,
}

fn family(row: &Row) -> Family {
    let mut names: Vec<String> = row.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort();
    Family { names, rsa: matches!(row.algorithm, KeyAlgorithm::Rsa(_)) }
}

/// What the rows of the same names mean for each other.
fn settle(rows: &mut [Row], measure: &Measure<'_>) {
    let answered = answered::rounds(rows);
    answered::supersede(rows, &answered);
    let mut families: HashMap<Family, Vec<usize>> = HashMap::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| !row.names.is_empty()) {
        families.entry(family(row)).or_default().push(index);
    }
    for family in families.into_values() {
        for (index, means) in meanings(rows, &family, measure) {
            match means {
                Means::Also(reason) => rows[index].reasons.push(reason),
                Means::Superseded => {
                    rows[index].state = State::Superseded;
                    rows[index].reasons.retain(|reason| matches!(reason, Reason::KeyReadable { .. }));
                }
            }
        }
    }
    answered::prepared(rows, &answered);
    for row in rows {
        reason::sort(&mut row.reasons);
    }
}

/// What the others of its family mean for a row.
enum Means {
    Also(Reason),
    Superseded,
}

fn meanings(rows: &[Row], family: &[usize], measure: &Measure<'_>) -> Vec<(usize, Means)> {
    let issued = |index: usize| rows[index].certificate.as_ref().map(|one| (one.not_before, one.not_after));
    let Some(newest) = family.iter().copied().filter(|&index| issued(index).is_some()).max_by_key(|&at| issued(at))
    else {
        return Vec::new();
    };
    let pending = family.iter().find(|&&index| rows[index].state == State::Pending);
    let prepared = pending.and_then(|&index| rows[index].requests.first());
    let mut meanings = Vec::new();
    for &index in family.iter().filter(|&&index| issued(index).is_some()) {
        let newer = issued(newest) > issued(index);
        let live = matches!(rows[index].state, State::Served | State::Installed);
        if newer && !live {
            meanings.push((index, Means::Superseded));
        } else if live {
            let ready = newer && rows[newest].state == State::Ready;
            let ready = if ready { newer_ready(&rows[newest], measure.now) } else { None };
            let prepared = prepared.map(|request| Reason::Prepared { path: PathBuf::from(request.to_string()) });
            meanings.extend(ready.or(prepared).map(|reason| (index, Means::Also(reason))));
        }
    }
    meanings
}

fn newer_ready(row: &Row, now: Timestamp) -> Option<Reason> {
    let certificate = row.certificate.as_ref().filter(|certificate| certificate.is_in_date(now))?;
    let path = PathBuf::from(row.place()?.to_string());
    Some(Reason::NewerReady { path, ends: certificate.not_after })
}
