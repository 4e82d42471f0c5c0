//! Folders and the names in them: creates folders with their mode, replaces links with one rename,
//! makes numbered backups with the same inode, moves and removes whole folders. Each function
//! flushes its change unless its documentation says otherwise.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::files::{FileError, parent, sync_folder, temporary_name};
use super::xattrs::{self, ExtendedAttributes};
use super::{listing, new_file, tree};
use crate::permissions::{Mode, Owner};
use crate::system::activity::{self, Activity};

/// The kind of file at a path; links are not followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FileKind {
    File,
    Folder,
    /// A link, and its target.
    Link(PathBuf),
    /// A FIFO, a socket, a device.
    Other,
}

/// The status of a path. If two are equal, the file did not change in between.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileStatus {
    pub kind: FileKind,
    pub mode: Mode,
    pub owner: Owner,
    /// When its content changed last.
    pub modified: SystemTime,
    /// How many names it has (hard links).
    pub link_count: u64,
    inode: (u64, u64),
    /// When content, owner, mode or names changed last.
    changed: (i64, i64),
}

impl FileStatus {
    /// The inode number on its file system.
    #[must_use]
    pub(crate) fn inode(&self) -> u64 {
        self.inode.1
    }
}

/// Returns the status of `path`; `None` if nothing exists there.
///
/// # Errors
/// When it cannot be checked.
pub(crate) fn read_status(path: &Path) -> Result<Option<FileStatus>, FileError> {
    let meta = match tree::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(FileError::at("read the status of", path)(error)),
    };
    let kind = if meta.is_symlink() {
        FileKind::Link(tree::read_link(path).map_err(FileError::at("read the link", path))?)
    } else if meta.is_file() {
        FileKind::File
    } else if meta.is_dir() {
        FileKind::Folder
    } else {
        FileKind::Other
    };
    Ok(Some(FileStatus {
        kind,
        mode: Mode::of_status(meta.mode()),
        owner: Owner {
            uid: meta.uid(),
            gid: meta.gid(),
        },
        modified: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        link_count: meta.nlink(),
        inode: (meta.dev(), meta.ino()),
        changed: (meta.ctime(), meta.ctime_nsec()),
    }))
}

#[must_use]
pub(crate) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns the owner of the files that this process creates.
pub(crate) fn current_owner() -> Owner {
    Owner {
        uid: current_user(),
        gid: rustix::process::getegid().as_raw(),
    }
}

/// Returns the home folder of the user, from the environment.
#[must_use]
pub(crate) fn home_folder() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute())
}

/// Returns whether `path` is a folder; links are followed.
#[must_use]
pub(crate) fn is_folder(path: &Path) -> bool {
    tree::metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Returns whether `path` is a regular file; links are followed.
#[must_use]
pub(crate) fn is_file(path: &Path) -> bool {
    tree::metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Returns `path` as an absolute path; links are not resolved.
///
/// # Errors
/// When the current folder was deleted.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(FileError::at("find", path))
}

/// Resolves the links in the folders of `path`; folders that do not exist yet stay unchanged.
///
/// # Errors
/// When a folder in the path cannot be checked.
pub(crate) fn resolve_links(path: &Path) -> Result<PathBuf, FileError> {
    let absolute = absolute(path)?;
    let mut missing: Vec<PathBuf> = absolute
        .file_name()
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let mut folder = parent(&absolute);
    loop {
        match fs::canonicalize(folder) {
            Ok(real) => {
                return Ok(missing
                    .iter()
                    .rev()
                    .fold(real, |path, name| path.join(name)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder != Path::new("/") => {
                missing.push(folder.file_name().map(PathBuf::from).unwrap_or_default());
                folder = parent(folder);
            }
            Err(error) => return Err(FileError::at("find", folder)(error)),
        }
    }
}

/// Returns `path` without `.` and `..`, without access to the disk; for paths whose folders are not
/// links.
#[must_use]
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Lists at most `limit` names in a folder; none if it does not exist.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn list_names(
    folder: &Path,
    limit: usize,
) -> Result<Vec<std::ffi::OsString>, FileError> {
    let entries = match listing::open(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::at("read the folder", folder)(error)),
    };
    let read = entries
        .take(limit)
        .map(|entry| entry.map(|entry| entry.name));
    read.collect::<io::Result<Vec<_>>>()
        .map_err(FileError::at("read the folder", folder))
}

/// Creates a folder and missing parents, regardless of the umask; `mode` is for the last one.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn create_folder(path: &Path, mode: Mode) -> Result<(), FileError> {
    if is_folder(path) {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        create_folder(above, Mode::new(0o755))?;
    }
    match create_new_folder(path, mode) {
        // Another certctl created it in the meantime.
        Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists && is_folder(path) => {
            Ok(())
        }
        other => other.and_then(|()| sync_folder(parent(path))),
    }
}

/// Runs `act`, which creates something in `folder`; if the folder is missing, creates it and runs
/// `act` again. Usually it exists, and no check is needed.
///
/// # Errors
/// Those of `act`, or of [`create_folder`].
pub(crate) fn run_in_folder<T>(
    folder: &Path,
    mode: Mode,
    act: impl Fn() -> Result<T, FileError>,
) -> Result<T, FileError> {
    match act() {
        Err(error) if error.is_missing() => create_folder(folder, mode).and_then(|()| act()),
        other => other,
    }
}

/// Creates one folder that must not exist yet; its mode never has more bits than `mode`.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn create_new_folder(path: &Path, mode: Mode) -> Result<(), FileError> {
    activity::report(Activity::Write(path));
    tree::create_dir(path, mode).map_err(FileError::at("create the folder", path))
}

/// Writes and flushes a new file, in a folder that other programs do not use yet. Until its owner
/// is set, only the user who runs certctl can read it.
///
/// # Errors
/// `AlreadyExists` when something is at `path`; else the error that the system reports.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    mode: Mode,
    owner: Option<Owner>,
    attributes: &ExtendedAttributes,
) -> Result<(), FileError> {
    let write = || -> io::Result<()> {
        let mut file = new_file::create(path, mode.restricted_to(0o600), mode)?;
        file.write_all(bytes)?;
        if let Some(Owner { uid, gid }) = owner {
            fchown(&file, Some(uid), Some(gid))?;
        }
        file.set_permissions(Permissions::from_mode(mode.bits()))?;
        // After the mode, because setting the mode changes the mask of the ACL.
        xattrs::write(&file, attributes)?;
        file.sync_all()
    };
    activity::report(Activity::Write(path));
    write().map_err(FileError::at("write", path))
}

/// Creates a link at `path`, or replaces the file or link there in one rename; the caller has to
/// flush the folder.
///
/// # Errors
/// When the system reports an error; an existing file is then unchanged.
pub(crate) fn replace_link(path: &Path, text: &Path) -> Result<(), FileError> {
    activity::report(Activity::Write(path));
    match tree::symlink(text, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => return other.map_err(FileError::at("create the link", path)),
    }
    let temporary = temporary_name(path);
    tree::symlink(text, &temporary).map_err(FileError::at("create the link", path))?;
    let renamed = tree::rename(&temporary, path).map_err(FileError::at("create the link", path));
    if renamed.is_err() {
        // Best effort: the next install removes leftovers.
        let _ = tree::remove_file(&temporary);
    }
    renamed
}

/// Renames a file to `path`, over an existing file or link, and flushes the folder.
///
/// # Errors
/// When the system reports an error; an existing file is then unchanged.
pub(crate) fn replace(from: &Path, path: &Path) -> Result<(), FileError> {
    replace_unflushed(from, path)?;
    sync_folder(parent(path))
}

/// Renames a file to `path`, over an existing file or link; the caller has to flush the folder.
///
/// # Errors
/// When the system reports an error; an existing file is then unchanged.
pub(crate) fn replace_unflushed(from: &Path, path: &Path) -> Result<(), FileError> {
    activity::report(Activity::Write(path));
    tree::rename(from, path).map_err(FileError::at("replace", path))
}

/// Renames to a name that must be free, and flushes the folder.
///
/// # Errors
/// `AlreadyExists` when it is taken; else the error that the system reports.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), FileError> {
    activity::report(Activity::Write(to));
    let renamed = match tree::rename_to_free_name(from, to) {
        // A file system without NOREPLACE: a rename of a folder replaces an empty folder at most.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => tree::rename(from, to),
        other => other.map_err(io::Error::from),
    };
    renamed.map_err(FileError::at("rename to", to))?;
    sync_folder(parent(to))
}

/// Exchanges a new folder with the one at `path` in one step, and flushes the folder above it.
///
/// # Errors
/// When the system reports an error, such as on a file system that cannot do so.
pub(crate) fn exchange(new: &Path, path: &Path) -> Result<(), FileError> {
    activity::report(Activity::Write(path));
    tree::exchange(new, path).map_err(FileError::at("exchange", path))?;
    sync_folder(parent(path))
}

/// Removes a file or a link, and flushes the folder; does nothing if it does not exist.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    activity::report(Activity::Remove(path));
    match tree::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other
            .map_err(FileError::at("remove", path))
            .and_then(|()| sync_folder(parent(path))),
    }
}

/// Removes a folder and the files in it. The caller has renamed it to a name that no program uses,
/// so that nothing depends on its removal and nothing is flushed.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove_folder(path: &Path) -> Result<(), FileError> {
    activity::report(Activity::Remove(path));
    match listing::remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(FileError::at("remove", path)),
    }
}

/// The form of a numbered backup's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BackupName {
    /// `.<file>.~N~`: for folders from which a server loads every visible file.
    Hidden,
    /// `<file>.~N~`
    Shown,
}

/// Backs up a file under a second name: the same inode, so the same mode and owner, and the file is
/// never missing. If a backup is the same file already, that is returned. The caller has to flush
/// the folder.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn back_up_beside(path: &Path, called: BackupName) -> Result<PathBuf, FileError> {
    if let Some(backup) = find_backup(path)? {
        return Ok(backup);
    }
    for number in 1..u32::MAX {
        let backup = backup_name(path, called, number);
        if read_status(&backup)?.is_some() {
            continue;
        }
        activity::report(Activity::Write(&backup));
        match tree::hard_link(path, &backup) {
            Ok(()) => return Ok(backup),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(FileError::at("back up", path)(error)),
        }
    }
    Err(FileError::at("back up", path)(io::Error::other(
        "too many backups",
    )))
}

/// Returns the numbered backup that is the same file, if there is one.
///
/// # Errors
/// When they cannot be checked.
pub(crate) fn find_backup(path: &Path) -> Result<Option<PathBuf>, FileError> {
    let Some(own) = read_status(path)?.filter(|seen| seen.link_count > 1) else {
        return Ok(None);
    };
    for called in [BackupName::Shown, BackupName::Hidden] {
        for number in 1..u32::MAX {
            let backup = backup_name(path, called, number);
            match read_status(&backup)? {
                Some(taken) if taken.inode == own.inode => return Ok(Some(backup)),
                Some(_) => {}
                None => break,
            }
        }
    }
    Ok(None)
}

/// Restores `backup` in one rename. If another program has created a file at `path` in the
/// meantime, that stays, and so does the backup.
///
/// # Errors
/// `AlreadyExists` when such a file is there; else the error that the system reports.
pub(crate) fn restore(path: &Path, backup: &Path) -> Result<(), FileError> {
    let failed = FileError::at("restore", path);
    match (read_status(path)?, read_status(backup)?) {
        (_, None) => return Err(failed(io::ErrorKind::NotFound.into())),
        // The file was never replaced: renaming between two links of one file does nothing.
        (Some(there), Some(kept)) if there.inode == kept.inode => return remove(backup),
        (
            Some(FileStatus {
                kind: FileKind::Link(_),
                ..
            })
            | None,
            Some(_),
        ) => {
            activity::report(Activity::Write(path));
            tree::rename(backup, path).map_err(failed)?;
        }
        (Some(_), Some(_)) => return Err(failed(io::ErrorKind::AlreadyExists.into())),
    }
    sync_folder(parent(path))
}

/// Removes a link; does nothing if there is none or a file instead.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove_link(path: &Path) -> Result<(), FileError> {
    match read_status(path)? {
        Some(FileStatus {
            kind: FileKind::Link(_),
            ..
        }) => remove(path),
        _ => Ok(()),
    }
}

fn backup_name(path: &Path, called: BackupName, number: u32) -> PathBuf {
    let mut name = std::ffi::OsString::from(if called == BackupName::Hidden {
        "."
    } else {
        ""
    });
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".~{number}~"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::{
        BackupName, ExtendedAttributes, FileKind, Mode, back_up_beside, create_folder, fs,
        read_status, replace_link, resolve_links, restore, write,
    };

    #[test]
    fn backups_are_the_same_file_and_can_be_restored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write(
            &path,
            b"one",
            Mode::new(0o640),
            None,
            &ExtendedAttributes::default(),
        )
        .unwrap();
        let backup = back_up_beside(&path, BackupName::Shown).unwrap();
        assert_eq!(backup, folder.path().join("a.key.~1~"));
        assert_eq!(
            back_up_beside(&path, BackupName::Shown).unwrap(),
            backup,
            "again: it is backed up already"
        );
        replace_link(&path, "nowhere".as_ref()).unwrap();
        assert_eq!(
            read_status(&path).unwrap().unwrap().kind,
            FileKind::Link("nowhere".into())
        );
        assert_eq!(
            read_status(&backup).unwrap().unwrap().mode,
            Mode::new(0o640)
        );
        restore(&path, &backup).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(read_status(&backup).unwrap().is_none());
    }

    #[test]
    fn backups_never_replace_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = (folder.path().join("a.key"), folder.path().join("a.key.~1~"));
        write(
            &path,
            b"the user's",
            Mode::new(0o600),
            None,
            &ExtendedAttributes::default(),
        )
        .unwrap();
        assert!(restore(&path, &backup).is_err(), "there is none");
        write(
            &backup,
            b"of last year",
            Mode::new(0o600),
            None,
            &ExtendedAttributes::default(),
        )
        .unwrap();
        assert!(restore(&path, &backup).is_err());
        super::remove_link(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the user's");
        let kept = back_up_beside(&path, BackupName::Shown).unwrap();
        assert_eq!(kept, folder.path().join("a.key.~2~"));
        restore(&path, &kept).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the user's");
        assert!(read_status(&kept).unwrap().is_none() && read_status(&backup).unwrap().is_some());
    }

    #[test]
    fn links_are_resolved_up_to_the_first_missing_folder() {
        let folder = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(folder.path()).unwrap();
        create_folder(&base.join("real/below"), Mode::new(0o700)).unwrap();
        replace_link(&base.join("alias"), "real".as_ref()).unwrap();
        assert_eq!(
            resolve_links(&base.join("alias/below/x/y")).unwrap(),
            base.join("real/below/x/y")
        );
    }
}
