//! What must not be written over: a private key that may be the only one of its kind.

use super::pkcs12;
use crate::delivery::{Delivery, Input, Limits};
use crate::pki::key::PublicKeyId;

/// Whether a file with this content holds a private key, in any form, readable or not, that what is written in its place
/// does not: `kept` is the key in that. A `.pfx` is opened with `password`.
#[must_use]
pub fn would_lose_key(before: &[u8], kept: Option<PublicKeyId>, password: Option<&str>) -> bool {
    let stays = |id: PublicKeyId| Some(id) == kept;
    if let Some((_, keys)) = password.and_then(|password| pkcs12::decode(before, password)) {
        return !keys.iter().all(|key| stays(key.id()));
    }
    let named = before.windows(12).filter(|window| window == b"PRIVATE KEY-").count();
    match Delivery::read(vec![Input::new("", before.to_vec())], &Limits::default()) {
        // A block has two such lines; one that was not read may be a key all the same.
        Ok(found) => {
            found.ignored.iter().any(|one| one.what.may_hold_key())
                || !found.keys.iter().all(|key| stays(key.id()))
                || named > 2 * found.keys.len()
        }
        Err(_) => named > 0,
    }
}
