//! Releases on disk: built beside their final name, flushed, renamed, and from then on only read or
//! taken away.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::store::key_access::on_disk;
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, is_temporary, key_mode,
    temporary_of,
};
use crate::store::release::{KeyAccess, Release};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::system::fs::lock::FileLock;

/// The most that is read of one file of a release.
pub(crate) const PIECE_LIMIT: u64 = 1024 * 1024;
/// More names than that in a folder are not looked at.
const NAMES_LIMIT: usize = 100_000;

/// Why a release on disk is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A release is not what was written.
    #[error("{} was changed: {how}", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong with it.
        how: &'static str,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A release that is built but has no name yet; taken away when it is dropped without one. The lock
/// says to others that somebody works in it.
#[derive(Debug)]
pub(crate) struct StagedRelease {
    folder: PathBuf,
    access: KeyAccess,
    working: FileLock,
    published: bool,
}

impl Drop for StagedRelease {
    fn drop(&mut self) {
        if !self.published {
            // Best effort: the next install sweeps.
            let _ = folders::remove_folder(&self.folder);
        }
    }
}

/// Builds a release in a hidden folder beside its final place: nobody else may enter it while it is
/// built, each file is born with its final mode and flushed.
///
/// # Errors
/// The system's reason; what was begun is removed.
pub(crate) fn stage(layout: &LineageLayout, release: &Release) -> Result<StagedRelease, FileError> {
    let (folder, working) = hidden(layout, &release.id)?;
    let staged = StagedRelease {
        folder,
        access: release.access,
        working,
        published: false,
    };
    for (piece, bytes, mode) in release.files() {
        let owner = if piece.is_secret() {
            release.access.owner
        } else {
            None
        };
        let attributes = on_disk::attributes(layout, piece, mode)?;
        folders::write(
            &staged.folder.join(piece.file_name()),
            bytes,
            mode,
            owner,
            &attributes,
        )?;
    }
    staged.working.finish(&staged.folder, FOLDER_MODE)?;
    Ok(staged)
}

/// A new hidden folder, locked. A sweep that comes between its making, its mode and its lock takes
/// it away: then again.
fn hidden(layout: &LineageLayout, id: &ReleaseId) -> Result<(PathBuf, FileLock), FileError> {
    loop {
        let folder = files::temporary_name(&layout.release(id));
        match folders::within(&layout.releases(), FOLDER_MODE, || {
            folders::make_new(&folder, 0o700)
        }) {
            Err(error) if error.is_missing() && folders::is_folder(&layout.releases()) => continue,
            other => other?,
        }
        if let Some(working) = FileLock::folder(&folder)? {
            return Ok((folder, working));
        }
    }
}

impl StagedRelease {
    /// Gives it its name, or, where that is taken, compares.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when another content has the name; else the system's reason.
    pub(crate) fn publish(
        mut self,
        layout: &LineageLayout,
        release: &Release,
    ) -> Result<(), StoreError> {
        match folders::rename_new(&self.folder, &layout.release(&release.id)) {
            Err(error) if error.is_taken() => {
                compare(layout, release)?;
                // Who gave it its name may not have come to this.
                Ok(files::sync_folder(&layout.releases())?)
            }
            other => {
                self.published = other.is_ok();
                Ok(other?)
            }
        }
    }

    /// Who may read the key in it.
    #[must_use]
    pub(crate) fn access(&self) -> KeyAccess {
        self.access
    }
}

/// Whether the release on disk is this one, byte for byte, and nobody may read its key but who
/// should.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn compare(layout: &LineageLayout, release: &Release) -> Result<(), StoreError> {
    for (piece, bytes, _) in release.files() {
        let path = layout.piece(&release.id, piece);
        let damaged = |how: &'static str| StoreError::Damaged {
            path: path.clone(),
            how,
        };
        let there = Zeroizing::new(files::read(&path, PIECE_LIMIT)?);
        if there.as_slice() != bytes {
            return Err(damaged("it does not hold what was written"));
        }
        let seen = on_disk::look(&path)?.filter(|_| piece.is_secret());
        if seen.as_ref().is_some_and(|seen| seen.mode & 0o007 != 0) {
            return Err(damaged("everybody may read the key in it"));
        }
        if seen.is_some_and(|seen| !admits(&seen, release.access)) {
            return Err(damaged(
                "others than it was made for may read the key in it",
            ));
        }
    }
    Ok(())
}

/// Reads a release back; `None` when it is not there, or when no server could load it.
///
/// # Errors
/// When its files are there and cannot be read.
pub(crate) fn load(layout: &LineageLayout, id: &ReleaseId) -> Result<Option<Release>, FileError> {
    let read = |piece| match files::read(&layout.piece(id, piece), PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    };
    let (Some(chain), Some(key)) = (read(ReleaseFile::FullChain)?, read(ReleaseFile::Key)?) else {
        return Ok(None);
    };
    let access = match on_disk::look(&layout.piece(id, ReleaseFile::Key))? {
        Some(seen) => KeyAccess {
            mode: key_mode(Some(seen.mode)),
            owner: Some(seen.owner),
        },
        None => KeyAccess::default(),
    };
    let (chain, key) = (Zeroizing::new(chain), Zeroizing::new(key));
    let combined = read(ReleaseFile::Combined)?.map(Zeroizing::new);
    let whole = |release: Release| match combined.clone() {
        Some(combined) => release.holding(combined),
        None => release,
    };
    if let Ok(release) = Release::taken(chain.clone(), key.clone(), access) {
        let fits = combined
            .as_ref()
            .is_none_or(|combined| release.is_combined_in(combined));
        // Its name may take in who may read it.
        return Ok(fits.then(|| whole(release).called(id.clone())));
    }
    // What cannot be judged here was named by its bytes when a server was seen to load it.
    let named = |release: &Release| release.id == *id;
    let opaque = || Release::opaque(chain.clone(), key.clone(), access).map(whole);
    Ok(opaque()
        .filter(named)
        .or_else(|| opaque().map(Release::by_access).filter(named)))
}

/// The name that `release` can have: its own, unless the key in the release of that name has
/// another owner or mode.
///
/// # Errors
/// When what is there cannot be looked at.
pub(crate) fn named(layout: &LineageLayout, release: Release) -> Result<Release, FileError> {
    let differs = on_disk::look(&layout.piece(&release.id, ReleaseFile::Key))?
        .is_some_and(|seen| !admits(&seen, release.access));
    Ok(if differs {
        release.by_access()
    } else {
        release
    })
}

/// Whether owner and mode are these.
fn admits(seen: &folders::FileStatus, access: KeyAccess) -> bool {
    let owned = access.owner.map_or_else(
        || seen.owner.0 == folders::user(),
        |owner| owner == seen.owner,
    );
    owned && seen.mode == access.mode
}

/// Removes releases beyond the three newest, except those in `keep`, and what killed runs have
/// left. Each gets a name that means nothing first, so that half of one is never taken for one.
///
/// # Errors
/// The system's reason.
pub(crate) fn prune(layout: &LineageLayout, keep: &[ReleaseId]) -> Result<(), FileError> {
    let names = folders::names(&layout.releases(), NAMES_LIMIT)?;
    let ids: Vec<ReleaseId> = names
        .iter()
        .filter_map(|name| ReleaseId::parse(name.to_str()?))
        .collect();
    let mut releases = Vec::new();
    for id in ids.into_iter().filter(|_| names.len() > 3) {
        let modified = folders::look(&layout.release(&id))?.map(|seen| seen.modified);
        releases.push((modified, id));
    }
    releases.sort();
    for (_, id) in releases
        .iter()
        .rev()
        .skip(3)
        .filter(|(_, id)| !keep.contains(id))
    {
        let gone = files::temporary_name(&layout.release(id));
        folders::rename_new(&layout.release(id), &gone)?;
        folders::remove_folder(&gone)?;
    }
    sweep_names(layout, &names)
}

/// Removes what killed runs have left: unfinished releases that nobody works in, and temporary
/// names of our own links and files. Only under the lock. Each folder is read once, however many
/// pairs have links in it.
///
/// # Errors
/// The system's reason.
pub(crate) fn sweep(layouts: &[&LineageLayout]) -> Result<(), FileError> {
    let mut own: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    for layout in layouts {
        sweep_releases(layout)?;
        let pointers = ReleasePointer::BOTH.map(|pointer| layout.pointer(pointer));
        let links = layout.links().iter().map(|link| link.path.clone());
        for path in links.chain(pointers).chain([layout.settings()]) {
            let name = path.file_name().unwrap_or_default().to_owned();
            own.entry(files::parent(&path).to_owned())
                .or_default()
                .insert(name);
        }
    }
    for base in layouts
        .iter()
        .map(|layout| layout.base())
        .collect::<BTreeSet<_>>()
    {
        let stems: BTreeSet<&OsStr> = layouts
            .iter()
            .map(|layout| OsStr::new(layout.stem()))
            .collect();
        removed(&base, |stem| stems.contains(stem))?
            .iter()
            .try_for_each(|path| folders::remove_folder(path))?;
    }
    for (folder, own) in own {
        for name in folders::names(&folder, NAMES_LIMIT)? {
            let left = folder.join(&name);
            let link_or_file = |kind: FileKind| matches!(kind, FileKind::File | FileKind::Link(_));
            if temporary_of(&name).is_some_and(|of| own.contains(of))
                && folders::look(&left)?.is_some_and(|seen| link_or_file(seen.kind))
            {
                folders::remove(&left)?;
            }
        }
    }
    Ok(())
}

/// What a removal that was killed has left of the pair's folder.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn leftovers(layout: &LineageLayout) -> Result<Vec<PathBuf>, FileError> {
    removed(&layout.base(), |stem| stem == layout.stem())
}

fn removed(base: &Path, is_own: impl Fn(&OsStr) -> bool) -> Result<Vec<PathBuf>, FileError> {
    let names = folders::names(base, NAMES_LIMIT)?.into_iter();
    Ok(names
        .filter(|name| temporary_of(name).is_some_and(&is_own))
        .map(|name| base.join(name))
        .collect())
}

/// Removes unfinished releases of a pair that nobody works in.
///
/// # Errors
/// The system's reason.
pub(crate) fn sweep_releases(layout: &LineageLayout) -> Result<(), FileError> {
    sweep_names(layout, &folders::names(&layout.releases(), NAMES_LIMIT)?)
}

fn sweep_names(layout: &LineageLayout, names: &[OsString]) -> Result<(), FileError> {
    for name in names.iter().filter(|name| is_temporary(name)) {
        let path = layout.releases().join(name);
        if FileLock::folder(&path)?.is_some() {
            folders::remove_folder(&path)?;
        }
    }
    Ok(())
}
