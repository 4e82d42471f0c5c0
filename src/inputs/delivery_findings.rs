//! Findings about the files from a CA as a whole: what was repaired, not used or omitted.

use std::collections::HashSet;

use super::sources;
use crate::delivery::CaDelivery;
use crate::finding::Finding;
use crate::matching::{LeafChoice, MatchingRemark};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd, OmissionReason};
use crate::pki::lint::{self, RetiredCertificate};
use crate::wording::day;

/// The CA certificates from which chains are built.
pub(super) struct CaCandidates {
    /// Each CA certificate once; other server certificates are not part of any chain.
    pub authorities: Vec<Certificate>,
    /// The labels of certificates that occur more than once.
    pub duplicates: Vec<String>,
}

impl CaCandidates {
    pub(super) fn new(all: &[Certificate], leaves: &[&Certificate]) -> Self {
        let leaves: HashSet<_> = leaves.iter().map(|leaf| leaf.fingerprint).collect();
        let mut known = HashSet::new();
        let mut authorities = Vec::new();
        let mut duplicates = Vec::new();
        for certificate in all {
            let is_leaf = leaves.contains(&certificate.fingerprint);
            if certificate.is_server_certificate() && !is_leaf {
                continue;
            }
            if !known.insert(certificate.fingerprint) {
                duplicates.push(certificate.label());
            } else if !is_leaf {
                authorities.push(certificate.clone());
            }
        }
        Self {
            authorities,
            duplicates,
        }
    }
}

/// Returns findings about the files as a whole; they are reported once, with the first certificate.
pub(super) fn delivery_findings(
    chains: &[&Chain],
    choice: &LeafChoice<'_>,
    candidates: CaCandidates,
    delivery: &CaDelivery,
) -> Vec<Finding> {
    let unused = unused_authorities(chains, &candidates.authorities);
    let outdated: Vec<RetiredCertificate> = unused
        .iter()
        .filter_map(|certificate| lint::find_retired_root(certificate))
        .collect();
    let mut remarks = omissions(unused, candidates.duplicates);
    remarks.extend(other_leaves(choice));
    let mut findings: Vec<Finding> = remarks.iter().map(Finding::from).collect();
    // They are omitted from the chain, so that there is nothing to do.
    findings.extend(
        outdated
            .iter()
            .map(|retired| Finding::note("outdated-ca", retired.to_string())),
    );
    let is_incomplete = chains
        .iter()
        .any(|chain| matches!(chain.end(), ChainEnd::Gap { .. }));
    for finding in sources::reading_findings(delivery) {
        findings.push(if is_incomplete {
            sources::escalate_damage(finding)
        } else {
            finding
        });
    }
    findings
}

/// Returns the CA certificates that no chain contains.
fn unused_authorities<'c>(
    chains: &[&Chain],
    authorities: &'c [Certificate],
) -> Vec<&'c Certificate> {
    let used: HashSet<_> = chains
        .iter()
        .flat_map(|chain| chain.certificates())
        .map(|certificate| certificate.fingerprint)
        .collect();
    authorities
        .iter()
        .filter(|certificate| !used.contains(&certificate.fingerprint))
        .collect()
}

/// Returns remarks on certificates that are not in a chain: roots, unrelated ones and duplicates.
fn omissions(unused: Vec<&Certificate>, duplicates: Vec<String>) -> Vec<MatchingRemark> {
    let (roots, unrelated): (Vec<_>, Vec<_>) = unused
        .into_iter()
        .partition(|certificate| certificate.is_self_issued());
    let roots = roots.into_iter().map(Certificate::label).collect();
    let unrelated = unrelated.into_iter().map(Certificate::label).collect();
    let remarks = [
        omission(roots, OmissionReason::Root),
        omission(unrelated, OmissionReason::Unrelated),
        omission(duplicates, OmissionReason::Duplicate),
    ];
    remarks.into_iter().flatten().collect()
}

fn omission(mut labels: Vec<String>, why: OmissionReason) -> Option<MatchingRemark> {
    if labels.is_empty() {
        return None;
    }
    labels.sort();
    labels.dedup();
    Some(MatchingRemark::Omitted { labels, why })
}

/// Returns remarks on leaves that were not chosen: older ones, and those without a matching key or
/// request here.
fn other_leaves(choice: &LeafChoice<'_>) -> Vec<MatchingRemark> {
    let mut remarks = Vec::new();
    if !choice.older.is_empty() {
        remarks.push(MatchingRemark::OlderCertificates {
            labels: labels_with_expiry(&choice.older),
        });
    }
    if !choice.unmatched.is_empty() {
        remarks.push(MatchingRemark::UnmatchedCertificates {
            labels: labels_with_expiry(&choice.unmatched),
        });
    }
    remarks
}

fn labels_with_expiry(leaves: &[&Certificate]) -> Vec<String> {
    leaves
        .iter()
        .map(|leaf| format!("{} (expires on {})", leaf.label(), day(leaf.not_after)))
        .collect()
}
