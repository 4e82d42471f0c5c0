//! The names by which issuers are found: as they are encoded, or else as RFC 5280 7.1 compares them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::pki::certificate::Certificate;
use crate::pki::folded_name::FoldedName;
use crate::pki::trust::TrustAnchors;

/// The names of the certificates of a pool, in a form in which equal names are equal octets.
pub(super) struct PoolNames<'a> {
    subjects: Vec<Cow<'a, [u8]>>,
    issuers: Vec<Cow<'a, [u8]>>,
    /// The keys (DER `SubjectPublicKeyInfo`) of the anchors by name, if names are folded.
    folded_anchors: Option<HashMap<Vec<u8>, Vec<Vec<u8>>>>,
}

impl<'a> PoolNames<'a> {
    /// The names as they are encoded, as most clients compare them.
    pub(super) fn exact(pool: &[&'a Certificate]) -> Self {
        Self {
            subjects: pool
                .iter()
                .map(|one| Cow::from(one.subject_der()))
                .collect(),
            issuers: pool.iter().map(|one| Cow::from(one.issuer_der())).collect(),
            folded_anchors: None,
        }
    }

    /// The names as RFC 5280 7.1 compares them; `None` if no names become equal by that.
    pub(super) fn folded(pool: &[&'a Certificate], anchors: &TrustAnchors) -> Option<Self> {
        let mut folder = NameFolder::default();
        let mut fold_all = |name: fn(&'a Certificate) -> &'a [u8]| -> Vec<Cow<'a, [u8]>> {
            let names = pool.iter().map(|one| Cow::from(folder.fold(name(one))));
            names.collect()
        };
        let subjects = fold_all(Certificate::subject_der);
        let issuers = fold_all(Certificate::issuer_der);
        let mut folded_anchors: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
        for (name, spki) in anchors.names_and_keys() {
            let folded = folder.fold(&name);
            folded_anchors.entry(folded).or_default().push(spki);
        }
        folder.has_merged().then_some(Self {
            subjects,
            issuers,
            folded_anchors: Some(folded_anchors),
        })
    }

    pub(super) fn subject(&self, index: usize) -> &[u8] {
        &self.subjects[index]
    }

    pub(super) fn issuer(&self, index: usize) -> &[u8] {
        &self.issuers[index]
    }

    /// The keys of the anchors with that name.
    pub(super) fn anchor_keys(&self, anchors: &TrustAnchors, name: &[u8]) -> Vec<Vec<u8>> {
        match &self.folded_anchors {
            Some(folded) => folded.get(name).cloned().unwrap_or_default(),
            None => anchors.keys_of(name).collect(),
        }
    }
}

/// Folds names, each different one once.
#[derive(Default)]
struct NameFolder {
    folded: HashMap<Vec<u8>, Vec<u8>>,
}

impl NameFolder {
    fn fold(&mut self, name: &[u8]) -> Vec<u8> {
        if let Some(known) = self.folded.get(name) {
            return known.clone();
        }
        let folded = FoldedName::of(name).map_or_else(|| name.to_vec(), |name| name.to_octets());
        self.folded.insert(name.to_vec(), folded.clone());
        folded
    }

    /// Returns whether two different names became equal.
    fn has_merged(&self) -> bool {
        let distinct: HashSet<&[u8]> = self.folded.values().map(Vec::as_slice).collect();
        distinct.len() < self.folded.len()
    }
}
