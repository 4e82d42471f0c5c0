//! Finds out which keys were used before: by a certificate, in the folder or installed, or by
//! another request.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::inputs::folder::FolderContents;
use crate::install::installed;
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// Which certificates and requests use which keys.
#[derive(Debug)]
pub(crate) struct KeyUsageHistory {
    /// The keys of all known certificates.
    certified: HashSet<PublicKeyId>,
    /// The keys of requests that are not pending: a certificate has the key, or a later renewal of
    /// the request has one.
    done: HashSet<PublicKeyId>,
    /// The files of requests that share their key with another request.
    reusing: HashSet<PathBuf>,
}

impl KeyUsageHistory {
    /// Collects the keys of the requests and certificates in `folder` and of the installed ones.
    pub(crate) fn new(context: &Context, folder: &FolderContents) -> Self {
        let certificates = folder
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .map(|one| one.key_id);
        let mut certified: HashSet<PublicKeyId> = certificates.collect();
        for (_, key) in installed::list_keys(context) {
            certified.insert(key);
        }
        let waiting: HashSet<PublicKeyId> = folder
            .requests_without_certificate(&certified)
            .into_iter()
            .map(|held| held.value.key_id)
            .collect();
        let keys = folder.requests.iter().map(|held| held.value.key_id);
        let done = keys.filter(|key| !waiting.contains(key)).collect();
        let reusing = folder.requests_reusing_keys().into_iter();
        let reusing = reusing.map(Path::to_owned).collect();
        Self {
            certified,
            done,
            reusing,
        }
    }

    /// Whether no known certificate was issued for the request's key.
    pub(crate) fn is_pending(&self, request: &SigningRequest) -> bool {
        !self.done.contains(&request.key_id)
    }

    /// Whether an order with this request, in the file at `path`, reuses a key.
    pub(crate) fn is_used_again(&self, request: &SigningRequest, path: Option<&Path>) -> bool {
        self.certified.contains(&request.key_id)
            || path.is_some_and(|path| self.reusing.contains(path))
    }
}
