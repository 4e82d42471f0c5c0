//! What did not exist before a run, so that a rollback can remove it again.

use std::path::PathBuf;

use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::{folders, kept};

/// The folders that a run creates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct NewPaths {
    /// The missing folders of deployed files, the deepest first.
    folders: Vec<PathBuf>,
    /// The folder of the certificate, if certctl has installed nothing there.
    lineage: Option<PathBuf>,
}

impl NewPaths {
    /// Notes what does not exist yet.
    ///
    /// # Errors
    /// When a path cannot be checked.
    pub(crate) fn observe(layout: &LineageLayout) -> Result<Self, FileError> {
        let mut missing: Vec<PathBuf> = Vec::new();
        for link in layout.links() {
            let above = link.path.ancestors().skip(1);
            for folder in above.take_while(|folder| !folders::is_folder(folder)) {
                missing.push(folder.to_owned());
            }
        }
        missing.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        missing.dedup();
        let installed = [
            layout.settings(),
            layout.pointer(ReleasePointer::Live),
            layout.pointer(ReleasePointer::Proven),
        ];
        let is_new = !installed.iter().any(|path| files::exists(path));
        Ok(Self {
            folders: missing,
            lineage: is_new.then(|| layout.folder()),
        })
    }

    /// Whether the run creates the certificate's folder.
    #[must_use]
    pub(crate) fn has_new_lineage(&self) -> bool {
        self.lineage.is_some()
    }

    /// Removes what the run has created: the certificate's folder with these `releases`, then empty
    /// folders. The pointers go first, so that a killed run leaves nothing that looks installed.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) fn remove(
        &self,
        layout: &LineageLayout,
        releases: &[&ReleaseId],
    ) -> Result<(), FileError> {
        if let Some(folder) = &self.lineage {
            for pointer in ReleasePointer::BOTH {
                folders::remove(&layout.pointer(pointer))?;
            }
            folders::remove(&layout.settings())?;
            for release in releases {
                disk::remove_release(layout, release)?;
            }
            kept::remove_empty_folder(&layout.releases());
            kept::remove_empty_folder(folder);
        }
        for folder in &self.folders {
            kept::remove_empty_folder(folder);
        }
        Ok(())
    }
}
