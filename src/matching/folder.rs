//! The keys, requests and certificates of a folder as values, looked up by key id and by the names
//! in them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::delivery::{EncryptedKey, IgnoredItem};
use crate::matching::file_names;
use crate::matching::held_file::HeldFile;
use crate::matching::key_trust::{RefusedKeyFile, TrustedKeyFile};
use crate::pki::certificate::Certificate;
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// Describes a folder for a sentence: its path, or "this folder" for `.`.
#[must_use]
pub(crate) fn describe_folder(folder: &Path) -> String {
    if folder == Path::new(".") {
        "this folder".to_owned()
    } else {
        folder.display().to_string()
    }
}

/// The keys, requests and certificates of a folder.
#[derive(Debug, Default)]
pub(crate) struct FolderContents {
    pub path: PathBuf,
    /// Private keys; numbered backups (`x.key.~1~`) and hidden files are never read.
    pub keys: Vec<TrustedKeyFile<PrivateKey>>,
    pub requests: Vec<HeldFile<SigningRequest>>,
    /// Files with certificates, each with its certificates in their order.
    pub certificates: Vec<HeldFile<Vec<Certificate>>>,
    /// Encrypted private keys.
    pub locked: Vec<TrustedKeyFile<EncryptedKey>>,
    /// Keys that are not used, because another user owns, reads or can replace them.
    pub refused_keys: Vec<RefusedKeyFile>,
    /// Zip files, emails and PKCS#7 files, which are not unpacked here.
    pub archives: Vec<PathBuf>,
    /// Requests that no CA accepts: damaged, or with a signature that is invalid or too weak.
    pub unusable_requests: Vec<IgnoredItem>,
    /// Files without read permission.
    pub unreadable: Vec<PathBuf>,
    /// False if the folder has more files than certctl reads.
    pub complete: bool,
}

impl FolderContents {
    /// Describes the folder for a sentence.
    #[must_use]
    pub(crate) fn describe(&self) -> String {
        describe_folder(&self.path)
    }

    /// Returns the key ids of the keys and of the requests.
    #[must_use]
    pub(crate) fn key_ids(&self) -> HashSet<PublicKeyId> {
        let keys = self.keys.iter().map(|key| key.value.id());
        let requests = self.requests.iter().map(|request| request.value.key_id);
        let refused = self.refused_keys.iter().filter_map(|refused| refused.id);
        keys.chain(requests).chain(refused).collect()
    }

    /// Returns whether the folder surely has no key with this key id: it was read completely, and has
    /// no encrypted key, which may be the one.
    #[must_use]
    pub(crate) fn lacks_key(&self, id: PublicKeyId) -> bool {
        let is_read = self.complete && self.unreadable.is_empty() && self.locked.is_empty();
        let is_refused = |refused: &RefusedKeyFile| refused.id.is_none_or(|known| known == id);
        is_read && self.key(id).is_none() && !self.refused_keys.iter().any(is_refused)
    }

    /// Returns the key with this key id, if it may be used.
    #[must_use]
    pub(crate) fn key(&self, id: PublicKeyId) -> Option<&TrustedKeyFile<PrivateKey>> {
        self.keys.iter().find(|key| key.value.id() == id)
    }

    /// Returns the key with this key id that must not be used, if the folder has no other file with
    /// it.
    #[must_use]
    pub(crate) fn refused_key(&self, id: PublicKeyId) -> Option<&RefusedKeyFile> {
        if self.key(id).is_some() {
            return None;
        }
        let mut refused = self.refused_keys.iter();
        refused.find(|refused| refused.id == Some(id))
    }

    /// Returns the encrypted key in the file at `path` that must not be used.
    #[must_use]
    pub(crate) fn refused_encrypted_key(&self, path: &Path) -> Option<&RefusedKeyFile> {
        let mut refused = self.refused_keys.iter();
        refused.find(|refused| refused.id.is_none() && refused.file.path() == path)
    }

    /// Returns whether a certificate of the folder has this key.
    #[must_use]
    pub(crate) fn has_certificate_for(&self, id: PublicKeyId) -> bool {
        let mut certificates = self.certificates.iter().flat_map(|file| &file.value);
        certificates.any(|certificate| certificate.key_id == id)
    }

    /// Removes and returns the keys: those with a file of their own, and those in files with
    /// certificates.
    pub(crate) fn remove_keys(
        &mut self,
    ) -> (
        Vec<TrustedKeyFile<PrivateKey>>,
        Vec<TrustedKeyFile<PrivateKey>>,
    ) {
        let combined: HashSet<&PathBuf> = self.certificates.iter().map(|file| &file.path).collect();
        std::mem::take(&mut self.keys)
            .into_iter()
            .partition(|key| !combined.contains(&key.path))
    }

    /// Returns every server certificate once, the newest that is valid at `at` first.
    #[must_use]
    pub(crate) fn leaves(&self, at: Timestamp) -> Vec<&Certificate> {
        let all = self.certificates.iter().flat_map(|file| &file.value);
        let mut seen = HashSet::new();
        let mut leaves: Vec<_> = all
            .filter(|one| one.is_server_certificate() && seen.insert(one.fingerprint))
            .collect();
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.usability_rank(at)));
        leaves
    }

    /// Returns those of [`Self::leaves`] that list exactly `name`.
    #[must_use]
    pub(crate) fn leaves_named(&self, name: &DnsName, at: Timestamp) -> Vec<&Certificate> {
        self.leaves(at)
            .into_iter()
            .filter(|leaf| has_name(&leaf.dns_names, name))
            .collect()
    }

    /// Returns the requests for `name`, the latest renewal (`-2`, `-3`) first.
    #[must_use]
    pub(crate) fn requests_named(&self, name: &DnsName) -> Vec<&HeldFile<SigningRequest>> {
        let mut requests: Vec<_> = self
            .requests
            .iter()
            .filter(|held| has_name(&held.value.dns_names, name))
            .collect();
        requests.sort_by_key(|held| {
            std::cmp::Reverse(file_names::renewal_number(&file_stem_of(&held.path)))
        });
        requests
    }

    /// Returns the indices of all requests, the latest renewals first.
    #[must_use]
    pub(crate) fn request_indices_by_renewal(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.requests.len()).collect();
        places.sort_by_key(|at| {
            self.requests.get(*at).map(|held| {
                std::cmp::Reverse(file_names::renewal_number(&file_stem_of(&held.path)))
            })
        });
        places
    }

    /// Returns the files that a server may use for `leaf`: `*.fullchain.pem`, which certctl writes;
    /// else those that start with it and contain more certificates; else those that start with it;
    /// else those that contain it.
    #[must_use]
    pub(crate) fn files_of(&self, leaf: &Certificate) -> Vec<&Path> {
        let files: Vec<_> = self
            .certificates
            .iter()
            .filter(|file| file.value.contains(leaf))
            .collect();
        let best = files.iter().map(|file| deployment_rank(file, leaf)).max();
        let chosen = files
            .into_iter()
            .filter(|file| Some(deployment_rank(file, leaf)) == best);
        chosen.map(|file| file.path.as_path()).collect()
    }

    /// Returns every file of the folder for `name`: certificates and requests that list it, the
    /// newest certificate first, and their keys.
    #[must_use]
    pub(crate) fn paths_named(&self, name: &DnsName, at: Timestamp) -> Vec<PathBuf> {
        let leaves = self.leaves_named(name, at);
        let requests = self.requests_named(name);
        let ids: HashSet<_> = leaves
            .iter()
            .map(|leaf| leaf.key_id)
            .chain(requests.iter().map(|held| held.value.key_id))
            .collect();
        let certificates = leaves
            .iter()
            .flat_map(|leaf| self.files_of(leaf))
            .map(Path::to_owned);
        let requests = requests.iter().map(|held| held.path.clone());
        let keys = self
            .keys
            .iter()
            .filter(|key| ids.contains(&key.value.id()))
            .map(|key| key.path.clone());
        let refused = self
            .refused_keys
            .iter()
            .filter(|refused| refused.id.is_some_and(|id| ids.contains(&id)))
            .map(|refused| refused.file.path().to_owned());
        let mut seen = HashSet::new();
        certificates
            .chain(requests)
            .chain(keys)
            .chain(refused)
            .filter(|path| seen.insert(path.clone()))
            .collect()
    }

    /// Returns the requests without a certificate: their key is not in `issued`, and no later
    /// renewal has a certificate.
    #[must_use]
    pub(crate) fn requests_without_certificate(
        &self,
        issued: &HashSet<PublicKeyId>,
    ) -> Vec<&HeldFile<SigningRequest>> {
        let (done, open): (Vec<_>, Vec<_>) = self
            .requests
            .iter()
            .partition(|one| issued.contains(&one.value.key_id));
        let mut latest: HashMap<PathBuf, u32> = HashMap::new();
        for (lineage, number) in done
            .into_iter()
            .map(|one| file_names::split_renewal_path(&one.path))
        {
            let known = latest.entry(lineage).or_default();
            *known = number.max(*known);
        }
        open.into_iter()
            .filter(|one| {
                let (lineage, number) = file_names::split_renewal_path(&one.path);
                latest.get(&lineage).is_none_or(|issued| number > *issued)
            })
            .collect()
    }

    /// Returns the files of requests that reuse a key: another request of the folder has the same
    /// key, and no key file belongs to this one. The request alone then does not determine the CA's
    /// validation record.
    #[must_use]
    pub(crate) fn requests_reusing_keys(&self) -> HashSet<&Path> {
        let mut by_key: HashMap<PublicKeyId, Vec<&HeldFile<SigningRequest>>> = HashMap::new();
        for held in &self.requests {
            by_key.entry(held.value.key_id).or_default().push(held);
        }
        by_key.retain(|_, held| {
            held.iter()
                .any(|one| one.value.der() != held[0].value.der())
        });
        let keys = self.keys_by_stem();
        let mut reusing = HashSet::new();
        for request in by_key.values().flatten() {
            let stem = file_stem_of(&request.path);
            let id = request.value.key_id;
            if !keys.contains(&(stem.clone(), None)) && !keys.contains(&(stem, Some(id))) {
                reusing.insert(request.path.as_path());
            }
        }
        reusing
    }

    /// Returns the stem and the key id of each key file, whether its key may be used or not; no id
    /// if the key is encrypted.
    fn keys_by_stem(&self) -> HashSet<(String, Option<PublicKeyId>)> {
        let keys = self.keys.iter();
        let keys = keys.map(|key| (file_stem_of(&key.path), Some(key.value.id())));
        let locked = self.locked.iter();
        let locked = locked.map(|key| (file_stem_of(&key.path), None));
        let refused = self.refused_keys.iter();
        let refused = refused.map(|key| (file_stem_of(key.file.path()), key.id));
        keys.chain(locked).chain(refused).collect()
    }

    /// Returns whether a request or a server certificate of the folder lists `name`.
    #[must_use]
    pub(crate) fn lists_name(&self, name: &DnsName) -> bool {
        let leaves = self
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .filter(|one| one.is_server_certificate());
        leaves
            .map(|leaf| &leaf.dns_names)
            .chain(self.requests.iter().map(|one| &one.value.dns_names))
            .any(|names| has_name(names, name))
    }

    /// Returns the latest expiry date of the server certificates for each name (in lower case).
    #[must_use]
    pub(crate) fn expiry_by_name(&self) -> HashMap<String, Timestamp> {
        let mut expiry_by_name = HashMap::new();
        for leaf in self
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .filter(|one| one.is_server_certificate())
        {
            for name in &leaf.dns_names {
                let expiry = expiry_by_name
                    .entry(name.to_ascii_lowercase())
                    .or_insert(leaf.not_after);
                *expiry = leaf.not_after.max(*expiry);
            }
        }
        expiry_by_name
    }

    /// Returns every name that a request or a server certificate of the folder lists, sorted.
    #[must_use]
    pub(crate) fn names(&self) -> Vec<String> {
        let leaves = self
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .filter(|one| one.is_server_certificate());
        let of_leaves = leaves.flat_map(|leaf| &leaf.dns_names);
        let of_requests = self
            .requests
            .iter()
            .flat_map(|request| &request.value.dns_names);
        let mut names: Vec<String> = of_leaves.chain(of_requests).cloned().collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Ranks how likely it is that a server uses `file` for `leaf`; see [`FolderContents::files_of`].
fn deployment_rank(file: &HeldFile<Vec<Certificate>>, leaf: &Certificate) -> u8 {
    let starts_with_leaf = file.value.first() == Some(leaf);
    if file.path.to_string_lossy().ends_with(".fullchain.pem") {
        3
    } else if starts_with_leaf && file.value.len() > 1 {
        2
    } else {
        u8::from(starts_with_leaf)
    }
}

fn has_name(names: &[String], wanted: &DnsName) -> bool {
    names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(wanted.as_str()))
}

/// Returns the file name without its last extension.
#[must_use]
pub(crate) fn file_stem_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
