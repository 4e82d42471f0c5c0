//! The keys and requests that a certificate can belong to: the ones named, else those delivered and
//! those in the directory.

use std::path::Path;

use super::remark::{MatchingRemark, RequestTemplate};
use crate::delivery::{DecryptError, EncryptedKey};
use crate::matching::file_names;
use crate::matching::folder::{FolderContents, HeldFile, stem as stem_of};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::mismatch;
use crate::pki::chain::{Chain, ChainEnd};
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;

/// A request, and what the files of its round are called.
#[derive(Debug)]
pub(crate) struct HeldRequest {
    /// The request and its file.
    pub held: HeldFile<SigningRequest>,
    /// The stem of its file; none where it came packed with other things.
    pub stem: Option<String>,
}

/// What was named on the command line: then nothing else counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamedKeys {
    /// `--key`.
    Key,
    Nothing,
    /// `--csr`.
    Request,
}

/// More keys are not named.
const MOST_KEYS: usize = 5;

/// All that a leaf is compared with.
#[derive(Debug)]
pub(crate) struct KeyCandidates {
    /// The key of `--key`, else those delivered, then those of the directory, those with a file of
    /// their own last.
    pub keys: Vec<HeldFile<PrivateKey>>,
    /// The request of `--csr`, else those delivered, then those of the directory.
    pub requests: Vec<HeldRequest>,
    /// How many of the requests were passed to be compared: one of these must fit.
    pub brought: usize,
    /// Keys that need a passphrase, of the same places.
    pub locked: Vec<HeldFile<EncryptedKey>>,
    /// Why the password that was given opens none of them.
    pub shut: Option<DecryptError>,
    /// Which of the keys came with certificates, packed or in one file, and in which.
    pub sent: Vec<HeldFile<PublicKeyId>>,
    /// Which of the keys needed one.
    pub decrypted: Vec<PublicKeyId>,
    /// The sites' certificates that were handed over in files, by fingerprint.
    pub delivered: Vec<HeldFile<[u8; 32]>>,
    /// Whether one of them was named.
    pub named: NamedKeys,
    /// The directory, its keys and requests moved out.
    pub here: FolderContents,
}

impl KeyCandidates {
    /// Whether a key or a request with this identity is here; with `--key` or `--csr`, whether it
    /// is that one.
    #[must_use]
    pub(crate) fn fits(&self, id: PublicKeyId) -> bool {
        let key = self.keys.iter().any(|key| key.value.id() == id);
        let request = self
            .requests
            .iter()
            .any(|request| request.held.value.key_id == id);
        match self.named {
            NamedKeys::Key => key,
            NamedKeys::Nothing => key || request,
            NamedKeys::Request => request,
        }
    }

    /// The key of `leaf`; with `--key` that one, whether it fits or not.
    #[must_use]
    pub(crate) fn key_of(&self, leaf: &Certificate) -> Option<&HeldFile<PrivateKey>> {
        self.place_of_key(leaf)
            .and_then(|place| self.keys.get(place))
    }

    /// The request of `leaf`.
    #[must_use]
    pub(crate) fn request_of(&self, leaf: &Certificate) -> Option<&HeldRequest> {
        self.place_of_request(leaf)
            .and_then(|place| self.requests.get(place))
    }

    /// Of several with its key that of the latest round, for which the key was used again.
    fn place_of_request(&self, leaf: &Certificate) -> Option<usize> {
        let fitting = self
            .requests
            .iter()
            .enumerate()
            .filter(|(_, one)| one.held.value.key_id == leaf.key_id);
        let round = |stem: &Option<String>| stem.as_deref().map_or(0, file_names::round);
        fitting
            .min_by_key(|(_, one)| std::cmp::Reverse(round(&one.stem)))
            .map(|(place, _)| place)
    }

    /// Whether a key with this identity is here, which a request does not stand for.
    #[must_use]
    pub(crate) fn has_key(&self, id: PublicKeyId) -> bool {
        self.keys.iter().any(|key| key.value.id() == id)
    }

    /// One that has a file of its own in the directory rather than one that was delivered.
    fn place_of_key(&self, leaf: &Certificate) -> Option<usize> {
        let fits = |key: &HeldFile<PrivateKey>| key.value.id() == leaf.key_id;
        let (first, last) = (
            self.keys.iter().position(fits),
            self.keys.iter().rposition(fits),
        );
        let beside = |key: &HeldFile<PrivateKey>| {
            self.here
                .certificates
                .iter()
                .any(|file| file.path == key.path)
        };
        let combined = || {
            last.and_then(|place| self.keys.get(place))
                .is_some_and(beside)
        };
        // Where there is but one, no file needs to be looked for: this is asked for each of a
        // thousand certificates.
        let fitting = if first != last && combined() {
            first
        } else {
            last
        };
        fitting.or_else(|| (self.named == NamedKeys::Key && !self.keys.is_empty()).then_some(0))
    }

    /// The same, moved out.
    pub(crate) fn take_key(&mut self, leaf: &Certificate) -> Option<HeldFile<PrivateKey>> {
        self.place_of_key(leaf).map(|place| self.keys.remove(place))
    }

    /// The request of `leaf`, moved out.
    pub(crate) fn take_request(&mut self, leaf: &Certificate) -> Option<HeldRequest> {
        self.place_of_request(leaf)
            .map(|place| self.requests.remove(place))
    }

    /// What is to be said of `leaf` and the keys here, where none fits. A key or a request that is
    /// for the same names, or for none that is known, was meant to fit: an error. Those of other
    /// sites prove nothing.
    #[must_use]
    pub(crate) fn judge(&self, leaf: &Certificate) -> Option<MatchingRemark> {
        let (brought, _) = self.requests.split_at(self.brought);
        if let (Some(first), false) = (
            brought.first(),
            brought
                .iter()
                .any(|one| one.held.value.key_id == leaf.key_id),
        ) {
            return Some(wrong_request(leaf, &first.held));
        }
        if self.fits(leaf.key_id) {
            return None;
        }
        if self.named == NamedKeys::Key {
            return self
                .here
                .key(leaf.key_id)
                .map(|key| MatchingRemark::KeyHere {
                    path: key.path.clone(),
                });
        }
        let meant = |request: &&HeldRequest| {
            self.named == NamedKeys::Request || is_for(leaf, &request.held.value.dns_names)
        };
        if let Some(HeldRequest { held, .. }) = self.requests.iter().find(meant) {
            let its_key = self
                .keys
                .iter()
                .find(|key| key.value.id() == held.value.key_id);
            if let (NamedKeys::Nothing, Some(key)) = (self.named, its_key) {
                return wrong_key(leaf, key);
            }
            return Some(wrong_request(leaf, held));
        }
        let meant = |key: &&HeldFile<PrivateKey>| {
            let names = self.names_of(key.value.id());
            names.is_empty() || is_for(leaf, &names)
        };
        let wrong = self
            .keys
            .iter()
            .filter(meant)
            .find_map(|key| wrong_key(leaf, key));
        wrong.or_else(|| Some(self.no_key(leaf)))
    }

    /// That the key of `leaf` is not here, as far as can be told: one that is locked may be it,
    /// first of all the one that is called as its request or its first name.
    #[must_use]
    pub(crate) fn no_key(&self, leaf: &Certificate) -> MatchingRemark {
        let request = self.request_of(leaf);
        let stem = request
            .and_then(|request| request.stem.clone())
            .or_else(|| leaf.dns_names.first().cloned());
        let own = |held: &&HeldFile<EncryptedKey>| Some(stem_of(&held.path)) == stem;
        match (
            self.locked.iter().find(own).or_else(|| self.locked.first()),
            request,
        ) {
            (Some(held), _) => MatchingRemark::Locked {
                label: leaf.label(),
                path: held.path.clone(),
                why: self.shut,
                anew: self.anew(leaf),
            },
            (None, Some(request)) => MatchingRemark::OnlyRequest {
                label: leaf.label(),
                request: request.held.path.clone(),
                looked: self.looked(),
            },
            (None, None) => MatchingRemark::no_key(leaf, self.looked(), self.anew(leaf)),
        }
    }

    fn anew(&self, leaf: &Certificate) -> RequestTemplate {
        let file = self
            .delivered
            .iter()
            .find(|one| one.value == leaf.fingerprint)
            .map(|one| RequestTemplate::File(one.path.clone()));
        file.unwrap_or_else(|| RequestTemplate::Names(leaf.dns_names.clone()))
    }

    /// What is to be said where `chain` misses an issuer that lies in the directory.
    #[must_use]
    pub(crate) fn issuer_here(&self, chain: &Chain, bundle: &[String]) -> Option<MatchingRemark> {
        let (file, signer) = self.signer_here(chain)?;
        let path = file.path.clone();
        Some(match signer.is_self_issued() {
            true => MatchingRemark::RootHere {
                label: signer.label(),
                path,
            },
            false => MatchingRemark::IssuerHere {
                path,
                bundle: bundle.to_vec(),
            },
        })
    }

    /// The root in the directory that signed the last certificate of `chain`, where none was handed
    /// over.
    #[must_use]
    pub(crate) fn root_here(&self, chain: &Chain) -> Option<&Certificate> {
        self.signer_here(chain)
            .map(|(_, signer)| signer)
            .filter(|signer| signer.is_self_issued())
    }

    /// A file that has the issuer that `chain` misses, and that issuer.
    fn signer_here(&self, chain: &Chain) -> Option<(&HeldFile<Vec<Certificate>>, &Certificate)> {
        let (ChainEnd::Gap { .. }, Some(last)) = (chain.end(), chain.certificates().last()) else {
            return None;
        };
        let sites = |file: &HeldFile<Vec<Certificate>>| {
            file.value.iter().filter(|one| one.is_site()).count()
        };
        let signers = self.here.certificates.iter().filter_map(|file| {
            let signer = file
                .value
                .iter()
                .find(|one| !one.is_site() && last.is_signed_by(one))?;
            Some((file, signer))
        });
        signers.min_by_key(|(file, _)| sites(file))
    }

    /// The names that a key here is known to be for.
    fn names_of(&self, id: PublicKeyId) -> Vec<String> {
        let requests = self
            .requests
            .iter()
            .filter(|request| request.held.value.key_id == id);
        let leaves = self
            .here
            .certificates
            .iter()
            .flat_map(|file| &file.value)
            .filter(|one| one.key_id == id);
        let of_requests = requests.flat_map(|request| request.held.value.dns_names.iter().cloned());
        of_requests
            .chain(leaves.flat_map(|leaf| leaf.dns_names.iter().cloned()))
            .collect()
    }

    /// The files of the keys, as many as are told and one more: this is asked for each of a
    /// thousand certificates.
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

    /// Where keys and requests were looked for, in words.
    #[must_use]
    pub(crate) fn looked(&self) -> String {
        let folder = self.here.in_words();
        let scope = if self.here.complete {
            ""
        } else {
            ", whose first 10000 files were looked at"
        };
        let mut words = match self.named {
            NamedKeys::Key => "the key of --key".to_owned(),
            NamedKeys::Request => "the request of --csr".to_owned(),
            NamedKeys::Nothing => format!("what was passed and the files of {folder}{scope}"),
        };
        let keys = self.key_files();
        if let (NamedKeys::Nothing, false) = (self.named, keys.is_empty()) {
            let more = if keys.len() > MOST_KEYS { ", ..." } else { "" };
            let told: Vec<String> = keys
                .iter()
                .take(MOST_KEYS)
                .map(|path| path.display().to_string())
                .collect();
            words.push_str(&format!(", with the keys in {}{more}", told.join(", ")));
        }
        if !self.here.unreadable.is_empty() {
            let paths: Vec<String> = self
                .here
                .unreadable
                .iter()
                .take(3)
                .map(|path| path.display().to_string())
                .collect();
            words.push_str(&format!(
                " ({} could not be read: permission denied)",
                paths.join(", ")
            ));
        }
        words
    }
}

fn wrong_request(leaf: &Certificate, held: &HeldFile<SigningRequest>) -> MatchingRemark {
    let (label, path) = (leaf.label(), held.path.clone());
    MatchingRemark::WrongRequest {
        label,
        path,
        request: held.value.key_id,
        leaf: leaf.key_id,
    }
}

/// How `key` does not fit; `None` when it does.
#[must_use]
pub(crate) fn wrong_key(leaf: &Certificate, key: &HeldFile<PrivateKey>) -> Option<MatchingRemark> {
    Some(MatchingRemark::WrongKey {
        problem: mismatch(leaf, &key.value)?,
        path: key.path.clone(),
    })
}

fn is_for(leaf: &Certificate, names: &[String]) -> bool {
    names.iter().any(|name| leaf.covers(name))
}
