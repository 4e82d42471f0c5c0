//! From a bag of certificates to the chain of one leaf: by signature, never by order or file name.
//! Every signature is checked at most once, and a path to an anchor is found whenever one exists in
//! the bag.

use std::collections::HashSet;

use super::certificate::Certificate;
use super::key::PublicKeyId;

mod search;

pub use search::{ChainCriteria, ChainPreference};
use search::{PathGoal, PathSearch, StepRules, VerifiedPath};

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
        issuer: String,
    },
}

/// Leaf first, each certificate signed by the next, no self-signed root.
#[derive(Clone, Debug)]
pub struct Chain {
    certificates: Vec<Certificate>,
    end: ChainEnd,
    /// The key of the anchor that it ends in.
    anchor: Option<PublicKeyId>,
}

/// Why a certificate of the bag is not in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OmissionReason {
    /// The same certificate again.
    Duplicate,
    /// A self-signed root: clients have it or do not trust it.
    Root,
    /// Not on the way from the leaf to the root.
    Unrelated,
}

/// A chain and what was not needed for it.
#[derive(Clone, Debug)]
pub struct AssembledChain {
    pub chain: Chain,
    /// What is left out and why, in the order of the bag.
    pub left_out: Vec<(Certificate, OmissionReason)>,
}

impl Chain {
    /// Finds the path from `leaf` through `bag` to an anchor, of certificates that may do what they
    /// do on it, each valid at the instant and, if there is such a way, no less long than the leaf.
    /// Where no path exists, the chain goes as far as signatures lead and says why it ends.
    #[must_use]
    pub fn assemble(
        leaf: &Certificate,
        bag: &[Certificate],
        wanted: ChainCriteria<'_>,
    ) -> AssembledChain {
        Self::assemble_by(leaf, bag, wanted, |_| None)
    }

    /// The same, with a judge who tells which certificates of an anchored chain may be what he
    /// refuses it for (their places in it); other ways are tried then. Where he refuses all, it is
    /// the first.
    pub(super) fn assemble_by(
        leaf: &Certificate,
        bag: &[Certificate],
        wanted: ChainCriteria<'_>,
        judge: impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> AssembledChain {
        let pool = distinct(leaf, bag);
        let mut search = PathSearch::new(&pool, wanted);
        let chain = Self::anchored(&pool, &mut search, judge)
            .unwrap_or_else(|| Self::partial(&pool, &mut search));
        let left_out = left_out(&chain.certificates, bag);
        AssembledChain { chain, left_out }
    }

    /// The best way that `judge` has nothing against, else the first that there is.
    fn anchored(
        pool: &[&Certificate],
        search: &mut PathSearch<'_>,
        judge: impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> Option<Self> {
        let mut first = None;
        for rules in [StepRules::Lasting, StepRules::Permitted] {
            // Each way that was refused is looked for again without one of its certificates.
            let mut barred = vec![HashSet::new()];
            let mut tried = 0;
            while let (Some(without), true) = (barred.get(tried).cloned(), tried < MOST_WAYS) {
                tried += 1;
                let Some(way) = search.way(PathGoal::Anchor(rules), &without) else {
                    continue;
                };
                let chain = Self::of(pool, &way, ChainEnd::Anchored);
                let Some(culprits) = judge(&chain) else {
                    return Some(chain);
                };
                for culprit in culprits
                    .into_iter()
                    .filter_map(|place| way.certificates.get(place))
                {
                    let more: HashSet<usize> = without.iter().chain([culprit]).copied().collect();
                    if !barred.contains(&more) {
                        barred.push(more);
                    }
                }
                first.get_or_insert(chain);
            }
        }
        let mut wrong = |rules| search.way(PathGoal::Anchor(rules), &HashSet::new());
        first.or_else(|| {
            let way = wrong(StepRules::Valid).or_else(|| wrong(StepRules::None))?;
            Some(Self::of(pool, &way, ChainEnd::Anchored))
        })
    }

    /// As far as signatures lead, and why no further.
    fn partial(pool: &[&Certificate], search: &mut PathSearch<'_>) -> Self {
        let none = HashSet::new();
        if let Some(way) = search.way(PathGoal::Root, &none) {
            let root = way
                .end
                .map(|end| search.root(end).label())
                .unwrap_or_default();
            return Self::of(pool, &way, ChainEnd::UnknownRoot(root));
        }
        let way = search
            .way(PathGoal::Gap, &none)
            .unwrap_or_else(|| search.as_far_as_signed());
        let last = way.certificates.last().copied().unwrap_or(0);
        let (subject, issuer) = (pool[last].label(), pool[last].issuer.clone());
        let end = if search.is_exhausted() {
            ChainEnd::TooManyCandidates
        } else if search.is_weakly_signed(last) {
            ChainEnd::WeakSignature { subject, issuer }
        } else {
            ChainEnd::Gap {
                subject,
                issuer,
                urls: pool[last].issuer_urls.clone(),
            }
        };
        Self::of(pool, &way, end)
    }

    fn of(pool: &[&Certificate], way: &VerifiedPath, end: ChainEnd) -> Self {
        let certificates = way
            .certificates
            .iter()
            .map(|&index| pool[index].clone())
            .collect();
        Self {
            certificates,
            end,
            anchor: way.anchor,
        }
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

    #[must_use]
    pub fn intermediates(&self) -> &[Certificate] {
        &self.certificates[1..]
    }

    #[must_use]
    pub fn end(&self) -> &ChainEnd {
        &self.end
    }

    /// The key of the anchor that it ends in.
    pub(super) fn anchor(&self) -> Option<PublicKeyId> {
        self.anchor
    }

    /// All blocks, leaf first: what servers read as `fullchain.pem`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(Certificate::to_pem).collect()
    }
}

/// The most ways that are judged: each costs a validation of known signatures.
const MOST_WAYS: usize = 256;

/// The leaf at index 0, then every other certificate once.
fn distinct<'a>(leaf: &'a Certificate, bag: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut pool = vec![leaf];
    let mut seen = HashSet::from([leaf.fingerprint]);
    pool.extend(
        bag.iter()
            .filter(|certificate| seen.insert(certificate.fingerprint)),
    );
    pool
}

fn left_out(used: &[Certificate], bag: &[Certificate]) -> Vec<(Certificate, OmissionReason)> {
    let chosen: HashSet<_> = used.iter().map(|one| one.fingerprint).collect();
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for certificate in bag {
        let again = !seen.insert(certificate.fingerprint);
        let reason = match (again, chosen.contains(&certificate.fingerprint)) {
            (true, _) => OmissionReason::Duplicate,
            (false, true) => continue,
            (false, false) if certificate.is_self_issued() => OmissionReason::Root,
            (false, false) => OmissionReason::Unrelated,
        };
        out.push((certificate.clone(), reason));
    }
    out
}

#[cfg(test)]
mod tests;
