//! A verified chain with the key of its leaf, which is all that `install` accepts.

use super::certificate::Certificate;
use super::key::PrivateKey;
use super::verify::{ChainProblem, VerifiedChain};

#[derive(Debug)]
pub struct CertifiedKey {
    chain: VerifiedChain,
    key: PrivateKey,
}

impl CertifiedKey {
    /// Combines them if the leaf has the public half of the key.
    ///
    /// # Errors
    /// [`ChainProblem::WrongKey`] or [`ChainProblem::WrongKeyKind`].
    pub fn new(chain: VerifiedChain, key: PrivateKey) -> Result<Self, ChainProblem> {
        match find_key_problem(chain.chain().leaf(), &key) {
            Some(problem) => Err(problem),
            None => Ok(Self { chain, key }),
        }
    }

    #[must_use]
    pub fn chain(&self) -> &VerifiedChain {
        &self.chain
    }

    /// The leaf of the chain.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.chain.chain().leaf()
    }

    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// Compares `key` with the key of `leaf` by `SubjectPublicKeyInfo`, for all key types; `None` if
/// they match.
#[must_use]
pub(crate) fn find_key_problem(leaf: &Certificate, key: &PrivateKey) -> Option<ChainProblem> {
    if leaf.key_id == key.id() {
        return None;
    }
    let label = leaf.label();
    let problem = if leaf.algorithm == key.algorithm() {
        ChainProblem::WrongKey {
            key: key.id(),
            leaf: leaf.key_id,
            label,
        }
    } else {
        ChainProblem::WrongKeyKind {
            key: key.algorithm(),
            leaf: leaf.algorithm,
            label,
        }
    };
    Some(problem)
}
