//! Checks a file of certificates as a server would send it: the leaf first, then each issuer, and
//! blocks that servers can read. `pki::verify` checks the chain itself.

use std::collections::HashSet;

use super::remark::join_listed;
use crate::delivery::{AppliedRepair, CaDelivery, RepairKind, UnusedContent};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;

/// A fault that makes a server or its clients fail.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ServedFault {
    /// A layout that servers cannot read.
    #[error("{file}{}: {what}; servers cannot read this", at_line(*line))]
    Broken {
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
        what: RepairKind,
    },
    /// Content that servers cannot read.
    #[error("{file} is {what}; servers cannot read it")]
    Damaged { file: String, what: UnusedContent },
    /// The file is DER.
    #[error("{file} is DER; nginx, Apache and HAProxy read only PEM and report \"no start line\"")]
    Der { file: String },
    /// The file contains certificates more than once.
    #[error("{file} contains more than once: {}", join_listed(labels))]
    Duplicate { file: String, labels: Vec<String> },
    /// END and BEGIN on one line.
    #[error(
        "{file}{}: \"-----END CERTIFICATE----------BEGIN CERTIFICATE-----\" on one line: the first \
            of the joined files had no final line break; servers report \"bad end line\"",
        at_line(*line)
    )]
    JoinedMarkers {
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
    },
    /// The leaf is not the first.
    #[error(
        "the first certificate in {file} is {first}, but the server certificate {leaf} is number \
            {position}; servers use the first one and report \"key values mismatch\""
    )]
    LeafNotFirst {
        file: String,
        /// The label of the first certificate.
        first: String,
        /// The label of the leaf.
        leaf: String,
        /// The position of the leaf, counted from 1.
        position: usize,
    },
    /// The issuers do not follow each other.
    #[error(
        "the intermediates in {file} are out of order: each certificate should be followed by its \
            issuer; strict clients refuse the chain"
    )]
    OutOfOrder { file: String },
    #[error("{file} is a zip file or an email, which servers cannot read")]
    Packed { file: String },
    /// The file has roots.
    #[error(
        "{file} includes roots that need not be sent (clients have them, or do not trust them): {}",
        join_listed(labels)
    )]
    RootIncluded { file: String, labels: Vec<String> },
    /// The file contains certificates that are not part of the chain.
    #[error(
        "{file} includes certificates that are not part of the chain: {}",
        join_listed(labels)
    )]
    Unrelated { file: String, labels: Vec<String> },
}

impl ServedFault {
    /// Returns false for a fault about certificates that lists none.
    fn has_labels(&self) -> bool {
        match self {
            Self::Duplicate { labels, .. }
            | Self::RootIncluded { labels, .. }
            | Self::Unrelated { labels, .. } => !labels.is_empty(),
            _ => true,
        }
    }
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

/// Finds the faults of `file`, which was read as `delivery`, in presenting `chain`; `served` are
/// its certificates in their order.
#[must_use]
pub(crate) fn find_served_faults(
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
    let mut faults = layout_faults(delivery);
    if let Some(position) = served
        .iter()
        .position(|one| one == chain.leaf())
        .filter(|&position| position > 0)
    {
        faults.push(ServedFault::LeafNotFirst {
            file: file.to_owned(),
            first: served[0].label(),
            leaf: chain.leaf().label(),
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
    faults.extend(superfluous_certificates(file, served, chain));
    faults
}

/// Returns faults about certificates that clients do not need.
fn superfluous_certificates(file: &str, served: &[Certificate], chain: &Chain) -> Vec<ServedFault> {
    let mut seen = HashSet::new();
    let mut duplicates = Vec::new();
    let mut roots = Vec::new();
    let mut unrelated = Vec::new();
    for one in served {
        if !seen.insert(one.fingerprint) {
            duplicates.push(one.label());
        } else if !chain.certificates().contains(one) {
            let group = if !one.is_server_certificate() && one.is_self_issued() {
                &mut roots
            } else {
                &mut unrelated
            };
            group.push(one.label());
        }
    }
    let faults = [
        ServedFault::Duplicate {
            file: file.to_owned(),
            labels: duplicates,
        },
        ServedFault::RootIncluded {
            file: file.to_owned(),
            labels: roots,
        },
        ServedFault::Unrelated {
            file: file.to_owned(),
            labels: unrelated,
        },
    ];
    faults.into_iter().filter(ServedFault::has_labels).collect()
}

fn layout_faults(delivery: &CaDelivery) -> Vec<ServedFault> {
    let mut faults: Vec<ServedFault> = Vec::new();
    let repairs = delivery.repairs.iter().filter_map(repair_fault);
    let damaged = delivery
        .ignored
        .iter()
        .filter_map(|ignored| match &ignored.content {
            UnusedContent::DamagedBlock { .. } | UnusedContent::DamagedDer => {
                Some(ServedFault::Damaged {
                    file: ignored.source.to_string(),
                    what: ignored.content.clone(),
                })
            }
            _ => None,
        });
    // Twenty faults are enough to understand the problem.
    for fault in repairs.chain(damaged).take(20) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

/// Returns the fault that a repair corrected; `None` if servers can read the file without it.
fn repair_fault(repair: &AppliedRepair) -> Option<ServedFault> {
    let file = repair.source.to_string();
    let line = repair.line;
    let what = repair.kind;
    match what {
        RepairKind::Der => Some(ServedFault::Der { file }),
        RepairKind::JoinedMarkers => Some(ServedFault::JoinedMarkers { file, line }),
        _ if what.breaks_servers() => Some(ServedFault::Broken { file, line, what }),
        _ => None,
    }
}
