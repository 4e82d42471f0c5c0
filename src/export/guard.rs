//! Protects the only copy of a private key from being overwritten.

use super::pkcs12;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::pki::key::PublicKeyId;

/// What would be lost if a file were overwritten.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OverwriteLoss {
    /// No private key, or only the one that the new file contains too.
    Nothing,
    /// A private key, or content that may be one.
    Key,
    /// Unknown: the file is encrypted with another password.
    Unknown,
}

/// Determines what is lost if a file with the content `before` is overwritten: private keys in any
/// form, readable or not. `kept` is the key in the new file; a `.pfx` is opened with `password`.
#[must_use]
pub(crate) fn find_overwrite_loss(
    before: &[u8],
    kept: Option<PublicKeyId>,
    password: Option<&str>,
) -> OverwriteLoss {
    if let Some((_, keys)) = password.and_then(|password| pkcs12::decode(before, password)) {
        let has_only_kept = keys.iter().all(|key| Some(key.id()) == kept);
        return if has_only_kept {
            OverwriteLoss::Nothing
        } else {
            OverwriteLoss::Key
        };
    }
    let key_lines = before
        .windows(12)
        .filter(|window| window == b"PRIVATE KEY-")
        .count();
    match CaDelivery::read(
        vec![DeliveryInput::new("", before.to_vec())],
        &DeliveryLimits::default(),
    ) {
        // A block has two such lines; a block that cannot be read may be a key.
        Ok(delivery) if key_lines > 2 * delivery.keys.len() => OverwriteLoss::Key,
        Ok(delivery) => find_delivery_loss(&delivery, kept),
        Err(_) if key_lines > 0 => OverwriteLoss::Key,
        Err(_) => OverwriteLoss::Nothing,
    }
}

/// Determines what is lost if a file is overwritten that was read as `delivery`.
#[must_use]
pub(crate) fn find_delivery_loss(
    delivery: &CaDelivery,
    kept: Option<PublicKeyId>,
) -> OverwriteLoss {
    let has_other_key = delivery.keys.iter().any(|key| Some(key.id()) != kept);
    let mut loss = OverwriteLoss::Nothing;
    for item in &delivery.ignored {
        if !item.content.may_hold_key() {
            continue;
        }
        if !item.content.is_locked() {
            return OverwriteLoss::Key;
        }
        loss = OverwriteLoss::Unknown;
    }
    if has_other_key {
        OverwriteLoss::Key
    } else {
        loss
    }
}
