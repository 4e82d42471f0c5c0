//! The state of a search by names, before signatures are checked.

use std::collections::{HashMap, VecDeque};

use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;

/// Which of several possible chains is preferred.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum ChainPreference {
    /// The chain through all cross-certificates that were given, to the anchor that most clients
    /// trust, including old ones
    #[default]
    Compatible,
    /// The chain to the nearest anchor, with the fewest bytes in each handshake
    Shortest,
}

/// What authority key identifiers mean for a search (RFC 5280 4.2.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IdentifierUse {
    /// A certificate is followed only to certificates that its identifier names, as in OpenSSL.
    Heeded,
    Ignored,
}

/// A certificate to follow to its issuers.
#[derive(Clone, Copy)]
pub(super) struct SearchStep {
    pub certificate: usize,
    /// The number of intermediates below its issuer.
    pub depth: usize,
    /// How many of them count for path lengths: those that are not self-issued.
    pub counted: usize,
}

/// The state of a breadth-first search by names.
#[derive(Default)]
pub(super) struct NameSearch {
    pub queue: VecDeque<SearchStep>,
    /// For each certificate that was reached, the one below it.
    pub child_of: HashMap<usize, usize>,
    /// The CAs that were reached, with their certificates that no identifier has named yet.
    pub leftovers: HashMap<usize, Vec<usize>>,
    /// The CAs that are the goal, with the certificate that each signed.
    pub ends: HashMap<usize, usize>,
    /// The CA at the end of the best path so far, and its depth.
    pub best: Option<(usize, usize)>,
}

impl NameSearch {
    /// Adds a CA that is the goal. The farthest anchor is the oldest: old clients accept newer ones
    /// by its cross-certificates. Depths never decrease during the search.
    pub(super) fn add_goal(
        &mut self,
        authority: usize,
        step: SearchStep,
        preference: ChainPreference,
    ) {
        self.ends.insert(authority, step.certificate);
        let is_better = match (self.best, preference) {
            (None, _) => true,
            (Some((_, best_depth)), ChainPreference::Compatible) => step.depth > best_depth,
            (Some(_), ChainPreference::Shortest) => false,
        };
        if is_better {
            self.best = Some((authority, step.depth));
        }
    }

    /// Adds a certificate of the CA that `below` leads to; `counted` is 1 if it counts for path
    /// lengths.
    pub(super) fn add_step(&mut self, below: SearchStep, certificate: usize, counted: usize) {
        self.child_of.insert(certificate, below.certificate);
        self.queue.push_back(SearchStep {
            certificate,
            depth: below.depth + 1,
            counted: below.counted + counted,
        });
    }

    /// Collects the certificates from the leaf to `last`.
    pub(super) fn trace_back(&self, last: usize) -> Vec<usize> {
        let mut certificates = vec![last];
        let mut current = last;
        while let Some(&below) = self.child_of.get(&current) {
            certificates.push(below);
            current = below;
        }
        certificates.reverse();
        certificates
    }
}

/// Returns whether a CA certificate with `below` intermediates below it meets RFC 5280 (6.1.4 k to
/// n) and what clients require too: `serverAuth` if it restricts usages, an RSA key that is long
/// enough.
pub(super) fn is_permitted(certificate: &Certificate, below: usize) -> bool {
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
