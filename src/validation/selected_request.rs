//! A request that the arguments select, with its validation records.

use std::path::{Path, PathBuf};

use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::reseller_record::GivenRecord;
use crate::pki::request::SigningRequest;

/// A request with the records that are known for it.
#[derive(Clone, Debug)]
pub(crate) struct SelectedRequest {
    /// The path of its file as it is printed.
    pub shown: String,
    pub path: Option<PathBuf>,
    pub request: SigningRequest,
    /// Whether its key was used before: the CA's record then has a unique value.
    pub reuses_key: bool,
    /// The records on the command line that belong to it.
    pub given: Vec<GivenRecord>,
    /// All records from its `.dcv` file and the command line.
    pub stored: StoredRecord,
    /// The CA of the configuration.
    pub default_ca: Option<Ca>,
}

impl SelectedRequest {
    /// Returns the CA: `named` on the command line, else the stored one, else that of the
    /// configuration.
    pub(crate) fn ca(&self, named: Option<Ca>) -> Option<Ca> {
        named.or_else(|| self.stored.ca()).or(self.default_ca)
    }

    /// Returns the request in a file; its `.dcv` file is read later, if the request is needed.
    pub(crate) fn in_file(path: &Path, request: &SigningRequest) -> Self {
        Self {
            shown: path.display().to_string(),
            path: Some(path.to_owned()),
            request: request.clone(),
            reuses_key: false,
            given: Vec::new(),
            stored: StoredRecord::default(),
            default_ca: None,
        }
    }

    pub(super) fn on_stdin(request: SigningRequest) -> Self {
        Self {
            shown: "the request on stdin".to_owned(),
            path: None,
            request,
            reuses_key: false,
            given: Vec::new(),
            stored: StoredRecord::default(),
            default_ca: None,
        }
    }
}
