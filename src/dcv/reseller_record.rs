//! The record that a reseller showed: what it is derived from, and which domains it validates.

use super::answer::RecordKind;
use super::ca::{self, Ca, DnsValidation};
use crate::pki::name::DnsName;

/// A record as the reseller showed it; built by `parse`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenRecord {
    /// The owner name in lower case: complete, or relative to its zone (`_md5`, `_md5.www`, empty
    /// for the zone's apex).
    pub(super) host: String,
    pub kind: RecordKind,
    /// A target without its final dot, with hash labels and zone in lower case; or a text,
    /// unchanged.
    pub value: String,
}

/// A domain that a record validates, and the label of the record there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidatedDomain {
    /// The part of the owner name before the domain; empty if the record is at the domain itself.
    pub label: String,
    /// The domain that it validates, with all names below it.
    pub domain: String,
}

impl ValidatedDomain {
    /// Returns the complete owner name.
    #[must_use]
    pub fn name(&self) -> String {
        join_names(&self.label, &self.domain)
    }
}

/// Returns `label` before `domain`, or the only one of them that is not empty.
pub(super) fn join_names(label: &str, domain: &str) -> String {
    match (label, domain) {
        ("", one) | (one, "") => one.to_owned(),
        (label, domain) => [label, ".", domain].concat(),
    }
}

/// Returns a domain and its parents up to the registrable one, which a CA queries (BR 1.6.1,
/// Authorization Domain Name). The names above it belong to a registry.
#[must_use]
pub(crate) fn climb(domain: &str) -> Vec<String> {
    let name = DnsName::parse(domain).ok();
    climb_to(domain, name.as_ref().and_then(DnsName::registrable))
}

/// Returns the same for a known registrable domain.
pub(super) fn climb_to(domain: &str, top: Option<&str>) -> Vec<String> {
    let mut all = vec![domain.to_owned()];
    let mut rest = domain;
    while let (Some(top), Some((_, parent))) = (top, rest.split_once('.')) {
        if rest == top || rest.len() <= top.len() {
            break;
        }
        all.push(parent.to_owned());
        rest = parent;
    }
    all
}

impl GivenRecord {
    /// Returns the MD5 of the request that the record was derived from, in lower case; `None` for a
    /// record that was not derived from a request.
    #[must_use]
    pub fn md5(&self) -> Option<&str> {
        let label = self
            .host
            .split('.')
            .next()
            .and_then(|label| label.strip_prefix('_'))?;
        (self.hash_labels().is_some() && is_hash(label)).then_some(label)
    }

    /// Returns the two hash labels at the start of the value, if it has them.
    #[must_use]
    pub fn hash_labels(&self) -> Option<&str> {
        (self.kind == RecordKind::Cname && has_request_hashes(&self.value))
            .then(|| self.value.get(..65))
            .flatten()
    }

    /// Returns the domain that the record is for according to its host alone; if it starts with an
    /// underscore, the first label belongs to the record.
    #[must_use]
    pub(crate) fn validated_domain(&self) -> &str {
        match self.host.split_once('.') {
            Some((label, domain)) if label.starts_with('_') => domain,
            _ => &self.host,
        }
    }

    /// Returns where the record validates `domain`: at the domain, or at a parent that a CA
    /// queries.
    #[must_use]
    pub fn anchor_for(&self, domain: &str) -> Option<ValidatedDomain> {
        let climbed = climb(domain);
        let zone = climbed.last()?.clone();
        let absolute = self.host.clone();
        let relative = join_names(&self.host, &zone);
        [absolute, relative].into_iter().find_map(|host| {
            climbed
                .iter()
                .find_map(|domain| self.anchor_at(&host, domain))
        })
    }

    fn anchor_at(&self, host: &str, domain: &str) -> Option<ValidatedDomain> {
        let label = host.strip_suffix(domain)?;
        let label = if label.is_empty() {
            label
        } else {
            label.strip_suffix('.')?
        };
        // Other labels before the domain are the name of a host, which does not validate the
        // domain.
        let is_validation_label = !label.contains('.')
            && (label.is_empty() || label.starts_with('_') || self.is_known_form(label));
        is_validation_label.then(|| ValidatedDomain {
            label: label.to_owned(),
            domain: domain.to_owned(),
        })
    }

    fn is_known_form(&self, label: &str) -> bool {
        let forms = Ca::ALL.iter().filter_map(|ca| match ca.profile().dns {
            DnsValidation::Token(forms) => Some(forms),
            _ => None,
        });
        forms.flatten().any(|form| {
            form.kind == self.kind
                && !form.label.is_empty()
                && ca::fits(form.label, label)
                && ca::fits(form.value, &self.value)
        })
    }

    /// Returns the form of a CA's records that this one has, if the form distinguishes it from
    /// other records at the same name.
    #[must_use]
    pub fn shape(&self) -> Option<&'static str> {
        let rows = Ca::ALL.iter().filter_map(|ca| match ca.profile().dns {
            DnsValidation::Token(forms) => Some(forms),
            _ => None,
        });
        rows.flatten()
            .find(|form| {
                form.kind == self.kind
                    && form.value != "<token>"
                    && ca::fits(form.value, &self.value)
            })
            .map(|form| form.value)
    }

    /// Returns the record with its complete name, if it was given relative to its zone and fits
    /// only one domain.
    #[must_use]
    pub fn anchored(&self, domains: &[DnsName]) -> Self {
        let mut fitting: Vec<String> = domains
            .iter()
            .filter_map(|domain| Some(self.anchor_for(domain.as_str())?.name()))
            .collect();
        fitting.dedup();
        match fitting.as_slice() {
            [one] => Self {
                host: one.clone(),
                ..self.clone()
            },
            _ => self.clone(),
        }
    }

    /// Returns whether this record replaces the other one: both have the same host and type.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        self.host == other.host && self.kind == other.kind
    }

    /// Returns the record as a line of a zone file.
    #[must_use]
    pub fn zone_line(&self) -> String {
        let host = match self.host.as_str() {
            "" => "@".to_owned(),
            host if host.contains('.') => format!("{host}."),
            host => host.to_owned(),
        };
        let value = match self.kind {
            RecordKind::Txt => quoted(&self.value),
            _ => format!("{}.", self.value),
        };
        format!("{host} 300 IN {} {value}", self.kind.word())
    }
}

/// Returns a text in zone-file syntax: strings of at most 255 octets (RFC 1035 3.3.14), escaped
/// (5.1).
fn quoted(text: &str) -> String {
    let mut strings = vec![String::new()];
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > 255 {
            strings.push(String::new());
            length = 0;
        }
        length += c.len_utf8();
        if let Some(last) = strings.last_mut() {
            if matches!(c, '"' | '\\') {
                last.push('\\');
            }
            last.push(c);
        }
    }
    strings
        .iter()
        .map(|one| format!("\"{one}\""))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns whether a label has 32 hex digits, like an MD5 or half a SHA-256.
pub(super) fn is_hash(label: &str) -> bool {
    label.len() == 32 && label.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns whether a value starts with a request's SHA-256: `<32 hex>.<32 hex>.`.
#[must_use]
pub(crate) fn has_request_hashes(value: &str) -> bool {
    let mut labels = value.splitn(3, '.');
    labels.next().is_some_and(is_hash)
        && labels.next().is_some_and(is_hash)
        && labels.next().is_some()
}
