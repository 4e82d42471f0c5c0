//! One file for a listing: which certificates, requests and keys are in it. The only place where
//! bytes become items. What is written as all tools write it goes through a short reader;
//! everything else through the full one, which is the judge of the short one in the tests.

use std::sync::Arc;

use super::item::{HeldKey, ItemContent, ListedRequest};
use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm, RepairKind};

mod fast_path;
#[cfg(test)]
mod tests;

/// The most that is read of one file: bags of CA certificates are some hundred KiB.
pub(crate) const LIMIT: u64 = 1024 * 1024;

/// How far private keys are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keys {
    /// Their numbers must fit each other, as for use.
    Checked,
    /// By the public half that stands beside the secret one: whether the two fit is as much work as
    /// using them.
    Named,
}

/// What is in a file with these permission bits; nothing where it is of another kind. What is
/// packed (zip, mail) is looked at when it is named to a command that takes deliveries.
#[must_use]
pub fn glance(bytes: &[u8], mode: u32, keys: Keys) -> Vec<ItemContent> {
    fast_path::read(bytes, mode, keys).unwrap_or_else(|| whole(bytes, mode))
}

/// The same by the full reader alone.
#[must_use]
pub fn whole(bytes: &[u8], mode: u32) -> Vec<ItemContent> {
    if !matches!(
        delivery::recognised(bytes),
        Some(FileForm::Base64 | FileForm::Der | FileForm::Pem | FileForm::Utf16)
    ) {
        return Vec::new();
    }
    // Nothing is derived from any passphrase unasked.
    let limits = DeliveryLimits {
        rounds: 0,
        ..DeliveryLimits::default()
    };
    let Ok(found) = CaDelivery::read(vec![DeliveryInput::new("", bytes.to_vec())], &limits) else {
        return Vec::new();
    };
    let packed = found
        .repairs
        .iter()
        .any(|repair| repair.what == RepairKind::Pkcs12);
    let mut all = Vec::new();
    if !found.certificates.is_empty() {
        all.push(ItemContent::Certificates(
            found
                .certificates
                .into_iter()
                .map(|one| Arc::new(one.value))
                .collect(),
        ));
    }
    let keys = found.keys.iter().filter(|_| !packed);
    all.extend(keys.map(|key| {
        ItemContent::Key(HeldKey {
            id: key.id(),
            algorithm: key.algorithm(),
            mode,
        })
    }));
    all.extend(found.locked.iter().map(|_| ItemContent::LockedKey { mode }));
    all.extend(found.requests.into_iter().map(|one| {
        let request = one.value;
        ItemContent::Request(ListedRequest {
            names: request.dns_names,
            id: request.key_id,
            algorithm: request.algorithm,
        })
    }));
    all.extend(
        found
            .lists
            .into_iter()
            .map(|list| ItemContent::Revoked(list.value)),
    );
    all
}
