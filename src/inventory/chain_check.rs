//! Checks the chain of a leaf: whether it leads to a trust anchor, and which certificate in it
//! expires first.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::item::ItemLocation;
use super::reason::StatusReason;
use super::row::RowState;
use crate::inventory::by_key::{CertificateCopy, LeafCopies};
use crate::inventory::folder_issuers::FolderIssuers;
use crate::inventory::policy::StatusPolicy;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainCriteria, ChainEnd, ChainPreference};
use crate::pki::lint::{self, LintSeverity};
use crate::pki::trust::{TrustAnchors, TrustScope, TrustSource};
use crate::pki::verify::{self, ChainProblem, VerifyPolicy};

/// The result of checking a chain.
pub(super) struct CheckedChain {
    /// The scope of the trust anchor, if the chain leads to one.
    pub scope: Option<TrustScope>,
    /// The earliest expiry in the chain, including that of the leaf.
    pub expiry: Timestamp,
    pub reasons: Vec<StatusReason>,
}

/// Checks the chain that servers read and the chain that each address sends, each by itself: a
/// complete file here proves nothing about a host that sends less. If the certificate is only in a
/// file that no server reads, the chain in that file is checked; if an install is the next step, as
/// the install would: with the files beside it, and with the anchors that are stored for its name.
pub(super) fn judge(
    leaf: &LeafCopies,
    stem: Option<&str>,
    state: RowState,
    issuers: &FolderIssuers,
    policy: &StatusPolicy<'_>,
) -> CheckedChain {
    let certificate = &leaf.certificate;
    let anchors = anchors_of(certificate, stem, state, policy);
    let sent = sent_chains(leaf);
    let mut checked = Vec::new();
    for chain in &sent {
        let mut bag = chain.copy.bag.above(certificate);
        if state == RowState::Ready {
            bag.extend(issuers.above(&chain.copy.place, certificate));
        }
        let one = check_chain(certificate, &bag, anchors, state, policy.now);
        checked.push(one);
    }
    let expiry = checked.iter().map(|chain| chain.expiry).min();
    let not_after = leaf.certificate.not_after;
    CheckedChain {
        scope: checked.iter().find_map(|chain| chain.scope),
        expiry: expiry.map_or(not_after, |expiry| expiry.min(not_after)),
        reasons: combined_reasons(&sent, &checked),
    }
}

/// Returns the anchors that are stored with the certificate `stem`; for a certificate that can be
/// installed, those that an install uses. Else the usual ones.
fn anchors_of<'a>(
    certificate: &Certificate,
    stem: Option<&str>,
    state: RowState,
    policy: &StatusPolicy<'a>,
) -> &'a [TrustAnchors] {
    let mut stem = stem;
    let mut others = policy.anchors;
    if state == RowState::Ready {
        let first = certificate.dns_names.first();
        stem = stem.or_else(|| first.map(String::as_str));
        let configured = policy.configured_anchors;
        others = configured.map_or(others, std::slice::from_ref);
    }
    let own_anchors = stem.and_then(|stem| policy.own_anchors.get(stem));
    own_anchors.map_or(others, std::slice::from_ref)
}

/// Returns the reasons of all chains, each once; a reason that does not apply to all of them lists
/// the addresses that send the chain.
fn combined_reasons(sent: &[SentChain<'_>], checked: &[CheckedChain]) -> Vec<StatusReason> {
    let mut combined = Vec::new();
    for (chain, sent) in checked.iter().zip(sent) {
        for reason in &chain.reasons {
            let is_everywhere = checked.iter().all(|other| other.reasons.contains(reason));
            let reason = if sent.addresses.is_empty() || is_everywhere {
                reason.clone()
            } else {
                StatusReason::Sent {
                    by: sent.addresses.clone(),
                    reason: Box::new(reason.clone()),
                }
            };
            if !combined.contains(&reason) {
                combined.push(reason);
            }
        }
    }
    combined
}

/// One of several different chains.
struct SentChain<'a> {
    copy: &'a CertificateCopy,
    /// The addresses that send it; empty if servers here read it from a file.
    addresses: Vec<SocketAddr>,
}

/// Returns each different chain that servers read or send; if there is none, the longest one in a
/// file.
fn sent_chains(leaf: &LeafCopies) -> Vec<SentChain<'_>> {
    let mut chains: Vec<SentChain<'_>> = Vec::new();
    let (live, others): (Vec<&CertificateCopy>, Vec<&CertificateCopy>) =
        leaf.copies.iter().partition(|copy| copy.place.is_live());
    for copy in live.into_iter().chain(others) {
        let address = match copy.place {
            ItemLocation::Address { address, .. } => Some(address),
            ItemLocation::File { .. } if copy.place.is_live() => None,
            ItemLocation::File { .. } => continue,
        };
        let same = chains
            .iter_mut()
            .find(|chain| chain.copy.bag.is_same(&copy.bag));
        match same {
            // A chain that servers here read is not specific to the addresses that send it.
            Some(same) if !same.copy.place.is_live() => same.addresses.extend(address),
            Some(_) => {}
            None => chains.push(SentChain {
                copy,
                addresses: address.into_iter().collect(),
            }),
        }
    }
    if chains.is_empty() {
        let longest = leaf.copies.iter().max_by_key(|copy| copy.bag.all().len());
        chains.extend(longest.map(|copy| SentChain {
            copy,
            addresses: Vec::new(),
        }));
    }
    chains
}

/// Checks the chain of one copy, as far as it matters in `state`; `bag` are the certificates that it
/// can consist of.
fn check_chain(
    certificate: &Certificate,
    bag: &[Certificate],
    anchors: &[TrustAnchors],
    state: RowState,
    now: Timestamp,
) -> CheckedChain {
    let (chain, problems, source) = best_chain(certificate, bag, anchors, now);
    let mut reasons: Vec<StatusReason> = problems
        .into_iter()
        .filter(|problem| counts_in(state, problem))
        .map(|problem| reason_in(state, problem))
        .collect();
    let first_to_expire = chain
        .intermediates()
        .iter()
        .min_by_key(|intermediate| intermediate.not_after)
        .filter(|intermediate| intermediate.not_after < certificate.not_after);
    reasons.extend(first_to_expire.map(|intermediate| StatusReason::EndsFirst {
        label: intermediate.label(),
        expiry: intermediate.not_after,
    }));
    reasons.extend(broken_rules(&chain, source));
    CheckedChain {
        scope: source.map(TrustSource::scope),
        expiry: first_to_expire.map_or(certificate.not_after, |one| one.not_after),
        reasons,
    }
}

/// Returns the rules that the chain breaks and that clients enforce. Only those that bind every CA are
/// applied to a chain with an unknown root.
fn broken_rules(chain: &Chain, source: Option<&TrustSource>) -> Vec<StatusReason> {
    let scope = source.map(TrustSource::scope);
    let scope = scope.unwrap_or(TrustScope::Private);
    let mut broken = Vec::new();
    for lint in lint::lint_chain(chain) {
        if lint.severity_in(scope) == Some(LintSeverity::Refuses) {
            broken.push(StatusReason::Weak(lint));
        }
    }
    if let Some(source) = source {
        let few_scts = lint::check_scts(chain, source);
        broken.extend(few_scts.map(StatusReason::FewScts));
    }
    broken
}

/// Returns a problem as a reason: what an install refuses is not wrong before it is installed.
fn reason_in(state: RowState, problem: ChainProblem) -> StatusReason {
    match problem {
        ChainProblem::WeakKey { .. } | ChainProblem::WeakSignature { .. } => {
            StatusReason::Problem(problem)
        }
        _ if state == RowState::Ready => StatusReason::NotInstallable(problem),
        _ => StatusReason::Problem(problem),
    }
}

/// Returns true for a problem that matters in `state`: for a certificate without its key, only what
/// makes it unusable; its intermediates may be elsewhere. The dates of the leaf itself are reported
/// separately.
fn counts_in(state: RowState, problem: &ChainProblem) -> bool {
    match state {
        RowState::Served | RowState::Installed | RowState::Ready => !matches!(
            problem,
            ChainProblem::NotYetValid { .. } | ChainProblem::Expired { leaf: true, .. }
        ),
        _ => matches!(
            problem,
            ChainProblem::WeakKey { .. }
                | ChainProblem::WeakSignature { .. }
                | ChainProblem::UnknownRoot { .. }
                | ChainProblem::SelfSigned { .. }
        ),
    }
}

/// A chain, its problems, and the source of its trust anchor if it leads to one.
type JudgedChain<'a> = (Chain, Vec<ChainProblem>, Option<&'a TrustSource>);

/// Returns the chain judged by the first of `anchors` that contains its root, else by the first.
fn best_chain<'a>(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &'a [TrustAnchors],
    at: Timestamp,
) -> JudgedChain<'a> {
    let mut chains = anchors
        .iter()
        .map(|anchors| chain_by(anchors, leaf, bag, at));
    if let Some(known) = chains.find(|(.., source)| source.is_some()) {
        return known;
    }
    match anchors.first() {
        Some(first) => chain_by(first, leaf, bag, at),
        None => {
            let (chain, problems, _) = chain_by(&TrustAnchors::mozilla(), leaf, bag, at);
            (chain, problems, None)
        }
    }
}

fn chain_by<'a>(
    anchors: &'a TrustAnchors,
    leaf: &Certificate,
    bag: &[Certificate],
    at: Timestamp,
) -> JudgedChain<'a> {
    let criteria = ChainCriteria {
        anchors,
        at,
        prefer: ChainPreference::default(),
    };
    let chain = verify::assemble_chain(leaf, bag, criteria).chain;
    let policy = VerifyPolicy {
        hosts: &[],
        anchors,
        at,
    };
    let problems = verify::find_problems(&chain, policy);
    let is_anchored = *chain.end() == ChainEnd::Anchored;
    let source = is_anchored.then(|| anchors.source());
    (chain, problems, source)
}
