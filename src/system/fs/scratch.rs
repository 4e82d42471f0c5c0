//! A scratch folder that certctl may clear: it contains a marker file, and a folder without that
//! marker is never cleared.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::files::{self, FileError};
use super::lock;
use crate::permissions::Mode;

/// The marker file, and its text for people who find it.
pub(crate) const MARKER: &str = ".certctl-rehearsal";
const MARKER_TEXT: &str =
    "Made by certctl rehearse, which removes everything in this folder whenever it runs here.\n";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScratchError {
    /// Another process uses it.
    #[error("another rehearsal is running in {}", .0.display())]
    Busy(PathBuf),
    /// It exists and was not created by a rehearsal.
    #[error("{} already exists and was not created by a rehearsal; it was not changed", .0.display())]
    Foreign(PathBuf),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// An empty folder, which is locked until this is dropped. The folder itself stays, so that people
/// can inspect the files of a rehearsal.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    path: PathBuf,
    _lock: File,
}

impl ScratchFolder {
    /// Creates the folder, or clears the one of an earlier run.
    ///
    /// # Errors
    /// See [`ScratchError`]; a folder without the marker is not touched.
    pub(crate) fn claim(path: &Path) -> Result<Self, ScratchError> {
        let marker = path.join(MARKER);
        if files::exists(path) {
            let real = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
            let marked =
                files::read(&marker, 1024).is_ok_and(|text| text == MARKER_TEXT.as_bytes());
            if !real || !marked && !is_empty(path) {
                return Err(ScratchError::Foreign(path.to_owned()));
            }
        } else {
            fs::create_dir(path).map_err(FileError::at("create the folder", path))?;
        }
        if !files::exists(&marker) {
            files::create_new(&marker, MARKER_TEXT.as_bytes(), Mode::new(0o644))?;
        }
        let marker_file = File::open(&marker).map_err(FileError::at("open", &marker))?;
        if !lock::try_lock(&marker_file).map_err(FileError::at("lock", &marker))? {
            return Err(ScratchError::Busy(path.to_owned()));
        }
        let scratch = Self {
            path: path.to_owned(),
            _lock: marker_file,
        };
        scratch.clear()?;
        Ok(scratch)
    }

    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the absolute path of the folder, for programs with another working directory.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn absolute(&self) -> Result<PathBuf, FileError> {
        self.path
            .canonicalize()
            .map_err(FileError::at("read the status of", &self.path))
    }

    /// Creates a folder in it, with its parents; only this user may enter.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn create_folder(&self, name: &str) -> Result<PathBuf, FileError> {
        let path = self.path.join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(FileError::at("create the folder", &path))
            .map(|()| path)
    }

    /// Removes all but the marker; links are removed, never followed.
    fn clear(&self) -> Result<(), FileError> {
        let entries =
            fs::read_dir(&self.path).map_err(FileError::at("read the folder", &self.path))?;
        for entry in entries {
            let entry = entry.map_err(FileError::at("read the folder", &self.path))?;
            if entry.file_name() == MARKER {
                continue;
            }
            let path = entry.path();
            let removed = match entry.file_type() {
                Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
                _ => fs::remove_file(&path),
            };
            removed.map_err(FileError::at("remove", &path))?;
        }
        Ok(())
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::{MARKER, ScratchError, ScratchFolder};
    use std::fs;

    #[test]
    fn only_a_marked_folder_is_cleared() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("rehearsal");
        let outside = temporary.path().join("precious");
        fs::write(&outside, "x").unwrap();

        let scratch = ScratchFolder::claim(&path).unwrap();
        fs::write(scratch.create_folder("a/b").unwrap().join("c"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, path.join("link")).unwrap();
        assert!(matches!(
            ScratchFolder::claim(&path),
            Err(ScratchError::Busy(_))
        ));
        drop(scratch);

        let scratch = ScratchFolder::claim(&path).unwrap();
        let left: Vec<_> = fs::read_dir(scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, [MARKER]);
        assert!(outside.exists());
        drop(scratch);

        fs::write(path.join(MARKER), "something else").unwrap();
        fs::write(path.join("mine"), "x").unwrap();
        let link = temporary.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for foreign in [&path, &link, &outside] {
            assert!(
                matches!(ScratchFolder::claim(foreign), Err(ScratchError::Foreign(_))),
                "{foreign:?}"
            );
        }
        assert!(path.join("mine").exists());
    }
}
