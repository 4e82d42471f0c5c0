//! What the CA sent, as it came by mail: a zip, looked into for the certificates that answer what
//! is here.

use std::sync::Arc;

use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm};
use crate::pki::certificate::Certificate;

/// The certificates in a zip; none where it is another kind of file, or one that no command would
/// take: damaged, locked, or larger than a delivery can be. Keys in it are not read.
#[must_use]
pub(crate) fn certificates_in_zip(bytes: &[u8]) -> Vec<Arc<Certificate>> {
    if !bytes.starts_with(b"PK") || delivery::recognize_form(bytes) != Some(FileForm::Zip) {
        return Vec::new();
    }
    // Nothing is derived from any passphrase unasked.
    let limits = DeliveryLimits {
        derivation_rounds: 0,
        ..DeliveryLimits::default()
    };
    let read = CaDelivery::read(vec![DeliveryInput::new("", bytes.to_vec())], &limits);
    read.map(|found| {
        found
            .certificates
            .into_iter()
            .map(|one| Arc::new(one.value))
            .collect()
    })
    .unwrap_or_default()
}
