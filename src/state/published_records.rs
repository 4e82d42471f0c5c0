//! The journal of published records: one file for each. certctl removes only what is in it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{FILE_MODE, StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::fs::{files, folders};

/// The folder of the journal in the state folder.
pub(crate) const RECORDS_FOLDER: &str = "records";
/// The maximum number of bytes of an entry.
const ENTRY_LIMIT: u64 = 64 * 1024;
/// The maximum number of entries that are read.
pub(crate) const ENTRY_COUNT: usize = 100_000;

/// The stage of a publication.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PublicationStage {
    /// It did not exist, and the provider was about to be asked to add it.
    Adding,
    /// The provider has it.
    Published,
    /// The provider was about to be asked to remove it.
    Removing,
}

/// A record that certctl has published, or was about to publish or remove.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct PublishedRecord {
    pub stage: PublicationStage,
    /// The owner name.
    pub name: String,
    pub zone: String,
    #[serde(rename = "type")]
    pub kind: PublishableKind,
    pub value: String,
    /// The provider as `--dns` accepts it.
    pub provider: String,
    /// The domain that it validates.
    pub domain: String,
    /// The names that it validates.
    pub names: Vec<String>,
    /// The file of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<PathBuf>,
    /// When the entry changed last.
    pub at: Timestamp,
    /// What a later version has written.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl PublishedRecord {
    #[must_use]
    pub(crate) fn location(&self) -> RecordLocation {
        RecordLocation {
            name: self.name.clone(),
            zone: self.zone.clone(),
        }
    }

    #[must_use]
    pub(crate) fn record(&self) -> RecordValue {
        RecordValue {
            kind: self.kind,
            value: self.value.clone(),
        }
    }

    /// Returns whether the record has this owner name, or validates this name.
    #[must_use]
    pub(crate) fn is_for(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.name == name || self.domain == name || self.names.contains(&name)
    }

    /// The file name: a hash, so that nothing in a record becomes a path.
    fn file_name(&self) -> String {
        let value = match self.kind {
            PublishableKind::Cname => self.value.trim_end_matches('.').to_ascii_lowercase(),
            PublishableKind::Txt => self.value.clone(),
        };
        let identity = [self.name.as_str(), self.kind.word(), &value].join("\0");
        format!("{}.json", Fingerprint::of(identity.as_bytes()))
    }
}

impl StateFolder {
    /// Writes an entry, in place of an earlier one about the same record. Returns once it is on the
    /// disk.
    ///
    /// # Errors
    /// When the system reports an error; the earlier entry is then unchanged.
    pub(crate) fn write_record(&self, entry: &PublishedRecord) -> Result<(), StateError> {
        let folder = self.create_subfolder(RECORDS_FOLDER)?;
        let mut text = serde_json::to_vec_pretty(entry).map_err(|error| StateError::Damaged {
            path: folder.join(entry.file_name()),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        Ok(files::replace(
            &folder.join(entry.file_name()),
            &text,
            FILE_MODE,
        )?)
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn remove_record(&self, entry: &PublishedRecord) -> Result<(), StateError> {
        let path = self.subfolder(RECORDS_FOLDER).join(entry.file_name());
        Ok(folders::remove(&path)?)
    }

    /// Returns all entries, sorted by name and value.
    ///
    /// # Errors
    /// When one cannot be read: what it is about must not be forgotten.
    pub(crate) fn published_records(&self) -> Result<Vec<PublishedRecord>, StateError> {
        let folder = self.subfolder(RECORDS_FOLDER);
        let listing = match files::list(&folder, ENTRY_COUNT) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            other => other?,
        };
        let mut entries = Vec::new();
        for path in listing.paths {
            // Hidden files are those of an interrupted write.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".json") && !name.starts_with('.') {
                entries.push(read_entry(&path)?);
            }
        }
        entries.sort_by_cached_key(|entry| format!("{} {}", entry.name, entry.value));
        Ok(entries)
    }
}

fn read_entry(path: &Path) -> Result<PublishedRecord, StateError> {
    let bytes = files::read(path, ENTRY_LIMIT)?;
    serde_json::from_slice(&bytes).map_err(|error| StateError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
