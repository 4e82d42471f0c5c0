//! Whether this process may use a folder.

use std::path::Path;

use rustix::fs::{Access, access};

use super::files::FileError;

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
    access(path, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| FileError::at("write to", folder)(error.into()))
}
