//! Changes of sites that have begun, one file for each site: what existed before them. The entry is
//! written before the change and removed once it is finished or rolled back. If certctl is killed in
//! between, the next run for the site finishes the change, and restores this if it fails.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{ENTRY_LIMIT, StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::system::fs::folders;

/// The folder of these files in the state folder.
pub(crate) const SITES_FOLDER: &str = "unfinished-sites";

/// A change of a site that has begun.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct UnfinishedSite {
    /// The name of the site.
    pub name: String,
    /// The file with its block.
    pub block: UnfinishedFile,
    /// Its application, if that changes.
    pub application: Option<UnfinishedApplication>,
    /// Whether its certificate is a placeholder that the change installed.
    pub made_placeholder: bool,
    /// What a later version has written.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A file before and after a change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct UnfinishedFile {
    pub path: PathBuf,
    /// `None` if the file did not exist.
    pub before: Option<String>,
    /// `None` if the file is removed.
    pub after: Option<String>,
    /// Whether the link that enables the site existed.
    pub was_enabled: bool,
}

/// The application of a site before a change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct UnfinishedApplication {
    /// Whether it had a user and folders.
    pub existed: bool,
    /// The file of its service.
    pub service: UnfinishedFile,
}

impl UnfinishedFile {
    /// Whether the file has this content because of the change: not that of somebody who edited it
    /// since.
    #[must_use]
    pub(crate) fn explains(&self, text: Option<&str>) -> bool {
        text == self.before.as_deref() || text == self.after.as_deref()
    }

    fn size(&self) -> usize {
        let texts = [&self.before, &self.after];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

impl UnfinishedSite {
    fn size(&self) -> usize {
        let service = self.application.as_ref();
        self.block.size() + service.map_or(0, |application| application.service.size())
    }
}

impl StateFolder {
    fn unfinished_path(&self, name: &str) -> PathBuf {
        let hash = Fingerprint::of(name.as_bytes()).first_digits();
        self.subfolder(SITES_FOLDER).join(format!("{hash}.json"))
    }

    /// Returns the change of a site that was not finished.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_unfinished_site(
        &self,
        name: &str,
    ) -> Result<Option<UnfinishedSite>, StateError> {
        self.read_entry(&self.unfinished_path(name))
    }

    /// Records what exists before a change. A file that is too large for an entry is not recorded: if
    /// certctl is killed then, the next run only finishes the change.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn write_unfinished_site(&self, site: &UnfinishedSite) -> Result<(), StateError> {
        // Half of the limit, because JSON escapes line breaks and quotes.
        if u64::try_from(site.size()).unwrap_or(u64::MAX) > ENTRY_LIMIT / 2 {
            return Ok(());
        }
        self.create_subfolder(SITES_FOLDER)?;
        self.write_entry(&self.unfinished_path(&site.name), site)
    }

    /// Removes the record of a change that is finished.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn forget_unfinished_site(&self, name: &str) -> Result<(), StateError> {
        Ok(folders::remove(&self.unfinished_path(name))?)
    }
}
