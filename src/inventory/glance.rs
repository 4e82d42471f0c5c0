//! One file for a listing: which certificates, requests and keys are in it. The only place where bytes become items: a
//! faster reader can take this one's place, with the full reader as its judge.

use std::sync::Arc;

use super::item::{Asked, HeldKey, What};
use crate::delivery::{self, Delivery, Form, Input, Limits, Mended};

/// The most that is read of one file: bags of CA certificates are some hundred KiB.
pub const LIMIT: u64 = 1024 * 1024;

/// What is in a file with these permission bits; nothing where it is of another kind. What is packed (zip, mail) is
/// looked at when it is named to a command that takes deliveries.
#[must_use]
pub fn glance(bytes: Vec<u8>, mode: u32) -> Vec<What> {
    if !matches!(delivery::form(&bytes), Form::Base64 | Form::Der | Form::Pem | Form::Utf16) {
        return Vec::new();
    }
    // Nothing is derived from any passphrase unasked.
    let limits = Limits { rounds: 0, ..Limits::default() };
    let Ok(found) = Delivery::read(vec![Input::new("", bytes)], &limits) else { return Vec::new() };
    let packed = found.repairs.iter().any(|repair| repair.what == Mended::Pkcs12);
    let mut all = Vec::new();
    if !found.certificates.is_empty() {
        all.push(What::Certificates(found.certificates.into_iter().map(|one| Arc::new(one.value)).collect()));
    }
    let keys = found.keys.iter().filter(|_| !packed);
    all.extend(keys.map(|key| What::Key(HeldKey { id: key.id(), algorithm: key.algorithm(), mode })));
    all.extend(found.locked.iter().map(|_| What::LockedKey { mode }));
    all.extend(found.requests.into_iter().map(|one| {
        let request = one.value;
        What::Request(Asked { names: request.dns_names, id: request.key_id, algorithm: request.algorithm })
    }));
    all.extend(found.lists.into_iter().map(|list| What::Revoked(list.value)));
    all
}
