//! Items that belong together by the key: its file, its requests, its certificates and every place
//! of each.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::item::{HeldKey, InventoryItem, ItemContent, ItemLocation, ListedRequest};
use crate::inventory::sent_certificates::SentCertificates;
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;

/// One place of a certificate, and all certificates there in their order.
#[derive(Debug)]
pub(super) struct CertificateCopy {
    pub(super) place: ItemLocation,
    pub(super) bag: Rc<SentCertificates>,
}

/// One certificate of a site.
#[derive(Debug)]
pub(super) struct LeafCopies {
    pub(super) certificate: Arc<Certificate>,
    pub(super) copies: Vec<CertificateCopy>,
}

/// Everything of one key.
#[derive(Debug, Default)]
pub(super) struct KeyGroup {
    pub(super) keys: Vec<(ItemLocation, HeldKey)>,
    pub(super) requests: Vec<(ItemLocation, ListedRequest)>,
    pub(super) leaves: Vec<LeafCopies>,
}

/// The groups of `items`, in the order in which their keys were met first.
pub(super) fn groups(items: Vec<InventoryItem>) -> Vec<KeyGroup> {
    let (mut groups, mut locked, mut sent) = (Groups::default(), Vec::new(), Vec::new());
    for InventoryItem { place, what } in items {
        match what {
            ItemContent::Certificates(chain) if place.is_packed() => sent.push((place, chain)),
            ItemContent::Certificates(chain) => {
                groups.take(place, &Rc::new(SentCertificates::new(chain)))
            }
            ItemContent::Key(key) => groups.of(key.id).keys.push((place, key)),
            ItemContent::Request(asked) => groups.of(asked.id).requests.push((place, asked)),
            ItemContent::LockedKey { mode } => locked.push((place, mode)),
            ItemContent::Revoked(_) => {}
        }
    }
    groups.unlocked(locked);
    // What is packed counts where it answers something: nobody uses the rest.
    let known: HashSet<PublicKeyId> = groups.by_key.keys().copied().collect();
    for (place, chain) in sent {
        groups.take_of(place, &Rc::new(SentCertificates::new(chain)), |one| {
            is_a_sites(one) && known.contains(&one.key_id)
        });
    }
    groups.all
}

#[derive(Default)]
struct Groups {
    all: Vec<KeyGroup>,
    by_key: HashMap<PublicKeyId, usize>,
    leaves: HashMap<[u8; 32], (usize, usize)>,
    /// What was found where.
    met: HashMap<ItemLocation, HashSet<[u8; 32]>>,
}

impl Groups {
    fn of(&mut self, id: PublicKeyId) -> &mut KeyGroup {
        let at = self.at(id);
        &mut self.all[at]
    }

    fn at(&mut self, id: PublicKeyId) -> usize {
        *self.by_key.entry(id).or_insert_with(|| {
            self.all.push(KeyGroup::default());
            self.all.len() - 1
        })
    }

    /// A key that nobody can read unasked is that of the request beside it, which was made with it.
    fn unlocked(&mut self, locked: Vec<(ItemLocation, u32)>) {
        if locked.is_empty() {
            return;
        }
        let requests = self.all.iter().enumerate().flat_map(|(at, group)| {
            group
                .requests
                .iter()
                .filter_map(move |(place, asked)| match place {
                    ItemLocation::File { path, .. } => {
                        Some((path.clone(), (at, asked.id, asked.algorithm)))
                    }
                    ItemLocation::Address { .. } => None,
                })
        });
        let requests: HashMap<_, _> = requests.collect();
        for (place, mode) in locked {
            let ItemLocation::File { path, .. } = &place else {
                continue;
            };
            if let Some((at, id, algorithm)) = requests.get(&path.with_extension("csr")).copied() {
                self.all[at].keys.push((
                    place,
                    HeldKey {
                        id,
                        algorithm,
                        mode,
                    },
                ));
            }
        }
    }

    /// Every site's certificate of a file, each once; of a server what it shows first, whatever
    /// that is.
    fn take(&mut self, place: ItemLocation, bag: &Rc<SentCertificates>) {
        match place {
            ItemLocation::Address { .. } => self.take_of(place, bag, |one| {
                bag.all().first().is_some_and(|first| **first == *one)
            }),
            ItemLocation::File { .. } => self.take_of(place, bag, is_a_sites),
        }
    }

    fn take_of(
        &mut self,
        place: ItemLocation,
        bag: &Rc<SentCertificates>,
        wanted: impl Fn(&Certificate) -> bool,
    ) {
        let mut met = self.met.remove(&place).unwrap_or_default();
        for certificate in bag.all().iter().filter(|one| wanted(one)) {
            let at = self.at(certificate.key_id);
            let group = &mut self.all[at];
            let (_, leaf) = *self
                .leaves
                .entry(certificate.fingerprint)
                .or_insert_with(|| {
                    group.leaves.push(LeafCopies {
                        certificate: Arc::clone(certificate),
                        copies: Vec::new(),
                    });
                    (at, group.leaves.len() - 1)
                });
            if met.insert(certificate.fingerprint) {
                group.leaves[leaf].copies.push(CertificateCopy {
                    place: place.clone(),
                    bag: Rc::clone(bag),
                });
            }
        }
        self.met.insert(place, met);
    }
}

/// A makeshift certificate of a server's own often says that it is a CA's, too.
#[must_use]
pub(crate) fn is_a_sites(certificate: &Certificate) -> bool {
    certificate.is_site() || certificate.is_self_issued() && !certificate.dns_names.is_empty()
}
