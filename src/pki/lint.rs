//! Rules for public TLS certificates besides path validation: names, usages, keys, validity
//! periods. Each rule is data (`rules`); private CAs need not follow those for public CAs.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::certificate::Certificate;
use super::chain::{Chain, ChainEnd};
use super::key::{KeyAlgorithm, PublicKeyId};
use super::name::DnsName;
use super::trust::{TrustScope, TrustSource};
use crate::pki::baseline_dates::{CLIENT_AUTH, LIFETIME, ScheduleStep};
use crate::wording::day;

mod rules;
mod scts;
mod weak;

use rules::RETIRED_ROOTS;
pub(crate) use rules::{LintRule, LintSeverity, RetiredRoot, RuleScope};
use weak::PUBLISHED_KEYS;

/// Returns whether the rules for public CAs bind the issuer of a chain. A chain that ends at a root
/// outside a public list, or at an issuer whose URL it does not name, is one of a company's own CA as
/// far as anybody can see.
#[must_use]
pub(crate) fn issuer_scope(chain: &Chain, source: &TrustSource) -> TrustScope {
    match chain.end() {
        ChainEnd::UnknownRoot(_) => TrustScope::Private,
        ChainEnd::Gap { urls, .. } if urls.is_empty() => TrustScope::Private,
        _ => source.scope(),
    }
}

/// A certificate that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LintViolation {
    pub rule: &'static LintRule,
    /// The label of the certificate.
    pub label: String,
    /// How it breaks the rule.
    pub message: String,
}

impl LintViolation {
    /// Returns the consequence in `scope`; `None` if it is only a note there.
    #[must_use]
    pub(crate) fn severity_in(&self, scope: TrustScope) -> Option<LintSeverity> {
        (scope == TrustScope::Public || self.rule.applies_to == RuleScope::AllCertificates)
            .then_some(self.rule.severity)
    }
}

impl std::fmt::Display for LintViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} ({})",
            self.label, self.message, self.rule.section
        )
    }
}

/// Returns all violations of `chain`, those of the leaf first.
#[must_use]
pub(crate) fn lint_chain(chain: &Chain) -> Vec<LintViolation> {
    // `pki::verify` reports a CA certificate in place of the leaf.
    let mut violations = if chain.leaf().is_server_certificate() {
        check_leaf(chain.leaf())
    } else {
        Vec::new()
    };
    violations.extend(chain.certificates().iter().filter_map(check_key));
    for intermediate in chain.intermediates() {
        violations.extend(check_expiry(intermediate, chain.leaf()));
    }
    violations
}

/// Returns the violations that only a check of single certificates looks for: a prime modulus, and
/// too few timestamps of a public CA's certificate.
#[must_use]
pub(crate) fn lint_leaf_in_detail(chain: &Chain, source: &TrustSource) -> Vec<LintViolation> {
    let modulus = check_prime_modulus(chain.leaf());
    let scts = check_scts(chain, source);
    modulus.into_iter().chain(scts).collect()
}

/// Returns a violation if the leaf contains timestamps of too few logs, and the chain ends at a root
/// in Mozilla's list: browsers require none below a root that was added to this machine. Servers may
/// send more in the handshake or in a stapled OCSP response, so this is only a warning.
#[must_use]
pub(crate) fn check_scts(chain: &Chain, source: &TrustSource) -> Option<LintViolation> {
    let leaf = chain.leaf();
    let is_public = *chain.end() == ChainEnd::Anchored && *source == TrustSource::Mozilla;
    if !is_public || !leaf.is_server_certificate() {
        return None;
    }
    let message = scts::find_missing(leaf, validity_days(leaf))?;
    Some(LintViolation {
        rule: &rules::FEW_SCTS,
        label: leaf.label(),
        message,
    })
}

/// Returns a violation if the intermediate expires before the leaf.
fn check_expiry(intermediate: &Certificate, leaf: &Certificate) -> Option<LintViolation> {
    let end = leaf.not_after;
    if intermediate.not_after >= end {
        return None;
    }
    Some(LintViolation {
        rule: &rules::ENDS_FIRST,
        label: intermediate.label(),
        message: format!(
            "it expires on {}, before the server certificate ({}); the chain breaks then",
            day(intermediate.not_after),
            day(end)
        ),
    })
}

/// Returns a violation if `before` is valid for TLS clients and `after` is not: public CAs are
/// phasing out clientAuth (used for mutual TLS, mail between servers, RADIUS), and browsers do not
/// show it.
#[must_use]
pub(crate) fn find_lost_client_auth(
    before: &Certificate,
    after: &Certificate,
) -> Option<LintViolation> {
    let what = "the previous certificate was also valid for TLS clients (clientAuth), and this one is \
                not: servers that authenticate clients with it will refuse it";
    // Without extended key usages it is probably not used for clients.
    let is_lost = is_for_clients(before) == Some(true) && is_for_clients(after) == Some(false);
    is_lost.then(|| LintViolation {
        rule: &rules::CLIENT_AUTH_LOST,
        label: after.label(),
        message: what.to_owned(),
    })
}

/// Returns whether it is valid for TLS clients; `None` without extended key usages.
fn is_for_clients(certificate: &Certificate) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(certificate.der()).ok()?;
    let usages = parsed.extended_key_usage().ok()??;
    Some(usages.value.client_auth || usages.value.any)
}

/// A retired root, or a certificate that one issued; old bundles still contain them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetiredCertificate {
    /// The label of the certificate.
    pub label: String,
    pub root: &'static RetiredRoot,
}

impl std::fmt::Display for RetiredCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            label,
            root:
                RetiredRoot {
                    name,
                    since,
                    why,
                    source,
                },
        } = self;
        if label != name {
            write!(f, "{label} belongs to the retired root ")?;
        }
        write!(
            f,
            "{name}: {why} on {since}, and no client needs it any more ({source})"
        )
    }
}

/// Finds the retired root that a CA certificate is, or was issued by.
#[must_use]
pub(crate) fn find_retired_root(certificate: &Certificate) -> Option<RetiredCertificate> {
    if certificate.is_server_certificate() {
        return None;
    }
    let root = RETIRED_ROOTS.iter().find(|root| {
        has_root_name(&certificate.issuer, root) || has_root_name(&certificate.subject, root)
    })?;
    Some(RetiredCertificate {
        label: certificate.label(),
        root,
    })
}

/// Returns whether the common name or a unit in `name` is that of `root`.
fn has_root_name(name: &str, root: &RetiredRoot) -> bool {
    name.split(',').any(|part| {
        ["CN=", "OU="]
            .iter()
            .any(|kind| part.strip_prefix(kind) == Some(root.name))
    })
}

/// Checks the rules for server certificates.
fn check_leaf(leaf: &Certificate) -> Vec<LintViolation> {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf.der()) else {
        return Vec::new();
    };
    let mut broken = Vec::new();
    broken.extend(check_common_name(&parsed).map(|what| (&rules::COMMON_NAME, what)));
    broken.extend(check_usages(&parsed));
    broken.extend(check_client_auth(&parsed, leaf).map(|what| (&rules::CLIENT_AUTH, what)));
    broken.extend(check_serial(parsed.raw_serial()).map(|what| (&rules::SERIAL, what)));
    broken.extend(check_validity(leaf).map(|what| (&rules::VALIDITY, what)));
    broken.extend(check_key_kind(leaf.algorithm));
    for what in check_names(&parsed) {
        broken.push((&rules::MALFORMED_NAME, what));
    }
    broken
        .into_iter()
        .map(|(rule, what)| LintViolation {
            rule,
            label: leaf.label(),
            message: what,
        })
        .collect()
}

/// Checks that every common name is also a subject alternative name: clients use only those.
fn check_common_name(leaf: &X509Certificate<'_>) -> Option<String> {
    let san = leaf.subject_alternative_name().ok()??;
    let unlisted: Vec<&str> = leaf
        .subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok())
        .filter(|name| !lists_name(&san.value.general_names, name))
        .collect();
    (!unlisted.is_empty()).then(|| {
        format!(
            "its common name {} is not among its subject alternative names, and clients ignore it",
            unlisted.join(", ")
        )
    })
}

fn lists_name(general_names: &[GeneralName<'_>], common_name: &str) -> bool {
    general_names.iter().any(|name| match name {
        GeneralName::DNSName(name) => *name == common_name,
        GeneralName::IPAddress(octets) => super::certificate::parse_ip_address(octets)
            .is_some_and(|address| common_name.parse() == Ok(address)),
        _ => false,
    })
}

fn check_usages(leaf: &X509Certificate<'_>) -> Option<(&'static LintRule, String)> {
    match leaf.extended_key_usage() {
        Ok(Some(usages)) if usages.value.any => Some((
            &rules::ANY_USAGE,
            "it is valid for any purpose (anyExtendedKeyUsage)".to_owned(),
        )),
        Ok(None) => Some((
            &rules::NO_SERVER_AUTH,
            "it lacks the extended key usage for TLS servers (serverAuth), so Apple devices refuse it"
                .to_owned(),
        )),
        _ => None,
    }
}

fn check_client_auth(parsed: &X509Certificate<'_>, leaf: &Certificate) -> Option<String> {
    let usages = parsed.extended_key_usage().ok()??;
    (usages.value.client_auth && CLIENT_AUTH.holds(leaf.not_before)).then(|| {
        "it is also valid for TLS clients (clientAuth), which Chrome no longer accepts from public CAs"
            .to_owned()
    })
}

/// Checks a serial number: positive, at most 20 octets.
fn check_serial(octets: &[u8]) -> Option<String> {
    let what = match octets {
        [] => "it has no serial number",
        [first, ..] if first & 0x80 != 0 => "its serial number is negative",
        all if all.iter().all(|&octet| octet == 0) => "its serial number is zero",
        all if all.len() > 20 => "its serial number is longer than 20 octets",
        _ => return None,
    };
    Some(what.to_owned())
}

/// Returns the days of the validity period, begun ones included. A day has 86,400 seconds; the last
/// second counts.
fn validity_days(leaf: &Certificate) -> i64 {
    let seconds = leaf
        .not_after
        .as_second()
        .saturating_sub(leaf.not_before.as_second())
        .saturating_add(1);
    seconds.div_euclid(86_400) + i64::from(seconds.rem_euclid(86_400) > 0)
}

/// Checks the validity period.
fn check_validity(leaf: &Certificate) -> Option<String> {
    let ScheduleStep {
        since, days: most, ..
    } = LIFETIME.at(leaf.not_before)?;
    let days = validity_days(leaf);
    (days > *most).then(|| {
        format!(
            "it is valid for {days} days; browsers accept at most {most} for certificates that \
            public CAs issue since {since}"
        )
    })
}

fn check_key_kind(algorithm: KeyAlgorithm) -> Option<(&'static LintRule, String)> {
    match algorithm {
        // `client_rules` reports an unknown algorithm.
        KeyAlgorithm::EcdsaP256
        | KeyAlgorithm::EcdsaP384
        | KeyAlgorithm::Rsa(_)
        | KeyAlgorithm::Unknown => None,
        KeyAlgorithm::EcdsaP521 => Some((
            &rules::P521,
            "its key is on the curve P-521, which Chrome and Firefox do not accept".to_owned(),
        )),
        KeyAlgorithm::Ed25519 => Some((
            &rules::ODD_CURVE,
            "its key is neither RSA nor on P-256, P-384 or P-521, so browsers refuse it".to_owned(),
        )),
    }
}

/// Finds names that no client can match, or only some clients.
fn check_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(san)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    let faults = san
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => {
                dns_fault(name).map(|fault| format!("its name {name:?} {fault}"))
            }
            GeneralName::IPAddress(octets) => super::certificate::parse_ip_address(octets)
                .is_none()
                .then(|| format!("one of its addresses has {} octets", octets.len())),
            GeneralName::Invalid(_, _) => Some("one of its names cannot be read".to_owned()),
            _ => Some("one of its names is neither a DNS name nor an address".to_owned()),
        });
    faults.take(MOST_NAMES).collect()
}

/// The maximum number of names that are reported.
const MOST_NAMES: usize = 5;

fn dns_fault(name: &str) -> Option<&'static str> {
    if DnsName::parse_presented(name).is_some() {
        return None;
    }
    Some(match name {
        "" => "is empty",
        name if name.parse::<std::net::IpAddr>().is_ok() => {
            "is an IP address in a DNS name, which clients ignore"
        }
        name if name.ends_with('.') => "ends in a dot",
        name if name.strip_prefix("*.").unwrap_or(name).contains('*') => {
            "has a * that is not the whole first label"
        }
        name if name.starts_with("*.") && !name[2..].contains('.') => {
            "is a wildcard for a whole top-level domain"
        }
        name if name.contains('_') => "has an underscore, which no public CA may certify",
        _ => "is not a host name",
    })
}

/// Checks the key of a leaf or a CA: publicly known, weak, or of an unusual length.
fn check_key(certificate: &Certificate) -> Option<LintViolation> {
    let (rule, what) = match (find_weakness(certificate.spki()), certificate.algorithm) {
        (Some(weakness), _) => (&rules::BROKEN_KEY, weakness),
        (None, KeyAlgorithm::Rsa(bits)) if bits % 8 != 0 => (
            &rules::ODD_MODULUS,
            format!("its RSA modulus has {bits} bits, which is not a multiple of 8"),
        ),
        _ => return None,
    };
    Some(LintViolation {
        rule,
        label: certificate.label(),
        message: what,
    })
}

/// Checks the RSA key of `leaf` for a prime modulus. This takes about 10 ms for 2048 bits, and is
/// therefore not part of [`lint_chain`], which reports judge thousands of certificates with.
#[must_use]
fn check_prime_modulus(leaf: &Certificate) -> Option<LintViolation> {
    let prime = describe_prime_modulus(leaf.spki())?;
    Some(LintViolation {
        rule: &rules::BROKEN_KEY,
        label: leaf.label(),
        message: prime,
    })
}

/// Describes why the key of a request is publicly known or weak; `spki` is a DER
/// `SubjectPublicKeyInfo`. BR 6.1.1.3, 6.1.6.
#[must_use]
pub(crate) fn describe_key_weakness(spki: &[u8]) -> Option<String> {
    find_weakness(spki).or_else(|| describe_prime_modulus(spki))
}

fn find_weakness(spki: &[u8]) -> Option<String> {
    let id = PublicKeyId::of_spki(spki).to_string();
    if let Some((_, place)) = PUBLISHED_KEYS.iter().find(|(printed, _)| *printed == id) {
        return Some(format!(
            "its private key is publicly known: it is printed in {place}"
        ));
    }
    let (modulus, exponent) = weak::read_rsa_key(spki)?;
    weak::weakness(&modulus, &exponent).map(|weakness| weakness.to_string())
}

fn describe_prime_modulus(spki: &[u8]) -> Option<String> {
    let (modulus, _) = weak::read_rsa_key(spki)?;
    weak::is_prime(&modulus).then(|| weak::KeyWeakness::PrimeModulus.to_string())
}

#[cfg(test)]
mod tests;
