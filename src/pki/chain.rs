//! From a bag of certificates to the chain of one leaf: by signature, never by order or file name.
//! Every signature is checked at most once, and a path to an anchor is found whenever one exists in the bag.

use std::collections::HashMap;

use jiff::Timestamp;

use super::certificate::Certificate;
use super::signature;
use super::trust::TrustAnchors;

/// Where a chain ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ChainEnd {
    /// The last certificate is signed by a trust anchor.
    Anchored,
    /// The issuer of the last certificate is neither in the bag nor an anchor.
    Gap {
        /// The last certificate, in words.
        subject: String,
        /// The issuer that is missing.
        issuer: String,
        /// Where the CA says that the issuer can be fetched.
        urls: Vec<String>,
    },
    /// The chain is complete but its root is no anchor; holds the root in words.
    UnknownRoot(String),
}

/// Leaf first, each certificate signed by the next, no self-signed root.
#[derive(Clone, Debug)]
pub struct Chain {
    certificates: Vec<Certificate>,
    end: ChainEnd,
}

/// Why a certificate of the bag is not in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeftOut {
    /// The same certificate again.
    Duplicate,
    /// A self-signed root: clients have it or do not trust it.
    Root,
    /// Not on the way from the leaf to the root.
    Unrelated,
}

/// A chain and what was not needed for it.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The chain.
    pub chain: Chain,
    /// What is left out and why, in the order of the bag.
    pub left_out: Vec<(Certificate, LeftOut)>,
}

impl Chain {
    /// Finds the path from `leaf` through `bag` to an anchor. Certificates that are valid at `at` are preferred; the
    /// path goes through delivered cross-certificates as far as they lead, because more clients know the older root.
    /// Where no path exists, the chain goes as far as signatures lead and says why it ends.
    #[must_use]
    pub fn assemble(leaf: &Certificate, bag: &[Certificate], anchors: &TrustAnchors, at: Timestamp) -> Assembly {
        let pool = distinct(leaf, bag);
        let mut search = Search::new(&pool, anchors, at);
        let path = search.path(true).or_else(|| search.path(false));
        let (indices, end) = match path {
            Some(indices) => (indices, ChainEnd::Anchored),
            None => search.partial(),
        };
        let left_out = left_out(&pool, bag, &indices);
        let certificates = indices.iter().map(|&index| pool[index].clone()).collect();
        Assembly { chain: Self { certificates, end }, left_out }
    }

    /// The leaf.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        // Non-empty by construction: a path starts at the leaf.
        &self.certificates[0]
    }

    /// Leaf first, then the intermediates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The intermediates alone.
    #[must_use]
    pub fn intermediates(&self) -> &[Certificate] {
        &self.certificates[1..]
    }

    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> &ChainEnd {
        &self.end
    }

    /// All blocks, leaf first: what servers read as `fullchain.pem`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}

/// The leaf at index 0, then every other certificate once.
fn distinct<'a>(leaf: &'a Certificate, bag: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut pool = vec![leaf];
    let mut seen = std::collections::HashSet::from([leaf.fingerprint]);
    pool.extend(bag.iter().filter(|certificate| seen.insert(certificate.fingerprint)));
    pool
}

fn left_out(pool: &[&Certificate], bag: &[Certificate], used: &[usize]) -> Vec<(Certificate, LeftOut)> {
    let chosen: Vec<_> = used.iter().map(|&index| pool[index].fingerprint).collect();
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for certificate in bag {
        let again = seen.contains(&certificate.fingerprint);
        seen.push(certificate.fingerprint);
        let reason = match (again, chosen.contains(&certificate.fingerprint)) {
            (true, _) => LeftOut::Duplicate,
            (false, true) => continue,
            (false, false) if certificate.is_self_issued() => LeftOut::Root,
            (false, false) => LeftOut::Unrelated,
        };
        out.push((certificate.clone(), reason));
    }
    out
}

struct Search<'a> {
    pool: &'a [&'a Certificate],
    anchors: &'a TrustAnchors,
    at: Timestamp,
    by_subject: HashMap<&'a [u8], Vec<usize>>,
    signed: HashMap<(usize, usize), bool>,
    anchored: HashMap<usize, bool>,
}

impl<'a> Search<'a> {
    fn new(pool: &'a [&'a Certificate], anchors: &'a TrustAnchors, at: Timestamp) -> Self {
        let mut by_subject: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, certificate) in pool.iter().enumerate().skip(1) {
            if !certificate.is_self_issued() {
                by_subject.entry(certificate.subject_der()).or_default().push(index);
            }
        }
        for candidates in by_subject.values_mut() {
            candidates.sort_by_key(|&index| std::cmp::Reverse(pool[index].not_after));
        }
        Self { pool, anchors, at, by_subject, signed: HashMap::new(), anchored: HashMap::new() }
    }

    /// A path to an anchor, depth first; a certificate that led nowhere is not entered again, so this is linear in
    /// certificates and signatures. With `in_date`, only through certificates that are valid now.
    fn path(&mut self, in_date: bool) -> Option<Vec<usize>> {
        let mut visited = vec![false; self.pool.len()];
        let mut path = vec![0];
        visited[0] = true;
        while let Some(&last) = path.last() {
            let next = self
                .issuers(last)
                .into_iter()
                .find(|&issuer| !visited[issuer] && (!in_date || self.is_in_date(issuer)));
            match next {
                Some(issuer) => {
                    visited[issuer] = true;
                    path.push(issuer);
                }
                None if self.is_anchored(last) => return Some(path),
                None => {
                    path.pop();
                }
            }
        }
        None
    }

    /// As far as signatures lead, and why no further.
    fn partial(&mut self) -> (Vec<usize>, ChainEnd) {
        let mut path = vec![0];
        while let Some(&last) = path.last() {
            let mut issuers = self.issuers(last);
            issuers.sort_by_key(|&issuer| !self.is_in_date(issuer));
            match issuers.into_iter().find(|issuer| !path.contains(issuer)) {
                Some(issuer) => path.push(issuer),
                None => break,
            }
        }
        let last = self.pool[path.last().copied().unwrap_or(0)];
        let root = self.pool.iter().find(|root| root.is_self_issued() && last.is_signed_by(root));
        let end = match root {
            Some(root) => ChainEnd::UnknownRoot(root.label()),
            None => {
                ChainEnd::Gap { subject: last.label(), issuer: last.issuer.clone(), urls: last.issuer_urls.clone() }
            }
        };
        (path, end)
    }

    /// Those of the bag that signed `index`, self-signed ones left out.
    fn issuers(&mut self, index: usize) -> Vec<usize> {
        let certificate = self.pool[index];
        let candidates = self.by_subject.get(certificate.issuer_der()).cloned().unwrap_or_default();
        candidates.into_iter().filter(|&issuer| issuer != index && self.is_signed_by(index, issuer)).collect()
    }

    fn is_signed_by(&mut self, index: usize, issuer: usize) -> bool {
        let pool = self.pool;
        *self
            .signed
            .entry((index, issuer))
            .or_insert_with(|| signature::check(pool[index].der(), pool[issuer].spki()).is_ok())
    }

    fn is_anchored(&mut self, index: usize) -> bool {
        let (pool, anchors) = (self.pool, self.anchors);
        *self.anchored.entry(index).or_insert_with(|| {
            anchors.issuers_of(pool[index]).any(|spki| signature::check(pool[index].der(), &spki).is_ok())
        })
    }

    fn is_in_date(&self, index: usize) -> bool {
        let certificate = self.pool[index];
        certificate.not_before <= self.at && self.at <= certificate.not_after
    }
}
