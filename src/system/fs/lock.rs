//! Advisory locks on files and folders (`flock`, through [`File::try_lock`]): the kernel releases
//! them when the process ends, however it ends. The content of the file has no meaning.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::files::FileError;
use super::tree;
use crate::permissions::Mode;
use crate::system::clock;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct FileLock(File);

/// The mode of the lock.
pub(crate) const LOCK_MODE: Mode = Mode::new(0o600);

/// What fails in the error of a lock that cannot be opened.
pub(crate) const OPEN_LOCK: &str = "open the lock";

const PAUSE: Duration = Duration::from_millis(20);

impl FileLock {
    /// Waits for the lock file at `path`; returns `None` if `wait` has passed or `give_up` returns
    /// true before it is free.
    ///
    /// # Errors
    /// When the file cannot be opened or locked.
    pub fn acquire(
        path: &Path,
        wait: Duration,
        mut give_up: impl FnMut() -> bool,
    ) -> Result<Option<Self>, FileError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
        let file = tree::open(path, flags, LOCK_MODE).map_err(FileError::at(OPEN_LOCK, path))?;
        restore_owner_access(&file).map_err(FileError::at("set the mode of", path))?;
        let ends = Instant::now() + wait;
        loop {
            if try_lock(&file).map_err(FileError::at("lock", path))? {
                return Ok(Some(Self(file)));
            }
            if Instant::now() >= ends || give_up() {
                return Ok(None);
            }
            clock::sleep(PAUSE);
        }
    }

    /// Locks a folder, which shows other processes that it is in use; returns `None` if it is
    /// already locked or was renamed or removed.
    ///
    /// # Errors
    /// When it cannot be opened or locked.
    pub fn try_lock_folder(path: &Path) -> Result<Option<Self>, FileError> {
        let open = match tree::open(path, OFlags::RDONLY, Mode::new(0)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(FileError::at("open the folder", path))?,
        };
        if !try_lock(&open).map_err(FileError::at("lock", path))? {
            return Ok(None);
        }
        let own = open
            .metadata()
            .map_err(FileError::at("read the status of", path))?;
        let is_same = tree::symlink_metadata(path)
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == (own.dev(), own.ino()));
        Ok(is_same.then_some(Self(open)))
    }

    /// Sets the final mode of the locked folder at `path`, and flushes it.
    ///
    /// # Errors
    /// When the system reports an error.
    pub fn finish(&self, path: &Path, mode: Mode) -> Result<(), FileError> {
        let mode = self.0.set_permissions(Permissions::from_mode(mode.bits()));
        mode.map_err(FileError::at("set the mode of", path))?;
        self.0
            .sync_all()
            .map_err(FileError::at("flush the folder", path))
    }
}

/// Lets the owner of a lock open it again: a umask of 0777 takes that away from a new file.
fn restore_owner_access(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    if mode & LOCK_MODE.bits() == LOCK_MODE.bits() {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(LOCK_MODE.bits()))
}

/// Locks the file; false if another process has locked it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, FileLock};

    #[test]
    fn a_lock_is_exclusive_and_its_content_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        std::fs::write(&path, "4711\n").unwrap();
        let held = FileLock::acquire(&path, Duration::ZERO, || false)
            .unwrap()
            .unwrap();
        assert!(
            FileLock::acquire(&path, Duration::from_millis(30), || false)
                .unwrap()
                .is_none()
        );
        drop(held);
        assert!(
            FileLock::acquire(&path, Duration::ZERO, || false)
                .unwrap()
                .is_some()
        );

        let held = FileLock::try_lock_folder(folder.path()).unwrap().unwrap();
        assert!(FileLock::try_lock_folder(folder.path()).unwrap().is_none());
        drop(held);
        assert!(
            FileLock::try_lock_folder(&folder.path().join("gone"))
                .unwrap()
                .is_none()
        );
    }
}
