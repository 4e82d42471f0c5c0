//! What the certificates beside a site's own mean for it: whether they lead to somebody who is
//! trusted, and which of them ends first.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::item::Place;
use super::reason::Reason;
use super::row::State;
use crate::inventory::by_key::{Copy, Leaf};
use crate::inventory::policy::Measure;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd, Prefer, Wanted};
use crate::pki::lint::{self, Lint};
use crate::pki::trust::{Scope, TrustAnchors};
use crate::pki::verify::{self, Policy, Problem};

/// What a chain comes to.
pub(super) struct Judged {
    /// By whose rules it was issued, where that is known.
    pub(super) scope: Option<Scope>,
    /// The first end of what the certificate depends on, its own among them.
    pub(super) ends: Timestamp,
    pub(super) reasons: Vec<Reason>,
}

/// What servers read and what each address sends is judged as it is, each for itself: what is whole
/// in a file here says nothing of a host that sends less. What only lies in a file is judged by the
/// ends of the certificates beside it.
pub(super) fn judge(
    leaf: &Leaf,
    stem: Option<&str>,
    state: State,
    measure: &Measure<'_>,
) -> Judged {
    let certificate = leaf.certificate.as_ref();
    let anchors = stem
        .and_then(|stem| measure.own_anchors.get(stem))
        .map(std::slice::from_ref);
    let one = |copy: &Copy| {
        judge_one(
            certificate,
            copy,
            anchors.unwrap_or(measure.anchors),
            state,
            measure.now,
        )
    };
    let mut judged = Judged {
        scope: None,
        ends: certificate.not_after,
        reasons: Vec::new(),
    };
    let sent = sent(leaf);
    let each: Vec<(Judged, &[SocketAddr])> = sent
        .iter()
        .map(|(copy, by)| (one(copy), by.as_slice()))
        .collect();
    for (found, by) in &each {
        judged.scope = judged.scope.or(found.scope);
        judged.ends = judged.ends.min(found.ends);
        for reason in &found.reasons {
            let everywhere = each.iter().all(|(other, _)| other.reasons.contains(reason));
            let said = match by.is_empty() || everywhere {
                true => reason.clone(),
                false => Reason::Sent {
                    by: by.to_vec(),
                    reason: Box::new(reason.clone()),
                },
            };
            if !judged.reasons.contains(&said) {
                judged.reasons.push(said);
            }
        }
    }
    judged
}

/// Each chain that differs from the others, with the addresses that send it; without any what lies
/// in a file.
fn sent(leaf: &Leaf) -> Vec<(&Copy, Vec<SocketAddr>)> {
    let mut sent: Vec<(&Copy, Vec<SocketAddr>)> = Vec::new();
    let (live, others): (Vec<&Copy>, Vec<&Copy>) =
        leaf.copies.iter().partition(|copy| copy.place.is_live());
    for copy in live.into_iter().chain(others) {
        let by = match copy.place {
            Place::Address { address, .. } => Some(address),
            Place::File { .. } if copy.place.is_live() => None,
            Place::File { .. } => continue,
        };
        match (
            sent.iter_mut()
                .find(|(known, _)| known.bag.is_same(&copy.bag)),
            by,
        ) {
            // What servers here read is not only theirs who send it.
            (Some((known, all)), Some(by)) if !known.place.is_live() => all.push(by),
            (Some(_), _) => {}
            (None, by) => sent.push((copy, by.into_iter().collect())),
        }
    }
    if sent.is_empty() {
        sent.extend(
            leaf.copies
                .iter()
                .max_by_key(|copy| copy.bag.all().len())
                .map(|copy| (copy, Vec::new())),
        );
    }
    sent
}

fn judge_one(
    certificate: &Certificate,
    copy: &Copy,
    anchors: &[TrustAnchors],
    state: State,
    now: Timestamp,
) -> Judged {
    let (assembled, problems, scope) =
        best(certificate, &copy.bag.above(certificate), anchors, now);
    let counts = |problem: &Problem| match state {
        State::Served | State::Installed => !matches!(
            problem,
            Problem::NotYetValid { .. } | Problem::Expired { leaf: true, .. }
        ),
        _ => matches!(
            problem,
            Problem::WeakKey { .. } | Problem::WeakSignature { .. }
        ),
    };
    let mut reasons: Vec<Reason> = problems
        .into_iter()
        .filter(counts)
        .map(Reason::Problem)
        .collect();
    let first = assembled
        .intermediates()
        .iter()
        .min_by_key(|one| one.not_after);
    let first = first.filter(|one| one.not_after < certificate.not_after);
    reasons.extend(first.map(|one| Reason::EndsFirst {
        label: one.label(),
        ends: one.not_after,
    }));
    // Of what is of nobody known only what binds everybody is held against it.
    let refuses =
        |lint: &Lint| lint.weight(scope.unwrap_or(Scope::Private)) == Some(lint::Weight::Refuses);
    reasons.extend(
        lint::lints(&assembled)
            .into_iter()
            .filter(refuses)
            .map(Reason::Weak),
    );
    Judged {
        scope,
        ends: first.map_or(certificate.not_after, |one| one.not_after),
        reasons,
    }
}

/// The chain by the first of `anchors` that knows its root, else by the first of all.
fn best(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &[TrustAnchors],
    at: Timestamp,
) -> (Chain, Vec<Problem>, Option<Scope>) {
    let by = |anchors: &TrustAnchors| {
        let chain = verify::assemble(
            leaf,
            bag,
            Wanted {
                anchors,
                at,
                prefer: Prefer::default(),
            },
        )
        .chain;
        let problems = verify::problems(
            &chain,
            Policy {
                hosts: &[],
                anchors,
                at,
            },
        );
        let scope = (*chain.end() == ChainEnd::Anchored).then(|| anchors.source().scope());
        (chain, problems, scope)
    };
    let known = anchors.iter().map(by).find(|(.., scope)| scope.is_some());
    known.unwrap_or_else(|| match anchors.first() {
        Some(first) => by(first),
        None => by(&TrustAnchors::mozilla()),
    })
}
