//! Runs a removal: plain files in the place of links, then the folder goes. What is read at a path
//! is the same bytes at every instant, and never by anybody who could not read them before.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::install::forget::plan::ForgetStep;
use crate::install_plan::apply::error::InstallError;
use crate::store::disk::PIECE_LIMIT;
use crate::store::key_access::on_disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, is_temporary};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::fs::xattrs;

/// More names than that in a folder are not looked at.
const NAMES_LIMIT: usize = 100_000;

/// A plain file that stands where a link was, or will.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlainFile {
    pub path: PathBuf,
    pub mode: u32,
    /// Its user and group.
    pub owner: (u32, u32),
}

/// What `piece` of the live release looks like as a plain file at `path`.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn plain(
    layout: &LineageLayout,
    live: &ReleaseId,
    path: &Path,
    piece: ReleaseFile,
) -> Result<Option<PlainFile>, FileError> {
    let seen = on_disk::look(&layout.piece(live, piece))?;
    Ok(seen.map(|seen| PlainFile {
        path: path.to_owned(),
        mode: seen.mode,
        owner: seen.owner,
    }))
}

/// A whole and flushed plain file beside the link that it is to replace; gone when it is dropped
/// before.
struct Beside {
    temporary: PathBuf,
    path: PathBuf,
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Renamed, it is not there any more. Best effort: the next run sweeps.
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
    let go_on = || signal().map_or(Ok(()), |signal| Err(InstallError::Interrupted { signal }));
    let mut waiting = Vec::new();
    for step in steps {
        if let ForgetStep::Settle { path, piece } = step {
            waiting.extend(beside(layout, live, path, *piece)?);
        }
    }
    for plain in waiting {
        go_on()?;
        folders::replace(&plain.temporary, &plain.path)?;
    }
    for step in steps {
        if let ForgetStep::Discard { folder } = step {
            go_on()?;
            let gone = files::temporary_name(folder);
            folders::rename_new(folder, &gone)?;
            folders::remove_folder(&gone)?;
        }
    }
    Ok(())
}

fn beside(
    layout: &LineageLayout,
    live: &ReleaseId,
    path: &Path,
    piece: ReleaseFile,
) -> Result<Option<Beside>, FileError> {
    let Some(PlainFile { mode, owner, .. }) = plain(layout, live, path, piece)? else {
        return Ok(None);
    };
    let from = layout.piece(live, piece);
    let (bytes, attributes) = (
        Zeroizing::new(files::read(&from, PIECE_LIMIT)?),
        xattrs::read(&from)?,
    );
    let beside = Beside {
        temporary: files::temporary_name(path),
        path: path.to_owned(),
    };
    folders::write(&beside.temporary, &bytes, mode, Some(owner), &attributes)?;
    Ok(Some(beside))
}

/// What lies in the pair's folder and was not put there by certctl.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn strange(layout: &LineageLayout) -> Result<Vec<PathBuf>, FileError> {
    let own = [
        ReleasePointer::Live.name(),
        ReleasePointer::Proven.name(),
        "releases",
        "settings.json",
    ];
    let folder = layout.folder();
    let names = folders::names(&folder, NAMES_LIMIT)?.into_iter();
    let strange = names.filter(|name| !is_temporary(name) && own.iter().all(|own| name != own));
    Ok(strange.map(|name| folder.join(name)).collect())
}
