//! The state of a search by names, before signatures are checked.

use std::collections::VecDeque;

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

/// The state of a breadth-first search by names.
pub(super) struct NameSearch {
    /// The certificate by which each CA was reached.
    pub(super) reached_by: Vec<Option<usize>>,
    /// Certificates to follow, with the number of intermediates below their issuer.
    pub(super) queue: VecDeque<(usize, usize)>,
    /// The CA at the end of the best path so far, and its depth.
    pub(super) best: Option<(usize, usize)>,
}

impl NameSearch {
    /// Starts at the leaf.
    pub(super) fn new(authorities: usize) -> Self {
        Self {
            reached_by: vec![None; authorities],
            queue: VecDeque::from([(0, 0)]),
            best: None,
        }
    }

    /// Adds a CA that is the goal. The farthest anchor is the oldest: old clients accept newer ones
    /// by its cross-certificates. Depths never decrease during the search.
    pub(super) fn add_goal(&mut self, authority: usize, depth: usize, preference: ChainPreference) {
        let is_better = match (self.best, preference) {
            (None, _) => true,
            (Some((_, best_depth)), ChainPreference::Compatible) => depth > best_depth,
            (Some(_), ChainPreference::Shortest) => false,
        };
        if is_better {
            self.best = Some((authority, depth));
        }
    }
}
