//! Certificates that are in one file or were sent together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::pki::certificate::Certificate;

/// Certificates in the order of the file, or as they were sent.
#[derive(Debug)]
pub(super) struct SentCertificates {
    all: Vec<Arc<Certificate>>,
    /// Their indices by subject.
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

impl SentCertificates {
    pub(super) fn new(all: Vec<Arc<Certificate>>) -> Self {
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (place, one) in all.iter().enumerate() {
            by_name
                .entry(one.subject_der().to_vec())
                .or_default()
                .push(place);
        }
        Self { all, by_name }
    }

    pub(super) fn all(&self) -> &[Arc<Certificate>] {
        &self.all
    }

    /// Returns those that a chain of `leaf` can consist of, selected by subject and issuer: a file
    /// may contain the certificates of thousands of sites.
    pub(super) fn above(&self, leaf: &Certificate) -> Vec<Certificate> {
        let mut found = BTreeSet::new();
        let mut visited = HashSet::new();
        let mut names = vec![leaf.issuer_der()];
        while let Some(name) = names.pop() {
            if visited.insert(name) {
                let issuers = self.by_name.get(name).into_iter().flatten().copied();
                names.extend(issuers.clone().map(|place| self.all[place].issuer_der()));
                found.extend(issuers);
            }
        }
        found
            .into_iter()
            .map(|place| self.all[place].as_ref().clone())
            .collect()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let fingerprints = self.all.iter().map(|certificate| certificate.fingerprint);
        let others = other.all.iter().map(|certificate| certificate.fingerprint);
        fingerprints.eq(others)
    }
}
