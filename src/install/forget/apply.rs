//! Runs a removal: replaces links by plain files, then removes the folder. A path has the same bytes
//! at every instant, and only those who could read them before can.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::install::forget::plan::ForgetStep;
use crate::install_plan::apply::error::InstallError;
use crate::permissions::{Mode, Owner};
use crate::store::disk::PIECE_LIMIT;
use crate::store::key_access::on_disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, is_temporary};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::fs::xattrs;

/// The most names that are read of a folder.
const NAMES_LIMIT: usize = 100_000;

/// A plain file that replaces a link, or will.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlainFile {
    pub path: PathBuf,
    pub mode: Mode,
    pub owner: Owner,
}

/// What `piece` of the live release will be as a plain file at `path`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn plain_file(
    layout: &LineageLayout,
    live: &ReleaseId,
    path: &Path,
    piece: ReleaseFile,
) -> Result<Option<PlainFile>, FileError> {
    let seen = on_disk::read_status(&layout.file_path(live, piece))?;
    Ok(seen.map(|seen| PlainFile {
        path: path.to_owned(),
        mode: seen.mode,
        owner: seen.owner,
    }))
}

/// A whole and flushed plain file beside the link that it is to replace; gone when it is dropped
/// before.
struct PreparedFile {
    temporary: PathBuf,
    path: PathBuf,
}

impl Drop for PreparedFile {
    fn drop(&mut self) {
        // After its rename it does not exist. Best effort: the next run sweeps.
        let _ = folders::remove(&self.temporary);
    }
}

/// Runs the steps. All plain files are written before the first of them is put in its place: a full
/// disk changes nothing. A `signal` ends it between two changes; those that are made stay.
///
/// # Errors
/// [`InstallError::Interrupted`], or the system's reason; each path is then the link or the plain
/// file, with the same bytes.
pub(crate) fn run(
    layout: &LineageLayout,
    live: &ReleaseId,
    steps: &[ForgetStep],
    signal: impl Fn() -> Option<i32>,
) -> Result<(), InstallError> {
    let mut prepared = Vec::new();
    for step in steps {
        if let ForgetStep::Settle { path, piece } = step {
            prepared.extend(prepare_file(layout, live, path, *piece)?);
        }
    }
    for file in prepared {
        check_signal(&signal)?;
        folders::replace(&file.temporary, &file.path)?;
    }
    for step in steps {
        if let ForgetStep::Discard { folder } = step {
            check_signal(&signal)?;
            let gone = files::temporary_name(folder);
            folders::rename_new(folder, &gone)?;
            folders::remove_folder(&gone)?;
        }
    }
    Ok(())
}

fn check_signal(signal: &impl Fn() -> Option<i32>) -> Result<(), InstallError> {
    match signal() {
        Some(signal) => Err(InstallError::Interrupted { signal }),
        None => Ok(()),
    }
}

fn prepare_file(
    layout: &LineageLayout,
    live: &ReleaseId,
    path: &Path,
    piece: ReleaseFile,
) -> Result<Option<PreparedFile>, FileError> {
    let Some(PlainFile { mode, owner, .. }) = plain_file(layout, live, path, piece)? else {
        return Ok(None);
    };
    let from = layout.file_path(live, piece);
    let bytes = Zeroizing::new(files::read(&from, PIECE_LIMIT)?);
    let attributes = xattrs::read(&from)?;
    let replacement = PreparedFile {
        temporary: files::temporary_name(path),
        path: path.to_owned(),
    };
    folders::write(
        &replacement.temporary,
        &bytes,
        mode,
        Some(owner),
        &attributes,
    )?;
    Ok(Some(replacement))
}

/// Lists the files in the certificate's folder that certctl did not make.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn find_foreign_files(layout: &LineageLayout) -> Result<Vec<PathBuf>, FileError> {
    let own = [
        ReleasePointer::Live.name(),
        ReleasePointer::Proven.name(),
        "releases",
        "settings.json",
    ];
    let folder = layout.folder();
    let names = folders::list_names(&folder, NAMES_LIMIT)?.into_iter();
    Ok(names
        .filter(|name| !is_temporary(name) && own.iter().all(|own| name != own))
        .map(|name| folder.join(name))
        .collect())
}
