//! The CAs of a pool of certificates: each a name with a key.

use std::collections::{HashMap, HashSet};

use super::pool_names::PoolNames;
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::pki::trust::TrustAnchors;

/// Certificates to search, with their names.
#[derive(Clone, Copy)]
pub(super) struct CertificatePool<'a> {
    /// The leaf at index 0, then every other certificate once.
    pub certificates: &'a [&'a Certificate],
    pub names: &'a PoolNames<'a>,
}

/// A CA: a name and a key.
pub(super) struct CertifiedCa {
    pub key: PublicKeyId,
    pub spki: Vec<u8>,
    /// The key identifier of its certificates.
    pub identifier: Option<Vec<u8>>,
    /// The certificates for it, in the order in which they are tried.
    pub certificates: Vec<usize>,
    /// The self-issued one, if it is a root.
    pub root: Option<usize>,
    pub anchor: bool,
}

/// All CAs of a pool and of the anchors that its certificates name.
pub(super) struct AuthorityTable<'a> {
    pub all: Vec<CertifiedCa>,
    by_name: HashMap<&'a [u8], Vec<usize>>,
    by_name_and_key: HashMap<(&'a [u8], PublicKeyId), usize>,
    /// The CA that each certificate certifies.
    pub of_certificate: Vec<usize>,
}

impl<'a> AuthorityTable<'a> {
    pub(super) fn new(pool: CertificatePool<'a>, anchors: &TrustAnchors) -> Self {
        let mut table = Self {
            all: Vec::new(),
            by_name: HashMap::new(),
            by_name_and_key: HashMap::new(),
            of_certificate: vec![usize::MAX; pool.certificates.len()],
        };
        for index in 1..pool.certificates.len() {
            table.add_certificate(index, &pool);
        }
        table.mark_anchors(&pool, anchors);
        table.sort_certificates(&pool);
        table
    }

    /// The CAs with that name.
    pub(super) fn named(&self, name: &[u8]) -> Vec<usize> {
        self.by_name.get(name).cloned().unwrap_or_default()
    }

    /// Adds a certificate of the pool to its CA.
    fn add_certificate(&mut self, index: usize, pool: &CertificatePool<'a>) {
        let certificate = pool.certificates[index];
        let authority = self.find_or_add(
            pool.names.subject(index),
            certificate.key_id,
            certificate.spki(),
        );
        self.of_certificate[index] = authority;
        let authority = &mut self.all[authority];
        authority.certificates.push(index);
        if authority.identifier.is_none() {
            authority.identifier.clone_from(&certificate.subject_key);
        }
        if certificate.is_self_issued() {
            authority.root.get_or_insert(index);
        }
    }

    /// Marks the CAs that are anchors, and adds those that are missing in the pool.
    fn mark_anchors(&mut self, pool: &CertificatePool<'a>, anchors: &TrustAnchors) {
        let names = pool.names;
        let issuers: HashSet<&'a [u8]> = (0..pool.certificates.len())
            .map(|index| names.issuer(index))
            .collect();
        for issuer in issuers {
            for spki in names.anchor_keys(anchors, issuer) {
                let key = PublicKeyId::of_spki(&spki);
                let authority = self.find_or_add(issuer, key, &spki);
                self.all[authority].anchor = true;
            }
        }
    }

    /// Sorts the certificates of each CA in the order in which they are tried: the last to expire
    /// first, but roots last, because a certificate of a CA for its own new key leads further.
    fn sort_certificates(&mut self, pool: &CertificatePool<'a>) {
        for authority in &mut self.all {
            authority.certificates.sort_by_key(|&index| {
                let certificate = pool.certificates[index];
                (
                    certificate.is_self_issued(),
                    !certificate.is_ca,
                    std::cmp::Reverse(certificate.not_after),
                )
            });
        }
    }

    /// Returns the index of the CA with that name and key, which is added if it is new.
    fn find_or_add(&mut self, name: &'a [u8], key: PublicKeyId, spki: &[u8]) -> usize {
        let next = self.all.len();
        let index = *self.by_name_and_key.entry((name, key)).or_insert(next);
        if index == next {
            self.by_name.entry(name).or_default().push(next);
            self.all.push(CertifiedCa {
                key,
                spki: spki.to_vec(),
                identifier: None,
                certificates: Vec::new(),
                root: None,
                anchor: false,
            });
        }
        index
    }
}
