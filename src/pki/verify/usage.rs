//! Checks that webpki omits in path validation: key usages, and the fields of an anchor other than
//! its name and key.

use jiff::Timestamp;

use crate::pki::chain::Chain;
use crate::pki::trust::TrustAnchors;

/// Why a chain is refused that webpki accepts.
pub(super) fn refusal(chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    refuse_key_usage(chain).or_else(|| refuse_anchor(chain, anchors, at))
}

/// RFC 5280 4.2.1.3.
fn refuse_key_usage(chain: &Chain) -> Option<String> {
    if !chain.leaf().usage.serves {
        let why = "its key may not be used in a TLS handshake (key usage, RFC 5280 4.2.1.3)";
        return Some(format!("{}: {why}", chain.leaf().label()));
    }
    let issuer = chain
        .intermediates()
        .iter()
        .find(|issuer| !issuer.usage.signs_certificates)?;
    Some(format!(
        "{} may not sign certificates (key usage without keyCertSign, RFC 5280 4.2.1.3)",
        issuer.label()
    ))
}

/// A root from a file or from the system must be valid and permit the chain, as with OpenSSL.
fn refuse_anchor(chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    anchors.find_refusal(chain.anchor()?, chain.intermediates().len(), at)
}
