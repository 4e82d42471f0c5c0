//! Checks the names: which ones public CAs may certify, and which ones usually belong together.

use super::fault::{LintFault, RequestChange};
use super::request::LintedRequest;
use super::rules::{self, RequestRule};
use crate::finding::Severity;
use crate::pki::alt_name::AltName;
use crate::pki::name::{DnsName, PublicSuffix, join_listed};

/// Domains that the public DNS does not delegate, and why.
const RESERVED: [(&str, &str); 15] = [
    ("arpa", "is for the infrastructure of the DNS (RFC 3172)"),
    ("corp", "will never be delegated (ICANN 2018)"),
    ("home", "will never be delegated (ICANN 2018)"),
    ("home.arpa", "is for home networks (RFC 8375)"),
    ("internal", "is for private use (ICANN 2024)"),
    ("intranet", "does not exist in the public DNS"),
    ("invalid", "is reserved (RFC 6761)"),
    ("lan", "does not exist in the public DNS"),
    ("local", "is for multicast DNS on one link (RFC 6762)"),
    ("localdomain", "does not exist in the public DNS"),
    ("localhost", "stands for the local machine (RFC 6761)"),
    ("mail", "will never be delegated (ICANN 2018)"),
    (
        "onion",
        "is for Tor, and only some CAs issue for it (RFC 7686)",
    ),
    ("private", "does not exist in the public DNS"),
    ("test", "is reserved for tests (RFC 6761)"),
];

/// The domain for documentation (RFC 6761 6.5): only manuals and rehearsals use it.
const DOCUMENTATION: &str = "example";

/// Many CAs do not accept more names; some sell certificates for 250.
const COMMON_NAME_LIMIT: usize = 100;

const ADDED_BY_SOME_CAS: &str = "some CAs add such names without a request, others do not";

pub(crate) fn check_names(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults = check_single_names(request);
    faults.extend(check_related_names(request));
    faults.extend(check_count(request.names.iter().count()));
    faults
}

fn check_count(count: usize) -> Option<LintFault> {
    if count <= COMMON_NAME_LIMIT {
        return None;
    }
    let description = format!(
        "{count} names are requested; many CAs and resellers accept at most {COMMON_NAME_LIMIT} in \
            one certificate"
    );
    Some(LintFault::new(&rules::TOO_MANY, description))
}

/// A rule that a name breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
struct NameFault {
    rule: &'static RequestRule,
    reason: String,
}

impl NameFault {
    fn new(rule: &'static RequestRule, reason: impl Into<String>) -> Self {
        Self {
            rule,
            reason: reason.into(),
        }
    }

    /// Returns the fault of all of `names` among the `total` names of the request.
    fn of_names(self, names: Vec<String>, total: usize) -> LintFault {
        let description = format!("{}: {}", join_listed(&names), self.reason);
        let fault = LintFault::new(self.rule, description);
        if self.rule.severity != Severity::Error {
            fault
        } else if names.len() < total {
            fault.repaired_by(RequestChange::Omit(names))
        } else {
            fault.repaired_by(RequestChange::Private)
        }
    }
}

/// Returns the faults of single names; names with the same fault are reported together.
fn check_single_names(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut groups: Vec<(NameFault, Vec<String>)> = Vec::new();
    for name in request.names.iter() {
        let Some(fault) = check_name(name) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, names)) => names.push(name.text()),
            None => groups.push((fault, vec![name.text()])),
        }
    }
    let total = request.names.iter().count();
    groups
        .into_iter()
        .map(|(fault, names)| fault.of_names(names, total))
        .collect()
}

fn check_name(name: &AltName) -> Option<NameFault> {
    match name {
        AltName::Address(_) => Some(NameFault::new(
            &rules::ADDRESS,
            "an IP address, not a DNS name that clients connect to",
        )),
        AltName::Mailbox(_) => Some(NameFault::new(
            &rules::MAILBOX,
            "an email address, which is not allowed in a server certificate",
        )),
        AltName::Dns(name) => check_dns_name(name),
    }
}

fn check_dns_name(name: &DnsName) -> Option<NameFault> {
    let base = name.base();
    if let Some((domain, why)) = reserved_domain(base) {
        let reason = format!("{domain} {why}; public CAs do not issue for names in it");
        return Some(NameFault::new(&rules::RESERVED, reason));
    }
    if base.contains('_') {
        return Some(NameFault::new(
            &rules::UNDERSCORE,
            "public CAs do not issue for names with an underscore",
        ));
    }
    if last_label(name) == DOCUMENTATION {
        return None;
    }
    check_public_suffix(name)
}

/// Returns the reserved domain that contains `base`, and why it is reserved.
fn reserved_domain(base: &str) -> Option<(&'static str, &'static str)> {
    RESERVED
        .iter()
        .rev()
        .find(|(domain, _)| {
            base.strip_suffix(domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
        .copied()
}

fn check_public_suffix(name: &DnsName) -> Option<NameFault> {
    match name.public_suffix() {
        None if !name.base().contains('.') => Some(internal_name("a name without a domain")),
        None => {
            let last = last_label(name);
            let reason = format!("{last} is not a public top-level domain");
            Some(internal_name(&reason))
        }
        Some(_) if name.registrable().is_some() => None,
        Some(PublicSuffix::Registry) => Some(NameFault::new(
            &rules::PUBLIC_SUFFIX,
            "a public suffix, below which anyone can register domains",
        )),
        Some(PublicSuffix::Shared) => Some(NameFault::new(
            &rules::SHARED_SUFFIX,
            "a shared suffix: its owner lets others use the names below it, and CAs issue only to that \
                owner",
        )),
    }
}

fn internal_name(why: &str) -> NameFault {
    let reason = format!("{why}; public CAs issue only for names in the public DNS");
    NameFault::new(&rules::INTERNAL, reason)
}

fn last_label(name: &DnsName) -> &str {
    name.base().rsplit('.').next().unwrap_or_default()
}

/// Returns the faults for names that usually go together if one of them is missing: the domain and
/// www, a wildcard and its domain.
fn check_related_names(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let names: Vec<&DnsName> = request
        .names
        .dns()
        .filter(|name| check_dns_name(name).is_none() && last_label(name) != DOCUMENTATION)
        .collect();
    let missing = MissingNames::find(&names);
    let mut faults = Vec::new();
    faults.extend(missing_names(&rules::WWW, ADDED_BY_SOME_CAS, missing.www));
    let apex_reason = if missing.wildcard_bases.is_empty() {
        ADDED_BY_SOME_CAS
    } else {
        "a wildcard does not cover the domain itself"
    };
    let mut apexes = missing.apexes;
    apexes.extend(missing.wildcard_bases);
    faults.extend(missing_names(&rules::APEX, apex_reason, apexes));
    if names.iter().any(|name| name.is_wildcard()) {
        faults.push(LintFault::new(
            &rules::WILDCARD_BY_FILE,
            "a wildcard can be validated by a DNS record or by email, but not by a file on the web server",
        ));
    }
    faults
}

/// Names that usually belong to the requested ones.
#[derive(Default)]
struct MissingNames {
    /// `www.` of a requested domain.
    www: Vec<String>,
    /// The domain of a requested `www.` name.
    apexes: Vec<String>,
    /// The domain of a requested wildcard.
    wildcard_bases: Vec<String>,
}

impl MissingNames {
    fn find(names: &[&DnsName]) -> Self {
        let mut missing = Self::default();
        for name in names {
            let text = name.as_str();
            let www = format!("www.{text}");
            if name.is_wildcard() && !contains(names, name.base()) {
                missing.wildcard_bases.push(name.base().to_owned());
            } else if name.registrable() == Some(text) && !covers(names, &www) {
                missing.www.push(www);
            } else if let Some(apex) = text.strip_prefix("www.")
                && name.registrable() == Some(apex)
                && !contains(names, apex)
            {
                missing.apexes.push(apex.to_owned());
            }
        }
        missing
    }
}

fn contains(names: &[&DnsName], text: &str) -> bool {
    names.iter().any(|name| name.as_str() == text)
}

fn covers(names: &[&DnsName], text: &str) -> bool {
    names.iter().any(|name| name.covers(text))
}

fn missing_names(
    rule: &'static RequestRule,
    reason: &str,
    names: Vec<String>,
) -> Option<LintFault> {
    if names.is_empty() {
        return None;
    }
    let description = format!("not requested: {}; {reason}", join_listed(&names));
    Some(LintFault::new(rule, description).repaired_by(RequestChange::Add(names)))
}
