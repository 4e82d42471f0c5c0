//! Plain copies of the files of a release at the paths that servers read. Each is written beside its
//! path with its final owner, mode and attributes, flushed, and renamed.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{NAMES_LIMIT, PIECE_LIMIT};
use crate::permissions::{Mode, Owner};
use crate::store::key_access::on_disk;
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, PRIVATE_FOLDER_MODE, ReleaseFile, ReleaseId, ReleasePointer,
    StableLink,
};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::{folders, xattrs};

/// Who may use a copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CopyAccess {
    pub mode: Mode,
    pub owner: Owner,
}

/// What a plain file at a deployed path is, where copies are deployed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CopyState {
    /// A copy of the live release.
    Live,
    /// A copy of the live release whose owner or mode was changed.
    OtherAccess,
    /// A copy of the proven release: a run was killed between two copies.
    Proven,
    Other,
}

/// Compares the plain file at a deployed path with the live and the proven release.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn compare(layout: &LineageLayout, link: &StableLink) -> Result<CopyState, FileError> {
    let path = link.path.as_path();
    let bytes = Zeroizing::new(files::read(path, PIECE_LIMIT)?);
    let is_file_of = |pointer| -> Result<bool, FileError> {
        let file = layout.pointer(pointer).join(link.piece.file_name());
        Ok(read(&file)?.is_some_and(|expected| expected == bytes))
    };
    if is_file_of(ReleasePointer::Live)? {
        let file = layout
            .pointer(ReleasePointer::Live)
            .join(link.piece.file_name());
        return Ok(if read_access(path)? == read_access(&file)? {
            CopyState::Live
        } else {
            CopyState::OtherAccess
        });
    }
    Ok(if is_file_of(ReleasePointer::Proven)? {
        CopyState::Proven
    } else {
        CopyState::Other
    })
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    match files::read(path, PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => Ok(Some(Zeroizing::new(other?))),
    }
}

/// Returns owner and mode of a file; the mode is that without its ACL.
///
/// # Errors
/// When it cannot be checked.
pub(crate) fn read_access(path: &Path) -> Result<Option<CopyAccess>, FileError> {
    let status = on_disk::read_status(path)?;
    Ok(status.map(|status| CopyAccess {
        mode: status.mode,
        owner: status.owner,
    }))
}

/// Returns whether the plain file at `path` has the bytes of that file in some release: certctl wrote
/// it, and may replace or remove it.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn is_of_any_release(
    layout: &LineageLayout,
    path: &Path,
    piece: ReleaseFile,
) -> Result<bool, FileError> {
    let Some(bytes) = read(path)? else {
        return Ok(false);
    };
    for name in folders::list_names(&layout.releases(), NAMES_LIMIT)? {
        let Some(id) = name.to_str().and_then(ReleaseId::parse) else {
            continue;
        };
        if read(&layout.file_path(&id, piece))?.is_some_and(|of_release| of_release == bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A complete and flushed copy beside the path that it replaces. It is deleted if it is dropped
/// before that.
#[derive(Debug)]
pub(crate) struct PreparedCopy {
    temporary: PathBuf,
    path: PathBuf,
}

impl Drop for PreparedCopy {
    fn drop(&mut self) {
        // After the rename it does not exist. Best effort: the next run deletes leftovers.
        let _ = folders::remove(&self.temporary);
    }
}

impl PreparedCopy {
    /// Writes and flushes a copy of one file of a release; `None` if the release has no such file.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn write(
        layout: &LineageLayout,
        release: &ReleaseId,
        link: &StableLink,
    ) -> Result<Option<Self>, FileError> {
        let from = layout.file_path(release, link.piece);
        let Some(CopyAccess { mode, owner }) = read_access(&from)? else {
            return Ok(None);
        };
        let bytes = Zeroizing::new(files::read(&from, PIECE_LIMIT)?);
        let attributes = xattrs::read(&from)?;
        let prepared = Self {
            temporary: files::temporary_name(&link.path),
            path: link.path.clone(),
        };
        folders::write(&prepared.temporary, &bytes, mode, Some(owner), &attributes)?;
        Ok(Some(prepared))
    }

    /// Renames it to its path, over the file or link there, and flushes the folder.
    ///
    /// # Errors
    /// When the system reports an error; the file at the path is then unchanged.
    pub(crate) fn rename(self) -> Result<(), FileError> {
        folders::replace(&self.temporary, &self.path)
    }

    /// As [`Self::rename`], but the caller has to flush the folder.
    fn rename_unflushed(self) -> Result<(), FileError> {
        folders::replace_unflushed(&self.temporary, &self.path)
    }
}

/// Replaces the files at `links` with copies of a release. All copies are written and flushed before
/// the first is renamed, and the renames follow each other at once: only in between can a reader see
/// files that do not match. Then the folders are flushed.
///
/// # Errors
/// When the system reports an error; the files at later paths are then unchanged.
pub(crate) fn replace(
    layout: &LineageLayout,
    release: &ReleaseId,
    links: &[StableLink],
) -> Result<(), FileError> {
    let mut prepared = Vec::new();
    for link in links {
        let mode = if link.piece.is_secret() {
            PRIVATE_FOLDER_MODE
        } else {
            FOLDER_MODE
        };
        let folder = files::parent(&link.path);
        prepared.extend(folders::run_in_folder(folder, mode, || {
            PreparedCopy::write(layout, release, link)
        })?);
    }
    for copy in prepared {
        copy.rename_unflushed()?;
    }
    for folder in folders_of(links) {
        files::sync_folder(&folder)?;
    }
    Ok(())
}

/// Returns the folders of these paths, each once, in their order.
fn folders_of(links: &[StableLink]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for link in links {
        let folder = files::parent(&link.path).to_owned();
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}
