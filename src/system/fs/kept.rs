//! Keeps a plain file under a hidden name beside it while an install may still be rolled back. The
//! name is fixed, so that the next run finds the file if this one is killed.

use std::fs::FileTimes;
use std::io;
use std::path::Path;

use rustix::fs::OFlags;

use super::files::{self, FileError};
use super::folders::{self, FileKind};
use super::{tree, xattrs};
use crate::permissions::Mode;
use crate::system::activity::{self, Activity};

/// The maximum number of bytes of a file that is copied because it cannot be linked.
const LIMIT: u64 = 1024 * 1024;

/// Keeps the plain file at `path` as `kept`: its inode gets a second name, so that bytes, owner, mode,
/// ACL, label and times stay the same. A file system without hard links gets a copy with all of
/// these. The caller has to flush the folder.
///
/// # Errors
/// When the system reports an error; `path` is unchanged.
pub(crate) fn keep(path: &Path, kept: &Path) -> Result<(), FileError> {
    if folders::read_status(kept)?.is_some() {
        if files::are_same_file(path, kept) {
            return Ok(());
        }
        // A run that was killed has left it, and the file at `path` is newer.
        remove_unflushed(kept)?;
    }
    activity::report(Activity::Write(kept));
    match tree::hard_link(path, kept) {
        Ok(()) => Ok(()),
        Err(error) if has_no_hard_links(&error) => copy(path, kept),
        Err(error) => Err(FileError::at("keep a second name of", path)(error)),
    }
}

/// Whether the file system has no hard links.
fn has_no_hard_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

/// Copies a file with its owner, mode, attributes and times.
fn copy(path: &Path, to: &Path) -> Result<(), FileError> {
    let failed = || FileError::at("copy", path);
    let Some(status) = folders::read_status(path)? else {
        return Err(failed()(io::ErrorKind::NotFound.into()));
    };
    let bytes = zeroize::Zeroizing::new(files::read(path, LIMIT)?);
    let attributes = xattrs::read(path)?;
    folders::write(to, &bytes, status.mode, Some(status.owner), &attributes)?;
    let times = FileTimes::new()
        .set_modified(status.modified)
        .set_accessed(status.modified);
    tree::open(to, OFlags::RDONLY, Mode::new(0))
        .and_then(|file| file.set_times(times))
        .map_err(failed())
}

/// Whether the file at `path` was not replaced since it was kept: both are one file, or the copy is
/// equal in everything.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn is_unchanged(path: &Path, kept: &Path) -> Result<bool, FileError> {
    let (Some(there), Some(copy)) = (folders::read_status(path)?, folders::read_status(kept)?)
    else {
        return Ok(false);
    };
    let looks_alike = there.kind == FileKind::File
        && (there.kind, there.mode, there.owner, there.modified)
            == (copy.kind, copy.mode, copy.owner, copy.modified);
    if !looks_alike {
        return Ok(false);
    }
    let read = |path| files::read(path, LIMIT).map(zeroize::Zeroizing::new);
    Ok(files::are_same_file(path, kept) || *read(path)? == *read(kept)?)
}

/// Removes a file; does nothing if there is none. Nothing is flushed: the next run removes it if it
/// reappears.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove_unflushed(path: &Path) -> Result<(), FileError> {
    match tree::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => {
            activity::report(Activity::Remove(path));
            other.map_err(FileError::at("remove", path))
        }
    }
}

/// Removes a folder if it is empty. Best effort: a folder that another program uses by now stays.
pub(crate) fn remove_empty_folder(path: &Path) {
    if tree::remove_dir(path).is_ok() {
        activity::report(Activity::Remove(path));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::{copy, folders, is_unchanged, keep, remove_unflushed};

    #[test]
    fn kept_files_are_restored_as_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "one").unwrap();
        let before = path.metadata().unwrap();
        let kept = folder.path().join("kept");
        keep(&path, &kept).unwrap();
        keep(&path, &kept).unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        fs::write(&path, "two").unwrap();
        folders::replace(&kept, &path).unwrap();
        let after = path.metadata().unwrap();
        assert_eq!(
            (before.ino(), before.mtime_nsec()),
            (after.ino(), after.mtime_nsec())
        );
        assert!(!kept.exists());
        remove_unflushed(&kept).unwrap();
    }

    #[test]
    fn a_file_that_an_earlier_run_kept_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let kept = folder.path().join("kept");
        fs::write(&kept, "of a run that was killed").unwrap();
        fs::write(&path, "newer").unwrap();
        keep(&path, &kept).unwrap();
        assert_eq!(fs::read_to_string(kept).unwrap(), "newer");
    }

    #[test]
    fn copies_have_the_times_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, to) = (folder.path().join("a.key"), folder.path().join("b.key"));
        fs::write(&path, "one").unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400);
        let file = fs::File::open(&path).unwrap();
        file.set_times(fs::FileTimes::new().set_modified(old))
            .unwrap();
        copy(&path, &to).unwrap();
        assert!(is_unchanged(&path, &to).unwrap());
        assert_eq!(to.metadata().unwrap().modified().unwrap(), old);
        assert_eq!(fs::read_to_string(to).unwrap(), "one");
        fs::write(&path, "two").unwrap();
        assert!(!is_unchanged(&path, &folder.path().join("b.key")).unwrap());
    }
}
