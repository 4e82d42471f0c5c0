//! Renewals that failed, one file for each certificate. The entry is removed once one succeeds.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::system::fs::folders;

/// The folder of these files in the state folder.
pub(crate) const FAILED_FOLDER: &str = "failed-renewals";

/// A renewal that failed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FailedTry {
    /// The certificate's name in /etc/ssl.
    pub name: String,
    /// How many tries failed one after the other.
    pub count: u32,
    /// The time of the last one.
    pub at: Timestamp,
    /// No run tries it again by itself before this time.
    pub again_at: Timestamp,
    /// Why the last one failed.
    pub reason: String,
    /// What a later version has written.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl StateFolder {
    fn failed_path(&self, name: &str) -> PathBuf {
        let hash = Fingerprint::of(name.as_bytes()).first_digits();
        let folder = self.subfolder(FAILED_FOLDER);
        folder.join(format!("{hash}.json"))
    }

    /// Returns the last try of a certificate, if it failed. An entry that cannot be read does not
    /// prevent the next try.
    #[must_use]
    pub(crate) fn read_failed_try(&self, name: &str) -> Option<FailedTry> {
        self.read_entry(&self.failed_path(name)).ok().flatten()
    }

    /// Writes the entry of a failed try.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn write_failed_try(&self, failed: &FailedTry) -> Result<(), StateError> {
        self.create_subfolder(FAILED_FOLDER)?;
        self.write_entry(&self.failed_path(&failed.name), failed)
    }

    /// Removes the entry of a certificate.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn forget_failed_try(&self, name: &str) -> Result<(), StateError> {
        Ok(folders::remove(&self.failed_path(name))?)
    }
}
