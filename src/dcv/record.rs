//! The CNAME of CSR-hash DCV (Sectigo, SSL.com and their shops): host `_<MD5 of the DER>.<domain>`, target
//! `<SHA-256 first 32>.<last 32>[.<unique value>].<zone>`. Sources: docs.sectigo.com request token and CNAME FAQ.

use serde::Serialize;

use super::ca::{Ca, CsrHash, UniqueValue};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// What to publish, as far as it can be known from the request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DcvRecord {
    /// The owner name, without a final dot.
    pub name: String,
    /// The zone that it is entered in: the registrable domain.
    pub zone: String,
    /// The owner name relative to the zone: what a DNS provider's panel asks for.
    pub relative_name: String,
    /// Always `CNAME` here.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The target, where it can be known.
    pub value: Option<String>,
    /// The target's form, where a part of it is the shop's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Whether `value` is all there is to publish.
    pub complete: bool,
}

/// The records for `request`: one for each domain that is not below another one asked for (a record there proves the
/// names below it too). Without `ca`, hosts are known and targets are the family's shape.
#[must_use]
pub fn records(request: &SigningRequest, ca: Option<Ca>) -> Vec<DcvRecord> {
    let scheme = match ca {
        Some(ca) => match ca.csr_hash() {
            Some(scheme) => Some(scheme),
            None => return Vec::new(),
        },
        None => None,
    };
    domains(request).iter().map(|domain| record(request, domain, scheme)).collect()
}

/// The label that every host of `request` starts with.
#[must_use]
pub fn host_label(request: &SigningRequest) -> String {
    format!("_{}", request.md5())
}

/// `<SHA-256 first 32>.<last 32>`: what every target of `request` starts with.
#[must_use]
pub fn target_labels(request: &SigningRequest) -> String {
    let sha256 = request.sha256();
    let (first, last) = sha256.split_at(32);
    format!("{first}.{last}")
}

/// The domains to prove, wildcards stripped, those below another one left out.
#[must_use]
pub fn domains(request: &SigningRequest) -> Vec<DnsName> {
    let mut bases: Vec<DnsName> = Vec::new();
    for text in &request.dns_names {
        let Some(base) = DnsName::parse(text).ok().and_then(|name| DnsName::parse(name.base()).ok()) else {
            continue;
        };
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    let below = |name: &DnsName, other: &DnsName| {
        name.as_str().strip_suffix(other.as_str()).is_some_and(|rest| rest.ends_with('.'))
    };
    let covered = |name: &DnsName| bases.iter().any(|other| below(name, other));
    bases.iter().filter(|name| !covered(name)).cloned().collect()
}

/// `name` as a panel of `zone` asks for it.
pub(super) fn relative(name: &str, zone: &str) -> String {
    name.strip_suffix(zone).map_or(name, |rest| rest.trim_end_matches('.')).to_owned()
}

fn record(request: &SigningRequest, domain: &DnsName, scheme: Option<CsrHash>) -> DcvRecord {
    let zone = domain.registrable().unwrap_or(domain.as_str()).to_owned();
    let name = format!("{}.{domain}", host_label(request), domain = domain.as_str());
    let relative_name = relative(&name, &zone);
    let target = target_labels(request);
    let (value, shape) = match scheme {
        Some(CsrHash { zones: [zone, ..], unique: UniqueValue::WhenKeyIsReused }) => {
            (Some(format!("{target}.{zone}")), None)
        }
        Some(CsrHash { zones: [zone], unique: UniqueValue::Always }) => {
            (None, Some(format!("{target}.<unique value>.{zone}")))
        }
        Some(_) => (None, Some(format!("{target}.<unique value>.<zone>"))),
        None => (None, Some(format!("{target}[.<unique value>].<zone>"))),
    };
    DcvRecord { name, zone, relative_name, kind: "CNAME", complete: value.is_some(), value, shape }
}

#[cfg(test)]
mod tests {
    use super::{domains, host_label, records, target_labels};
    use crate::dcv::ca::Ca;
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::Names;
    use crate::pki::request::SigningRequest;

    /// A request whose hashes are known from outside (fixtures/README.md).
    fn namecheap() -> SigningRequest {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        SigningRequest::from_der(block.contents()).unwrap()
    }

    fn request(names: &[&str]) -> SigningRequest {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        SigningRequest::build(&Names::parse(names).unwrap(), &key).unwrap()
    }

    #[test]
    fn the_hashes_are_those_of_the_der() {
        let request = namecheap();
        assert_eq!(host_label(&request), "_6fcfe984ac87413b45a0d531d2172600");
        assert_eq!(target_labels(&request), "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328");
    }

    #[test]
    fn what_is_known_of_the_value_depends_on_the_ca() {
        const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
        let request = namecheap();
        for (ca, value, shape) in [
            (None, None, Some("[.<unique value>].<zone>")),
            (Some(Ca::Sectigo), Some(".sectigo.com"), None),
            (Some(Ca::Namecheap), None, Some(".<unique value>.<zone>")),
            (Some(Ca::SslCom), None, Some(".<unique value>.ssl.com")),
        ] {
            let record = &records(&request, ca)[0];
            assert_eq!(record.name, "_6fcfe984ac87413b45a0d531d2172600.example.com");
            assert_eq!(record.value, value.map(|tail| format!("{HASH}{tail}")), "{ca:?}");
            assert_eq!(record.shape, shape.map(|tail| format!("{HASH}{tail}")), "{ca:?}");
            assert_eq!(record.complete, value.is_some());
        }
        assert!(records(&request, Some(Ca::Private)).is_empty());
    }

    #[test]
    fn one_record_proves_a_domain_and_all_below_it() {
        for (names, proved) in [
            (vec!["example.com", "www.example.com"], vec!["example.com"]),
            (vec!["www.example.com", "example.com"], vec!["example.com"]),
            (vec!["*.example.com"], vec!["example.com"]),
            (vec!["*.www.example.com", "mail.example.com"], vec!["www.example.com", "mail.example.com"]),
            (
                vec!["example.com", "example.net", "badexample.com"],
                vec!["example.com", "example.net", "badexample.com"],
            ),
        ] {
            let request = request(&names);
            let found: Vec<String> = domains(&request).iter().map(|name| name.as_str().to_owned()).collect();
            assert_eq!(found, proved, "{names:?}");
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
            let record = &records(&request, None)[0];
            assert_eq!(
                (record.zone.as_str(), &record.relative_name),
                (zone, &format!("{}{suffix}", host_label(&request)))
            );
        }
    }
}
