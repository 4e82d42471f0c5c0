//! Reads zip files and emails from a CA, to find certificates for the keys and requests that were
//! found.

use std::path::Path;
use std::sync::Arc;

use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm};
use crate::pki::certificate::Certificate;

/// Returns the certificates in a zip file, or in an email whose file name ends in `.eml`; none if it
/// is another kind of file, or one that no command accepts: damaged, encrypted, or too large. Keys in
/// it are not read.
#[must_use]
pub(crate) fn certificates_in_archive(path: &Path, bytes: &[u8]) -> Vec<Arc<Certificate>> {
    // Other text is not searched for mail headers: most files of a folder are no mails.
    let is_mail = path.extension().is_some_and(|one| one == "eml");
    let may_be_zip = bytes.starts_with(b"PK");
    if !is_mail && !may_be_zip {
        return Vec::new();
    }
    let form = delivery::recognize_form(bytes);
    match form {
        Some(FileForm::Zip | FileForm::Mail) => {}
        _ => return Vec::new(),
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
