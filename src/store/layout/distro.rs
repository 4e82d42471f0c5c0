//! Where a distribution keeps certificates.

use std::path::{Path, PathBuf};

/// Where a distribution keeps certificates; decided by the folders that exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DistroFamily {
    /// `/etc/ssl` and `/etc/ssl/private`.
    Debian,
    /// `/etc/pki/tls/certs` and `/etc/pki/tls/private`.
    RedHat,
}

impl DistroFamily {
    /// Decides by the folders that exist, named below the root.
    #[must_use]
    pub(crate) fn detect(is_folder: impl Fn(&str) -> bool) -> Self {
        if is_folder("etc/pki/tls") && !is_folder("etc/ssl/private") {
            Self::RedHat
        } else {
            Self::Debian
        }
    }

    /// Where chain and key of `stem` are read, below the root.
    #[must_use]
    pub(crate) fn stable_paths(self, stem: &str) -> (PathBuf, PathBuf) {
        let (chains, keys) = self.folders();
        (
            chains.join(format!("{stem}.fullchain.pem")),
            keys.join(format!("{stem}.key")),
        )
    }

    /// Where chain and key of `stem` in one file are read, below the root.
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
