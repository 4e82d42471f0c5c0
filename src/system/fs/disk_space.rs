//! Checks before a write whether it can succeed: the free space of a file system, and whether a
//! folder accepts new names.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;

use super::folders::current_user;
use super::tree;

/// The free space of a file system, as available to the user who runs certctl.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FreeSpace {
    /// Identifies the file system.
    pub device: u64,
    /// The size of a block in bytes; each file uses whole blocks.
    pub block: u64,
    /// How many blocks are free; `None` if the file system does not count them.
    pub blocks: Option<u64>,
    /// How many files can be added; `None` if it has no such limit.
    pub files: Option<u64>,
}

/// Returns the free space of the file system of a folder; `None` if it is not known.
#[must_use]
pub(crate) fn free_space(folder: &Path) -> Option<FreeSpace> {
    let device = tree::metadata(folder).ok()?.dev();
    let seen = tree::with_path(folder, |path| statvfs(path)).ok()?.ok()?;
    // Some blocks are reserved for root.
    let (blocks, files) = if current_user() == 0 {
        (seen.f_bfree, seen.f_ffree)
    } else {
        (seen.f_bavail, seen.f_favail)
    };
    Some(FreeSpace {
        device,
        block: seen.f_frsize.max(1),
        blocks: (seen.f_blocks > 0).then_some(blocks),
        files: (seen.f_files > 0).then_some(files),
    })
}

/// Checks whether the user may create and rename files in a folder. Returns no error if that
/// cannot be determined; the write itself will show it.
///
/// # Errors
/// No permission, a read-only file system, an immutable folder.
pub(crate) fn check_writable(folder: &Path) -> io::Result<()> {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    let checked = tree::with_path(folder, |path| accessat(CWD, path, wanted, AtFlags::EACCESS));
    match checked {
        Ok(Err(errno @ (Errno::ACCESS | Errno::PERM | Errno::ROFS))) => Err(errno.into()),
        _ => Ok(()),
    }
}
