//! The folders with requests: each is read once in a run, for all its certificates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::folder::{FolderContents, HeldFile};
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// The folders that were read so far.
#[derive(Default)]
pub(super) struct RequestFolders(HashMap<PathBuf, Rc<RequestFolder>>);

/// A folder with its requests indexed by names and by key.
pub(super) struct RequestFolder {
    pub contents: FolderContents,
    by_names: HashMap<Vec<String>, Vec<usize>>,
    by_key: HashMap<PublicKeyId, Vec<usize>>,
}

impl RequestFolders {
    pub(super) fn read(
        &mut self,
        context: &Context,
        folder: &Path,
    ) -> Result<Rc<RequestFolder>, Failure> {
        if let Some(known) = self.0.get(folder) {
            return Ok(Rc::clone(known));
        }
        let contents = FolderContents::read(&context.in_folder(folder.to_owned()))?;
        let read = Rc::new(RequestFolder::new(contents));
        self.0.insert(folder.to_owned(), Rc::clone(&read));
        Ok(read)
    }
}

impl RequestFolder {
    fn new(contents: FolderContents) -> Self {
        let mut by_names: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
        let mut by_key: HashMap<PublicKeyId, Vec<usize>> = HashMap::new();
        for (index, held) in contents.requests.iter().enumerate() {
            let names = sorted_names(requested_names(&held.value));
            by_names.entry(names).or_default().push(index);
            by_key.entry(held.value.key_id).or_default().push(index);
        }
        Self {
            contents,
            by_names,
            by_key,
        }
    }

    /// Returns the requests for exactly these names.
    pub(super) fn with_names(
        &self,
        names: &[String],
    ) -> impl Iterator<Item = &HeldFile<SigningRequest>> {
        let names = sorted_names(names.iter().cloned());
        let indexes = self.by_names.get(&names).into_iter().flatten();
        indexes.filter_map(|index| self.contents.requests.get(*index))
    }

    /// Returns the requests with this key.
    pub(super) fn with_key(
        &self,
        id: PublicKeyId,
    ) -> impl Iterator<Item = &HeldFile<SigningRequest>> {
        let indexes = self.by_key.get(&id).into_iter().flatten();
        indexes.filter_map(|index| self.contents.requests.get(*index))
    }
}

/// Returns the DNS names, IP addresses and email addresses of a request, in its order.
pub(super) fn requested_names(request: &SigningRequest) -> impl Iterator<Item = String> {
    let addresses = request.ip_addresses.iter().map(ToString::to_string);
    request
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .chain(request.mailboxes.iter().cloned())
}

/// Returns the names in lower case, sorted, without duplicates.
pub(super) fn sorted_names(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.map(|name| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}
