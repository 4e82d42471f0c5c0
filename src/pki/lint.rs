//! What public TLS certificates must be beside leading to a root: names, usages, keys, lengths of
//! life. Each rule is data (`rules`); a company's own CA need not keep those for public CAs.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::certificate::Certificate;
use super::chain::Chain;
use super::key::{KeyAlgorithm, PublicKeyId};
use super::name::DnsName;
use super::trust::TrustScope;
use crate::pki::baseline_dates::{CLIENT_AUTH, LIFETIME, ScheduleStep};

mod rules;
mod weak;

use rules::GONE_ROOTS;
pub(crate) use rules::{LintRule, LintSeverity, RetiredRoot, RuleScope};
use weak::PRINTED_KEYS;

/// A certificate that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LintViolation {
    pub rule: &'static LintRule,
    /// The certificate in words.
    pub label: String,
    /// How it breaks it.
    pub what: String,
}

impl LintViolation {
    /// What comes of it in `scope`; none: it is worth a note.
    #[must_use]
    pub(crate) fn weight(&self, scope: TrustScope) -> Option<LintSeverity> {
        (scope == TrustScope::Public || self.rule.binds == RuleScope::Everybody)
            .then_some(self.rule.weight)
    }
}

impl std::fmt::Display for LintViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.label, self.what, self.rule.section)
    }
}

/// Everything that `chain` breaks, the leaf's first.
#[must_use]
pub(crate) fn lints(chain: &Chain) -> Vec<LintViolation> {
    // A CA's certificate in its place is told as such.
    let mut lints = if chain.leaf().is_site() {
        leaf(chain.leaf())
    } else {
        Vec::new()
    };
    for one in chain.certificates() {
        lints.extend(key(one));
    }
    let end = chain.leaf().not_after;
    let first = chain
        .intermediates()
        .iter()
        .filter(|one| one.not_after < end);
    lints.extend(first.map(|one| {
        let what = format!(
            "it ends on {}, before the site's certificate on {end}; the chain breaks then",
            one.not_after
        );
        LintViolation {
            rule: &rules::ENDS_FIRST,
            label: one.label(),
            what,
        }
    }));
    lints
}

/// What who uses `before` loses with `after` in its place: public CAs have stopped to issue for TLS
/// clients (mutual TLS, mail servers among themselves, RADIUS), and nobody is told by a browser.
#[must_use]
pub(crate) fn lost(before: &Certificate, after: &Certificate) -> Option<LintViolation> {
    let what = "the certificate before was for TLS clients too (clientAuth), this one is not: servers that you log in to \
                with it will refuse it";
    // Without extended key usages it may be for anything; that nobody meant it for clients.
    let said = |one: &Certificate| is_for_clients(one) == Some(true);
    (said(before) && is_for_clients(after) == Some(false)).then(|| LintViolation {
        rule: &rules::CLIENT_AUTH_LOST,
        label: after.label(),
        what: what.to_owned(),
    })
}

/// Whether it says that it is for TLS clients; `None` where it says nothing of its uses.
fn is_for_clients(certificate: &Certificate) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(certificate.der()).ok()?;
    let usages = parsed.extended_key_usage().ok()??;
    Some(usages.value.client_auth || usages.value.any)
}

/// A certificate of a root that is gone: old bundles still carry them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetiredCertificate {
    /// The certificate in words.
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
            write!(f, "{label} is of the root ")?;
        }
        write!(
            f,
            "{name}; {why} on {since}, and nobody needs it any more ({source})"
        )
    }
}

/// Whether a CA's certificate is, or was issued by, a root that is gone.
#[must_use]
pub(crate) fn outdated(certificate: &Certificate) -> Option<RetiredCertificate> {
    let called = |part: &str, name: &str| {
        ["CN=", "OU="]
            .iter()
            .any(|kind| part.strip_prefix(kind) == Some(name))
    };
    let of = |name: &str, root: &RetiredRoot| name.split(',').any(|part| called(part, root.name));
    let gone =
        |root: &&RetiredRoot| of(&certificate.issuer, root) || of(&certificate.subject, root);
    let root = GONE_ROOTS
        .iter()
        .find(gone)
        .filter(|_| !certificate.is_site())?;
    Some(RetiredCertificate {
        label: certificate.label(),
        root,
    })
}

/// The rules for site certificates.
fn leaf(leaf: &Certificate) -> Vec<LintViolation> {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf.der()) else {
        return Vec::new();
    };
    let broken = [
        common_name(&parsed).map(|what| (&rules::COMMON_NAME, what)),
        usages(&parsed),
        client_auth(&parsed, leaf).map(|what| (&rules::CLIENT_AUTH, what)),
        serial(parsed.raw_serial()).map(|what| (&rules::SERIAL, what)),
        validity(leaf).map(|what| (&rules::VALIDITY, what)),
        kind(leaf.algorithm),
    ];
    let names = names(&parsed)
        .into_iter()
        .map(|what| (&rules::MALFORMED_NAME, what));
    let lint = |(rule, what)| LintViolation {
        rule,
        label: leaf.label(),
        what,
    };
    broken
        .into_iter()
        .flatten()
        .chain(names)
        .map(lint)
        .collect()
}

/// A common name that is no alternative name: clients look at those alone.
fn common_name(leaf: &X509Certificate<'_>) -> Option<String> {
    let san = leaf.subject_alternative_name().ok()??;
    let listed = |wanted: &str| {
        san.value.general_names.iter().any(|name| match name {
            GeneralName::DNSName(name) => *name == wanted,
            GeneralName::IPAddress(octets) => super::certificate::address(octets)
                .is_some_and(|address| wanted.parse() == Ok(address)),
            _ => false,
        })
    };
    let names = leaf
        .subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok());
    let unlisted: Vec<&str> = names.filter(|name| !listed(name)).collect();
    (!unlisted.is_empty()).then(|| {
        format!(
            "its common name {} is not among its names; no client looks at it",
            unlisted.join(", ")
        )
    })
}

fn usages(leaf: &X509Certificate<'_>) -> Option<(&'static LintRule, String)> {
    match leaf.extended_key_usage() {
        Ok(Some(usages)) if usages.value.any => Some((
            &rules::ANY_USAGE,
            "it may be used for anything (anyExtendedKeyUsage)".to_owned(),
        )),
        Ok(None) => Some((
            &rules::NO_SERVER_AUTH,
            "it does not say that it is for TLS servers (serverAuth); Apple's devices refuse it"
                .to_owned(),
        )),
        _ => None,
    }
}

fn client_auth(parsed: &X509Certificate<'_>, leaf: &Certificate) -> Option<String> {
    let usages = parsed.extended_key_usage().ok()??;
    (usages.value.client_auth && CLIENT_AUTH.holds(leaf.not_before)).then(|| {
        "it is for TLS clients too (clientAuth), which Chrome no longer takes from public CAs"
            .to_owned()
    })
}

/// Positive, at most 20 octets.
fn serial(octets: &[u8]) -> Option<String> {
    let what = match octets {
        [] => "it has no serial number",
        [first, ..] if first & 0x80 != 0 => "its serial number is negative",
        all if all.iter().all(|&octet| octet == 0) => "its serial number is zero",
        all if all.len() > 20 => "its serial number is longer than 20 octets",
        _ => return None,
    };
    Some(what.to_owned())
}

/// A day has 86,400 seconds; the last second counts.
fn validity(leaf: &Certificate) -> Option<String> {
    let seconds = leaf
        .not_after
        .as_second()
        .saturating_sub(leaf.not_before.as_second())
        .saturating_add(1);
    let ScheduleStep {
        since, days: most, ..
    } = LIFETIME.at(leaf.not_before)?;
    let days = seconds.div_euclid(86_400) + i64::from(seconds.rem_euclid(86_400) > 0);
    (days > *most).then(|| {
        format!(
            "it is valid for {days} days; of what public CAs issue since {since}, browsers \
            take {most} at most"
        )
    })
}

fn kind(algorithm: KeyAlgorithm) -> Option<(&'static LintRule, String)> {
    match algorithm {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::Rsa(_) => None,
        KeyAlgorithm::EcdsaP521 => Some((
            &rules::P521,
            "its key is on the curve P-521, which Chrome and Firefox do not take".to_owned(),
        )),
        KeyAlgorithm::Ed25519 | KeyAlgorithm::Unknown => Some((
            &rules::ODD_CURVE,
            "its key is neither RSA nor on P-256, P-384 or P-521: browsers refuse it".to_owned(),
        )),
    }
}

/// Names that no client can match, or only some do.
fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
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
            GeneralName::IPAddress(octets) => super::certificate::address(octets)
                .is_none()
                .then(|| format!("one of its addresses has {} octets", octets.len())),
            GeneralName::Invalid(_, _) => Some("one of its names cannot be read".to_owned()),
            _ => Some("one of its names is neither a DNS name nor an address".to_owned()),
        });
    faults.take(MOST_NAMES).collect()
}

/// More are not told.
const MOST_NAMES: usize = 5;

fn dns_fault(name: &str) -> Option<&'static str> {
    if DnsName::presented(name).is_some() {
        return None;
    }
    Some(match name {
        "" => "is empty",
        name if name.parse::<std::net::IpAddr>().is_ok() => {
            "is an address; clients look for those elsewhere"
        }
        name if name.ends_with('.') => "ends in a dot",
        name if name.strip_prefix("*.").unwrap_or(name).contains('*') => {
            "has a * that is not the whole first label"
        }
        name if name.starts_with("*.") && !name[2..].contains('.') => {
            "is a wildcard for a whole top-level domain"
        }
        name if name.contains('_') => "has an underscore, which no public CA may certify",
        _ => "is no host name",
    })
}

/// Keys that are anybody's, of CAs too.
fn key(certificate: &Certificate) -> Option<LintViolation> {
    let (rule, what) = match (weakness(certificate.spki()), certificate.algorithm) {
        (Some(weakness), _) => (&rules::BROKEN_KEY, weakness),
        (None, KeyAlgorithm::Rsa(bits)) if bits % 8 != 0 => (
            &rules::ODD_MODULUS,
            format!("its RSA modulus has {bits} bits, no multiple of 8"),
        ),
        _ => return None,
    };
    Some(LintViolation {
        rule,
        label: certificate.label(),
        what,
    })
}

/// Why a key is anybody's, in words; `spki` is a DER `SubjectPublicKeyInfo`. BR 6.1.1.3, 6.1.6.
#[must_use]
pub(crate) fn weakness(spki: &[u8]) -> Option<String> {
    let id = PublicKeyId::of_spki(spki).to_string();
    if let Some((_, place)) = PRINTED_KEYS.iter().find(|(printed, _)| *printed == id) {
        return Some(format!(
            "its private key is no secret: everybody can read it in {place}"
        ));
    }
    let (modulus, exponent) = weak::rsa(spki)?;
    weak::weakness(&modulus, &exponent).map(|weakness| weakness.to_string())
}

#[cfg(test)]
mod tests;
