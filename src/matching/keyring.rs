//! The keys and requests that may match a certificate: those given by `--key` or `--csr`, else
//! those from the arguments and from the directory.

use std::path::{Path, PathBuf};

use super::remark::{MatchingRemark, RequestTemplate};
use crate::delivery::{DecryptError, EncryptedKey};
use crate::matching::file_names;
use crate::matching::folder::{FolderContents, file_stem_of as stem_of};
use crate::matching::held_file::HeldFile;
use crate::matching::key_trust::{RefusedKeyFile, TrustedKeyFile};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::find_key_problem;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;

/// A request and the stem of its file name.
#[derive(Debug)]
pub(crate) struct HeldRequest {
    /// The request and its file.
    pub file: HeldFile<SigningRequest>,
    /// The stem of its file; none if it came in a file with other content.
    pub stem: Option<String>,
}

/// Which option gives the only key or request to compare with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamedKeys {
    /// `--key`.
    Key,
    Nothing,
    /// `--csr`.
    Request,
}

/// The maximum number of key files that a message lists.
const MOST_KEYS: usize = 5;

/// The keys, requests and certificates that a leaf is compared with.
#[derive(Debug)]
pub(crate) struct KeyCandidates {
    /// The key of `--key`; else those from the arguments, then those of the directory. Keys with a
    /// file of their own come last.
    pub keys: Vec<TrustedKeyFile<PrivateKey>>,
    /// Keys from the same sources that must not be used.
    pub refused_keys: Vec<RefusedKeyFile>,
    /// The request of `--csr`; else those from the arguments, then those of the directory.
    pub requests: Vec<HeldRequest>,
    /// How many of the requests, the first ones, were passed as arguments: one of these must match.
    pub passed_request_count: usize,
    /// Encrypted keys from the same sources.
    pub encrypted_keys: Vec<TrustedKeyFile<EncryptedKey>>,
    /// Why the given password does not open them.
    pub password_failure: Option<DecryptError>,
    /// Keys that came together with certificates, and the file.
    pub keys_with_certificates: Vec<HeldFile<PublicKeyId>>,
    /// The keys that a password opened.
    pub decrypted_key_ids: Vec<PublicKeyId>,
    /// Fingerprints of the server certificates that came in files, and the file.
    pub delivered_leaves: Vec<HeldFile<Fingerprint>>,
    /// The roots that came in files without a key, and the file.
    pub delivered_roots: Vec<HeldFile<Certificate>>,
    /// The roots in PKCS#12 files that were passed.
    pub roots_with_keys: Vec<HeldFile<Certificate>>,
    /// Whether a key or a request was named on the command line.
    pub named_option: NamedKeys,
    /// The directory, without its keys and requests.
    pub directory: FolderContents,
}

impl KeyCandidates {
    /// Returns whether a key or a request has this key id; with `--key` or `--csr`, only that one
    /// counts.
    #[must_use]
    pub(crate) fn matches_key_id(&self, id: PublicKeyId) -> bool {
        let key = self.has_key(id) || self.refused_key(id).is_some();
        let request = self
            .requests
            .iter()
            .any(|request| request.file.value.key_id == id);
        match self.named_option {
            NamedKeys::Key => key,
            NamedKeys::Nothing => key || request,
            NamedKeys::Request => request,
        }
    }

    /// Returns the key of `leaf`; with `--key` that key, whether it matches or not.
    #[must_use]
    pub(crate) fn find_key(&self, leaf: &Certificate) -> Option<&TrustedKeyFile<PrivateKey>> {
        self.key_index(leaf).and_then(|index| self.keys.get(index))
    }

    /// Returns the key of `leaf` if it was found but must not be used, or the encrypted key that is
    /// probably its key.
    #[must_use]
    pub(crate) fn find_refused_key(&self, leaf: &Certificate) -> Option<&RefusedKeyFile> {
        if self.has_key(leaf.key_id) {
            return None;
        }
        self.refused_key(leaf.key_id).or_else(|| {
            let stem = self.expected_stem(leaf);
            let mut encrypted = self.refused_keys.iter().filter(|one| one.id.is_none());
            encrypted.find(|one| Some(stem_of(one.file.path())) == stem)
        })
    }

    fn refused_key(&self, id: PublicKeyId) -> Option<&RefusedKeyFile> {
        self.refused_keys.iter().find(|one| one.id == Some(id))
    }

    /// Returns the stem that the key of `leaf` should have: that of its request, or its first name.
    fn expected_stem(&self, leaf: &Certificate) -> Option<String> {
        self.find_request(leaf)
            .and_then(|request| request.stem.clone())
            .or_else(|| leaf.dns_names.first().cloned())
    }

    /// Returns the request of `leaf`.
    #[must_use]
    pub(crate) fn find_request(&self, leaf: &Certificate) -> Option<&HeldRequest> {
        self.request_index(leaf)
            .and_then(|index| self.requests.get(index))
    }

    /// Returns the index of the request with the key of `leaf`; of several that reuse the key, the
    /// one of the latest renewal.
    fn request_index(&self, leaf: &Certificate) -> Option<usize> {
        let matching = self
            .requests
            .iter()
            .enumerate()
            .filter(|(_, request)| request.file.value.key_id == leaf.key_id);
        // Two sites may share one key: then each has a request with its own names.
        matching
            .min_by_key(|(_, request)| {
                let is_for_others = !covers_any(leaf, &request.file.value.dns_names);
                let renewal = std::cmp::Reverse(request.renewal_number());
                (is_for_others, renewal)
            })
            .map(|(index, _)| index)
    }

    /// Returns whether a key has this key id; a request is not enough.
    #[must_use]
    pub(crate) fn has_key(&self, id: PublicKeyId) -> bool {
        self.keys.iter().any(|key| key.value.id() == id)
    }

    /// Returns the index of the key of `leaf`. Prefers a key with a file of its own in the
    /// directory to one from the arguments.
    fn key_index(&self, leaf: &Certificate) -> Option<usize> {
        let first = self
            .keys
            .iter()
            .position(|key| key.value.id() == leaf.key_id);
        let last = self
            .keys
            .iter()
            .rposition(|key| key.value.id() == leaf.key_id);
        // With a single key no file needs to be compared: called for each of a thousand
        // certificates.
        let matching = if first != last && self.shares_file(last) {
            first
        } else {
            last
        };
        let named = self.named_option == NamedKeys::Key && !self.keys.is_empty();
        matching.or_else(|| named.then_some(0))
    }

    /// Returns whether the key at this index is in a file of the directory that also contains
    /// certificates.
    fn shares_file(&self, index: Option<usize>) -> bool {
        let Some(key) = index.and_then(|index| self.keys.get(index)) else {
            return false;
        };
        self.directory
            .certificates
            .iter()
            .any(|file| file.path == key.path)
    }

    /// Removes and returns the key of `leaf`, see [`Self::find_key`].
    pub(crate) fn remove_key(&mut self, leaf: &Certificate) -> Option<TrustedKeyFile<PrivateKey>> {
        self.key_index(leaf).map(|index| self.keys.remove(index))
    }

    /// Returns a copy of the key of `leaf`, because a certificate of another site needs it too.
    pub(crate) fn copy_key(&self, leaf: &Certificate) -> Option<TrustedKeyFile<PrivateKey>> {
        let key = self.find_key(leaf)?;
        let copy = PrivateKey::from_der(key.value.pkcs8()).ok()?;
        Some(key.with_value(copy))
    }

    /// Returns whether a request with the key of `leaf` has one of its names.
    pub(crate) fn has_own_request(&self, leaf: &Certificate) -> bool {
        self.request_index(leaf)
            .and_then(|index| self.requests.get(index))
            .is_some_and(|request| covers_any(leaf, &request.file.value.dns_names))
    }

    /// Removes and returns the request of `leaf`.
    pub(crate) fn remove_request(&mut self, leaf: &Certificate) -> Option<HeldRequest> {
        self.request_index(leaf)
            .map(|index| self.requests.remove(index))
    }

    /// Returns a remark if no key or request matches `leaf`, or none of the requests that were
    /// passed. A key or a request for the same names, or for unknown names, should have matched: an
    /// error. Those for other names are not relevant.
    #[must_use]
    pub(crate) fn find_mismatch(&self, leaf: &Certificate) -> Option<MatchingRemark> {
        let (passed, _) = self.requests.split_at(self.passed_request_count);
        if let Some(first) = passed.first()
            && !passed
                .iter()
                .any(|request| request.file.value.key_id == leaf.key_id)
        {
            return Some(wrong_request(leaf, &first.file));
        }
        if self.matches_key_id(leaf.key_id) {
            return None;
        }
        if self.named_option == NamedKeys::Key {
            return self.matching_key_here(leaf);
        }
        if let Some(request) = self.expected_request(leaf) {
            return self.judge_request(leaf, &request.file);
        }
        self.expected_key_mismatch(leaf)
            .or_else(|| Some(self.missing_key_remark(leaf)))
    }

    /// Returns the remark that the directory contains the key of `leaf`, if `--key` gives another
    /// one.
    fn matching_key_here(&self, leaf: &Certificate) -> Option<MatchingRemark> {
        let key = self.directory.key(leaf.key_id)?;
        Some(MatchingRemark::MatchingKeyInDirectory {
            path: key.path.clone(),
        })
    }

    /// Returns the request that `leaf` should have been issued for: that of `--csr`, or one for its
    /// names.
    fn expected_request(&self, leaf: &Certificate) -> Option<&HeldRequest> {
        self.requests.iter().find(|request| {
            self.named_option == NamedKeys::Request
                || covers_any(leaf, &request.file.value.dns_names)
        })
    }

    /// Returns the remark about a request that should match `leaf`; about its key, if that was
    /// found.
    fn judge_request(
        &self,
        leaf: &Certificate,
        request: &HeldFile<SigningRequest>,
    ) -> Option<MatchingRemark> {
        let key = self
            .keys
            .iter()
            .find(|key| key.value.id() == request.value.key_id);
        match key {
            Some(key) if self.named_option == NamedKeys::Nothing => find_key_mismatch(leaf, key),
            _ => Some(wrong_request(leaf, request)),
        }
    }

    /// Returns how the first key for a name of `leaf`, or for unknown names, differs.
    fn expected_key_mismatch(&self, leaf: &Certificate) -> Option<MatchingRemark> {
        self.keys
            .iter()
            .filter(|key| {
                let names = self.names_of(key.value.id());
                names.is_empty() || covers_any(leaf, &names)
            })
            .find_map(|key| find_key_mismatch(leaf, key))
    }

    /// Returns the remark that the key of `leaf` was not found. It may be an encrypted key, most
    /// likely one that has the file name of its request or its first name.
    #[must_use]
    pub(crate) fn missing_key_remark(&self, leaf: &Certificate) -> MatchingRemark {
        if let Some(refused) = self.find_refused_key(leaf) {
            return MatchingRemark::RefusedKey {
                label: leaf.label(),
                file: refused.file.as_ref().clone(),
            };
        }
        let request = self.find_request(leaf);
        let stem = self.expected_stem(leaf);
        let encrypted = self
            .encrypted_keys
            .iter()
            .find(|key| Some(stem_of(&key.path)) == stem)
            .or_else(|| self.encrypted_keys.first());
        if let Some(key) = encrypted {
            return MatchingRemark::Locked {
                label: leaf.label(),
                path: key.path.clone(),
                why: self.password_failure,
                template: self.request_template(leaf),
            };
        }
        match request {
            Some(request) => MatchingRemark::OnlyRequest {
                label: leaf.label(),
                request: request.file.path.clone(),
                searched_places: self.describe_search(),
            },
            None => {
                MatchingRemark::no_key(leaf, self.describe_search(), self.request_template(leaf))
            }
        }
    }

    /// Returns the source of the names for a request with a new key: the file of `leaf`, or its
    /// names.
    fn request_template(&self, leaf: &Certificate) -> RequestTemplate {
        let file = self
            .delivered_leaves
            .iter()
            .find(|delivered| delivered.value == leaf.fingerprint);
        match file {
            Some(file) => RequestTemplate::File(file.path.clone()),
            None => RequestTemplate::Names(leaf.dns_names.clone()),
        }
    }

    /// Returns the names of the requests and certificates with this key.
    fn names_of(&self, id: PublicKeyId) -> Vec<String> {
        let requests = self
            .requests
            .iter()
            .filter(|request| request.file.value.key_id == id);
        let leaves = self
            .directory
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .filter(|one| one.key_id == id);
        let of_requests = requests.flat_map(|request| request.file.value.dns_names.iter().cloned());
        of_requests
            .chain(leaves.flat_map(|leaf| leaf.dns_names.iter().cloned()))
            .collect()
    }

    /// Returns the files of the keys: as many as a message lists, and one more. Called for each of
    /// a thousand certificates.
    fn key_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = Vec::new();
        for key in &self.keys {
            if files.len() > MOST_KEYS {
                break;
            }
            if !files.contains(&key.path.as_path()) {
                files.push(&key.path);
            }
        }
        files
    }

    /// Describes the places that were searched for keys and requests.
    #[must_use]
    pub(crate) fn describe_search(&self) -> String {
        let folder = self.directory.describe();
        let scope = if self.directory.complete {
            ""
        } else {
            " (its first 10000 files)"
        };
        let mut words = match self.named_option {
            NamedKeys::Key => "the key of `--key`".to_owned(),
            NamedKeys::Request => "the request of `--csr`".to_owned(),
            NamedKeys::Nothing => format!("the arguments and {folder}{scope}"),
        };
        let keys = self.key_files();
        if self.named_option == NamedKeys::Nothing && !keys.is_empty() {
            let more = if keys.len() > MOST_KEYS { ", ..." } else { "" };
            let listed = join_paths(keys.into_iter().take(MOST_KEYS));
            words.push_str(&format!("; keys found: {listed}{more}"));
        }
        if self.named_option == NamedKeys::Nothing {
            for refused in self.refused_keys.iter().take(MOST_KEYS) {
                let file = &refused.file;
                let path = file.path().display();
                words.push_str(&format!("; not used: {path}, because {}", file.reasons()));
            }
        }
        if !self.directory.unreadable.is_empty() {
            let unreadable = self.directory.unreadable.iter().take(3);
            let listed = join_paths(unreadable.map(PathBuf::as_path));
            words.push_str(&format!("; permission denied: {listed}"));
        }
        words
    }
}

impl HeldRequest {
    /// Returns the number of the renewal in its file name; 0 without a file of its own.
    fn renewal_number(&self) -> u32 {
        self.stem.as_deref().map_or(0, file_names::renewal_number)
    }
}

fn join_paths<'a>(paths: impl Iterator<Item = &'a Path>) -> String {
    let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

fn wrong_request(leaf: &Certificate, held: &HeldFile<SigningRequest>) -> MatchingRemark {
    MatchingRemark::WrongRequest {
        label: leaf.label(),
        path: held.path.clone(),
        request: held.value.key_id,
        leaf: leaf.key_id,
    }
}

/// Returns a remark about how `key` differs from the key of `leaf`; `None` if it matches.
#[must_use]
pub(crate) fn find_key_mismatch(
    leaf: &Certificate,
    key: &HeldFile<PrivateKey>,
) -> Option<MatchingRemark> {
    Some(MatchingRemark::WrongKey {
        problem: find_key_problem(leaf, &key.value)?,
        path: key.path.clone(),
    })
}

fn covers_any(leaf: &Certificate, names: &[String]) -> bool {
    names.iter().any(|name| leaf.covers(name))
}
