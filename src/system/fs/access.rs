//! Whether this process may use a folder, and whether a path may be replaced.

use std::fs::metadata;
use std::io;
use std::path::Path;

use rustix::fs::{Access, access};

use super::files::FileError;
use super::tree;

/// Checks that this process can create files in a folder, without creating one.
///
/// # Errors
/// When the folder does not exist or the user may not write to it.
pub(crate) fn check_writable(folder: &Path) -> Result<(), FileError> {
    let path = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    tree::with_path(path, |path| access(path, wanted))
        .and_then(|checked| Ok(checked?))
        .map_err(FileError::at("write to", folder))
}

/// Refuses a path where something else than a regular file is, through links: a rename over
/// /dev/null would replace the device for all programs of the machine.
///
/// # Errors
/// When a folder, a device, a pipe or a socket is there.
pub(crate) fn refuse_other(path: &Path) -> Result<(), FileError> {
    let Ok(meta) = metadata(path) else {
        return Ok(());
    };
    if meta.is_file() {
        return Ok(());
    }
    let reason = if meta.is_dir() {
        "it is a folder"
    } else {
        "it is a device, a pipe or a socket, not a file; - writes to stdout"
    };
    let error = io::Error::new(io::ErrorKind::InvalidInput, reason);
    Err(FileError::at("write", path)(error))
}
