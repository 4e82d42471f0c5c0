//! Searches paths through a bag of certificates. The nodes are CAs (a name with a key), the steps
//! certificates. Signatures are checked last, only those of a path that leads to the goal by names:
//! a bag without such a path costs none.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::pki::signature::{self, SignatureError};
use crate::pki::trust::TrustAnchors;

mod name_search;

pub use name_search::ChainPreference;
pub(super) use name_search::IdentifierUse;
use name_search::{NameSearch, SearchStep, is_permitted};

use super::authorities::{AuthorityTable, CertificatePool};

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
    pub certificates: Vec<usize>,
    /// The CA that signed the last one.
    pub end: Option<usize>,
    /// Its key, if it is an anchor.
    pub anchor: Option<PublicKeyId>,
}

/// The maximum number of intermediates that clients accept (the limit of webpki, and more than any
/// CA has).
pub(super) const MOST_INTERMEDIATES: usize = 6;

/// The maximum number of signatures that are checked for one chain. The densest bundle of any CA
/// needs some dozens.
const MOST_CHECKS: usize = 2000;

pub(super) struct PathSearch<'a> {
    pool: CertificatePool<'a>,
    criteria: ChainCriteria<'a>,
    /// Whether authority key identifiers exclude certificates that they do not name.
    pub identifiers: IdentifierUse,
    /// Whether an authority key identifier excluded one.
    pub has_excluded: bool,
    authorities: AuthorityTable<'a>,
    /// Whether a CA signed a certificate with its name as the issuer.
    signed: HashMap<(usize, usize), bool>,
    /// How many signatures may still be checked.
    checks: usize,
}

impl<'a> PathSearch<'a> {
    pub(super) fn new(pool: CertificatePool<'a>, criteria: ChainCriteria<'a>) -> Self {
        Self {
            pool,
            criteria,
            identifiers: IdentifierUse::Heeded,
            has_excluded: false,
            authorities: AuthorityTable::new(pool, criteria.anchors),
            signed: HashMap::new(),
            checks: MOST_CHECKS,
        }
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
            .map(|&index| self.authorities.of_certificate[index])
            .chain(path.end);
        let root = path
            .end
            .filter(|_| matches!(goal, PathGoal::Root))
            .and_then(|end| self.authorities.all[end].root);
        path.certificates
            .iter()
            .copied()
            .zip(issuers)
            .chain(root.zip(path.end))
            .collect()
    }

    /// Searches breadth first: each certificate is reached once, by as few certificates as
    /// possible, so that no path is a circle and path lengths are kept if possible.
    fn find_by_names(&mut self, goal: PathGoal, excluded: &HashSet<usize>) -> Option<VerifiedPath> {
        let mut search = NameSearch::default();
        search.queue.push_back(SearchStep {
            certificate: 0,
            depth: 0,
            counted: 0,
        });
        let mut finished = HashSet::new();
        while let Some(step) = search.queue.pop_front() {
            let certificate = step.certificate;
            let demand = (
                self.pool.names.issuer(certificate),
                self.pool.certificates[certificate].authority_key.as_deref(),
            );
            if finished.contains(&demand) {
                continue;
            }
            let issuers = self.issuers(certificate);
            if issuers.is_empty() && matches!(goal, PathGoal::Gap) {
                return Some(self.finish(&search, certificate, None));
            }
            let is_plain = self.pool.certificates[certificate]
                .authority_certificate
                .is_none();
            if is_plain && !self.has_unsigned(certificate, &issuers) {
                finished.insert(demand);
            }
            for issuer in issuers {
                if !self.is_unsigned(certificate, issuer) {
                    self.reach(&mut search, issuer, step, goal, excluded);
                }
            }
        }
        let (end, _) = search.best?;
        let last = *search.ends.get(&end)?;
        Some(self.finish(&search, last, Some(end)))
    }

    /// Follows a step to a CA: to the goal, if the CA is it, and to the CA's certificates that the
    /// identifier names and that were not reached before.
    fn reach(
        &mut self,
        search: &mut NameSearch,
        authority: usize,
        step: SearchStep,
        goal: PathGoal,
        excluded: &HashSet<usize>,
    ) {
        if search.leftovers.get(&authority).is_some_and(Vec::is_empty)
            && self.is_end(search, authority)
        {
            return;
        }
        if !search.ends.contains_key(&authority) && self.is_goal(goal, authority, step) {
            search.add_goal(authority, step, self.criteria.prefer);
        }
        if step.depth >= MOST_INTERMEDIATES {
            return;
        }
        for index in self.take_named(search, authority, step) {
            if excluded.contains(&index) || !self.fulfils_rules(goal, index, step.counted) {
                continue;
            }
            let counts = !self.pool.certificates[index].is_self_issued();
            search.add_step(step, index, usize::from(counts));
        }
    }

    /// Takes the certificates of a CA that a step names, of those that were not reached before.
    fn take_named(
        &mut self,
        search: &mut NameSearch,
        authority: usize,
        step: SearchStep,
    ) -> Vec<usize> {
        let unreached = match search.leftovers.remove(&authority) {
            Some(unreached) => unreached,
            None => self.authorities.all[authority].certificates.clone(),
        };
        let (named, others): (Vec<usize>, Vec<usize>) = unreached
            .into_iter()
            .partition(|&index| self.is_named(step.certificate, index));
        self.has_excluded |= !others.is_empty();
        search.leftovers.insert(authority, others);
        named
    }

    /// Returns whether nothing more can be learned about a CA as the end of a path.
    fn is_end(&self, search: &NameSearch, authority: usize) -> bool {
        !self.authorities.all[authority].anchor || search.ends.contains_key(&authority)
    }

    fn finish(&self, search: &NameSearch, last: usize, end: Option<usize>) -> VerifiedPath {
        let anchor = end
            .map(|end| &self.authorities.all[end])
            .filter(|authority| authority.anchor)
            .map(|authority| authority.key);
        VerifiedPath {
            certificates: search.trace_back(last),
            end,
            anchor,
        }
    }

    /// Returns whether the identifier of a certificate names that certificate of its issuer.
    fn is_named(&self, certificate: usize, issuer: usize) -> bool {
        self.identifiers == IdentifierUse::Ignored
            || self.pool.certificates[certificate].names_as_issuer(self.pool.certificates[issuer])
    }

    fn is_goal(&mut self, goal: PathGoal, authority: usize, step: SearchStep) -> bool {
        let one = &self.authorities.all[authority];
        match goal {
            PathGoal::Anchor(rules) => {
                one.anchor
                    && self.permits(rules, authority, step)
                    && self.is_named_anchor(authority, step)
            }
            PathGoal::Root => one
                .root
                .is_some_and(|root| !self.is_unsigned(root, authority)),
            PathGoal::Gap => false,
        }
    }

    /// Returns whether the anchor permits the path that leads to it.
    fn permits(&self, rules: StepRules, authority: usize, step: SearchStep) -> bool {
        let key = self.authorities.all[authority].key;
        match rules {
            StepRules::Lasting | StepRules::Permitted => self
                .criteria
                .anchors
                .find_refusal(key, step.counted, self.criteria.at)
                .is_none(),
            StepRules::Valid | StepRules::None => true,
        }
    }

    /// Returns whether the identifier of the last certificate names a certificate of the anchor, if
    /// any is known.
    fn is_named_anchor(&mut self, authority: usize, step: SearchStep) -> bool {
        if self.identifiers == IdentifierUse::Ignored {
            return true;
        }
        let last = self.pool.certificates[step.certificate];
        let key = self.authorities.all[authority].key;
        let mut known = self.criteria.anchors.certificates_with_key(key).peekable();
        let is_named = known.peek().is_none() || known.any(|anchor| last.names_as_issuer(anchor));
        self.has_excluded |= !is_named;
        is_named
    }

    /// Returns whether `certificate` may be on a path to `goal` with `below` intermediates below it
    /// that count for path lengths.
    fn fulfils_rules(&self, goal: PathGoal, certificate: usize, below: usize) -> bool {
        let one = self.pool.certificates[certificate];
        let PathGoal::Anchor(rules) = goal else {
            return true;
        };
        let valid = one.is_in_date(self.criteria.at);
        match rules {
            StepRules::Lasting => {
                valid
                    && is_permitted(one, below)
                    && one.not_after >= self.pool.certificates[0].not_after
            }
            StepRules::Permitted => valid && is_permitted(one, below),
            StepRules::Valid => valid,
            StepRules::None => true,
        }
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

    /// The CAs with the name of a certificate's issuer, those with its key identifier first: a hint
    /// that saves signature checks.
    fn issuers(&self, certificate: usize) -> Vec<usize> {
        let mut issuers = self.authorities.named(self.pool.names.issuer(certificate));
        if issuers.len() > 1
            && let Some(authority_key) = &self.pool.certificates[certificate].authority_key
        {
            issuers.sort_by_key(|&issuer| match &self.authorities.all[issuer].identifier {
                Some(identifier) if identifier == authority_key => 0,
                None => 1,
                Some(_) => 2,
            });
        }
        issuers
    }

    /// The root certificate of a CA that [`PathGoal::Root`] led to.
    pub(super) fn root(&self, authority: usize) -> &'a Certificate {
        self.pool.certificates[self.authorities.all[authority].root.unwrap_or(0)]
    }

    /// Goes from issuer to issuer as long as a known CA signed the last certificate. If that takes
    /// more steps than any real chain has, the search counts as exhausted.
    pub(super) fn follow_signatures(&mut self) -> VerifiedPath {
        let mut certificates = vec![0];
        let mut passed = HashSet::new();
        while let Some(&last) = certificates.last() {
            let mut issuers = self.issuers(last);
            issuers.retain(|one| {
                !passed.contains(one) && !self.authorities.all[*one].certificates.is_empty()
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
            let candidates = &self.authorities.all[issuer].certificates;
            let valid = candidates
                .iter()
                .find(|&&index| self.pool.certificates[index].is_in_date(self.criteria.at));
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
            let der = self.pool.certificates[certificate].der();
            signature::check_signature(der, &self.authorities.all[issuer].spki).is_ok()
        } else {
            false
        };
        self.signed.insert((certificate, issuer), is_signed);
        is_signed
    }

    /// Returns whether a known CA with the name of its issuer has a signature of a kind that is not
    /// trusted (SHA-1, MD5, a short key).
    pub(super) fn is_weakly_signed(&self, certificate: usize) -> bool {
        let der = self.pool.certificates[certificate].der();
        self.issuers(certificate).into_iter().take(2).any(|issuer| {
            signature::check_signature(der, &self.authorities.all[issuer].spki)
                == Err(SignatureError::Unsupported)
        })
    }
}
