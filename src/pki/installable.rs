//! A verified certificate in the form in which it is installed.

use super::certificate::Certificate;
use super::certified_key::CertifiedKey;
use super::verify::VerifiedChain;

/// A verified certificate, with its key or without it.
#[derive(Debug)]
pub enum InstallableCertificate {
    /// The chain, and the key that belongs to it.
    WithKey(CertifiedKey),
    /// The chain alone: only a handshake can prove that the server has the key.
    ChainAlone(VerifiedChain),
}

impl InstallableCertificate {
    /// Returns the verified chain.
    #[must_use]
    pub fn chain(&self) -> &VerifiedChain {
        match self {
            Self::WithKey(certified) => certified.chain(),
            Self::ChainAlone(chain) => chain,
        }
    }

    /// Returns the leaf of the chain.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.chain().chain().leaf()
    }
}

impl From<CertifiedKey> for InstallableCertificate {
    fn from(certified: CertifiedKey) -> Self {
        Self::WithKey(certified)
    }
}
