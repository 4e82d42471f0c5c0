//! Creates new files, and refuses to fill one that others could read although its mode forbids it: some
//! file systems (FAT, SMB, a drive of Windows) give every file the mode that they were mounted with.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::tree;
use crate::permissions::Mode;

/// The bits for everybody.
const OTHERS: u32 = 0o007;
/// The bits for all but the owner.
const NOT_OWNER: u32 = 0o077;

/// Creates an empty file with the mode `first`, which is to get the mode `last`.
///
/// # Errors
/// `Unsupported` if not everybody may read the file, and the file system grants more than that; else
/// what the system reports.
pub(super) fn create(path: &Path, first: Mode, last: Mode) -> Result<File> {
    let file = tree::create_new(path, first)?;
    if last.has_any(OTHERS) {
        return Ok(file);
    }
    let given = Mode::of_status(file.metadata()?.mode());
    if !given.without(last.bits()).has_any(NOT_OWNER) {
        return Ok(file);
    }
    let _ = tree::remove_file(path);
    let message = format!(
        "this file system gives new files the mode {given} whatever is asked for, so other users could \
            read it"
    );
    Err(Error::new(ErrorKind::Unsupported, message))
}
