//! Runs a removal: replaces links with plain files, then deletes the folder. A path has the same
//! content at every moment, and only users who could read it before can read it.

use std::path::{Path, PathBuf};

use crate::install::forget::plan::ForgetStep;
use crate::install_plan::apply::error::InstallError;
use crate::permissions::{Mode, Owner};
use crate::store::disk::copies::{self, CopyAccess, PreparedCopy};
use crate::store::layout::{
    LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, StableLink, TRUST_FILE, is_temporary,
};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// How many names are read from a folder at most.
const NAMES_LIMIT: usize = 100_000;

/// A plain file that replaces a link, or would replace it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlainFile {
    pub path: PathBuf,
    pub mode: Mode,
    pub owner: Owner,
}

/// Returns the plain file at `path` that `piece` of the live release becomes.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn plain_file(
    layout: &LineageLayout,
    live: &ReleaseId,
    path: &Path,
    piece: ReleaseFile,
) -> Result<Option<PlainFile>, FileError> {
    let access = copies::read_access(&layout.file_path(live, piece))?;
    Ok(access.map(|CopyAccess { mode, owner }| PlainFile {
        path: path.to_owned(),
        mode,
        owner,
    }))
}

/// Runs the steps. All plain files are written before the first of them replaces a link, so that a
/// full disk changes nothing. A `signal` stops the run between two changes; changes that were made
/// stay.
///
/// # Errors
/// [`InstallError::Interrupted`], or the system's reason; each path is then the link or the plain
/// file, with the same content.
pub(crate) fn run(
    layout: &LineageLayout,
    live: Option<&ReleaseId>,
    steps: &[ForgetStep],
    signal: impl Fn() -> Option<i32>,
) -> Result<(), InstallError> {
    let mut prepared = Vec::new();
    for step in steps {
        if let (Some(live), ForgetStep::Settle { path, piece }) = (live, step) {
            let link = StableLink::new(path.clone(), *piece);
            prepared.extend(PreparedCopy::write(layout, live, &link)?);
        }
    }
    for file in prepared {
        check_signal(&signal)?;
        file.rename()?;
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

/// Lists the files in the certificate's folder that certctl did not create.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn find_foreign_files(layout: &LineageLayout) -> Result<Vec<PathBuf>, FileError> {
    let own = [
        ReleasePointer::Live.name(),
        ReleasePointer::Proven.name(),
        "releases",
        "settings.json",
        TRUST_FILE,
    ];
    let folder = layout.folder();
    let names = folders::list_names(&folder, NAMES_LIMIT)?.into_iter();
    Ok(names
        .filter(|name| !is_temporary(name) && own.iter().all(|own| name != own))
        .map(|name| folder.join(name))
        .collect())
}
