//! What webpki leaves out of path validation: key usages, and everything of an anchor but its name and key.

use jiff::Timestamp;

use crate::pki::certificate::Certificate;
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
    let idle = chain.intermediates().iter().find(|one| !one.usage.signs_certificates)?;
    Some(format!("{} may not sign certificates (key usage without keyCertSign, RFC 5280 4.2.1.3)", idle.label()))
}

/// A root of a file that was named is held to what it says of itself, as OpenSSL does; one that is fine is enough.
fn anchor(chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    let last = chain.certificates().last()?;
    let signers = anchors.signers_of(last);
    let faults: Vec<Option<String>> = signers.iter().map(|signer| fault(signer, chain, anchors, at)).collect();
    if faults.iter().any(Option::is_none) { None } else { faults.into_iter().flatten().next() }
}

fn fault(anchor: &Certificate, chain: &Chain, anchors: &TrustAnchors, at: Timestamp) -> Option<String> {
    let label = anchor.label();
    let source = anchors.source();
    let below = u32::try_from(chain.intermediates().len()).unwrap_or(u32::MAX);
    if !anchor.is_in_date(at) {
        let (from, to) = (anchor.not_before, anchor.not_after);
        return Some(format!("the root {label} in {source} is valid only from {from} to {to}"));
    }
    if !anchor.usage.may_be_root {
        return Some(format!("{label} in {source} is no CA's certificate (basic constraints, RFC 5280 4.2.1.9)"));
    }
    if !anchor.usage.signs_certificates {
        return Some(format!("the root {label} in {source} may not sign certificates (key usage, RFC 5280 4.2.1.3)"));
    }
    if anchor.usage.path_length.is_some_and(|most| below > most) {
        return Some(format!("the root {label} in {source} allows fewer CAs below it (path length, RFC 5280 4.2.1.9)"));
    }
    (!anchor.usage.for_servers)
        .then(|| format!("the root {label} in {source} is not meant for TLS servers (extended key usage)"))
}
