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
