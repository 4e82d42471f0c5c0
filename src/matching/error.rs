//! Why no certificate and key can be selected by the arguments. The advice is in `advice`.

use std::path::PathBuf;

use crate::delivery::DecryptError;

/// Why no certificate can be selected by the arguments.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MatchingError {
    /// Several server certificates, and no key or request that selects one.
    #[error("{} server certificates were found, and no key or request matches any of them", leaves.len())]
    Ambiguous {
        leaves: Vec<String>,
        /// The places that were searched for keys and requests.
        searched_places: String,
    },
    /// The named key is encrypted.
    #[error("{} is an encrypted private key", _0.display())]
    LockedKey(PathBuf),
    /// The named key is encrypted, and the given password does not decrypt it.
    #[error("cannot decrypt the private key {}: {_1}", _0.display())]
    WrongPassword(PathBuf, DecryptError),
    /// The named file has no private key.
    #[error("{} contains no private key", path.display())]
    NoKey {
        path: PathBuf,
        /// The content of the file instead.
        holds: String,
    },
    /// The named file has no request.
    #[error("{} contains no certificate request", path.display())]
    NoRequest {
        path: PathBuf,
        /// The content of the file instead.
        holds: String,
    },
    /// The argument looks like a path, but there is no such file.
    #[error("no such file: {0}")]
    NoSuchFile(String),
    /// The directory has no certificate.
    #[error("no {} in {directory}", certificate_for(name.as_deref()))]
    NoCertificateInDirectory {
        directory: String,
        /// The requested name.
        name: Option<String>,
    },
    #[error("{0} contains a private key but no certificate")]
    OnlyKey(String),
    #[error("{0} is a certificate request (CSR), not a certificate")]
    OnlyRequest(String),
    /// The file of `--trust` has no certificate that can be an anchor.
    #[error("{0} contains no CA certificate that can be a trust anchor")]
    NoAnchor(String),
    /// The argument is neither a file nor a known name.
    #[error("{text} is neither a file nor the name of a request or certificate in {directory}")]
    Unknown {
        text: String,
        /// The directory that was searched for names.
        directory: String,
        /// The names that are known.
        known: Vec<String>,
    },
}

fn certificate_for(name: Option<&str>) -> String {
    name.map_or_else(
        || "server certificate".to_owned(),
        |name| format!("certificate for {name}"),
    )
}
