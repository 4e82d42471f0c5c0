//! Why arguments lead to no pair: facts only; the advice is `failure`'s.

use std::path::PathBuf;

use crate::delivery::DecryptError;

/// Why arguments do not lead to a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MatchingError {
    /// Several sites' certificates and nothing to choose by.
    #[error("{} certificates for sites are here, and no key or request fits one of them", leaves.len())]
    Ambiguous {
        leaves: Vec<String>,
        /// Where keys and requests were looked for.
        looked: String,
    },
    /// A key that was named needs a passphrase.
    #[error("{} is an encrypted private key", _0.display())]
    LockedKey(PathBuf),
    /// A key that was named, and that the passphrase given does not open.
    #[error("{} is an encrypted private key, and {_1}", _0.display())]
    StaysLocked(PathBuf, DecryptError),
    /// A file that was named holds no private key.
    #[error("{} holds no private key", path.display())]
    NoKey {
        path: PathBuf,
        /// What it holds instead.
        holds: String,
    },
    /// A file that was named holds no request.
    #[error("{} holds no certificate request", path.display())]
    NoRequest {
        path: PathBuf,
        /// What it holds instead.
        holds: String,
    },
    /// It looks like a file and is not there.
    #[error("no such file: {0}")]
    NoSuchFile(String),
    /// No certificate in the directory.
    #[error("no certificate {} in {directory}", for_name(name.as_deref()))]
    NothingHere {
        directory: String,
        /// The name that was asked for.
        name: Option<String>,
    },
    #[error("{0} holds a private key and no certificate")]
    OnlyKey(String),
    #[error("{0} is a certificate request (CSR), not a certificate")]
    OnlyRequest(String),
    /// The file of `--trust` has nothing to trust.
    #[error("{0} holds no certificate that can be trusted as a CA's")]
    NoAnchor(String),
    /// Neither a file nor a name that anything here carries.
    #[error("{text} is neither a file nor a name of a request or certificate in {directory}")]
    Unknown {
        text: String,
        /// Where names were looked up.
        directory: String,
        /// The names that are known there.
        known: Vec<String>,
    },
}

fn for_name(name: Option<&str>) -> String {
    name.map_or_else(|| "of a site".to_owned(), |name| format!("for {name}"))
}
