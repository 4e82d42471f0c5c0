//! Whether something can be written before it is: what a file system has left, and whether a folder
//! takes new names.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;

use super::folders::user;

/// What a file system has left for who runs certctl.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FreeSpace {
    /// By this it is told from others.
    pub device: u64,
    /// The bytes of a block: each file takes whole ones.
    pub block: u64,
    /// Blocks that are free; none where it counts none.
    pub blocks: Option<u64>,
    /// Files that it can still hold; none where it has no such bound.
    pub files: Option<u64>,
}

/// Of the file system that a folder is on; `None` when it does not say.
#[must_use]
pub(crate) fn of(folder: &Path) -> Option<FreeSpace> {
    let device = std::fs::metadata(folder).ok()?.dev();
    let seen = statvfs(folder).ok()?;
    // What is reserved for root is root's.
    let (blocks, files) = if user() == 0 {
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

/// Whether who runs certctl may make names in a folder and change them. What cannot be asked is
/// left to the attempt.
///
/// # Errors
/// The reason: no permission, a read-only file system, a folder that is marked as unchangeable.
pub(crate) fn admits(folder: &Path) -> io::Result<()> {
    match accessat(
        CWD,
        folder,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    ) {
        Err(errno @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => Err(errno.into()),
        _ => Ok(()),
    }
}
