//! Why the arguments do not lead to a certificate and its key. The advice is in `advice`.

use std::path::PathBuf;

use crate::delivery::DecryptError;

/// Why arguments do not lead to a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MatchingError {
    /// Several server certificates, and no key or request that selects one.
    #[error("{} certificates for sites are here, and no key or request fits one of them", leaves.len())]
    Ambiguous {
        leaves: Vec<String>,
        /// Where certctl looked for keys and requests.
        searched_places: String,
    },
    /// The named key is encrypted.
    #[error("{} is an encrypted private key", _0.display())]
    LockedKey(PathBuf),
    /// The named key is encrypted, and the given passphrase does not decrypt it.
    #[error("{} is an encrypted private key, and {_1}", _0.display())]
    WrongPassphrase(PathBuf, DecryptError),
    /// The named file has no private key.
    #[error("{} holds no private key", path.display())]
    NoKey {
        path: PathBuf,
        /// The content of the file instead.
        holds: String,
    },
    /// The named file has no request.
    #[error("{} holds no certificate request", path.display())]
    NoRequest {
        path: PathBuf,
        /// The content of the file instead.
        holds: String,
    },
    /// The argument looks like a path, but there is no such file.
    #[error("no such file: {0}")]
    NoSuchFile(String),
    /// The directory has no certificate.
    #[error("no certificate {} in {directory}", for_name(name.as_deref()))]
    NoCertificateInDirectory {
        directory: String,
        /// The requested name.
        name: Option<String>,
    },
    #[error("{0} holds a private key and no certificate")]
    OnlyKey(String),
    #[error("{0} is a certificate request (CSR), not a certificate")]
    OnlyRequest(String),
    /// The file of `--trust` has no certificate that can be an anchor.
    #[error("{0} holds no certificate that can be trusted as a CA's")]
    NoAnchor(String),
    /// The argument is neither a file nor a known name.
    #[error("{text} is neither a file nor a name of a request or certificate in {directory}")]
    Unknown {
        text: String,
        /// Where certctl looked for names.
        directory: String,
        /// The names that are known.
        known: Vec<String>,
    },
}

fn for_name(name: Option<&str>) -> String {
    name.map_or_else(|| "of a site".to_owned(), |name| format!("for {name}"))
}
