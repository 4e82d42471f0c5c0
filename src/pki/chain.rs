//! From a bag of certificates to the chain of one leaf: by signature, never by order or file name.
//! Every signature is checked at most once, and a path to an anchor is found whenever one exists in the bag.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::certificate::Certificate;
use super::key::PublicKeyId;
use super::signature::{self, SignatureError};
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
    /// More signatures would have to be checked than a chain can be worth: decoys.
    TooManyCandidates,
    /// The chain is complete but its root is no anchor; holds the root in words.
    UnknownRoot(String),
    /// Its issuer may be here, but by a signature that nobody trusts today.
    WeakSignature {
        /// The certificate with that signature, in words.
        subject: String,
        /// Its issuer.
        issuer: String,
    },
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

impl Assembly {
    /// `chain`, and what of `bag` it does without.
    pub(super) fn of(chain: Chain, bag: &[Certificate]) -> Self {
        let left_out = left_out(&chain.certificates, bag);
        Self { chain, left_out }
    }
}

impl Chain {
    /// Finds the path from `leaf` through `bag` to an anchor. Certificates that are valid at `at` are preferred; the
    /// path goes through delivered cross-certificates as far as they lead, because more clients know the older root.
    /// Where no path exists, the chain goes as far as signatures lead and says why it ends.
    #[must_use]
    pub fn assemble(leaf: &Certificate, bag: &[Certificate], anchors: &TrustAnchors, at: Timestamp) -> Assembly {
        let pool = distinct(leaf, bag);
        let mut search = Search::new(&pool, anchors, at);
        let path = search.path(Dates::Valid).or_else(|| search.path(Dates::Any));
        let (indices, end) = match path {
            Some(indices) => (indices, ChainEnd::Anchored),
            None => search.partial(),
        };
        let certificates = indices.iter().map(|&index| pool[index].clone()).collect();
        Assembly::of(Self { certificates, end }, bag)
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
    let mut seen = HashSet::from([leaf.fingerprint]);
    pool.extend(bag.iter().filter(|certificate| seen.insert(certificate.fingerprint)));
    pool
}

fn left_out(used: &[Certificate], bag: &[Certificate]) -> Vec<(Certificate, LeftOut)> {
    let chosen: HashSet<_> = used.iter().map(|one| one.fingerprint).collect();
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for certificate in bag {
        let again = !seen.insert(certificate.fingerprint);
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

/// Which certificates a path may go through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Dates {
    /// Those that are valid at the instant of the search.
    Valid,
    /// All.
    Any,
}

/// The most intermediates that clients follow (webpki's bound, and more than any CA has).
const MOST_INTERMEDIATES: usize = 6;

/// The most signatures that are checked for one chain. The densest bundle that is delivered needs some dozens.
const MOST_CHECKS: usize = 2000;

struct Search<'a> {
    pool: &'a [&'a Certificate],
    anchors: &'a TrustAnchors,
    at: Timestamp,
    by_subject: HashMap<&'a [u8], Vec<usize>>,
    /// Whether a certificate is signed by a key; its issuer's name fits already.
    signed: HashMap<(usize, PublicKeyId), bool>,
    /// The key of the anchor that signed a certificate.
    anchored: HashMap<usize, Option<PublicKeyId>>,
    /// How many signatures may still be checked.
    checks: usize,
}

impl<'a> Search<'a> {
    fn new(pool: &'a [&'a Certificate], anchors: &'a TrustAnchors, at: Timestamp) -> Self {
        let mut by_subject: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, certificate) in pool.iter().enumerate().skip(1) {
            by_subject.entry(certificate.subject_der()).or_default().push(index);
        }
        for candidates in by_subject.values_mut() {
            candidates.sort_by_key(|&index| {
                let one = pool[index];
                (one.is_self_issued(), !one.is_ca, std::cmp::Reverse(one.not_after))
            });
        }
        Self { pool, anchors, at, by_subject, signed: HashMap::new(), anchored: HashMap::new(), checks: MOST_CHECKS }
    }

    /// A path to an anchor: the long way through cross-certificates, unless it is longer than clients follow.
    fn path(&mut self, dates: Dates) -> Option<Vec<usize>> {
        let longest = self.deepest(dates)?;
        if longest.len() <= MOST_INTERMEDIATES + 1 { Some(longest) } else { self.shortest(dates).or(Some(longest)) }
    }

    /// Depth first. A certificate that led nowhere is not entered again, so this is linear in certificates and
    /// signatures; and no CA is entered twice, whatever certificates it has, so a path never runs in a circle.
    fn deepest(&mut self, dates: Dates) -> Option<Vec<usize>> {
        let mut visited = vec![false; self.pool.len()];
        let mut path = vec![0];
        visited[0] = true;
        while let Some(&last) = path.last() {
            let cross = self.issuer(last, &path, &visited, dates).filter(|&next| !self.pool[next].is_self_issued());
            if cross.is_none() && self.is_anchored(last, &path) {
                return Some(path);
            }
            match cross.or_else(|| self.issuer(last, &path, &visited, dates)) {
                Some(issuer) => {
                    visited[issuer] = true;
                    path.push(issuer);
                }
                None => {
                    path.pop();
                }
            }
        }
        None
    }

    /// Breadth first.
    fn shortest(&mut self, dates: Dates) -> Option<Vec<usize>> {
        let mut came_from = HashMap::from([(0, 0)]);
        let mut queue = VecDeque::from([0]);
        let mut visited = vec![false; self.pool.len()];
        visited[0] = true;
        while let Some(last) = queue.pop_front() {
            if self.is_anchored(last, &[]) {
                let mut path = vec![last];
                while let Some(&before) = path.last().filter(|&&one| one != 0).and_then(|one| came_from.get(one)) {
                    path.push(before);
                }
                path.reverse();
                return Some(path);
            }
            while let Some(issuer) = self.issuer(last, &[], &visited, dates) {
                visited[issuer] = true;
                came_from.insert(issuer, last);
                queue.push_back(issuer);
            }
        }
        None
    }

    /// As far as signatures lead, and why no further.
    fn partial(&mut self) -> (Vec<usize>, ChainEnd) {
        let mut path = vec![0];
        let none = vec![false; self.pool.len()];
        while let Some(&last) = path.last() {
            let next = self.issuer(last, &path, &none, Dates::Valid);
            match next.or_else(|| self.issuer(last, &path, &none, Dates::Any)) {
                Some(issuer) => path.push(issuer),
                None => break,
            }
        }
        let index = path.last().copied().unwrap_or(0);
        let last = self.pool[index];
        let root = self
            .candidates(index)
            .into_iter()
            .find(|&root| self.pool[root].is_self_issued() && self.is_signed_by(index, root));
        let end = match root {
            Some(root) => ChainEnd::UnknownRoot(self.pool[root].label()),
            None if self.checks == 0 => ChainEnd::TooManyCandidates,
            None if self.is_weakly_signed(index) => {
                ChainEnd::WeakSignature { subject: last.label(), issuer: last.issuer.clone() }
            }
            None => {
                ChainEnd::Gap { subject: last.label(), issuer: last.issuer.clone(), urls: last.issuer_urls.clone() }
            }
        };
        (path, end)
    }

    /// The best certificate of the bag that signed `index`: not visited, of no CA that is on `path`, no root.
    fn issuer(&mut self, index: usize, path: &[usize], visited: &[bool], dates: Dates) -> Option<usize> {
        let pool = self.pool;
        self.candidates(index).into_iter().find(|&issuer| {
            let one = pool[issuer];
            let again = path.iter().any(|&seen| pool[seen].key_id == one.key_id && same_subject(pool[seen], one));
            let usable = issuer != index && !visited[issuer] && !again;
            let dated = dates == Dates::Any || one.is_in_date(self.at);
            usable && dated && self.is_signed_by(index, issuer) && !self.is_root(issuer)
        })
    }

    /// Those of the bag that have the name of `index`'s issuer.
    fn candidates(&self, index: usize) -> Vec<usize> {
        self.by_subject.get(self.pool[index].issuer_der()).cloned().unwrap_or_default()
    }

    fn is_signed_by(&mut self, index: usize, issuer: usize) -> bool {
        let (pool, checks) = (self.pool, &mut self.checks);
        *self.signed.entry((index, pool[issuer].key_id)).or_insert_with(|| {
            let affordable = *checks > 0;
            *checks = checks.saturating_sub(1);
            affordable && signature::check(pool[index].der(), pool[issuer].spki()).is_ok()
        })
    }

    /// Whether an issuer is known whose signature is of a kind that is not trusted (SHA-1, MD5, a short key).
    fn is_weakly_signed(&self, index: usize) -> bool {
        let here = self.candidates(index).into_iter().map(|issuer| self.pool[issuer].spki().to_vec());
        let der = self.pool[index].der();
        let unsupported = |spki: Vec<u8>| signature::check(der, &spki) == Err(SignatureError::Unsupported);
        here.take(1).chain(self.anchors.issuers_of(self.pool[index]).take(1)).any(unsupported)
    }

    /// Signed by itself. A CA's new key that its old key signed has the same name twice and is none.
    fn is_root(&mut self, index: usize) -> bool {
        self.pool[index].is_self_issued() && self.is_signed_by(index, index)
    }

    /// Whether an anchor signed `index`, other than one that `path` went through: that would be a circle, and shorter
    /// without it.
    fn is_anchored(&mut self, index: usize, path: &[usize]) -> bool {
        let (pool, anchors) = (self.pool, self.anchors);
        let key = *self.anchored.entry(index).or_insert_with(|| {
            let signer = anchors.issuers_of(pool[index]).find(|spki| signature::check(pool[index].der(), spki).is_ok());
            signer.map(|spki| PublicKeyId::of_spki(&spki))
        });
        key.is_some_and(|key| !path.iter().any(|&seen| pool[seen].key_id == key && seen != index))
    }
}

fn same_subject(a: &Certificate, b: &Certificate) -> bool {
    a.subject_der() == b.subject_der()
}

#[cfg(test)]
mod tests;
