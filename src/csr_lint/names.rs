//! The names, as public CAs may certify them.

use super::fault::{LintFault, RequestChange};
use super::rules::{self, RequestRule};
use crate::csr_lint::request::LintedRequest;
use crate::pki::alt_name::AltName;
use crate::pki::name::{DnsName, PublicSuffix, listed};

/// Domains that no public DNS delegates, and why.
const RESERVED: [(&str, &str); 15] = [
    ("arpa", "is for the infrastructure of the DNS (RFC 3172)"),
    ("corp", "will never be delegated (ICANN 2018)"),
    ("home", "will never be delegated (ICANN 2018)"),
    ("home.arpa", "is for home networks (RFC 8375)"),
    ("internal", "is for private use (ICANN 2024)"),
    ("intranet", "is nobody's in the public DNS"),
    ("invalid", "is reserved (RFC 6761)"),
    ("lan", "is nobody's in the public DNS"),
    ("local", "is for multicast DNS on one link (RFC 6762)"),
    ("localdomain", "is nobody's in the public DNS"),
    ("localhost", "is this very machine (RFC 6761)"),
    ("mail", "will never be delegated (ICANN 2018)"),
    (
        "onion",
        "is for Tor, and takes a CA that knows how (RFC 7686)",
    ),
    ("private", "is nobody's in the public DNS"),
    ("test", "is reserved for tests (RFC 6761)"),
];

/// For documentation (RFC 6761 6.5): manuals and rehearsals use it, and no CA is ever asked.
const DOCUMENTATION: &str = "example";

/// More are not taken everywhere; some CAs sell certificates for 250.
const MOST: usize = 100;

pub(crate) fn faults(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults: Vec<LintFault> = single(order);
    faults.extend(beside(order));
    let count = order.names.iter().count();
    if count > MOST {
        let what = format!(
            "{count} names are asked for; many CAs and shops take {MOST} in one certificate at most"
        );
        faults.push(LintFault::new(&rules::TOO_MANY, what));
    }
    faults
}

/// What is wrong with each name by itself; names with the same fault are told together.
fn single(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut found: Vec<(&'static RequestRule, String, Vec<String>)> = Vec::new();
    for name in order.names.iter() {
        let Some((rule, why)) = fault(name) else {
            continue;
        };
        match found
            .iter_mut()
            .find(|(known, words, _)| *known == rule && *words == why)
        {
            Some((.., names)) => names.push(name.text()),
            None => found.push((rule, why, vec![name.text()])),
        }
    }
    let all = order.names.iter().count();
    let fault = |(rule, why, names): (&'static RequestRule, String, Vec<String>)| {
        let fault = LintFault::new(rule, format!("{}: {why}", listed(&names)));
        match rule.severity {
            crate::finding::Severity::Error if names.len() < all => {
                fault.cured_by(RequestChange::Leave(names))
            }
            crate::finding::Severity::Error => fault.cured_by(RequestChange::Private),
            _ => fault,
        }
    };
    found.into_iter().map(fault).collect()
}

fn fault(name: &AltName) -> Option<(&'static RequestRule, String)> {
    match name {
        AltName::Address(_) => Some((
            &rules::ADDRESS,
            "an address, not a name; use the name that clients connect to".to_owned(),
        )),
        AltName::Mailbox(_) => Some((
            &rules::MAILBOX,
            "a mailbox, which no certificate for a server carries".to_owned(),
        )),
        AltName::Dns(name) => dns_fault(name),
    }
}

fn dns_fault(name: &DnsName) -> Option<(&'static RequestRule, String)> {
    let base = name.base();
    let last = last_label(name);
    let is_below = |domain: &str| {
        base.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some((domain, why)) = RESERVED.iter().rev().find(|(domain, _)| is_below(domain)) {
        return Some((
            &rules::RESERVED,
            format!("{domain} {why}; no public CA certifies names in it"),
        ));
    }
    if base.contains('_') {
        return Some((
            &rules::UNDERSCORE,
            "no public CA certifies names with an underscore".to_owned(),
        ));
    }
    let internal = |why: String| {
        Some((
            &rules::INTERNAL,
            format!("{why}; no public CA certifies what is not in the public DNS"),
        ))
    };
    match name.public_suffix() {
        _ if last == DOCUMENTATION => None,
        None if !base.contains('.') => internal("a name without a domain".to_owned()),
        None => internal(format!("{last} is no top-level domain of the public DNS")),
        Some(_) if name.registrable().is_some() => None,
        Some(PublicSuffix::Registry) => Some((
            &rules::PUBLIC_SUFFIX,
            "a public suffix: everybody registers domains below it".to_owned(),
        )),
        Some(PublicSuffix::Shared) => Some((
            &rules::SHARED_SUFFIX,
            "its owner lets others have the names below it; only that owner is issued a \
                certificate for it"
                .to_owned(),
        )),
    }
}

fn last_label(name: &DnsName) -> &str {
    name.base().rsplit('.').next().unwrap_or_default()
}

/// Names that belong together, and are not all there.
fn beside(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let ordered = |name: &&DnsName| dns_fault(name).is_none() && last_label(name) != DOCUMENTATION;
    let names: Vec<&DnsName> = order.names.dns().filter(ordered).collect();
    let has = |wanted: &str| names.iter().any(|name| name.as_str() == wanted);
    let covers = |wanted: &str| names.iter().any(|name| name.covers(wanted));
    let (mut apexes, mut www, mut wildcards) = (Vec::new(), Vec::new(), Vec::new());
    for name in &names {
        let (text, base) = (name.as_str(), name.base());
        if name.is_wildcard() && !has(base) {
            wildcards.push(base.to_owned());
        } else if name.registrable() == Some(text) && !covers(&format!("www.{text}")) {
            www.push(format!("www.{text}"));
        } else if let Some(apex) = text
            .strip_prefix("www.")
            .filter(|apex| !has(apex) && name.registrable() == Some(*apex))
        {
            apexes.push(apex.to_owned());
        }
    }
    let adds = match wildcards.is_empty() {
        true => "some CAs add it by themselves, and some do not",
        false => "no wildcard stands for the domain itself",
    };
    apexes.append(&mut wildcards);
    let missing = |rule, why: &str, names: Vec<String>| {
        let what = format!("not asked for: {}; {why}", listed(&names));
        (!names.is_empty()).then(|| LintFault::new(rule, what).cured_by(RequestChange::Add(names)))
    };
    let by_file = names.iter().any(|name| name.is_wildcard()).then(|| {
        LintFault::new(
            &rules::WILDCARD_BY_FILE,
            "a wildcard is proved by the DNS or by e-mail, never by a file on the web server",
        )
    });
    let found = [
        missing(
            &rules::WWW,
            "some CAs add it by themselves, and some do not",
            www,
        ),
        missing(&rules::APEX, adds, apexes),
        by_file,
    ];
    found.into_iter().flatten().collect()
}
