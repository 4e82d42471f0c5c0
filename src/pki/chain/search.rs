//! Searches paths through a bag of certificates. The nodes are CAs (a name with a key), the steps
//! certificates. Signatures are checked last, only those of a path that leads to the goal by names:
//! a bag without such a path costs none.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::signature::{self, SignatureError};
use crate::pki::trust::TrustAnchors;

mod name_search;

pub use name_search::ChainPreference;
use name_search::NameSearch;

/// The criteria of a chain.
#[derive(Clone, Copy, Debug)]
pub struct ChainCriteria<'a> {
    /// The trust anchors that it must end in.
    pub anchors: &'a TrustAnchors,
    /// The time at which certificates must be valid.
    pub at: Timestamp,
    /// The choice if there are several chains.
    pub prefer: ChainPreference,
}

/// The conditions for a certificate on a path to an anchor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum StepRules {
    /// Valid, permitted its role on the path, and expires no sooner than the leaf.
    Lasting,
    /// Valid, and permitted its role on the path.
    Permitted,
    /// Valid: verification reports what is wrong with it.
    Valid,
    None,
}

/// What a path must lead to.
#[derive(Clone, Copy, Debug)]
pub(super) enum PathGoal {
    /// A trust anchor, by certificates that meet the rules.
    Anchor(StepRules),
    /// A root in the bag.
    Root,
    /// A certificate whose issuer is unknown by name.
    Gap,
}

/// A path of which every signature is valid.
#[derive(Clone, Debug)]
pub(super) struct VerifiedPath {
    /// Indices in the pool, the leaf first.
    pub(super) certificates: Vec<usize>,
    /// The CA that signed the last one.
    pub(super) end: Option<usize>,
    /// Its key, if it is an anchor.
    pub(super) anchor: Option<PublicKeyId>,
}

/// The maximum number of intermediates that clients accept (the limit of webpki, and more than any
/// CA has).
pub(super) const MOST_INTERMEDIATES: usize = 6;

/// The maximum number of signatures that are checked for one chain. The densest bundle of any CA
/// needs some dozens.
const MOST_CHECKS: usize = 2000;

/// A CA: a name and a key.
struct Authority {
    key: PublicKeyId,
    spki: Vec<u8>,
    /// The key identifier of its certificates.
    identifier: Option<Vec<u8>>,
    /// The certificates for it, in the order in which they are tried.
    certificates: Vec<usize>,
    /// The self-issued one, if it is a root.
    root: Option<usize>,
    anchor: bool,
}

pub(super) struct PathSearch<'a> {
    pool: &'a [&'a Certificate],
    criteria: ChainCriteria<'a>,
    authorities: Vec<Authority>,
    by_name: HashMap<&'a [u8], Vec<usize>>,
    by_name_and_key: HashMap<(&'a [u8], PublicKeyId), usize>,
    /// The CA that each certificate certifies.
    authority_of: Vec<usize>,
    /// Whether a CA signed a certificate with its name as the issuer.
    signed: HashMap<(usize, usize), bool>,
    /// How many signatures may still be checked.
    checks: usize,
}

impl<'a> PathSearch<'a> {
    /// `pool` has the leaf at index 0, then every other certificate once.
    pub(super) fn new(pool: &'a [&'a Certificate], criteria: ChainCriteria<'a>) -> Self {
        let mut search = Self {
            pool,
            criteria,
            authorities: Vec::new(),
            by_name: HashMap::new(),
            by_name_and_key: HashMap::new(),
            authority_of: vec![usize::MAX; pool.len()],
            signed: HashMap::new(),
            checks: MOST_CHECKS,
        };
        for index in 1..pool.len() {
            search.add_certificate(index);
        }
        search.mark_anchors();
        search.sort_certificates();
        search
    }

    /// Adds a certificate of the pool to its CA.
    fn add_certificate(&mut self, index: usize) {
        let certificate = self.pool[index];
        let authority = self.find_or_add_authority(
            certificate.subject_der(),
            certificate.key_id,
            certificate.spki(),
        );
        self.authority_of[index] = authority;
        let authority = &mut self.authorities[authority];
        authority.certificates.push(index);
        if authority.identifier.is_none() {
            authority.identifier.clone_from(&certificate.subject_key);
        }
        if certificate.is_self_issued() {
            authority.root.get_or_insert(index);
        }
    }

    /// Marks the CAs that are anchors, and adds those that are missing in the pool.
    fn mark_anchors(&mut self) {
        let issuers: HashSet<&[u8]> = self
            .pool
            .iter()
            .map(|certificate| certificate.issuer_der())
            .collect();
        for issuer in issuers {
            for spki in self.criteria.anchors.keys_of(issuer) {
                let key = PublicKeyId::of_spki(&spki);
                let authority = self.find_or_add_authority(issuer, key, &spki);
                self.authorities[authority].anchor = true;
            }
        }
    }

    /// Sorts the certificates of each CA in the order in which they are tried: the last to expire
    /// first, but roots last, because a certificate of a CA for its own new key leads further.
    fn sort_certificates(&mut self) {
        for authority in &mut self.authorities {
            authority.certificates.sort_by_key(|&index| {
                let certificate = self.pool[index];
                (
                    certificate.is_self_issued(),
                    !certificate.is_ca,
                    std::cmp::Reverse(certificate.not_after),
                )
            });
        }
    }

    /// Returns the index of the CA with that name and key, which is added if it is new.
    fn find_or_add_authority(&mut self, name: &'a [u8], key: PublicKeyId, spki: &[u8]) -> usize {
        let next = self.authorities.len();
        let index = *self.by_name_and_key.entry((name, key)).or_insert(next);
        if index == next {
            self.by_name.entry(name).or_default().push(next);
            self.authorities.push(Authority {
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

    /// Finds the best path to `goal` without the certificates that are `excluded`: first by names,
    /// then it checks each signature; a wrong one is not followed again. `None` also if no more
    /// signatures may be checked.
    pub(super) fn find_path(
        &mut self,
        goal: PathGoal,
        excluded: &HashSet<usize>,
    ) -> Option<VerifiedPath> {
        loop {
            let path = self.find_by_names(goal, excluded)?;
            let steps = self.pair_with_issuers(&path, goal);
            let unsigned = steps
                .into_iter()
                .find(|&(certificate, issuer)| !self.is_signed_by(certificate, issuer));
            let Some((certificate, _)) = unsigned else {
                return Some(path);
            };
            // Find the CA of that name that did sign it, so that the next path is right here.
            let issuers = self.issuers(certificate);
            let _ = issuers
                .into_iter()
                .find(|&issuer| self.is_signed_by(certificate, issuer));
            if self.is_exhausted() {
                return None;
            }
        }
    }

    /// Pairs each certificate of a path with the CA that should have signed it.
    fn pair_with_issuers(&self, path: &VerifiedPath, goal: PathGoal) -> Vec<(usize, usize)> {
        let issuers = path
            .certificates
            .iter()
            .skip(1)
            .map(|&index| self.authority_of[index])
            .chain(path.end);
        let root = path
            .end
            .filter(|_| matches!(goal, PathGoal::Root))
            .and_then(|end| self.authorities[end].root);
        path.certificates
            .iter()
            .copied()
            .zip(issuers)
            .chain(root.zip(path.end))
            .collect()
    }

    /// Searches breadth first: each CA is reached once, by as few certificates as possible, so that
    /// no path is a circle and path lengths are kept if possible.
    fn find_by_names(&self, goal: PathGoal, excluded: &HashSet<usize>) -> Option<VerifiedPath> {
        let mut search = NameSearch::new(self.authorities.len());
        let mut finished_names = HashSet::new();
        while let Some((certificate, depth)) = search.queue.pop_front() {
            let name = self.pool[certificate].issuer_der();
            if finished_names.contains(name) {
                continue;
            }
            let issuers = self.issuers(certificate);
            if issuers.is_empty() && matches!(goal, PathGoal::Gap) {
                return Some(self.trace_back(&search.reached_by, certificate, None));
            }
            if !self.has_unsigned(certificate, &issuers) {
                finished_names.insert(name);
            }
            for issuer in issuers {
                if search.reached_by[issuer].is_some() || self.is_unsigned(certificate, issuer) {
                    continue;
                }
                search.reached_by[issuer] = Some(certificate);
                if self.is_goal(goal, issuer, depth) {
                    search.add_goal(issuer, depth, self.criteria.prefer);
                }
                if depth < MOST_INTERMEDIATES {
                    search
                        .queue
                        .extend(self.next_steps(goal, excluded, issuer, depth));
                }
            }
        }
        let (end, _) = search.best?;
        Some(self.trace_back(&search.reached_by, search.reached_by[end]?, Some(end)))
    }

    /// The usable certificates of a CA that was reached at `depth`, with their depth.
    fn next_steps(
        &self,
        goal: PathGoal,
        excluded: &HashSet<usize>,
        authority: usize,
        depth: usize,
    ) -> impl Iterator<Item = (usize, usize)> {
        self.authorities[authority]
            .certificates
            .iter()
            .copied()
            .filter(move |index| {
                !excluded.contains(index) && self.fulfils_rules(goal, *index, depth)
            })
            .map(move |index| (index, depth + 1))
    }

    fn has_unsigned(&self, certificate: usize, issuers: &[usize]) -> bool {
        issuers
            .iter()
            .any(|&issuer| self.is_unsigned(certificate, issuer))
    }

    /// Returns whether it is known that the CA did not sign the certificate.
    fn is_unsigned(&self, certificate: usize, issuer: usize) -> bool {
        self.signed.get(&(certificate, issuer)) == Some(&false)
    }

    /// Collects the path from the leaf to `last`. `reached_by` has the certificate by which each CA
    /// was reached.
    fn trace_back(
        &self,
        reached_by: &[Option<usize>],
        last: usize,
        end: Option<usize>,
    ) -> VerifiedPath {
        let mut certificates = vec![last];
        let mut current = last;
        while current != 0
            && let Some(below) = reached_by[self.authority_of[current]]
        {
            certificates.push(below);
            current = below;
        }
        certificates.reverse();
        let anchor = end
            .map(|end| &self.authorities[end])
            .filter(|authority| authority.anchor)
            .map(|authority| authority.key);
        VerifiedPath {
            certificates,
            end,
            anchor,
        }
    }

    /// The CAs with the name of a certificate's issuer, those with its key identifier first: a hint
    /// that saves signature checks.
    fn issuers(&self, certificate: usize) -> Vec<usize> {
        let mut issuers = self
            .by_name
            .get(self.pool[certificate].issuer_der())
            .cloned()
            .unwrap_or_default();
        if issuers.len() > 1
            && let Some(authority_key) = &self.pool[certificate].authority_key
        {
            issuers.sort_by_key(|&issuer| match &self.authorities[issuer].identifier {
                Some(identifier) if identifier == authority_key => 0,
                None => 1,
                Some(_) => 2,
            });
        }
        issuers
    }

    fn is_goal(&self, goal: PathGoal, authority: usize, below: usize) -> bool {
        let one = &self.authorities[authority];
        match goal {
            PathGoal::Anchor(StepRules::Lasting | StepRules::Permitted) => {
                one.anchor
                    && self
                        .criteria
                        .anchors
                        .find_refusal(one.key, below, self.criteria.at)
                        .is_none()
            }
            PathGoal::Anchor(StepRules::Valid | StepRules::None) => one.anchor,
            PathGoal::Root => one
                .root
                .is_some_and(|root| !self.is_unsigned(root, authority)),
            PathGoal::Gap => false,
        }
    }

    /// Returns whether `certificate` may be on a path to `goal` with `below` intermediates below
    /// it.
    fn fulfils_rules(&self, goal: PathGoal, certificate: usize, below: usize) -> bool {
        let one = self.pool[certificate];
        let PathGoal::Anchor(rules) = goal else {
            return true;
        };
        let valid = one.is_in_date(self.criteria.at);
        match rules {
            StepRules::Lasting => {
                valid && is_permitted(one, below) && one.not_after >= self.pool[0].not_after
            }
            StepRules::Permitted => valid && is_permitted(one, below),
            StepRules::Valid => valid,
            StepRules::None => true,
        }
    }

    /// The root certificate of a CA that [`PathGoal::Root`] led to.
    pub(super) fn root(&self, authority: usize) -> &'a Certificate {
        self.pool[self.authorities[authority].root.unwrap_or(0)]
    }

    /// Goes from issuer to issuer as long as a known CA signed the last certificate. If that takes
    /// more steps than any real chain has, the search counts as exhausted.
    pub(super) fn follow_signatures(&mut self) -> VerifiedPath {
        let mut certificates = vec![0];
        let mut passed = HashSet::new();
        while let Some(&last) = certificates.last() {
            let mut issuers = self.issuers(last);
            issuers.retain(|one| {
                !passed.contains(one) && !self.authorities[*one].certificates.is_empty()
            });
            let Some(issuer) = issuers
                .into_iter()
                .find(|&one| self.is_signed_by(last, one))
            else {
                break;
            };
            passed.insert(issuer);
            if passed.len() > 2 * MOST_INTERMEDIATES {
                self.checks = 0;
                break;
            }
            let candidates = &self.authorities[issuer].certificates;
            let valid = candidates
                .iter()
                .find(|&&index| self.pool[index].is_in_date(self.criteria.at));
            certificates.extend(valid.or_else(|| candidates.first()));
        }
        VerifiedPath {
            certificates,
            end: None,
            anchor: None,
        }
    }

    /// Returns whether no more signatures may be checked.
    pub(super) fn is_exhausted(&self) -> bool {
        self.checks == 0
    }

    fn is_signed_by(&mut self, certificate: usize, issuer: usize) -> bool {
        if let Some(&is_signed) = self.signed.get(&(certificate, issuer)) {
            return is_signed;
        }
        let is_signed = if self.checks > 0 {
            self.checks -= 1;
            let der = self.pool[certificate].der();
            signature::check_signature(der, &self.authorities[issuer].spki).is_ok()
        } else {
            false
        };
        self.signed.insert((certificate, issuer), is_signed);
        is_signed
    }

    /// Returns whether a known CA with the name of its issuer has a signature of a kind that is not
    /// trusted (SHA-1, MD5, a short key).
    pub(super) fn is_weakly_signed(&self, certificate: usize) -> bool {
        let der = self.pool[certificate].der();
        self.issuers(certificate).into_iter().take(2).any(|issuer| {
            signature::check_signature(der, &self.authorities[issuer].spki)
                == Err(SignatureError::Unsupported)
        })
    }
}

/// Returns whether a CA certificate with `below` intermediates below it meets RFC 5280 (6.1.4 k to
/// n) and what clients require too: `serverAuth` if it restricts usages, an RSA key that is long
/// enough.
fn is_permitted(certificate: &Certificate, below: usize) -> bool {
    let usage = certificate.usage;
    let long_enough = !matches!(certificate.algorithm, KeyAlgorithm::Rsa(bits) if bits < 2048);
    let allows_length = usage
        .path_length
        .is_none_or(|most| u32::try_from(below).is_ok_and(|below| below <= most));
    certificate.is_ca
        && usage.signs_certificates
        && usage.server_auth
        && long_enough
        && allows_length
}
