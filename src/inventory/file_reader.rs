//! Reads one file of a listing: which certificates, requests and keys are in it. The only place
//! where bytes become items. Files as all tools write them go through a fast path, everything else
//! through the full reader, which the tests compare the fast path with.

use std::sync::Arc;

use super::item::{HeldKey, ItemContent, ListedRequest};
use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm, RepairKind};
use crate::permissions::Mode;

mod fast_path;
#[cfg(test)]
mod tests;

/// The maximum number of bytes read from one file; bundles of CA certificates have some hundred
/// KiB.
pub(crate) const LIMIT: u64 = 1024 * 1024;

/// How far private keys are checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keys {
    /// The public and the private half must match, as for use.
    Checked,
    /// Identified by the public half that is stored with the private one. Checking that they match
    /// would be as expensive as using the key.
    Identified,
}

/// Returns the items in a file with these permission bits; none if it is of another kind.
/// Containers (zip, mail) are read only by the commands that take files from the CA.
#[must_use]
pub fn read_items(bytes: &[u8], mode: Mode, keys: Keys) -> Vec<ItemContent> {
    fast_path::read(bytes, mode, keys).unwrap_or_else(|| read_items_in_full(bytes, mode))
}

/// Like [`read_items`], but uses only the full reader.
#[must_use]
pub fn read_items_in_full(bytes: &[u8], mode: Mode) -> Vec<ItemContent> {
    let is_plain = matches!(
        delivery::recognize_form(bytes),
        Some(FileForm::Base64 | FileForm::Der | FileForm::Pem | FileForm::Utf16)
    );
    if !is_plain {
        return Vec::new();
    }
    // No key is derived from a password: that is slow, and a listing does not need it.
    let limits = DeliveryLimits {
        derivation_iterations: 0,
        ..DeliveryLimits::default()
    };
    let input = DeliveryInput::new("", bytes.to_vec());
    match CaDelivery::read(vec![input], &limits) {
        Ok(found) => items_of(found, mode),
        Err(_) => Vec::new(),
    }
}

/// Returns what was read as items, without keys from PKCS#12 files.
fn items_of(found: CaDelivery, mode: Mode) -> Vec<ItemContent> {
    let is_packed = found
        .repairs
        .iter()
        .any(|repair| repair.kind == RepairKind::Pkcs12);
    let mut items = Vec::new();
    if !found.certificates.is_empty() {
        let certificates = found.certificates.into_iter();
        items.push(ItemContent::Certificates(
            certificates.map(|found| Arc::new(found.value)).collect(),
        ));
    }
    if !is_packed {
        items.extend(found.keys.iter().map(|key| {
            ItemContent::Key(HeldKey {
                id: key.id(),
                algorithm: key.algorithm(),
                mode,
            })
        }));
    }
    let locked = found.encrypted_keys.iter();
    items.extend(locked.map(|_| ItemContent::LockedKey { mode }));
    items.extend(found.requests.into_iter().map(|found| {
        let request = found.value;
        ItemContent::Request(ListedRequest {
            names: request.dns_names,
            id: request.key_id,
            algorithm: request.algorithm,
        })
    }));
    let lists = found.lists.into_iter();
    items.extend(lists.map(|list| ItemContent::Revoked(list.value)));
    items
}
