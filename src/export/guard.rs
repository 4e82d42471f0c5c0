//! What must not be written over: a private key that may be the only one of its kind.

use super::pkcs12;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::pki::key::PublicKeyId;

/// What would be lost if a file were written over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OverwriteLoss {
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
pub(crate) fn loss(
    before: &[u8],
    kept: Option<PublicKeyId>,
    password: Option<&str>,
) -> OverwriteLoss {
    if let Some((_, keys)) = password.and_then(|password| pkcs12::decode(before, password)) {
        let stay = keys.iter().all(|key| Some(key.id()) == kept);
        return if stay {
            OverwriteLoss::Nothing
        } else {
            OverwriteLoss::Key
        };
    }
    let named = before
        .windows(12)
        .filter(|window| window == b"PRIVATE KEY-")
        .count();
    match CaDelivery::read(
        vec![DeliveryInput::new("", before.to_vec())],
        &DeliveryLimits::default(),
    ) {
        // A block has two such lines; one that was not read may be a key all the same.
        Ok(found) if named > 2 * found.keys.len() => OverwriteLoss::Key,
        Ok(found) => loss_of(&found, kept),
        Err(_) if named > 0 => OverwriteLoss::Key,
        Err(_) => OverwriteLoss::Nothing,
    }
}

/// The same of a file that was read.
#[must_use]
pub(crate) fn loss_of(found: &CaDelivery, kept: Option<PublicKeyId>) -> OverwriteLoss {
    let unread = || found.ignored.iter().filter(|one| one.what.may_hold_key());
    if found.keys.iter().any(|key| Some(key.id()) != kept)
        || unread().any(|one| !one.what.is_locked())
    {
        OverwriteLoss::Key
    } else if unread().next().is_some() {
        OverwriteLoss::Unknown
    } else {
        OverwriteLoss::Nothing
    }
}
