//! What the CA sent, as it came by mail: a zip, looked into for the certificates that answer what
//! is here.

use std::sync::Arc;

use crate::delivery::{self, Delivery, Form, Input, Limits};
use crate::pki::certificate::Certificate;

/// The certificates in a zip; none where it is another kind of file, or one that no command would
/// take: damaged, locked, or larger than a delivery can be. Keys in it are nobody's yet.
#[must_use]
pub(crate) fn certificates(bytes: &[u8]) -> Vec<Arc<Certificate>> {
    if !bytes.starts_with(b"PK") || delivery::recognised(bytes) != Some(Form::Zip) {
        return Vec::new();
    }
    // Nothing is derived from any passphrase unasked.
    let limits = Limits {
        rounds: 0,
        ..Limits::default()
    };
    let read = Delivery::read(vec![Input::new("", bytes.to_vec())], &limits);
    read.map(|found| {
        found
            .certificates
            .into_iter()
            .map(|one| Arc::new(one.value))
            .collect()
    })
    .unwrap_or_default()
}
