//! A key and a verified chain that belong together: the only thing that `install` accepts.

use super::certificate::Certificate;
use super::key::PrivateKey;
use super::verify::{ChainProblem, VerifiedChain};

#[derive(Debug)]
pub struct CertifiedKey {
    chain: VerifiedChain,
    key: PrivateKey,
}

impl CertifiedKey {
    /// Puts them together if the leaf carries the key's public half.
    ///
    /// # Errors
    /// [`ChainProblem::WrongKey`] or [`ChainProblem::WrongKeyKind`].
    pub fn new(chain: VerifiedChain, key: PrivateKey) -> Result<Self, ChainProblem> {
        match mismatch(chain.chain().leaf(), &key) {
            Some(problem) => Err(problem),
            None => Ok(Self { chain, key }),
        }
    }

    #[must_use]
    pub fn chain(&self) -> &VerifiedChain {
        &self.chain
    }

    /// The leaf.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.chain.chain().leaf()
    }

    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// How `key` and `leaf` do not fit, by `SubjectPublicKeyInfo`, for all key types; `None` when they
/// do.
#[must_use]
pub(crate) fn mismatch(leaf: &Certificate, key: &PrivateKey) -> Option<ChainProblem> {
    if leaf.key_id == key.id() {
        return None;
    }
    let label = leaf.label();
    Some(if leaf.algorithm == key.algorithm() {
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
    })
}
