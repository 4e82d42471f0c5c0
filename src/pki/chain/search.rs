//! The search itself. Its nodes are CAs (a name with a key), its steps certificates, and signatures
//! are checked last: only those of a way that leads to the goal by names, so that a bag without one
//! costs none.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::signature::{self, SignatureError};
use crate::pki::trust::TrustAnchors;

/// Which of several good ways a chain takes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum ChainPreference {
    /// Through delivered cross-certificates as far as they lead: to the anchor that most clients
    /// know, old ones too.
    #[default]
    Compatible,
    /// To the nearest anchor: the fewest bytes in each handshake.
    Shortest,
}

/// What a chain is looked for by.
#[derive(Clone, Copy, Debug)]
pub struct ChainCriteria<'a> {
    /// What it must end in.
    pub anchors: &'a TrustAnchors,
    /// The instant that dates are judged by.
    pub at: Timestamp,
    /// Which way, where there are several.
    pub prefer: ChainPreference,
}

/// What a certificate must fulfil to be a step of a way to an anchor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum StepRules {
    /// Valid now, ends no sooner than the leaf, and may do what it does there.
    Lasting,
    /// Valid now, and may do what it does there.
    Permitted,
    /// Valid now: the judge says what is wrong with it.
    Valid,
    None,
}

/// What a way is to lead to.
#[derive(Clone, Copy, Debug)]
pub(super) enum PathGoal {
    /// A trust anchor, by certificates that keep the rules.
    Anchor(StepRules),
    /// A root that lies in the bag.
    Root,
    /// A certificate whose issuer nobody here is named like.
    Gap,
}

/// A way of which every signature holds.
#[derive(Clone, Debug)]
pub(super) struct VerifiedPath {
    /// Places in the pool, the leaf first.
    pub(super) certificates: Vec<usize>,
    /// The CA that signed the last one.
    pub(super) end: Option<usize>,
    /// Its key, where it is an anchor.
    pub(super) anchor: Option<PublicKeyId>,
}

/// The most intermediates that clients follow (webpki's bound, and more than any CA has).
pub(super) const MOST_INTERMEDIATES: usize = 6;

/// The most signatures that are checked for one chain. The densest bundle that is delivered needs
/// some dozens.
const MOST_CHECKS: usize = 2000;

/// A CA: a name and a key.
struct Authority {
    key: PublicKeyId,
    spki: Vec<u8>,
    /// The key identifier that its certificates have.
    identifier: Option<Vec<u8>>,
    /// The certificates for it, in the order in which they are tried.
    certificates: Vec<usize>,
    /// Its own, where it is a root.
    root: Option<usize>,
    anchor: bool,
}

pub(super) struct PathSearch<'a> {
    pool: &'a [&'a Certificate],
    wanted: ChainCriteria<'a>,
    authorities: Vec<Authority>,
    by_name: HashMap<&'a [u8], Vec<usize>>,
    by_name_and_key: HashMap<(&'a [u8], PublicKeyId), usize>,
    /// The CA that each certificate is for.
    authority_of: Vec<usize>,
    /// Whether a CA signed a certificate that bears its name.
    signed: HashMap<(usize, usize), bool>,
    /// How many signatures may still be checked.
    checks: usize,
}

impl<'a> PathSearch<'a> {
    /// `pool` has the leaf at index 0, then every other certificate once.
    pub(super) fn new(pool: &'a [&'a Certificate], wanted: ChainCriteria<'a>) -> Self {
        let mut search = Self {
            pool,
            wanted,
            authorities: Vec::new(),
            by_name: HashMap::new(),
            by_name_and_key: HashMap::new(),
            authority_of: vec![usize::MAX; pool.len()],
            signed: HashMap::new(),
            checks: MOST_CHECKS,
        };
        for (index, certificate) in pool.iter().enumerate().skip(1) {
            let authority = search.authority(
                certificate.subject_der(),
                certificate.key_id,
                certificate.spki(),
            );
            search.authority_of[index] = authority;
            let known = &mut search.authorities[authority];
            known.certificates.push(index);
            known.identifier = known
                .identifier
                .take()
                .or_else(|| certificate.subject_key.clone());
            if certificate.is_self_issued() {
                known.root.get_or_insert(index);
            }
        }
        let issuers: HashSet<&[u8]> = pool.iter().map(|one| one.issuer_der()).collect();
        for issuer in issuers {
            for spki in wanted.anchors.keys_of(issuer) {
                let authority = search.authority(issuer, PublicKeyId::of_spki(&spki), &spki);
                search.authorities[authority].anchor = true;
            }
        }
        for authority in &mut search.authorities {
            // The longest-lived first; a certificate that its own new key signed leads further than
            // a root.
            authority.certificates.sort_by_key(|&index| {
                (
                    pool[index].is_self_issued(),
                    !pool[index].is_ca,
                    std::cmp::Reverse(pool[index].not_after),
                )
            });
        }
        search
    }

    /// The CA of that name and key, known already or new.
    fn authority(&mut self, name: &'a [u8], key: PublicKeyId, spki: &[u8]) -> usize {
        let next = self.authorities.len();
        let place = *self.by_name_and_key.entry((name, key)).or_insert(next);
        if place == next {
            self.by_name.entry(name).or_default().push(next);
            let (spki, certificates) = (spki.to_vec(), Vec::new());
            self.authorities.push(Authority {
                key,
                spki,
                identifier: None,
                certificates,
                root: None,
                anchor: false,
            });
        }
        place
    }

    /// The best way to `goal` without the certificates that are `barred`: by names first, then each
    /// signature of it; one that does not hold is not gone through again. `None` also when no more
    /// signatures may be checked.
    pub(super) fn way(&mut self, goal: PathGoal, barred: &HashSet<usize>) -> Option<VerifiedPath> {
        loop {
            let way = self.by_names(goal, barred)?;
            let steps = self.steps(&way, goal);
            let wrong = steps
                .into_iter()
                .find(|&(certificate, issuer)| !self.is_signed_by(certificate, issuer));
            let Some((certificate, _)) = wrong else {
                return Some(way);
            };
            // Who did sign it is found out at once: one look around for all who bear that name.
            let others = self.issuers(certificate);
            let _ = others
                .into_iter()
                .find(|&issuer| self.is_signed_by(certificate, issuer));
            if self.is_exhausted() {
                return None;
            }
        }
    }

    /// Each certificate of a way with the CA that is to have signed it.
    fn steps(&self, way: &VerifiedPath, goal: PathGoal) -> Vec<(usize, usize)> {
        let above = way
            .certificates
            .iter()
            .skip(1)
            .map(|&index| self.authority_of[index]);
        let root = way
            .end
            .filter(|_| matches!(goal, PathGoal::Root))
            .and_then(|end| self.authorities[end].root);
        way.certificates
            .iter()
            .copied()
            .zip(above.chain(way.end))
            .chain(root.zip(way.end))
            .collect()
    }

    /// Breadth first: each CA is reached once, by as few certificates as possible, so that no way
    /// runs in a circle and path lengths are kept if they can be.
    fn by_names(&self, goal: PathGoal, barred: &HashSet<usize>) -> Option<VerifiedPath> {
        let mut reached: Vec<Option<usize>> = vec![None; self.authorities.len()];
        let mut queue = VecDeque::from([(0, 0)]);
        let mut best: Option<(usize, usize)> = None;
        let mut done = HashSet::new();
        while let Some((certificate, depth)) = queue.pop_front() {
            let name = self.pool[certificate].issuer_der();
            if done.contains(name) {
                continue;
            }
            let issuers = self.issuers(certificate);
            if issuers.is_empty() && matches!(goal, PathGoal::Gap) {
                return Some(self.back(&reached, certificate, None));
            }
            if !issuers
                .iter()
                .any(|&issuer| self.is_unsigned(certificate, issuer))
            {
                done.insert(name);
            }
            for issuer in issuers {
                if reached[issuer].is_some() || self.is_unsigned(certificate, issuer) {
                    continue;
                }
                reached[issuer] = Some(certificate);
                if self.is_goal(goal, issuer, depth)
                    && best.is_none_or(|(_, least)| self.is_better(depth, least))
                {
                    best = Some((issuer, depth));
                }
                if depth < MOST_INTERMEDIATES {
                    let next = self.authorities[issuer].certificates.iter().copied();
                    let usable =
                        next.filter(|one| !barred.contains(one) && self.keeps(goal, *one, depth));
                    queue.extend(usable.map(|one| (one, depth + 1)));
                }
            }
        }
        let (end, _) = best?;
        Some(self.back(&reached, reached[end]?, Some(end)))
    }

    /// Known not to be signed by that CA.
    fn is_unsigned(&self, certificate: usize, issuer: usize) -> bool {
        self.signed.get(&(certificate, issuer)) == Some(&false)
    }

    /// Of the anchors the farthest is the oldest: newer ones were made known to
    /// old clients by its cross-certificates.
    fn is_better(&self, depth: usize, least: usize) -> bool {
        match self.wanted.prefer {
            ChainPreference::Compatible => depth > least,
            ChainPreference::Shortest => false,
        }
    }

    /// From `last` down to the leaf.
    fn back(&self, reached: &[Option<usize>], last: usize, end: Option<usize>) -> VerifiedPath {
        let mut certificates = vec![last];
        let mut at = last;
        while let Some(below) = (at != 0).then(|| reached[self.authority_of[at]]).flatten() {
            certificates.push(below);
            at = below;
        }
        certificates.reverse();
        let anchor = end
            .map(|end| &self.authorities[end])
            .filter(|one| one.anchor)
            .map(|one| one.key);
        VerifiedPath {
            certificates,
            end,
            anchor,
        }
    }

    /// Those with the name of a certificate's issuer, the ones with its key identifier first: a
    /// hint that spares signatures.
    fn issuers(&self, certificate: usize) -> Vec<usize> {
        let mut issuers = self
            .by_name
            .get(self.pool[certificate].issuer_der())
            .cloned()
            .unwrap_or_default();
        if let (Some(wanted), true) = (&self.pool[certificate].authority_key, issuers.len() > 1) {
            issuers.sort_by_key(|&issuer| match &self.authorities[issuer].identifier {
                Some(identifier) if identifier == wanted => 0,
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
                        .wanted
                        .anchors
                        .refusal(one.key, below, self.wanted.at)
                        .is_none()
            }
            PathGoal::Anchor(StepRules::Valid | StepRules::None) => one.anchor,
            PathGoal::Root => one
                .root
                .is_some_and(|root| !self.is_unsigned(root, authority)),
            PathGoal::Gap => false,
        }
    }

    /// Whether `certificate` may stand in a way with `below` intermediates under it.
    fn keeps(&self, goal: PathGoal, certificate: usize, below: usize) -> bool {
        let one = self.pool[certificate];
        let PathGoal::Anchor(rules) = goal else {
            return true;
        };
        let valid = one.is_in_date(self.wanted.at);
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

    /// Step by step, as long as somebody here signed the last one; what goes on for longer than any
    /// CA has issuers is given up like any search.
    pub(super) fn as_far_as_signed(&mut self) -> VerifiedPath {
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
            let of = &self.authorities[issuer].certificates;
            let valid = of
                .iter()
                .find(|&&one| self.pool[one].is_in_date(self.wanted.at));
            certificates.extend(valid.or_else(|| of.first()));
        }
        VerifiedPath {
            certificates,
            end: None,
            anchor: None,
        }
    }

    /// No more signatures may be checked.
    pub(super) fn is_exhausted(&self) -> bool {
        self.checks == 0
    }

    fn is_signed_by(&mut self, certificate: usize, issuer: usize) -> bool {
        let (pool, authorities, checks) = (self.pool, &self.authorities, &mut self.checks);
        *self.signed.entry((certificate, issuer)).or_insert_with(|| {
            let affordable = *checks > 0;
            *checks = checks.saturating_sub(1);
            affordable
                && signature::check(pool[certificate].der(), &authorities[issuer].spki).is_ok()
        })
    }

    /// Whether somebody of its issuer's name is known whose signature is of a kind that is not
    /// trusted (SHA-1, MD5, a short key).
    pub(super) fn is_weakly_signed(&self, certificate: usize) -> bool {
        let der = self.pool[certificate].der();
        let unsupported = |issuer: usize| {
            signature::check(der, &self.authorities[issuer].spki)
                == Err(SignatureError::Unsupported)
        };
        self.issuers(certificate)
            .into_iter()
            .take(2)
            .any(unsupported)
    }
}

/// What RFC 5280 asks of a CA's certificate with
/// `below` intermediates under it (6.1.4 k to n), and clients besides: `serverAuth` where it names
/// usages, an RSA key that is long enough.
fn is_permitted(certificate: &Certificate, below: usize) -> bool {
    let usage = certificate.usage;
    let long_enough = !matches!(certificate.algorithm, KeyAlgorithm::Rsa(bits) if bits < 2048);
    let deep = usage
        .path_length
        .is_none_or(|most| u32::try_from(below).is_ok_and(|below| below <= most));
    certificate.is_ca && usage.signs_certificates && usage.server_auth && long_enough && deep
}
