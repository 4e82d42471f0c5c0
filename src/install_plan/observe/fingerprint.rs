//! By what it is known whether a look still holds.

use std::path::PathBuf;

use crate::system::fs::files::FileError;
use crate::system::fs::folders::{self, FileStatus};

/// Paths, and what was at each before it was read.
#[derive(Debug, Default)]
pub(crate) struct PathFingerprints(Vec<(PathBuf, Option<FileStatus>)>);

impl PathFingerprints {
    /// Notes what is at `paths` now.
    ///
    /// # Errors
    /// When one cannot be looked at.
    pub(crate) fn note(
        &mut self,
        paths: impl IntoIterator<Item = PathBuf>,
    ) -> Result<(), FileError> {
        for path in paths {
            let seen = folders::look(&path)?;
            self.0.push((path, seen));
        }
        Ok(())
    }

    /// Whether the same is there still, untouched.
    #[must_use]
    pub(crate) fn hold(&self) -> bool {
        self.0
            .iter()
            .all(|(path, seen)| folders::look(path).is_ok_and(|now| now == *seen))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PathFingerprints;
    use crate::system::fs::folders;

    #[test]
    fn marks_hold_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, absent] = ["file", "link", "absent"].map(|name| folder.path().join(name));
        fs::write(&file, "one").unwrap();
        folders::place(&link, "one".as_ref()).unwrap();
        let marks = || {
            let mut marks = PathFingerprints::default();
            marks
                .note([file.clone(), link.clone(), absent.clone()])
                .unwrap();
            marks
        };
        let changes: [&dyn Fn(); 4] = [
            &|| fs::write(&file, "another").unwrap(),
            &|| folders::place(&link, "two".as_ref()).unwrap(),
            &|| fs::write(&absent, "").unwrap(),
            &|| fs::remove_file(&file).unwrap(),
        ];
        for change in changes {
            let marks = marks();
            assert!(marks.hold());
            change();
            assert!(!marks.hold());
        }
    }
}
