//! What a user passes as an argument: a file, a pipe, or stdin, which can be read only once.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;

use super::files::{self, FileError, FileIdentity, read_bounded, room};
use super::tree;
use crate::permissions::Mode;

/// Whether stdin was read to its end.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Reads a file that the user gave, or stdin for `-`. It may also be a pipe (`<(...)` in a shell):
/// that is read to its end.
///
/// # Errors
/// The same as [`files::read`]; folders and devices are refused.
pub(crate) fn read_named(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    read_named_identified(path, limit).map(|(bytes, _)| bytes)
}

/// Like [`read_named`], but also returns which file was read; `None` for a pipe.
///
/// # Errors
/// The same as [`read_named`].
pub(crate) fn read_named_identified(
    path: &Path,
    limit: u64,
) -> Result<(Vec<u8>, Option<FileIdentity>), FileError> {
    if path == Path::new("-") {
        let identity = file_on_stdin();
        return Ok((read_stdin(limit)?, identity));
    }
    let pipe = tree::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo());
    if !pipe {
        let (bytes, identity) = files::read_identified(path, limit)?;
        return Ok((bytes, Some(identity)));
    }
    let bytes = tree::open(path, OFlags::RDONLY, Mode::new(0))
        .and_then(|file| read_bounded(file, limit, room(limit)))
        .map_err(FileError::at("read", path))?;
    Ok((bytes, None))
}

/// Returns which file stdin was redirected from; `None` for a pipe or a terminal.
fn file_on_stdin() -> Option<FileIdentity> {
    let meta = fs::metadata("/proc/self/fd/0").ok()?;
    meta.is_file().then(|| FileIdentity::of(&meta))
}

/// Reads all of stdin, at most `limit` bytes.
///
/// # Errors
/// When it is longer than `limit`, cannot be read, or was read before: two arguments are `-`.
pub(crate) fn read_stdin(limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = FileError::at("read", Path::new("stdin"));
    if IS_READ.swap(true, Ordering::Relaxed) {
        let message = "it was read for another argument already";
        return Err(fail(io::Error::new(io::ErrorKind::ResourceBusy, message)));
    }
    read_bounded(io::stdin().lock(), limit, room(limit)).map_err(fail)
}

/// Returns whether stdin is a terminal.
#[must_use]
pub(crate) fn stdin_is_terminal() -> bool {
    io::IsTerminal::is_terminal(&io::stdin())
}
