//! The steps that make a request, for the plans of `csr` and `renew`.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::request_files::RequestPaths;
use crate::dcv::dcv_file::StoredRecord;
use crate::pki::key::KeyAlgorithm;
use crate::system::fs::files;

/// One change to the files of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(crate) enum RequestStep {
    /// Renames an existing file to `<file>.~N~`.
    BackUp {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Generates a key and writes it with mode 0600.
    WriteKey {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "in_words")]
        algorithm: KeyAlgorithm,
    },
    /// Writes the `.dcv` file, which stores the CA and the reseller's record.
    WriteRecord {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Signs the request and writes it.
    WriteRequest {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
}

impl RequestStep {
    /// Lists the steps that write a new request: a key of this algorithm unless one exists, and the
    /// record if it changed. Existing files among `replaced` are backed up first.
    #[must_use]
    pub(crate) fn list(
        paths: &RequestPaths,
        new_key: Option<KeyAlgorithm>,
        stored: &StoredRecord,
        replaced: &[&Path],
    ) -> Vec<Self> {
        let existing = replaced.iter().filter(|path| files::exists(path));
        let mut steps: Vec<Self> = existing
            .map(|path| Self::BackUp {
                path: path.to_path_buf(),
            })
            .collect();
        if let Some(algorithm) = new_key {
            let path = paths.key.clone();
            steps.push(Self::WriteKey { path, algorithm });
        }
        let path = paths.request.clone();
        steps.push(Self::WriteRequest { path });
        if stored.changed() {
            let path = paths.record.clone();
            steps.push(Self::WriteRecord { path });
        }
        steps
    }
}

impl fmt::Display for RequestStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackUp { path } => write!(f, "keep a numbered backup of {}", path.display()),
            Self::WriteKey { path, algorithm } => {
                let path = path.display();
                write!(f, "write a new key to {path} (0600, {algorithm})")
            }
            Self::WriteRecord { path } => write!(f, "store the CA in {}", path.display()),
            Self::WriteRequest { path } => write!(f, "write the request to {}", path.display()),
        }
    }
}

/// Serializes a path as text, lossily where it is not UTF-8.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

/// Serializes an algorithm with the name that people read.
fn in_words<S: Serializer>(algorithm: &KeyAlgorithm, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(algorithm)
}
