//! A file of certificates as a server would send it: the leaf first, then each issuer, and every
//! block where servers find it. Chains themselves are judged by `pki::verify`.

use std::collections::HashSet;

use super::remark::listed;
use crate::delivery::{AppliedRepair, CaDelivery, RepairKind, UnusedContent};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;

/// What a server or its clients would stumble over.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ServedFault {
    /// A layout that servers cannot read.
    #[error("{file}{}: {what}: servers cannot read it", at_line(*line))]
    Broken {
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
        what: RepairKind,
    },
    /// Something that a server fails on.
    #[error("{file} is {what}: servers cannot read it")]
    Damaged { file: String, what: UnusedContent },
    /// DER.
    #[error("{file} is DER; nginx, Apache and HAProxy read PEM alone (\"no start line\")")]
    Der { file: String },
    /// Certificates more than once.
    #[error("{file} has more than once: {}", listed(labels))]
    Duplicate { file: String, labels: Vec<String> },
    /// END and BEGIN on one line.
    #[error(
        "{file}{}: \"-----END CERTIFICATE----------BEGIN CERTIFICATE-----\" on one line: when the \
            files were joined, the first had no line break at its end; servers say \"bad end line\"",
        at_line(*line)
    )]
    Glued {
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
    },
    /// The leaf is not the first.
    #[error(
        "the first certificate in {file} is {first}, not {leaf}, which is number {position}: \
            servers take the first for the site's and say \"key values mismatch\""
    )]
    LeafNotFirst {
        file: String,
        /// The first certificate in words.
        first: String,
        /// The leaf in words.
        leaf: String,
        /// The place of the leaf, counted from 1.
        position: usize,
    },
    /// The issuers do not follow each other.
    #[error(
        "the intermediates in {file} are not in order: each certificate should be followed by its \
            issuer; strict clients refuse it"
    )]
    OutOfOrder { file: String },
    #[error("{file} is packed (a zip or a mail): no server reads it")]
    Packed { file: String },
    /// Roots are in it.
    #[error(
        "{file} has roots, which clients have or do not trust; they are sent for nothing: {}",
        listed(labels)
    )]
    RootIncluded { file: String, labels: Vec<String> },
    /// Certificates that lead nowhere are in it.
    #[error("{file} has what is no part of the chain: {}", listed(labels))]
    Unrelated { file: String, labels: Vec<String> },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

/// Judges how `file`, read as `delivery`, presents `chain`; `served` are its certificates in their
/// order.
#[must_use]
pub(crate) fn faults(
    file: &str,
    delivery: &CaDelivery,
    served: &[Certificate],
    chain: &Chain,
) -> Vec<ServedFault> {
    if delivery
        .certificates
        .iter()
        .any(|found| found.source.entry.is_some())
    {
        return vec![ServedFault::Packed {
            file: file.to_owned(),
        }];
    }
    let mut faults = layout(delivery);
    if let Some(position) = served
        .iter()
        .position(|one| one == chain.leaf())
        .filter(|&position| position > 0)
    {
        let (first, leaf) = (served[0].label(), chain.leaf().label());
        faults.push(ServedFault::LeafNotFirst {
            file: file.to_owned(),
            first,
            leaf,
            position: position + 1,
        });
    }
    let places = chain
        .intermediates()
        .iter()
        .filter_map(|issuer| served.iter().position(|one| one == issuer));
    if !places.is_sorted() {
        faults.push(ServedFault::OutOfOrder {
            file: file.to_owned(),
        });
    }
    faults.extend(superfluous(file, served, chain));
    faults
}

/// What is sent for nothing.
fn superfluous(file: &str, served: &[Certificate], chain: &Chain) -> Vec<ServedFault> {
    let mut seen = HashSet::new();
    let (mut twice, mut roots, mut unrelated) = (Vec::new(), Vec::new(), Vec::new());
    for one in served {
        if !seen.insert(one.fingerprint) {
            twice.push(one.label());
        } else if !chain.certificates().contains(one) {
            let group = if !one.is_site() && one.is_self_issued() {
                &mut roots
            } else {
                &mut unrelated
            };
            group.push(one.label());
        }
    }
    let file = || file.to_owned();
    let faults = [
        (!twice.is_empty()).then(|| ServedFault::Duplicate {
            file: file(),
            labels: twice,
        }),
        (!roots.is_empty()).then(|| ServedFault::RootIncluded {
            file: file(),
            labels: roots,
        }),
        (!unrelated.is_empty()).then(|| ServedFault::Unrelated {
            file: file(),
            labels: unrelated,
        }),
    ];
    faults.into_iter().flatten().collect()
}

fn layout(delivery: &CaDelivery) -> Vec<ServedFault> {
    let mut faults: Vec<ServedFault> = Vec::new();
    let repairs = delivery.repairs.iter().filter_map(repaired);
    let damaged = delivery
        .ignored
        .iter()
        .filter_map(|ignored| match &ignored.what {
            UnusedContent::DamagedBlock { .. } | UnusedContent::DamagedDer => {
                Some(ServedFault::Damaged {
                    file: ignored.source.to_string(),
                    what: ignored.what.clone(),
                })
            }
            _ => None,
        });
    // One is enough to be wrong; twenty to be understood.
    for fault in repairs.chain(damaged).take(20) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

fn repaired(repair: &AppliedRepair) -> Option<ServedFault> {
    let (file, line, what) = (repair.source.to_string(), repair.line, repair.what);
    match what {
        RepairKind::Der => Some(ServedFault::Der { file }),
        RepairKind::Glued => Some(ServedFault::Glued { file, line }),
        _ if what.breaks_servers() => Some(ServedFault::Broken { file, line, what }),
        _ => None,
    }
}
