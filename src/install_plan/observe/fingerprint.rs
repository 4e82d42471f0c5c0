//! Detects whether paths have changed since they were read.

use std::path::PathBuf;

use crate::system::fs::files::FileError;
use crate::system::fs::folders::{self, FileStatus};

/// The status of paths before they were read.
#[derive(Debug, Default)]
pub(crate) struct PathFingerprints(Vec<(PathBuf, Option<FileStatus>)>);

impl PathFingerprints {
    /// Notes the current status of `paths`.
    ///
    /// # Errors
    /// When the status of one cannot be read.
    pub(crate) fn record(
        &mut self,
        paths: impl IntoIterator<Item = PathBuf>,
    ) -> Result<(), FileError> {
        for path in paths {
            let status = folders::read_status(&path)?;
            self.0.push((path, status));
        }
        Ok(())
    }

    /// Whether no path has changed since.
    #[must_use]
    pub(crate) fn are_unchanged(&self) -> bool {
        self.0
            .iter()
            .all(|(path, status)| folders::read_status(path).is_ok_and(|now| now == *status))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PathFingerprints;
    use crate::system::fs::folders;

    #[test]
    fn fingerprints_hold_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, absent] = ["file", "link", "absent"].map(|name| folder.path().join(name));
        fs::write(&file, "one").unwrap();
        folders::replace_link(&link, "one".as_ref()).unwrap();
        let changes: [&dyn Fn(); 4] = [
            &|| fs::write(&file, "another").unwrap(),
            &|| folders::replace_link(&link, "two".as_ref()).unwrap(),
            &|| fs::write(&absent, "").unwrap(),
            &|| fs::remove_file(&file).unwrap(),
        ];
        for change in changes {
            let mut fingerprints = PathFingerprints::default();
            fingerprints
                .record([file.clone(), link.clone(), absent.clone()])
                .unwrap();
            assert!(fingerprints.are_unchanged());
            change();
            assert!(!fingerprints.are_unchanged());
        }
    }
}
