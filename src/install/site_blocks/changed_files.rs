//! Writes the changes of a site's files, and restores what existed before them.

use crate::permissions::Mode;
use crate::site::plan::SiteChange;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// The mode of configuration files.
const FILE_MODE: Mode = Mode::new(0o644);

/// Writes the file before the link that enables it; removes them in the other order.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn write(change: &SiteChange) -> Result<(), FileError> {
    let Some(after) = &change.after else {
        if change.changes_link() {
            remove_link(change)?;
        }
        return folders::remove(&change.file);
    };
    if change.before.as_ref() != Some(after) {
        write_file(change, after)?;
    }
    if change.changes_link() {
        create_link(change)?;
    }
    Ok(())
}

/// Restores what existed before the change, however far it got: before the first run of a change
/// that was not finished.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn restore(change: &SiteChange) -> Result<(), FileError> {
    let previous = &change.previous;
    if !previous.is_enabled {
        remove_link(change)?;
    }
    match &previous.text {
        None => folders::remove(&change.file)?,
        Some(text) => write_file(change, text)?,
    }
    if previous.is_enabled {
        create_link(change)?;
    }
    Ok(())
}

fn write_file(change: &SiteChange, text: &str) -> Result<(), FileError> {
    if files::exists(&change.file) {
        let mode = files::read_mode(&change.file)?;
        files::replace(&change.file, text.as_bytes(), mode)
    } else {
        files::create_new(&change.file, text.as_bytes(), FILE_MODE)
    }
}

fn create_link(change: &SiteChange) -> Result<(), FileError> {
    let Some(link) = &change.link else {
        return Ok(());
    };
    folders::replace_link(&link.path, &change.file)?;
    files::sync_folder(files::parent(&link.path))
}

fn remove_link(change: &SiteChange) -> Result<(), FileError> {
    let link = change.link.as_ref();
    link.map_or(Ok(()), |link| folders::remove_link(&link.path))
}
