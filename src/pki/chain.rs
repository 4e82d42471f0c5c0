//! Assembles the chain of one leaf from a bag of certificates: by signature, never by order or file
//! name. Every signature is checked at most once, and a path to an anchor is found whenever one
//! exists in the bag.

use std::collections::HashSet;

use super::certificate::Certificate;
use super::key::PublicKeyId;

mod authorities;
mod pool_names;
mod search;

use authorities::CertificatePool;
use pool_names::PoolNames;
pub use search::{ChainCriteria, ChainPreference};
use search::{IdentifierUse, PathGoal, PathSearch, StepRules, VerifiedPath};

/// Where a chain ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ChainEnd {
    /// The last certificate is signed by a trust anchor.
    Anchored,
    /// The issuer of the last certificate is neither in the bag nor an anchor.
    Gap {
        /// The label of the last certificate.
        subject: String,
        /// The issuer that is missing.
        issuer: String,
        /// The URLs of the issuer that the CA gives.
        urls: Vec<String>,
    },
    /// More signatures would have to be checked than any real chain needs.
    TooManyCandidates,
    /// The chain is complete but its root is not a trust anchor; holds the label of the root.
    UnknownRoot(String),
    /// The issuer may be in the bag, but the signature algorithm is no longer trusted.
    WeakSignature {
        /// The label of the certificate with that signature.
        subject: String,
        issuer: String,
    },
}

/// Leaf first, each certificate signed by the next, no self-signed root.
#[derive(Clone, Debug)]
pub struct Chain {
    certificates: Vec<Certificate>,
    end: ChainEnd,
    /// The key of the anchor that it ends in, if it does.
    anchor: Option<PublicKeyId>,
}

/// Why a certificate of the bag is not in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OmissionReason {
    /// The certificate occurs more than once.
    Duplicate,
    /// A root, which clients have or do not trust.
    Root,
    /// Not on the path from the leaf to the root.
    Unrelated,
}

/// A chain and the certificates that it does not need.
#[derive(Clone, Debug)]
pub struct AssembledChain {
    pub chain: Chain,
    /// The omitted certificates and why, in the order of the bag.
    pub omitted: Vec<(Certificate, OmissionReason)>,
}

impl Chain {
    /// Finds the path from `leaf` through `bag` to an anchor. Each certificate must be valid, be
    /// permitted its role on the path and, if there is such a path, expire no sooner than the leaf.
    /// If no path exists, the chain goes as far as valid signatures lead and reports why it ends.
    #[must_use]
    pub fn assemble(
        leaf: &Certificate,
        bag: &[Certificate],
        criteria: ChainCriteria<'_>,
    ) -> AssembledChain {
        Self::assemble_by(leaf, bag, criteria, |_| None)
    }

    /// Assembles as [`Self::assemble`], with a `judge` that may refuse an anchored chain: it
    /// returns the indices of the certificates that may be the cause, and paths without them are
    /// tried. If it refuses all, the first chain is returned.
    pub(super) fn assemble_by(
        leaf: &Certificate,
        bag: &[Certificate],
        criteria: ChainCriteria<'_>,
        judge: impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> AssembledChain {
        let pool = collect_pool(leaf, bag);
        let names = PoolNames::exact(&pool);
        let named_pool = CertificatePool {
            certificates: &pool,
            names: &names,
        };
        let mut search = PathSearch::new(named_pool, criteria);
        let chain = Self::assemble_anchored(&pool, &mut search, &judge)
            .or_else(|| Self::assemble_folded(&pool, criteria, &judge))
            .unwrap_or_else(|| Self::assemble_partial(&pool, &mut search));
        let left_out = find_omissions(&chain.certificates, bag);
        AssembledChain {
            chain,
            omitted: left_out,
        }
    }

    /// The best chain to an anchor if names are compared as in RFC 5280 7.1.
    fn assemble_folded(
        pool: &[&Certificate],
        criteria: ChainCriteria<'_>,
        judge: &impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> Option<Self> {
        let names = PoolNames::folded(pool, criteria.anchors)?;
        let named_pool = CertificatePool {
            certificates: pool,
            names: &names,
        };
        let mut search = PathSearch::new(named_pool, criteria);
        Self::assemble_anchored(pool, &mut search, judge)
    }

    /// The best chain to an anchor that `judge` accepts, else the first that it refused.
    fn assemble_anchored(
        pool: &[&Certificate],
        search: &mut PathSearch<'_>,
        judge: &impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> Option<Self> {
        let mut first_refused = None;
        for rules in [StepRules::Lasting, StepRules::Permitted] {
            match Self::find_accepted(pool, search, rules, judge) {
                JudgedChain::Accepted(chain) => return Some(chain),
                JudgedChain::Refused(chain) => first_refused = first_refused.or(Some(chain)),
                JudgedChain::NotFound => {}
            }
        }
        if first_refused.is_some() {
            return first_refused;
        }
        search.identifiers = IdentifierUse::Ignored;
        // If no identifier excluded a certificate, the first two would find nothing again.
        let first = if search.has_excluded { 0 } else { 2 };
        let excluded = HashSet::new();
        let path = [
            StepRules::Lasting,
            StepRules::Permitted,
            StepRules::Valid,
            StepRules::None,
        ][first..]
            .iter()
            .find_map(|rules| search.find_path(PathGoal::Anchor(*rules), &excluded))?;
        Some(Self::from_path(pool, &path, ChainEnd::Anchored))
    }

    /// Tries paths to an anchor until `judge` accepts one. For each refused path, paths without one
    /// of the certificates that may be the cause are tried too.
    fn find_accepted(
        pool: &[&Certificate],
        search: &mut PathSearch<'_>,
        rules: StepRules,
        judge: &impl Fn(&Self) -> Option<Vec<usize>>,
    ) -> JudgedChain {
        let mut first_refused = None;
        let mut exclusions = vec![HashSet::new()];
        let mut tried = 0;
        while tried < MOST_PATHS
            && let Some(excluded) = exclusions.get(tried).cloned()
        {
            tried += 1;
            let Some(path) = search.find_path(PathGoal::Anchor(rules), &excluded) else {
                continue;
            };
            let chain = Self::from_path(pool, &path, ChainEnd::Anchored);
            let Some(causes) = judge(&chain) else {
                return JudgedChain::Accepted(chain);
            };
            for cause in causes {
                let mut extended = excluded.clone();
                extended.extend(path.certificates.get(cause));
                if !exclusions.contains(&extended) {
                    exclusions.push(extended);
                }
            }
            first_refused.get_or_insert(chain);
        }
        first_refused.map_or(JudgedChain::NotFound, JudgedChain::Refused)
    }

    /// Follows valid signatures as far as possible, and reports why the chain ends there.
    fn assemble_partial(pool: &[&Certificate], search: &mut PathSearch<'_>) -> Self {
        search.identifiers = IdentifierUse::Ignored;
        let excluded = HashSet::new();
        if let Some(path) = search.find_path(PathGoal::Root, &excluded) {
            let root = path
                .end
                .map(|end| search.root(end).label())
                .unwrap_or_default();
            return Self::from_path(pool, &path, ChainEnd::UnknownRoot(root));
        }
        let path = search
            .find_path(PathGoal::Gap, &excluded)
            .unwrap_or_else(|| search.follow_signatures());
        let last = path.certificates.last().copied().unwrap_or(0);
        let subject = pool[last].label();
        let issuer = pool[last].issuer.clone();
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
        Self::from_path(pool, &path, end)
    }

    fn from_path(pool: &[&Certificate], path: &VerifiedPath, end: ChainEnd) -> Self {
        let certificates = path
            .certificates
            .iter()
            .map(|&index| pool[index].clone())
            .collect();
        Self {
            certificates,
            end,
            anchor: path.anchor,
        }
    }

    /// The first certificate.
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

/// The outcome of looking for a chain that a judge accepts.
enum JudgedChain {
    Accepted(Chain),
    NotFound,
    /// The first of several that were refused.
    Refused(Chain),
}

/// The maximum number of paths that are judged: each costs a validation of known signatures.
const MOST_PATHS: usize = 256;

/// Collects the leaf at index 0, then every other certificate once.
fn collect_pool<'a>(leaf: &'a Certificate, bag: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut pool = vec![leaf];
    let mut seen = HashSet::from([leaf.fingerprint]);
    pool.extend(
        bag.iter()
            .filter(|certificate| seen.insert(certificate.fingerprint)),
    );
    pool
}

fn find_omissions(used: &[Certificate], bag: &[Certificate]) -> Vec<(Certificate, OmissionReason)> {
    let chosen: HashSet<_> = used.iter().map(|one| one.fingerprint).collect();
    let mut seen = HashSet::new();
    let mut omissions = Vec::new();
    for certificate in bag {
        let is_duplicate = !seen.insert(certificate.fingerprint);
        let reason = match (is_duplicate, chosen.contains(&certificate.fingerprint)) {
            (true, _) => OmissionReason::Duplicate,
            (false, true) => continue,
            (false, false) if certificate.is_self_issued() => OmissionReason::Root,
            (false, false) => OmissionReason::Unrelated,
        };
        omissions.push((certificate.clone(), reason));
    }
    omissions
}

#[cfg(test)]
mod tests;
