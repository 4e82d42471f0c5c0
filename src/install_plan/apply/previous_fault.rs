//! Why the certificate that a rollback would restore is of no use: it is never restored while the new
//! one is served.

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
use crate::wording::{day, joined_with_and};

/// Returns why clients refuse the `previous` certificates where they accept the `wanted` ones.
#[must_use]
pub(super) fn find(
    previous: &[Certificate],
    wanted: &[Certificate],
    now: Timestamp,
) -> Option<String> {
    let (old, new) = (previous.first()?, wanted.first()?);
    let expired = previous
        .iter()
        .find(|certificate| certificate.not_after < now);
    if let Some(expired) = expired {
        return Some(format!(
            "the previous certificate expired on {}",
            day(expired.not_after)
        ));
    }
    let is_lost = |name: &&String| !old.dns_names.contains(name) && !old.covers(name);
    let lost: Vec<&String> = new.dns_names.iter().filter(is_lost).collect();
    if lost.is_empty() {
        return None;
    }
    Some(format!(
        "the previous certificate does not cover {}",
        joined_with_and(&lost)
    ))
}
