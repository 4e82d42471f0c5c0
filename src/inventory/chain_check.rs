//! What the certificates beside a site's own mean for it: whether they lead to somebody who is
//! trusted, and which of them ends first.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::item::ItemLocation;
use super::reason::StatusReason;
use super::row::RowState;
use crate::inventory::by_key::{CertificateCopy, LeafCopies};
use crate::inventory::policy::StatusPolicy;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainEnd, ChainPreference};
use crate::pki::lint::{self, LintViolation};
use crate::pki::trust::{TrustAnchors, TrustScope};
use crate::pki::verify::{self, ChainProblem, VerifyPolicy};

/// What a chain comes to.
pub(super) struct CheckedChain {
    /// By whose rules it was issued, where that is known.
    pub(super) scope: Option<TrustScope>,
    /// The first end of what the certificate depends on, its own among them.
    pub(super) ends: Timestamp,
    pub(super) reasons: Vec<StatusReason>,
}

/// What servers read and what each address sends is judged as it is, each for itself: what is whole
/// in a file here says nothing of a host that sends less. What only lies in a file is judged by the
/// ends of the certificates beside it.
pub(super) fn judge(
    leaf: &LeafCopies,
    stem: Option<&str>,
    state: RowState,
    measure: &StatusPolicy<'_>,
) -> CheckedChain {
    let certificate = leaf.certificate.as_ref();
    let anchors = stem
        .and_then(|stem| measure.own_anchors.get(stem))
        .map(std::slice::from_ref);
    let one = |copy: &CertificateCopy| {
        judge_one(
            certificate,
            copy,
            anchors.unwrap_or(measure.anchors),
            state,
            measure.now,
        )
    };
    let mut judged = CheckedChain {
        scope: None,
        ends: certificate.not_after,
        reasons: Vec::new(),
    };
    let sent = sent(leaf);
    let each: Vec<(CheckedChain, &[SocketAddr])> = sent
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
                false => StatusReason::Sent {
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
fn sent(leaf: &LeafCopies) -> Vec<(&CertificateCopy, Vec<SocketAddr>)> {
    let mut sent: Vec<(&CertificateCopy, Vec<SocketAddr>)> = Vec::new();
    let (live, others): (Vec<&CertificateCopy>, Vec<&CertificateCopy>) =
        leaf.copies.iter().partition(|copy| copy.place.is_live());
    for copy in live.into_iter().chain(others) {
        let by = match copy.place {
            ItemLocation::Address { address, .. } => Some(address),
            ItemLocation::File { .. } if copy.place.is_live() => None,
            ItemLocation::File { .. } => continue,
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
    copy: &CertificateCopy,
    anchors: &[TrustAnchors],
    state: RowState,
    now: Timestamp,
) -> CheckedChain {
    let (assembled, problems, scope) =
        best(certificate, &copy.bag.above(certificate), anchors, now);
    let counts = |problem: &ChainProblem| match state {
        RowState::Served | RowState::Installed => !matches!(
            problem,
            ChainProblem::NotYetValid { .. } | ChainProblem::Expired { leaf: true, .. }
        ),
        _ => matches!(
            problem,
            ChainProblem::WeakKey { .. } | ChainProblem::WeakSignature { .. }
        ),
    };
    let mut reasons: Vec<StatusReason> = problems
        .into_iter()
        .filter(counts)
        .map(StatusReason::Problem)
        .collect();
    let first = assembled
        .intermediates()
        .iter()
        .min_by_key(|one| one.not_after);
    let first = first.filter(|one| one.not_after < certificate.not_after);
    reasons.extend(first.map(|one| StatusReason::EndsFirst {
        label: one.label(),
        ends: one.not_after,
    }));
    // Of what is of nobody known only what binds everybody is held against it.
    let refuses = |lint: &LintViolation| {
        lint.weight(scope.unwrap_or(TrustScope::Private)) == Some(lint::LintSeverity::Refuses)
    };
    reasons.extend(
        lint::lints(&assembled)
            .into_iter()
            .filter(refuses)
            .map(StatusReason::Weak),
    );
    CheckedChain {
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
) -> (Chain, Vec<ChainProblem>, Option<TrustScope>) {
    let by = |anchors: &TrustAnchors| {
        let chain = verify::assemble(
            leaf,
            bag,
            ChainCriteria {
                anchors,
                at,
                prefer: ChainPreference::default(),
            },
        )
        .chain;
        let problems = verify::problems(
            &chain,
            VerifyPolicy {
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
