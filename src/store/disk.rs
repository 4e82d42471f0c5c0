//! Releases on disk: each is built under a temporary name, flushed, and renamed; afterwards it is
//! only read or removed.

pub(crate) mod copies;
mod error;
pub(crate) mod kept_files;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(crate) use self::error::StoreError;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::store::combined_order::CombinedOrder;
use crate::store::key_access::on_disk;
use crate::store::layout::{
    FOLDER_MODE, KeyStorage, LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, TRUST_FILE,
    is_temporary, temporary_of, tighten_key_mode,
};
use crate::store::release::{self, KeyAccess, Release};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::system::fs::lock::FileLock;

/// The maximum number of bytes read from one file of a release.
pub(crate) const PIECE_LIMIT: u64 = 1024 * 1024;
/// The maximum number of names read from a folder.
const NAMES_LIMIT: usize = 100_000;

/// A release that is built but does not have its final name yet; it is removed on drop if it was
/// not published. The lock shows other processes that certctl is still working in it.
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
            // Best effort: the next install removes leftovers.
            let _ = folders::remove_folder(&self.folder);
        }
    }
}

/// Builds a release in a hidden folder beside its final path. Other users cannot enter that folder
/// until it is complete. Each file is created with its final mode and flushed.
///
/// # Errors
/// When a file cannot be written; the unfinished release is removed.
pub(crate) fn stage(layout: &LineageLayout, release: &Release) -> Result<StagedRelease, FileError> {
    let (folder, working) = make_hidden_folder(layout, &release.id)?;
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
        let attributes = on_disk::inherited_attributes(layout, piece, mode)?;
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

/// Creates a hidden folder and locks it. If another process removes it as a leftover before it is
/// locked, it is created again.
fn make_hidden_folder(
    layout: &LineageLayout,
    id: &ReleaseId,
) -> Result<(PathBuf, FileLock), FileError> {
    loop {
        let folder = files::temporary_name(&layout.release(id));
        match folders::run_in_folder(&layout.releases(), FOLDER_MODE, || {
            folders::create_new_folder(&folder, Mode::new(0o700))
        }) {
            Err(error) if error.is_missing() && folders::is_folder(&layout.releases()) => continue,
            other => other?,
        }
        if let Some(working) = FileLock::try_lock_folder(&folder)? {
            return Ok((folder, working));
        }
    }
}

impl StagedRelease {
    /// Renames it to its final name. If that exists, the two are compared, and a damaged one is
    /// replaced in one step.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was changed and other users may read the key of both;
    /// [`StoreError::File`] when a file cannot be used.
    pub(crate) fn publish(
        mut self,
        layout: &LineageLayout,
        release: &Release,
    ) -> Result<(), StoreError> {
        match folders::rename_new(&self.folder, &layout.release(&release.id)) {
            Err(error) if error.is_taken() => {
                match compare(layout, release) {
                    // The damaged one is removed on drop.
                    Err(damage) if damage.is_repairable(release) => {
                        folders::exchange(&self.folder, &layout.release(&release.id))?;
                    }
                    other => other?,
                }
                // The process that created it may have been killed before it flushed the folder.
                Ok(files::sync_folder(&layout.releases())?)
            }
            other => {
                self.published = other.is_ok();
                Ok(other?)
            }
        }
    }

    /// Returns mode and owner of its key.
    #[must_use]
    pub(crate) fn access(&self) -> KeyAccess {
        self.access
    }
}

/// Checks that the release on disk is identical to this one, and that no other users can read its
/// key.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn compare(layout: &LineageLayout, release: &Release) -> Result<(), StoreError> {
    for (piece, bytes, _) in release.files() {
        let path = layout.file_path(&release.id, piece);
        let damaged = |how: &'static str| StoreError::Damaged {
            path: path.clone(),
            how,
        };
        let content = Zeroizing::new(files::read(&path, PIECE_LIMIT)?);
        if content.as_slice() != bytes {
            return Err(damaged("its content differs from what certctl wrote"));
        }
        let status = on_disk::read_status(&path)?.filter(|_| piece.is_secret());
        if status
            .as_ref()
            .is_some_and(|status| status.mode.has_any(0o007))
        {
            return Err(damaged("all users have access to the key in it"));
        }
        if status.is_some_and(|status| !has_access(&status, release.access)) {
            return Err(damaged(
                "its owner or mode was changed, so other users may be able to read the key in it",
            ));
        }
    }
    Ok(())
}

/// Reads a release; returns `None` if it does not exist, or if no server could load it.
///
/// # Errors
/// When its files exist but cannot be read.
pub(crate) fn load(layout: &LineageLayout, id: &ReleaseId) -> Result<Option<Release>, FileError> {
    let chain = read_piece(layout, id, ReleaseFile::FullChain)?;
    let key = read_piece(layout, id, ReleaseFile::Key)?;
    let Some(chain) = chain else {
        return Ok(None);
    };
    let Some(key) = key else {
        return Ok(load_chain_alone(layout, id, chain));
    };
    let files = StoredFiles {
        access: read_access(layout, id)?,
        combined: read_piece(layout, id, ReleaseFile::Combined)?,
        chain,
        key,
    };
    Ok(files.into_release(id))
}

/// Reads a release whose key is not a file. Elsewhere, a release without its key cannot be loaded.
fn load_chain_alone(
    layout: &LineageLayout,
    id: &ReleaseId,
    chain: Zeroizing<Vec<u8>>,
) -> Option<Release> {
    if layout.key_storage() == KeyStorage::File {
        return None;
    }
    let release = Release::take_over_chain(chain).ok()?;
    Some(release.with_id(id.clone()))
}

/// What everybody may know of a release.
pub(crate) struct PublicRelease {
    /// The chain as a server sends it, leaf first; never empty.
    pub certificates: Vec<Certificate>,
    /// Mode and owner of its key.
    pub access: KeyAccess,
}

impl PublicRelease {
    pub(crate) fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }
}

/// Reads the certificates of a release and not its key, which only root may read; returns `None` if
/// it does not exist or no server could load them.
///
/// # Errors
/// When its files exist but cannot be read.
pub(crate) fn load_public(
    layout: &LineageLayout,
    id: &ReleaseId,
) -> Result<Option<PublicRelease>, FileError> {
    let Some(chain) = read_piece(layout, id, ReleaseFile::FullChain)? else {
        return Ok(None);
    };
    let access = read_access(layout, id)?;
    Ok(
        release::read_certificates(&chain).map(|certificates| PublicRelease {
            certificates,
            access,
        }),
    )
}

fn read_piece(
    layout: &LineageLayout,
    id: &ReleaseId,
    piece: ReleaseFile,
) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    match files::read(&layout.file_path(id, piece), PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => Ok(Some(Zeroizing::new(other?))),
    }
}

/// Returns the order of the combined file that servers read now; the one that all servers accept if
/// there is none.
///
/// # Errors
/// When the file exists and cannot be read.
pub(crate) fn read_combined_order(layout: &LineageLayout) -> Result<CombinedOrder, FileError> {
    let mut links = layout.links().iter();
    let Some(link) = links.find(|link| link.piece == ReleaseFile::Combined) else {
        return Ok(CombinedOrder::default());
    };
    match files::read(&link.path, PIECE_LIMIT).map(Zeroizing::new) {
        Err(error) if error.is_missing() => Ok(CombinedOrder::default()),
        other => Ok(CombinedOrder::of(&other?).unwrap_or_default()),
    }
}

/// Returns mode and owner of the key of a release.
fn read_access(layout: &LineageLayout, id: &ReleaseId) -> Result<KeyAccess, FileError> {
    let status = on_disk::read_status(&layout.file_path(id, ReleaseFile::Key))?;
    Ok(status.map_or_else(KeyAccess::default, |status| KeyAccess {
        mode: tighten_key_mode(Some(status.mode)),
        owner: Some(status.owner),
    }))
}

/// The files of a release as they are on disk.
struct StoredFiles {
    chain: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
    combined: Option<Zeroizing<Vec<u8>>>,
    access: KeyAccess,
}

impl StoredFiles {
    fn into_release(self, id: &ReleaseId) -> Option<Release> {
        if let Ok(release) = Release::take_over(self.chain.clone(), self.key.clone(), self.access) {
            let matches = self
                .combined
                .as_ref()
                .is_none_or(|combined| release.is_combined_in(combined));
            // Its id may depend on mode and owner of the key.
            return matches.then(|| self.add_combined(release).with_id(id.clone()));
        }
        // A release that certctl cannot parse has an id computed from its bytes; it was taken over
        // because a server had loaded it.
        let by_bytes = self.opaque_release()?;
        if by_bytes.id == *id {
            return Some(by_bytes);
        }
        Some(by_bytes.with_access_in_id()).filter(|by_access| by_access.id == *id)
    }

    fn opaque_release(&self) -> Option<Release> {
        let release = Release::take_over_opaque(self.chain.clone(), self.key.clone(), self.access)?;
        Some(self.add_combined(release))
    }

    fn add_combined(&self, release: Release) -> Release {
        match &self.combined {
            Some(combined) => release.with_combined_file(combined.clone()),
            None => release,
        }
    }
}

/// Gives `release` an id that is free or identical on disk: its own, unless the key in the release
/// of that id has another owner or mode.
///
/// # Errors
/// When the existing release cannot be read.
pub(crate) fn choose_release_name(
    layout: &LineageLayout,
    release: Release,
) -> Result<Release, FileError> {
    let differs = on_disk::read_status(&layout.file_path(&release.id, ReleaseFile::Key))?
        .is_some_and(|status| !has_access(&status, release.access));
    Ok(if differs {
        release.with_access_in_id()
    } else {
        release
    })
}

/// Returns whether owner and mode are those of `access`.
fn has_access(status: &folders::FileStatus, access: KeyAccess) -> bool {
    let owned = access.owner.map_or_else(
        || status.owner.uid == folders::current_user(),
        |owner| owner == status.owner,
    );
    owned && status.mode == access.mode
}

/// How many releases are kept besides the live one, unless `keep` is configured.
pub(crate) const OLDER_RELEASES: usize = 2;

/// Removes releases and leftovers of killed runs. Those in `keep` stay, and as many of the newest
/// others as are needed for `count`. The times of folders alone would not do: the files
/// that were taken over by the first install are written after those of that install. Each is first renamed to a temporary name, so that a partly removed release is never used.
///
/// # Errors
/// When a folder cannot be read or removed.
pub(crate) fn prune(
    layout: &LineageLayout,
    keep: &[ReleaseId],
    count: usize,
) -> Result<(), FileError> {
    let names = folders::list_names(&layout.releases(), NAMES_LIMIT)?;
    let ids: Vec<ReleaseId> = names
        .iter()
        .filter_map(|name| ReleaseId::parse(name.to_str()?))
        .collect();
    let mut releases = Vec::new();
    for id in ids.into_iter().filter(|_| names.len() > count) {
        let modified = folders::read_status(&layout.release(&id))?.map(|status| status.modified);
        releases.push((modified, id));
    }
    releases.sort();
    let others = count.saturating_sub(keep.len());
    for (_, id) in releases
        .iter()
        .rev()
        .filter(|(_, id)| !keep.contains(id))
        .skip(others)
    {
        remove_release(layout, id)?;
    }
    sweep_names(layout, &names)
}

/// Removes a release; does nothing if it does not exist.
///
/// # Errors
/// When it cannot be removed.
pub(crate) fn remove_release(layout: &LineageLayout, id: &ReleaseId) -> Result<(), FileError> {
    let temporary = files::temporary_name(&layout.release(id));
    match folders::rename_new(&layout.release(id), &temporary) {
        Err(error) if error.is_missing() => Ok(()),
        other => other.and_then(|()| folders::remove_folder(&temporary)),
    }
}

/// Removes leftovers of killed runs: unfinished releases in which no certctl is working, and files
/// and links with temporary names of our own. The caller must hold the lock. Each folder is read
/// once, however many certificates have links in it.
///
/// # Errors
/// When a folder cannot be read, or a leftover cannot be removed.
pub(crate) fn sweep(layouts: &[&LineageLayout]) -> Result<(), FileError> {
    let mut names_by_folder: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    for layout in layouts {
        sweep_releases(layout)?;
        for path in replaced_paths(layout) {
            let name = path.file_name().unwrap_or_default().to_owned();
            let folder = files::parent(&path).to_owned();
            names_by_folder.entry(folder).or_default().insert(name);
        }
    }
    sweep_removed_folders(layouts)?;
    for (folder, names) in names_by_folder {
        sweep_temporaries(&folder, &names)?;
    }
    Ok(())
}

/// Returns every path that is replaced by renaming a temporary file.
fn replaced_paths(layout: &LineageLayout) -> Vec<PathBuf> {
    let links = layout.links().iter();
    let mut paths: Vec<PathBuf> = links.map(|link| link.path.clone()).collect();
    paths.extend(ReleasePointer::BOTH.map(|pointer| layout.pointer(pointer)));
    paths.push(layout.settings());
    paths.push(layout.folder().join(TRUST_FILE));
    paths
}

/// Removes what interrupted `forget` runs left of the certificates' folders.
fn sweep_removed_folders(layouts: &[&LineageLayout]) -> Result<(), FileError> {
    let bases: BTreeSet<PathBuf> = layouts.iter().map(|layout| layout.base()).collect();
    let stems: BTreeSet<&OsStr> = layouts
        .iter()
        .map(|layout| OsStr::new(layout.stem()))
        .collect();
    for base in bases {
        for folder in find_removed(&base, |stem| stems.contains(stem))? {
            folders::remove_folder(&folder)?;
        }
    }
    Ok(())
}

/// Removes the links and files in `folder` that have temporary names of `names`.
fn sweep_temporaries(folder: &Path, names: &BTreeSet<OsString>) -> Result<(), FileError> {
    for name in folders::list_names(folder, NAMES_LIMIT)? {
        if !temporary_of(&name).is_some_and(|replaced| names.contains(replaced)) {
            continue;
        }
        let path = folder.join(&name);
        let status = folders::read_status(&path)?;
        if status.is_some_and(|status| matches!(status.kind, FileKind::File | FileKind::Link(_))) {
            folders::remove(&path)?;
        }
    }
    Ok(())
}

/// Finds what an interrupted `forget` left of the certificate's folder.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn find_leftovers(layout: &LineageLayout) -> Result<Vec<PathBuf>, FileError> {
    find_removed(&layout.base(), |stem| stem == layout.stem())
}

fn find_removed(base: &Path, is_own: impl Fn(&OsStr) -> bool) -> Result<Vec<PathBuf>, FileError> {
    let names = folders::list_names(base, NAMES_LIMIT)?.into_iter();
    Ok(names
        .filter(|name| temporary_of(name).is_some_and(&is_own))
        .map(|name| base.join(name))
        .collect())
}

/// Removes unfinished releases of a certificate in which no certctl is working.
///
/// # Errors
/// When a folder cannot be read or removed.
pub(crate) fn sweep_releases(layout: &LineageLayout) -> Result<(), FileError> {
    sweep_names(
        layout,
        &folders::list_names(&layout.releases(), NAMES_LIMIT)?,
    )
}

fn sweep_names(layout: &LineageLayout, names: &[OsString]) -> Result<(), FileError> {
    for name in names.iter().filter(|name| is_temporary(name)) {
        let path = layout.releases().join(name);
        if FileLock::try_lock_folder(&path)?.is_some() {
            folders::remove_folder(&path)?;
        }
    }
    Ok(())
}
