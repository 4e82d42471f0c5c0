//! The plain files that a run has backed up or kept.

use std::path::{Path, PathBuf};

/// A plain file that this run has backed up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BackedUpFile {
    pub path: PathBuf,
    pub backup: PathBuf,
}

/// Returns the backup of the file at `path`, if it was made.
pub(super) fn backup_of<'a>(path: &Path, backups: &'a [BackedUpFile]) -> Option<&'a Path> {
    let backed_up = backups.iter().find(|file| file.path == path)?;
    Some(&backed_up.backup)
}
