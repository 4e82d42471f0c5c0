//! Whether this process may use a folder.

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
