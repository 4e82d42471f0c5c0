//! What must not be written over: a private key that may be the only one of its kind.

use super::pkcs12;
use crate::delivery::{Delivery, Input, Limits};
use crate::pki::key::PublicKeyId;

/// What would be lost if a file were written over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Loss {
    /// No private key that is not in the new one.
    Nothing,
    /// A private key, or what may be one.
    Key,
    /// What is in it is not known: it is locked with another password.
    Unknown,
}

/// What a file with this content holds that what is written in its place does not: private keys in
/// any form, readable or not; `kept` is the key in the new one. A `.pfx` is opened with `password`.
#[must_use]
pub(crate) fn loss(before: &[u8], kept: Option<PublicKeyId>, password: Option<&str>) -> Loss {
    if let Some((_, keys)) = password.and_then(|password| pkcs12::decode(before, password)) {
        let stay = keys.iter().all(|key| Some(key.id()) == kept);
        return if stay { Loss::Nothing } else { Loss::Key };
    }
    let named = before
        .windows(12)
        .filter(|window| window == b"PRIVATE KEY-")
        .count();
    match Delivery::read(vec![Input::new("", before.to_vec())], &Limits::default()) {
        // A block has two such lines; one that was not read may be a key all the same.
        Ok(found) if named > 2 * found.keys.len() => Loss::Key,
        Ok(found) => loss_of(&found, kept),
        Err(_) if named > 0 => Loss::Key,
        Err(_) => Loss::Nothing,
    }
}

/// The same of a file that was read.
#[must_use]
pub(crate) fn loss_of(found: &Delivery, kept: Option<PublicKeyId>) -> Loss {
    let unread = || found.ignored.iter().filter(|one| one.what.may_hold_key());
    if found.keys.iter().any(|key| Some(key.id()) != kept)
        || unread().any(|one| !one.what.is_locked())
    {
        Loss::Key
    } else if unread().next().is_some() {
        Loss::Unknown
    } else {
        Loss::Nothing
    }
}
