//! What lies in the working directory (`-C`): keys, requests and certificates, found by key id, never by file name.

use std::path::Path;

use crate::delivery::Delivery;
use crate::failure::Failure;
use crate::pki::key::PrivateKey;
use crate::pki::request::SigningRequest;
use crate::system::files;

/// The most that is read of one file.
pub const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// Reads one file as a delivery.
///
/// # Errors
/// When it cannot be read or holds nothing of use.
pub fn read_file(path: &Path) -> Result<Delivery, Failure> {
    let bytes = files::read(path, FILE_LIMIT)?;
    let mut delivery = Delivery::default();
    for block in pem::parse_many(&bytes).unwrap_or_default() {
        if let Ok(key) = PrivateKey::from_der(block.contents()) {
            delivery.keys.push(key);
        } else if let Ok(request) = SigningRequest::from_der(block.contents()) {
            delivery.requests.push(request);
        }
    }
    Ok(delivery)
}
