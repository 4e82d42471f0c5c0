//! Checks a file of certificates as a server would send it: the leaf first, then each issuer, and
//! blocks that servers can read. `pki::verify` checks the chain itself.

use std::collections::HashSet;

use super::loaded_file::LoadedFile;
use super::remark::join_listed;
use crate::delivery::{
    AppliedRepair, CaDelivery, IgnoredItem, ItemSource, LoadFault, RepairKind, UnusedContent,
};
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
    /// Content that servers read and certctl does not.
    #[error(
        "{file} is {what}: servers load it, but it could not be checked, and clients may refuse it"
    )]
    DamagedForClients { file: String, what: UnusedContent },
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
    /// Servers load other certificates than certctl reads.
    #[error("servers load {loaded} of the {found} certificates in {file}")]
    LoadedInPart {
        file: String,
        loaded: usize,
        found: usize,
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
    /// Servers stop at a fault that certctl's reader has no word for.
    #[error("servers cannot load {file}: {fault}")]
    Unloadable { file: String, fault: LoadFault },
}

/// The files of a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentedFiles<'a> {
    /// The name of the first file, for people.
    pub name: &'a str,
    /// How certctl read the files.
    pub delivery: &'a CaDelivery,
    /// How servers load them; empty if they are not files.
    pub loaded: &'a [LoadedFile],
    /// The certificates in their order.
    pub served: &'a [Certificate],
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

/// Finds the faults of `files` in presenting `chain`.
#[must_use]
pub(crate) fn find_served_faults(files: &PresentedFiles<'_>, chain: &Chain) -> Vec<ServedFault> {
    let PresentedFiles {
        name: file,
        delivery,
        loaded,
        served,
    } = *files;
    if delivery
        .certificates
        .iter()
        .any(|found| found.source.entry.is_some())
    {
        return vec![ServedFault::Packed {
            file: file.to_owned(),
        }];
    }
    let mut faults = layout_faults(delivery, loaded);
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

/// Returns the faults for which servers do not load what certctl reads: the deviations that its
/// reader repaired, or else where OpenSSL stops.
fn layout_faults(delivery: &CaDelivery, loaded: &[LoadedFile]) -> Vec<ServedFault> {
    let mut faults: Vec<ServedFault> = Vec::new();
    let is_loaded = |source: &ItemSource| {
        let mut loaded = loaded.iter();
        loaded.any(|file| file.name == source.input && file.has_all_of(delivery))
    };
    let repairs = delivery
        .repairs
        .iter()
        .filter(|repair| !is_loaded(&repair.source))
        .filter_map(repair_fault);
    let damaged = delivery
        .ignored
        .iter()
        .filter_map(|ignored| match &ignored.content {
            UnusedContent::DamagedBlock { .. }
            | UnusedContent::DamagedDer
            | UnusedContent::UnreadableCertificate => Some(damage_fault(ignored, loaded)),
            _ => None,
        });
    // Twenty faults are enough to understand the problem.
    for fault in repairs.chain(damaged).take(20) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    if faults.is_empty() {
        let unexplained = loaded.iter();
        faults.extend(unexplained.filter_map(|file| loading_fault(file, delivery)));
    }
    faults
}

/// Returns why a server does not load what certctl reads in the file.
fn loading_fault(loaded: &LoadedFile, delivery: &CaDelivery) -> Option<ServedFault> {
    let file = loaded.name.clone();
    match &loaded.outcome {
        Ok(_) if loaded.has_all_of(delivery) => None,
        Ok(all) => Some(ServedFault::LoadedInPart {
            file,
            loaded: all.len(),
            found: loaded.fingerprints(delivery).len(),
        }),
        Err(fault) => Some(ServedFault::Unloadable {
            file,
            fault: fault.clone(),
        }),
    }
}

fn damage_fault(ignored: &IgnoredItem, loaded: &[LoadedFile]) -> ServedFault {
    let file = ignored.source.to_string();
    let what = ignored.content.clone();
    let mut loaded = loaded.iter();
    if loaded.any(|file| file.name == ignored.source.input && file.outcome.is_ok()) {
        ServedFault::DamagedForClients { file, what }
    } else {
        ServedFault::Damaged { file, what }
    }
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
