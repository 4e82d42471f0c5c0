//! What webpki leaves out of path validation: key usages, and everything of an anchor but its name
//! and key.

use jiff::Timestamp;

use crate::pki::chain::Chain;
use crate::pki::trust::TrustAnchors;

/// Why a chain that webpki accepts is refused all the same.
pub(super) fn refusal(chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    key_usage(chain).or_else(|| anchor(chain, anchors, at))
}

/// RFC 5280 4.2.1.3.
fn key_usage(chain: &Chain) -> Option<String> {
    if !chain.leaf().usage.serves {
        let why = "its key may not be used in a TLS handshake (key usage, RFC 5280 4.2.1.3)";
        return Some(format!("{}: {why}", chain.leaf().label()));
    }
    let idle = chain
        .intermediates()
        .iter()
        .find(|one| !one.usage.signs_certificates)?;
    Some(format!(
        "{} may not sign certificates (key usage without keyCertSign, RFC 5280 4.2.1.3)",
        idle.label()
    ))
}

/// A root of a file or of the system is held to what it says of itself, as OpenSSL does.
fn anchor(chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    anchors.refusal(chain.anchor()?, chain.intermediates().len(), at)
}
