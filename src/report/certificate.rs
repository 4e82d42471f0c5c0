//! A certificate as JSON, with the same fields in every document, and in words.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;
use crate::pki::name::{DnsName, join_listed};
use crate::wording::{self, day};

#[must_use]
pub(crate) fn certificate_json(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "dns_names": certificate.dns_names,
        "ip_addresses": certificate.ip_addresses,
        "not_before": certificate.not_before,
        "not_after": expiry_json(certificate.not_after),
        "serial": certificate.serial,
        "sha256": certificate.sha256(),
        "key": {"algorithm": certificate.algorithm.to_string(), "id": certificate.key_id.to_string()},
    })
}

/// Writes an expiry in UTC, also the one that means "no expiry" (RFC 5280 4.1.2.5).
#[must_use]
pub(crate) fn expiry_json(not_after: Timestamp) -> Value {
    if wording::has_no_end(not_after) {
        json!("9999-12-31T23:59:59Z")
    } else {
        json!(not_after)
    }
}

/// Returns the certificates of a chain, leaf first.
#[must_use]
pub(crate) fn chain_json(chain: &Chain) -> Vec<Value> {
    chain.certificates().iter().map(certificate_json).collect()
}

/// Returns a DNS name as written, followed by its Unicode form if that differs.
#[must_use]
pub(crate) fn name_in_words(name: &str) -> String {
    DnsName::parse_presented(name).map_or_else(|| name.to_owned(), |name| name.to_string())
}

/// Returns the names and the expiry date of a certificate.
#[must_use]
pub(crate) fn certificate_in_words(certificate: &Certificate) -> String {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    let names: Vec<String> = certificate
        .dns_names
        .iter()
        .map(|name| name_in_words(name))
        .chain(addresses)
        .collect();
    let names = if names.is_empty() {
        certificate.label()
    } else {
        join_listed(&names)
    };
    format!("{names}, expires {}", day(certificate.not_after))
}

/// Returns the number of intermediates of a chain, in words.
#[must_use]
pub(crate) fn intermediates_in_words(chain: &Chain) -> String {
    match chain.intermediates().len() {
        0 => "no intermediate".to_owned(),
        1 => "1 intermediate".to_owned(),
        count => format!("{count} intermediates"),
    }
}
