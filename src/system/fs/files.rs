//! Files: bounded reads of regular files, and atomic writes of files that have their final mode
//! from the start.

use std::cell::Cell;
use std::fmt::Display;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::listing::{self, FolderEntry};
use super::{new_file, remote, tree};
use crate::permissions::{Mode, Owner};
use crate::system::activity::{self, Activity};

/// A file operation that failed: the action, the path, and the error of the system.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileError {
    /// The action as an infinitive: `read`, `create`, `rename to`.
    pub doing: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Returns a function for `map_err`: `read(..).map_err(FileError::at("read", path))`.
    pub fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// Returns whether nothing exists at the path.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    }

    /// Returns whether the user may not use the path.
    #[must_use]
    pub(crate) fn is_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    /// Returns whether something already exists at the path.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
        )
    }
}

/// Which file was opened, and who may use it: from the open file, not from its path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FileIdentity {
    pub mode: Mode,
    pub owner: Owner,
    inode: (u64, u64),
}

impl FileIdentity {
    pub(super) fn of(meta: &fs::Metadata) -> Self {
        Self {
            mode: Mode::of_status(meta.mode()),
            owner: Owner {
                uid: meta.uid(),
                gid: meta.gid(),
            },
            inode: (meta.dev(), meta.ino()),
        }
    }

    /// Returns whether both are the same file, whatever its mode was each time.
    #[must_use]
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.inode == other.inode
    }
}

/// Reads a regular file of at most `limit` bytes. FIFOs, devices and folders are refused without
/// blocking.
///
/// # Errors
/// When it does not exist, is not a regular file, is larger than `limit`, or cannot be read.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    read_with_mode(path, limit).map(|(bytes, _)| bytes)
}

/// Like [`read`], but also returns the permission bits of the file.
///
/// # Errors
/// The same as [`read`].
pub(crate) fn read_with_mode(path: &Path, limit: u64) -> Result<(Vec<u8>, Mode), FileError> {
    let (bytes, identity) = read_identified(path, limit)?;
    Ok((bytes, identity.mode))
}

/// Like [`read`], but also returns which file was read.
///
/// # Errors
/// The same as [`read`].
pub(crate) fn read_identified(
    path: &Path,
    limit: u64,
) -> Result<(Vec<u8>, FileIdentity), FileError> {
    let read = remote::with_deadline(path, move |path| read_regular(path, limit));
    read.map_err(FileError::at("read", path))
}

fn read_regular(path: &Path, limit: u64) -> io::Result<(Vec<u8>, FileIdentity)> {
    let (file, meta) = open_regular(path)?;
    // Allocated at once, because growing would leave copies of a key in memory.
    let room = meta.len().min(limit).saturating_add(1);
    let bytes = read_bounded(file, limit, usize::try_from(room).unwrap_or(0))?;
    Ok((bytes, FileIdentity::of(&meta)))
}

/// Opens a file for reading, without blocking on a FIFO.
pub(super) fn open(path: &Path) -> io::Result<File> {
    tree::open(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::new(0))
}

fn open_regular(path: &Path) -> io::Result<(File, fs::Metadata)> {
    let file = open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok((file, meta))
    } else {
        Err(irregular(&meta))
    }
}

pub(super) fn irregular(meta: &fs::Metadata) -> io::Error {
    if meta.is_dir() {
        return io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
    }
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it is a device, a pipe or a socket, not a file",
    )
}

/// Allocates a buffer for the largest allowed content: it may be a key, and growing would leave
/// copies in memory. The system provides memory only as it is filled.
pub(super) fn room(limit: u64) -> usize {
    usize::try_from(limit.saturating_add(1)).unwrap_or(0)
}

pub(super) fn read_bounded(from: impl Read, limit: u64, room: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(room);
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

pub(super) fn too_large(limit: impl Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it is larger than {limit} bytes"),
    )
}

/// The entries of a folder that were read.
#[derive(Debug)]
pub(crate) struct FolderListing {
    /// The regular files and links directly in it, sorted by name.
    pub paths: Vec<PathBuf>,
    /// False if the folder has more entries than were read.
    pub complete: bool,
}

/// Lists the regular files and links among the first `limit` entries of a folder.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn list(directory: &Path, limit: usize) -> Result<FolderListing, FileError> {
    let failed = || FileError::at("read the folder", directory);
    let mut entries = listing::open(directory).map_err(failed())?;
    let mut paths = Vec::new();
    for entry in entries.by_ref().take(limit) {
        let FolderEntry { name, kind } = entry.map_err(failed())?;
        if matches!(kind, FileType::RegularFile | FileType::Symlink) {
            paths.push(directory.join(name));
        }
    }
    paths.sort();
    Ok(FolderListing {
        paths,
        complete: entries.next().is_none(),
    })
}

/// Lists the entries of a folder, including folders, sorted by name; at most `limit` of them.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn entries(directory: &Path, limit: usize) -> Result<Vec<PathBuf>, FileError> {
    let failed = || FileError::at("read the folder", directory);
    let entries = listing::open(directory).map_err(failed())?;
    let mut paths = Vec::new();
    for entry in entries.take(limit) {
        paths.push(directory.join(entry.map_err(failed())?.name));
    }
    paths.sort();
    Ok(paths)
}

/// Returns whether something exists at `path`, including a dangling link.
#[must_use]
pub(crate) fn exists(path: &Path) -> bool {
    tree::symlink_metadata(path).is_ok()
}

/// Returns whether something exists at the path, or may exist there: this user may not look into a
/// folder on the way.
#[must_use]
pub(crate) fn may_exist(path: &Path) -> bool {
    match tree::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// Returns whether something exists at `path`; a dangling link leads to nothing.
#[must_use]
pub(crate) fn resolves(path: &Path) -> bool {
    tree::metadata(path).is_ok()
}

/// Returns whether both paths resolve to the same file.
#[must_use]
pub(crate) fn are_same_file(path: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (tree::metadata(path), tree::metadata(other)) else {
        return false;
    };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Returns the permission bits of the file at `path`; links are followed.
///
/// # Errors
/// When it does not exist or cannot be checked.
pub(crate) fn read_mode(path: &Path) -> Result<Mode, FileError> {
    let meta = tree::metadata(path).map_err(FileError::at("read the status of", path))?;
    Ok(Mode::of_status(meta.mode()))
}

/// Writes a file that must not exist yet: creates it under a temporary name with `mode`, flushes
/// it, renames it without replacing anything, and flushes the folder. Leaves nothing behind on
/// failure.
///
/// # Errors
/// `AlreadyExists` when something is at `path`; else the error that the system reports.
pub(crate) fn create_new(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), FileError> {
    stage(path, bytes, mode)?.create()
}

/// Atomically replaces a file, or creates it.
///
/// # Errors
/// When the system reports an error; an existing file is then unchanged.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), FileError> {
    stage(path, bytes, mode)?.replace()
}

/// A complete, flushed file under a temporary name beside its final path; removed when dropped
/// before it was renamed.
#[derive(Debug)]
pub(crate) struct StagedFile {
    temporary: PathBuf,
    path: PathBuf,
    is_temporary: Cell<bool>,
}

/// Writes and flushes a file beside `path`; it has its final mode from the start (`O_EXCL`, never
/// through a link).
///
/// # Errors
/// When the system reports an error; no file is left behind.
pub(crate) fn stage(path: &Path, bytes: &[u8], mode: Mode) -> Result<StagedFile, FileError> {
    let staged = StagedFile {
        temporary: temporary_name(path),
        path: path.to_owned(),
        is_temporary: Cell::new(true),
    };
    write_new(&staged.temporary, bytes, mode).map_err(FileError::at("create", path))?;
    Ok(staged)
}

fn write_new(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut file = new_file::create(path, mode, mode)?;
    // The umask removed bits when the file was created; the final mode is set on the open file.
    file.set_permissions(fs::Permissions::from_mode(mode.bits()))?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl StagedFile {
    /// Reads the content back from the disk.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn read_back(&self, limit: u64) -> Result<Vec<u8>, FileError> {
        read(&self.temporary, limit)
    }

    /// Renames it to its final path without replacing anything, and flushes the folder.
    ///
    /// # Errors
    /// `AlreadyExists` when something is there; else the error that the system reports.
    pub(crate) fn create(&self) -> Result<(), FileError> {
        activity::report(Activity::Write(&self.path));
        move_new(&self.temporary, &self.path).map_err(FileError::at("create", &self.path))?;
        self.is_temporary.set(false);
        sync_folder(parent(&self.path))
    }

    /// Renames it over an existing file, and flushes the folder.
    ///
    /// # Errors
    /// When the system reports an error; an existing file is then unchanged.
    pub(crate) fn replace(&self) -> Result<(), FileError> {
        self.rename_unflushed()?;
        sync_folder(parent(&self.path))
    }

    /// Renames it over an existing file; the caller has to flush the folder.
    ///
    /// # Errors
    /// When the system reports an error; an existing file is then unchanged.
    pub(crate) fn rename_unflushed(&self) -> Result<(), FileError> {
        activity::report(Activity::Write(&self.path));
        tree::rename(&self.temporary, &self.path).map_err(FileError::at("write", &self.path))?;
        self.is_temporary.set(false);
        Ok(())
    }

    /// Undoes [`StagedFile::create`].
    pub(crate) fn undo_create(&self) {
        let _ = tree::rename(&self.path, &self.temporary);
        self.is_temporary.set(true);
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.is_temporary.get() {
            let _ = tree::remove_file(&self.temporary);
        }
    }
}

/// Renames without replacing anything.
fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    match tree::rename_to_free_name(from, to) {
        // Not every file system supports NOREPLACE; creating a hard link does not replace either.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            tree::hard_link(from, to).and_then(|()| tree::remove_file(from))
        }
        other => other.map_err(io::Error::from),
    }
}

/// Returns a hidden name in the same folder, `.NAME.<16 hex digits>~`. It is unlikely to exist; if
/// it does, creating the file fails (`O_EXCL`).
#[must_use]
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    // Hashing nothing with random keys gives a new number each time, without a cryptographic
    // generator.
    let random = RandomState::new().build_hasher().finish();
    let stem = path.file_name().unwrap_or_default().to_string_lossy();
    parent(path).join(format!(".{stem}.{random:016x}~"))
}

/// Returns the folder of `path`.
#[must_use]
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Flushes a folder, so that the names in it survive a power loss. Some network file systems cannot
/// flush folders: their servers keep names as they see fit.
///
/// # Errors
/// When the system reports another error.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let open = tree::open(folder, OFlags::RDONLY, Mode::new(0));
    match open.and_then(|open| open.sync_all()) {
        Err(error) if is_unflushable(&error) => Ok(()),
        other => other.map_err(FileError::at("flush the folder", folder)),
    }
}

/// Whether fsync(2) is not possible for this kind of file.
fn is_unflushable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

/// Renames a file to a numbered backup `<file>.~N~`, and returns the path of the backup.
///
/// # Errors
/// When the system reports an error; the file is then not moved.
pub(crate) fn back_up(path: &Path) -> Result<PathBuf, FileError> {
    for number in 1..u32::MAX {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".~{number}~"));
        let backup = path.with_file_name(name);
        if exists(&backup) {
            continue;
        }
        activity::report(Activity::Write(&backup));
        match move_new(path, &backup) {
            Ok(()) => return sync_folder(parent(path)).map(|()| backup),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(FileError::at("rename", path)(error)),
        }
    }
    Err(FileError::at("back up", path)(io::Error::other(
        "too many backups",
    )))
}

/// Renames a backup to its original path, where nothing may exist.
///
/// # Errors
/// When the system reports an error; the backup is then not moved.
pub(crate) fn restore_backup(backup: &Path, path: &Path) -> Result<(), FileError> {
    activity::report(Activity::Write(path));
    move_new(backup, path).map_err(FileError::at("rename", backup))?;
    sync_folder(parent(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::list;

    #[test]
    fn listings_report_whether_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a folder")).unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        for (limit, complete) in [(3, false), (4, true), (5, true)] {
            let listing = list(folder.path(), limit).unwrap();
            assert_eq!(listing.complete, complete, "{limit}");
            assert!(listing.paths.len() >= limit.min(4) - 1);
        }
    }
}
