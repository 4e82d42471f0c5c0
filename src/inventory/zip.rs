//! Reads zip files from a CA, to find certificates for the keys and requests that were found.

use std::sync::Arc;

use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm};
use crate::pki::certificate::Certificate;

/// Returns the certificates in a zip file; none if it is another kind of file, or one that no
/// command accepts: damaged, encrypted, or too large. Keys in it are not read.
#[must_use]
pub(crate) fn certificates_in_zip(bytes: &[u8]) -> Vec<Arc<Certificate>> {
    if !bytes.starts_with(b"PK") || delivery::recognize_form(bytes) != Some(FileForm::Zip) {
        return Vec::new();
    }
    // No key is derived from a password.
    let limits = DeliveryLimits {
        derivation_iterations: 0,
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
