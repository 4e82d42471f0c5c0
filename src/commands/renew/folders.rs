//! The folders of requests: each read once in a run, however many pairs were made there.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::folder::{FolderContents, HeldFile};
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// What was read so far.
#[derive(Default)]
pub(super) struct RequestFolders(HashMap<std::path::PathBuf, Rc<RequestFolder>>);

/// A folder, and its requests by what they ask for.
pub(super) struct RequestFolder {
    pub(super) here: FolderContents,
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
        let read = Rc::new(RequestFolder::new(FolderContents::read(
            &context.in_folder(folder.to_owned()),
        )?));
        self.0.insert(folder.to_owned(), Rc::clone(&read));
        Ok(read)
    }
}

impl RequestFolder {
    fn new(here: FolderContents) -> Self {
        let (mut by_names, mut by_key) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (place, held) in here.requests.iter().enumerate() {
            by_names.entry(asked(&held.value)).or_default().push(place);
            by_key.entry(held.value.key_id).or_default().push(place);
        }
        Self {
            here,
            by_names,
            by_key,
        }
    }

    /// The requests for just these names.
    pub(super) fn asking(
        &self,
        names: &[String],
    ) -> impl Iterator<Item = &HeldFile<SigningRequest>> {
        let places = self
            .by_names
            .get(&set(names.iter().cloned()))
            .into_iter()
            .flatten();
        places.filter_map(|place| self.here.requests.get(*place))
    }

    /// The requests with this key.
    pub(super) fn with_key(
        &self,
        id: PublicKeyId,
    ) -> impl Iterator<Item = &HeldFile<SigningRequest>> {
        let places = self.by_key.get(&id).into_iter().flatten();
        places.filter_map(|place| self.here.requests.get(*place))
    }
}

/// All names of a request, in an order of their own.
pub(super) fn asked(request: &SigningRequest) -> Vec<String> {
    let addresses = request.ip_addresses.iter().map(ToString::to_string);
    set(request
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .chain(request.mailboxes.iter().cloned()))
}

/// Names in lower case, each once, sorted.
pub(super) fn set(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.map(|name| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}
