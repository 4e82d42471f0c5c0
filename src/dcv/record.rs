//! The validation record for a request, as far as it can be derived. CSR-hash DCV (Sectigo, SSL.com
//! and their resellers): CNAME at `_<MD5 of the DER>.<domain>` to
//! `<SHA-256 first 32>.<last 32>[.<unique value>].<zone>`. Sources: docs.sectigo.com request token
//! and CNAME FAQ. Other CAs: a random value, at a host that may be random too.

use serde::Serialize;

use super::answer::RecordKind;
use super::ca::{Ca, CsrHashTarget, DnsValidation, RandomValueRecord, UniqueValue};
use crate::dcv::reseller_record::{self, climb};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// The record to publish, as far as it can be derived from the request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct DcvRecord {
    /// The owner name, without a final dot; `<...>` in it stands for what only the reseller knows.
    pub name: String,
    /// The zone that the record belongs in: the registrable domain.
    pub zone: String,
    /// The owner name relative to the zone: what a DNS provider's console asks for; `@` for the
    /// zone itself.
    pub relative_name: String,
    #[serde(rename = "type")]
    pub kind: RecordKind,
    /// The target or text, if it is known.
    pub value: Option<String>,
    /// The value's form, if only the reseller knows a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Whether `value` is the whole value.
    pub complete: bool,
    /// The names of the request that it validates: the domain and those below it, with wildcards.
    pub validates: Vec<String>,
    /// Alternative owner names, because the CA climbs: the same record at a parent, up to the
    /// registrable domain.
    pub also_at: Vec<String>,
}

/// Returns the records for `request`: one for each domain that is not below another one of the
/// request (a record there validates the names below it too). Without `ca`, hosts and targets have
/// the form of CSR-hash DCV.
#[must_use]
pub(crate) fn validation_records(request: &SigningRequest, ca: Option<Ca>) -> Vec<DcvRecord> {
    domains_to_validate(request)
        .iter()
        .filter_map(|domain| record(request, domain.as_str(), ca))
        .collect()
}

/// Returns the record for one domain; `None` for a CA that needs none.
pub(super) fn record(request: &SigningRequest, domain: &str, ca: Option<Ca>) -> Option<DcvRecord> {
    match ca.map(|ca| &ca.profile().dns) {
        None => Some(request_hash_record(request, domain, None)),
        Some(DnsValidation::CsrHash(form)) => {
            Some(request_hash_record(request, domain, Some(*form)))
        }
        Some(DnsValidation::Token(forms)) => forms
            .first()
            .map(|form| random_value_record(request, domain, form)),
        Some(DnsValidation::None) => None,
    }
}

/// Returns the first label of every host of `request`.
#[must_use]
pub(crate) fn host_label(request: &SigningRequest) -> String {
    format!("_{}", request.md5())
}

/// Returns `<SHA-256 first 32>.<last 32>`, the start of every target of `request`.
#[must_use]
pub(crate) fn target_labels(request: &SigningRequest) -> String {
    let sha256 = request.sha256();
    let (first, last) = sha256.split_at(32);
    format!("{first}.{last}")
}

/// Returns the domains to validate, without wildcards and without those below another one.
#[must_use]
pub(crate) fn domains_to_validate(request: &SigningRequest) -> Vec<DnsName> {
    let mut bases: Vec<DnsName> = Vec::new();
    for text in &request.dns_names {
        let Some(base) = DnsName::parse(text)
            .ok()
            .and_then(|name| DnsName::parse(name.base()).ok())
        else {
            continue;
        };
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases
        .iter()
        .filter(|name| !bases.iter().any(|other| is_below(name, other)))
        .cloned()
        .collect()
}

fn is_below(name: &DnsName, other: &DnsName) -> bool {
    name.as_str()
        .strip_suffix(other.as_str())
        .is_some_and(|rest| rest.ends_with('.'))
}

/// Returns `name` as the DNS provider's console for `zone` asks for it: without the zone, which the
/// console appends; `@` for the zone itself.
pub(super) fn relative_name(name: &str, zone: &str) -> String {
    let relative = match name.strip_suffix(zone) {
        Some(rest) => rest.trim_end_matches('.'),
        None => name,
    };
    if relative.is_empty() {
        "@".to_owned()
    } else {
        relative.to_owned()
    }
}

/// Returns the names of the request that a record for `domain` validates.
fn validated_names(request: &SigningRequest, domain: &str) -> Vec<String> {
    request
        .dns_names
        .iter()
        .filter(|name| is_at_or_below(name, domain))
        .cloned()
        .collect()
}

/// Returns whether a name without its wildcard is the domain or below it.
fn is_at_or_below(name: &str, domain: &str) -> bool {
    let base = name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase();
    base.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns a record of which only the name is known: `label` before `domain`.
pub(super) fn record_at(
    request: &SigningRequest,
    label: &str,
    domain: &str,
    kind: RecordKind,
) -> DcvRecord {
    DcvRecord {
        validates: validated_names(request, domain),
        ..record_without_request(label, domain, climb(domain), kind)
    }
}

/// Returns the same without a request: the record validates the domain. `climbed` are the domain
/// and the parents that a CA queries too.
pub(super) fn record_without_request(
    label: &str,
    domain: &str,
    climbed: Vec<String>,
    kind: RecordKind,
) -> DcvRecord {
    let zone = climbed.last().cloned().unwrap_or_else(|| domain.to_owned());
    let name = reseller_record::join_names(label, domain);
    DcvRecord {
        relative_name: relative_name(&name, &zone),
        name,
        zone,
        kind,
        value: None,
        shape: None,
        complete: false,
        validates: vec![domain.to_owned()],
        also_at: climbed
            .iter()
            .skip(1)
            .map(|parent| reseller_record::join_names(label, parent))
            .collect(),
    }
}

fn request_hash_record(
    request: &SigningRequest,
    domain: &str,
    form: Option<CsrHashTarget>,
) -> DcvRecord {
    let target = target_labels(request);
    let (value, shape) = match form {
        Some(CsrHashTarget {
            zones: [zone, ..],
            unique: UniqueValue::WhenKeyIsReused,
        }) => (Some(format!("{target}.{zone}")), None),
        Some(CsrHashTarget {
            zones: [zone],
            unique: UniqueValue::Always,
        }) => (None, Some(format!("{target}.<unique value>.{zone}"))),
        Some(_) => (None, Some(format!("{target}.<unique value>.<zone>"))),
        None => (None, Some(format!("{target}[.<unique value>].<zone>"))),
    };
    let record = record_at(request, &host_label(request), domain, RecordKind::Cname);
    DcvRecord {
        complete: value.is_some(),
        value,
        shape,
        ..record
    }
}

fn random_value_record(
    request: &SigningRequest,
    domain: &str,
    form: &RandomValueRecord,
) -> DcvRecord {
    DcvRecord {
        shape: Some(form.value.to_owned()),
        ..record_at(request, form.label, domain, form.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::{domains_to_validate, host_label, target_labels, validation_records};
    use crate::dcv::ca::Ca;
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;

    /// A request with independently known hashes (fixtures/README.md).
    fn namecheap() -> SigningRequest {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        SigningRequest::from_der(block.contents()).unwrap()
    }

    fn request(names: &[&str]) -> SigningRequest {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        SigningRequest::build(&DnsNames::parse(names).unwrap(), &key).unwrap()
    }

    #[test]
    fn hashes_are_those_of_the_der() {
        let request = namecheap();
        assert_eq!(host_label(&request), "_6fcfe984ac87413b45a0d531d2172600");
        assert_eq!(
            target_labels(&request),
            "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328"
        );
    }

    #[test]
    fn the_known_part_of_the_value_depends_on_the_ca() {
        const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
        let request = namecheap();
        for (ca, value, shape) in [
            (None, None, Some("[.<unique value>].<zone>")),
            (Some(Ca::Sectigo), Some(".sectigo.com"), None),
            (Some(Ca::Namecheap), None, Some(".<unique value>.<zone>")),
            (Some(Ca::SslCom), None, Some(".<unique value>.ssl.com")),
        ] {
            let record = &validation_records(&request, ca)[0];
            assert_eq!(record.name, "_6fcfe984ac87413b45a0d531d2172600.example.com");
            assert_eq!(
                record.value,
                value.map(|tail| format!("{HASH}{tail}")),
                "{ca:?}"
            );
            assert_eq!(
                record.shape,
                shape.map(|tail| format!("{HASH}{tail}")),
                "{ca:?}"
            );
            assert_eq!(record.complete, value.is_some());
        }
        assert!(validation_records(&request, Some(Ca::Private)).is_empty());
    }

    #[test]
    fn one_record_validates_a_domain_and_all_below_it() {
        for (names, validated) in [
            (vec!["example.com", "www.example.com"], vec!["example.com"]),
            (vec!["www.example.com", "example.com"], vec!["example.com"]),
            (vec!["*.example.com"], vec!["example.com"]),
            (
                vec!["*.www.example.com", "mail.example.com"],
                vec!["www.example.com", "mail.example.com"],
            ),
            (
                vec!["example.com", "example.net", "badexample.com"],
                vec!["example.com", "example.net", "badexample.com"],
            ),
        ] {
            let request = request(&names);
            let found: Vec<String> = domains_to_validate(&request)
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect();
            assert_eq!(found, validated, "{names:?}");
        }
    }

    #[test]
    fn the_host_is_relative_to_the_registrable_domain() {
        for (name, zone, suffix) in [
            ("example.com", "example.com", ""),
            ("www.example.co.uk", "example.co.uk", ".www"),
            ("*.a.b.example.com", "example.com", ".a.b"),
            ("shop.example", "shop.example", ""),
        ] {
            let request = request(&[name]);
            let record = &validation_records(&request, None)[0];
            assert_eq!(
                (record.zone.as_str(), &record.relative_name),
                (zone, &format!("{}{suffix}", host_label(&request)))
            );
        }
    }
}
