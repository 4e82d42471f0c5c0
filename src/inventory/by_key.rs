//! Groups items by key id: keys, requests and certificates, with all places of each.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;

use super::item::{HeldKey, InventoryItem, ItemContent, ItemLocation, ListedRequest};
use crate::inventory::sent_certificates::SentCertificates;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};

/// One place of a certificate, and all certificates at that place in their order.
#[derive(Debug)]
pub(super) struct CertificateCopy {
    pub place: ItemLocation,
    pub bag: Rc<SentCertificates>,
}

/// One server certificate, with all places where it was found.
#[derive(Debug)]
pub(super) struct LeafCopies {
    pub certificate: Arc<Certificate>,
    pub copies: Vec<CertificateCopy>,
}

/// All items with one key id.
#[derive(Debug, Default)]
pub(super) struct KeyGroup {
    pub keys: Vec<(ItemLocation, HeldKey)>,
    pub requests: Vec<(ItemLocation, ListedRequest)>,
    pub leaves: Vec<LeafCopies>,
    /// Where a CA certificate with this key was found.
    pub ca_certificate: Option<ItemLocation>,
    /// Whether a file with the name of the key exists that this user may not read.
    pub has_unreadable_key: bool,
}

/// Returns the groups of `items`, in the order in which their keys first appear; `now` decides which
/// certificates in zip files are of use without their key.
pub(super) fn groups(items: Vec<InventoryItem>, now: Timestamp) -> Vec<KeyGroup> {
    let mut groups = Groups::default();
    let mut locked = Vec::new();
    let mut packed = Vec::new();
    let mut unreadable = Vec::new();
    for InventoryItem {
        location: place,
        content: what,
    } in items
    {
        groups.note_authorities(&place, &what);
        match what {
            ItemContent::Certificates(chain) if place.is_packed() => packed.push((place, chain)),
            ItemContent::Certificates(chain) => {
                groups.add_server_certificates(place, &Rc::new(SentCertificates::new(chain)))
            }
            ItemContent::Key(key) => groups.group_of(key.id).keys.push((place, key)),
            ItemContent::Request(request) => {
                let group = groups.group_of(request.id);
                group.requests.push((place, request));
            }
            ItemContent::LockedKey { mode } => locked.push((place, mode)),
            ItemContent::UnreadableKey => unreadable.push(place),
            ItemContent::Revoked(_) => {}
        }
    }
    groups.add_locked_keys(locked);
    groups.note_unreadable_keys(&unreadable);
    groups.add_packed_certificates(packed, now);
    groups.add_authorities();
    groups.all
}

#[derive(Default)]
struct Groups {
    all: Vec<KeyGroup>,
    by_key: HashMap<PublicKeyId, usize>,
    leaves: HashMap<Fingerprint, (usize, usize)>,
    /// Where CA certificates were found first.
    authorities: HashMap<PublicKeyId, ItemLocation>,
    /// The fingerprints of the certificates that were found at a place.
    certificates_at: HashMap<ItemLocation, HashSet<Fingerprint>>,
}

/// The key of a request, and the index of its group.
struct RequestKey {
    group: usize,
    id: PublicKeyId,
    algorithm: KeyAlgorithm,
}

impl Groups {
    fn group_of(&mut self, id: PublicKeyId) -> &mut KeyGroup {
        let index = self.index_of(id);
        &mut self.all[index]
    }

    fn index_of(&mut self, id: PublicKeyId) -> usize {
        *self.by_key.entry(id).or_insert_with(|| {
            self.all.push(KeyGroup::default());
            self.all.len() - 1
        })
    }

    fn note_authorities(&mut self, place: &ItemLocation, what: &ItemContent) {
        let ItemContent::Certificates(chain) = what else {
            return;
        };
        for one in chain.iter().filter(|one| !is_server_certificate(one)) {
            let of_ca = self.authorities.entry(one.key_id);
            of_ca.or_insert_with(|| place.clone());
        }
    }

    /// Adds the CA certificates to the groups of their keys.
    fn add_authorities(&mut self) {
        for (id, place) in std::mem::take(&mut self.authorities) {
            if let Some(index) = self.by_key.get(&id) {
                self.all[*index].ca_certificate = Some(place);
            }
        }
    }

    /// Adds certificates in zip files and emails. Those that have expired are used only if their key or
    /// request was found, or if there is nothing else.
    fn add_packed_certificates(
        &mut self,
        packed: Vec<(ItemLocation, Vec<Arc<Certificate>>)>,
        now: Timestamp,
    ) {
        let known: HashSet<PublicKeyId> = self.by_key.keys().copied().collect();
        for (place, chain) in packed {
            let bag = Rc::new(SentCertificates::new(chain));
            self.add_certificates(place, &bag, |one| {
                let is_known = known.contains(&one.key_id);
                let is_valid = one.not_after >= now;
                let is_wanted = is_known || is_valid || known.is_empty();
                is_server_certificate(one) && is_wanted
            });
        }
    }

    /// Adds encrypted keys, which cannot be read without a password, to the group of the request
    /// with the same file name, which was created with them.
    fn add_locked_keys(&mut self, locked: Vec<(ItemLocation, Mode)>) {
        if locked.is_empty() {
            return;
        }
        let requests = self.requests_by_path();
        for (place, mode) in locked {
            let ItemLocation::File { path, .. } = &place else {
                continue;
            };
            let Some(request) = requests.get(&path.with_extension("csr")) else {
                continue;
            };
            let key = HeldKey {
                id: request.id,
                algorithm: request.algorithm,
                mode,
            };
            self.all[request.group].keys.push((place, key));
        }
    }

    /// Notes for which requests a file has the name of their key and cannot be read.
    fn note_unreadable_keys(&mut self, unreadable: &[ItemLocation]) {
        if unreadable.is_empty() {
            return;
        }
        let requests = self.requests_by_path();
        for place in unreadable {
            if let ItemLocation::File { path, .. } = place
                && let Some(request) = requests.get(&path.with_extension("csr"))
            {
                self.all[request.group].has_unreadable_key = true;
            }
        }
    }

    fn requests_by_path(&self) -> HashMap<PathBuf, RequestKey> {
        let mut requests = HashMap::new();
        for (group, contents) in self.all.iter().enumerate() {
            for (place, request) in &contents.requests {
                if let ItemLocation::File { path, .. } = place {
                    let key = RequestKey {
                        group,
                        id: request.id,
                        algorithm: request.algorithm,
                    };
                    requests.insert(path.clone(), key);
                }
            }
        }
        requests
    }

    /// Adds each server certificate of a file once; of a server only the first certificate that it
    /// sends, whatever its kind.
    fn add_server_certificates(&mut self, place: ItemLocation, bag: &Rc<SentCertificates>) {
        match place {
            ItemLocation::Address { .. } => self.add_certificates(place, bag, |one| {
                bag.all().first().is_some_and(|first| **first == *one)
            }),
            ItemLocation::File { .. } => self.add_certificates(place, bag, is_server_certificate),
        }
    }

    fn add_certificates(
        &mut self,
        place: ItemLocation,
        bag: &Rc<SentCertificates>,
        is_wanted: impl Fn(&Certificate) -> bool,
    ) {
        let mut known = self.certificates_at.remove(&place).unwrap_or_default();
        for certificate in bag.all().iter().filter(|one| is_wanted(one)) {
            let index = self.index_of(certificate.key_id);
            let group = &mut self.all[index];
            let (_, leaf) = *self
                .leaves
                .entry(certificate.fingerprint)
                .or_insert_with(|| {
                    group.leaves.push(LeafCopies {
                        certificate: Arc::clone(certificate),
                        copies: Vec::new(),
                    });
                    (index, group.leaves.len() - 1)
                });
            if known.insert(certificate.fingerprint) {
                group.leaves[leaf].copies.push(CertificateCopy {
                    place: place.clone(),
                    bag: Rc::clone(bag),
                });
            }
        }
        self.certificates_at.insert(place, known);
    }
}

/// Returns true for a server certificate. A server's self-signed default certificate counts too,
/// although it is often marked as a CA certificate.
#[must_use]
pub(crate) fn is_server_certificate(certificate: &Certificate) -> bool {
    certificate.is_server_certificate()
        || certificate.is_self_issued() && !certificate.dns_names.is_empty()
}
