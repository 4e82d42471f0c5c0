//! The CA certificates in the files of the working directory: `install` reads them together, so an
//! intermediate may be in another file than the certificate.

use std::collections::HashSet;
use std::sync::Arc;

use super::item::{InventoryItem, ItemContent, ItemLocation, ItemOrigin};
use crate::inventory::sent_certificates::SentCertificates;
use crate::pki::certificate::Certificate;

/// The CA certificates in the files of the working directory, each once.
pub(super) struct FolderIssuers {
    found: SentCertificates,
}

impl FolderIssuers {
    pub(super) fn collect(items: &[InventoryItem]) -> Self {
        let mut known = HashSet::new();
        let mut found = Vec::new();
        for item in items.iter().filter(|item| is_here(&item.location)) {
            let ItemContent::Certificates(chain) = &item.content else {
                continue;
            };
            for one in chain.iter().filter(|one| one.is_ca) {
                if known.insert(one.fingerprint) {
                    found.push(Arc::clone(one));
                }
            }
        }
        Self {
            found: SentCertificates::new(found),
        }
    }

    /// Returns those that a chain of `leaf`, which is in the file at `place`, can consist of. If the
    /// file is elsewhere or an archive, an install reads it alone.
    pub(super) fn above(&self, place: &ItemLocation, leaf: &Certificate) -> Vec<Certificate> {
        if is_here(place) {
            self.found.above(leaf)
        } else {
            Vec::new()
        }
    }
}

fn is_here(place: &ItemLocation) -> bool {
    matches!(
        place,
        ItemLocation::File {
            origin: ItemOrigin::Here,
            ..
        }
    )
}
