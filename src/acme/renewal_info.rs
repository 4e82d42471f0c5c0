//! When a CA suggests to renew a certificate (ACME Renewal Information, RFC 9773).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;

/// The number of parts of a window, one of which is chosen.
const PARTS: i64 = 1 << 16;

/// The CA's answer about a certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RenewalInfo {
    suggested_window: SuggestedWindow,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct SuggestedWindow {
    start: Timestamp,
    end: Timestamp,
}

impl RenewalInfo {
    /// Returns a time in the window. It is evenly distributed over certificates, and always the same for
    /// one of them, so nothing has to be written down (RFC 9773 4.2).
    #[must_use]
    pub(crate) fn renewal_time(&self, certificate_id: &str) -> Timestamp {
        let SuggestedWindow { start, end } = self.suggested_window;
        let length = end.duration_since(start).as_secs().max(0);
        let digits = Fingerprint::of(certificate_id.as_bytes()).first_digits();
        let part = i64::from_str_radix(&digits[..4], 16).unwrap_or(0);
        let offset = SignedDuration::from_secs(length.saturating_mul(part) / PARTS);
        start.checked_add(offset).unwrap_or(start)
    }
}

/// Returns the identifier of a certificate (RFC 9773 4.1); `None` if it does not name its issuer's key.
#[must_use]
pub(crate) fn certificate_id(leaf: &Certificate) -> Option<String> {
    let authority_key = leaf.authority_key.as_deref()?;
    let serial = hex::decode(&leaf.serial).ok()?;
    Some(encode_id(authority_key, &serial))
}

fn encode_id(authority_key: &[u8], serial: &[u8]) -> String {
    let encode = |octets: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(octets);
    format!("{}.{}", encode(authority_key), encode(serial))
}

#[cfg(test)]
mod tests;
