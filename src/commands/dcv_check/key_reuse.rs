//! Which keys were used before: by a certificate, here or among what is installed, or by another
//! request.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::inputs::folder::FolderContents;
use crate::install::installed;
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// What is known of the keys of requests.
#[derive(Debug)]
pub(super) struct KeyUsageHistory {
    /// The keys that a certificate has.
    certified: HashSet<PublicKeyId>,
    /// Those of requests here that wait for nothing: a certificate has them, or a later round of
    /// the request has one.
    done: HashSet<PublicKeyId>,
    /// The files of requests here whose key is that of another one.
    reusing: HashSet<PathBuf>,
}

impl KeyUsageHistory {
    /// What the requests and certificates in `here` and the installed ones tell.
    pub(super) fn of(context: &Context, here: &FolderContents) -> Self {
        let certificates = here
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .map(|one| one.key_id);
        let installed = installed::keys(context).into_iter().map(|(_, key)| key);
        let certified: HashSet<PublicKeyId> = certificates.chain(installed).collect();
        let waiting: HashSet<PublicKeyId> = here
            .waiting(&certified)
            .into_iter()
            .map(|held| held.value.key_id)
            .collect();
        let keys = here.requests.iter().map(|held| held.value.key_id);
        let done = keys.filter(|key| !waiting.contains(key)).collect();
        let reusing = here.reusing().into_iter().map(Path::to_owned).collect();
        Self {
            certified,
            done,
            reusing,
        }
    }

    /// Whether no certificate that is known was issued for the request's key.
    pub(super) fn is_pending(&self, request: &SigningRequest) -> bool {
        !self.done.contains(&request.key_id)
    }

    /// Whether an order with this request, in that file, uses its key again.
    pub(super) fn is_used_again(&self, request: &SigningRequest, path: Option<&Path>) -> bool {
        self.certified.contains(&request.key_id)
            || path.is_some_and(|path| self.reusing.contains(path))
    }
}
