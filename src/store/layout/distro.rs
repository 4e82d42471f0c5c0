//! The folders for certificates and keys of each distribution.

use std::path::{Path, PathBuf};

/// A family of distributions with the same folders for certificates and keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DistroFamily {
    /// `/etc/ssl` and `/etc/ssl/private`.
    Debian,
    /// `/etc/pki/tls/certs` and `/etc/pki/tls/private`.
    RedHat,
}

impl DistroFamily {
    /// Detects the family from the folders that exist; `is_folder` gets paths relative to the root.
    #[must_use]
    pub(crate) fn detect(is_folder: impl Fn(&str) -> bool) -> Self {
        if is_folder("etc/pki/tls") && !is_folder("etc/ssl/private") {
            Self::RedHat
        } else {
            Self::Debian
        }
    }

    /// Returns the paths of chain and key of `stem`, relative to the root.
    #[must_use]
    pub(crate) fn stable_paths(self, stem: &str) -> (PathBuf, PathBuf) {
        let (chains, keys) = self.folders();
        (
            chains.join(format!("{stem}.fullchain.pem")),
            keys.join(format!("{stem}.key")),
        )
    }

    /// Returns the path of the file with chain and key of `stem`, relative to the root.
    #[must_use]
    pub(crate) fn combined_path(self, stem: &str) -> PathBuf {
        self.folders().1.join(format!("{stem}.pem"))
    }

    fn folders(self) -> (&'static Path, &'static Path) {
        let (chains, keys) = match self {
            Self::Debian => ("etc/ssl", "etc/ssl/private"),
            Self::RedHat => ("etc/pki/tls/certs", "etc/pki/tls/private"),
        };
        (Path::new(chains), Path::new(keys))
    }
}
