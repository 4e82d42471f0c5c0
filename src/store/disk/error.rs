//! Why a release on disk cannot be used.

use std::path::PathBuf;

use crate::store::release::Release;
use crate::system::fs::files::FileError;

/// Why a release on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A release differs from what certctl wrote.
    #[error("{} was changed: {how}", path.display())]
    Damaged {
        path: PathBuf,
        /// How it differs.
        how: &'static str,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl StoreError {
    /// Says what is wrong with the release.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::File(error) => format!("{} is missing", error.path.display()),
            Self::Damaged { .. } => self.to_string(),
        }
    }

    /// Returns whether a new copy of `release`, whose key only its owner reads, may replace this one.
    #[must_use]
    pub(crate) fn is_repairable(&self, release: &Release) -> bool {
        let is_other_error = matches!(self, Self::File(error) if !error.is_missing());
        !is_other_error && !release.access.mode.has_any(0o007)
    }
}
