//! A file of certificates as a server would send it: the leaf first, then each issuer, and every block where servers
//! find it. Chains themselves are judged by `pki::verify`.

use crate::delivery::{Delivery, Mended, Repair, Unused};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;

/// What a server or its clients would stumble over.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServedFault {
    /// A layout that servers cannot read.
    #[error("{file}{}: {what}: servers cannot read it", at_line(*line))]
    Broken {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What it is.
        what: Mended,
    },
    /// Something that a server fails on.
    #[error("{file}: {what}: servers cannot read it")]
    Damaged {
        /// The file.
        file: String,
        /// What it is.
        what: Unused,
    },
    /// DER.
    #[error("{file} is DER; nginx, Apache and HAProxy read PEM alone (\"no start line\")")]
    Der {
        /// The file.
        file: String,
    },
    /// A certificate twice.
    #[error("{file} has {label} more than once")]
    Duplicate {
        /// The file.
        file: String,
        /// The certificate in words.
        label: String,
    },
    /// END and BEGIN on one line.
    #[error(
        "{file}{}: \"-----END CERTIFICATE----------BEGIN CERTIFICATE-----\" on one line: when the files were joined, the first had no line break at its end; servers say \"bad end line\"",
        at_line(*line)
    )]
    Glued {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: Option<usize>,
    },
    /// The leaf is not the first.
    #[error(
        "the first certificate in {file} is {first}, not {leaf}, which is number {position}: servers take the first for the site's and say \"key values mismatch\""
    )]
    LeafNotFirst {
        /// The file.
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
        "the intermediates in {file} are not in order: each certificate should be followed by its issuer; strict clients refuse it"
    )]
    OutOfOrder {
        /// The file.
        file: String,
    },
    /// A zip.
    #[error("{file} is a zip, which no server reads")]
    Packed {
        /// The file.
        file: String,
    },
    /// A root is in it.
    #[error("{file} has the root {label}, which clients have or do not trust: it is sent for nothing")]
    RootIncluded {
        /// The file.
        file: String,
        /// The root in words.
        label: String,
    },
    /// A certificate that leads nowhere is in it.
    #[error("{file} has {label}, which is no part of the chain")]
    Unrelated {
        /// The file.
        file: String,
        /// The certificate in words.
        label: String,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

/// Judges how `file`, read as `delivery`, presents `chain`; `served` are its certificates in their order.
#[must_use]
pub fn faults(file: &str, delivery: &Delivery, served: &[Certificate], chain: &Chain) -> Vec<ServedFault> {
    if delivery.certificates.iter().any(|found| found.source.entry.is_some()) {
        return vec![ServedFault::Packed { file: file.to_owned() }];
    }
    let mut faults = layout(delivery);
    if let Some(position) = served.iter().position(|one| one == chain.leaf()).filter(|&position| position > 0) {
        let (first, leaf) = (served[0].label(), chain.leaf().label());
        faults.push(ServedFault::LeafNotFirst { file: file.to_owned(), first, leaf, position: position + 1 });
    }
    let places = chain.intermediates().iter().filter_map(|issuer| served.iter().position(|one| one == issuer));
    if !places.is_sorted() {
        faults.push(ServedFault::OutOfOrder { file: file.to_owned() });
    }
    for (index, one) in served.iter().enumerate() {
        let (file, label) = (file.to_owned(), one.label());
        if served[..index].contains(one) {
            faults.push(ServedFault::Duplicate { file, label });
        } else if !chain.certificates().contains(one) {
            faults.push(match one.is_ca && one.is_self_issued() {
                true => ServedFault::RootIncluded { file, label },
                false => ServedFault::Unrelated { file, label },
            });
        }
    }
    faults
}

fn layout(delivery: &Delivery) -> Vec<ServedFault> {
    let mut faults: Vec<ServedFault> = Vec::new();
    let repairs = delivery.repairs.iter().filter_map(repaired);
    let damaged = delivery.ignored.iter().filter_map(|ignored| match &ignored.what {
        Unused::DamagedBlock { .. } | Unused::DamagedDer => {
            Some(ServedFault::Damaged { file: ignored.source.to_string(), what: ignored.what.clone() })
        }
        _ => None,
    });
    for fault in repairs.chain(damaged) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

fn repaired(repair: &Repair) -> Option<ServedFault> {
    let (file, line, what) = (repair.source.to_string(), repair.line, repair.what);
    match what {
        Mended::Der => Some(ServedFault::Der { file }),
        Mended::Glued => Some(ServedFault::Glued { file, line }),
        _ if what.breaks_servers() => Some(ServedFault::Broken { file, line, what }),
        _ => None,
    }
}
