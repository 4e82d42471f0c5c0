//! Verifies chains: RFC 5280 path validation by certctl's own rules (`client_rules`), which report
//! the certificate that fails and why, and by rustls-webpki. Names by RFC 9525.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::certificate::Certificate;
use super::chain::{AssembledChain, Chain, ChainCriteria, ChainEnd};
use super::client_rules::{self, BrokenRule, TlsClient};
use super::key::KeyAlgorithm;
use super::signature;
use super::trust::{TrustAnchors, TrustScope};

mod problem;
mod webpki_words;

pub use problem::ChainProblem;

/// The criteria that a chain is verified against.
#[derive(Clone, Copy, Debug)]
pub struct VerifyPolicy<'a> {
    /// The hosts that it will be served for; if empty, names are not checked.
    pub hosts: &'a [String],
    /// The trust anchors that it must end in.
    pub anchors: &'a TrustAnchors,
    /// The time at which it must be valid.
    pub at: Timestamp,
}

/// A chain that was verified by a [`VerifyPolicy`].
#[derive(Clone, Debug)]
pub struct VerifiedChain(Chain);

impl VerifiedChain {
    /// Verifies `chain`.
    ///
    /// # Errors
    /// All problems, the most informative first; never empty.
    pub fn new(chain: Chain, policy: VerifyPolicy<'_>) -> Result<Self, Vec<ChainProblem>> {
        let problems = find_problems(&chain, policy);
        if problems.is_empty() {
            Ok(Self(chain))
        } else {
            Err(problems)
        }
    }

    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.0
    }
}

/// Assembles the chain of `leaf` ([`Chain::assemble`]); if path validation refuses the best path,
/// the first other that it accepts.
#[must_use]
pub fn assemble_chain(
    leaf: &Certificate,
    bag: &[Certificate],
    criteria: ChainCriteria<'_>,
) -> AssembledChain {
    let policy = VerifyPolicy {
        hosts: &[],
        anchors: criteria.anchors,
        at: criteria.at,
    };
    Chain::assemble_by(leaf, bag, criteria, |chain| {
        let problems = check_path(chain, policy);
        (!problems.is_empty()).then(|| possible_causes(chain, &problems))
    })
}

/// Returns the indices of the certificates that may cause `problems`: those with name constraints
/// if they are about them, else all except the leaf.
fn possible_causes(chain: &Chain, problems: &[ChainProblem]) -> Vec<usize> {
    let certificates = chain.certificates();
    let issuers = 1..certificates.len();
    let is_about_constraints = |problem: &ChainProblem| matches!(problem, ChainProblem::BrokenRule(broken) if broken.is_about_constraints());
    if problems.iter().all(is_about_constraints) {
        let constrained: Vec<usize> = issuers
            .clone()
            .filter(|&index| certificates[index].is_constrained)
            .collect();
        if !constrained.is_empty() {
            return constrained;
        }
    }
    issuers.collect()
}

/// Returns the warnings of [`client_rules`]: what only some clients refuse about a chain that
/// leads to an anchor.
#[must_use]
pub(crate) fn find_strict_refusals(chain: &Chain, policy: VerifyPolicy<'_>) -> Vec<BrokenRule> {
    if *chain.end() != ChainEnd::Anchored {
        return Vec::new();
    }
    let mut broken = client_rules::find_broken_rules(chain, policy.anchors);
    if broken.iter().all(BrokenRule::is_only_strict)
        && !broken
            .iter()
            .any(|rule| rule.is_refused_by(TlsClient::Rustls))
        && let Err(error) = validate(chain, policy)
        && webpki_words::is_stricter(&error, &broken)
    {
        broken.push(BrokenRule::new(
            &client_rules::STRICT_ENCODING,
            chain.leaf().label(),
            webpki_words::describe_strictness(&error).to_owned(),
        ));
    }
    broken.retain(BrokenRule::is_only_strict);
    broken
}

/// Returns all problems of `chain` under `policy`; empty if it is valid.
#[must_use]
pub fn find_problems(chain: &Chain, policy: VerifyPolicy<'_>) -> Vec<ChainProblem> {
    let mut found = Vec::new();
    // A self-signed certificate created by a server may also be marked as a CA; the problem to
    // report is that it is self-signed.
    if chain.leaf().is_ca && (chain.leaf().dns_names.is_empty() || !chain.leaf().is_self_issued()) {
        let label = chain.leaf().label();
        found.push(ChainProblem::CaAsLeaf { label });
    }
    let issuers = chain.certificates().iter().skip(1);
    found.extend(check_dates(chain.leaf(), ChainRole::Leaf, policy.at));
    found.extend(issuers.filter_map(|issuer| check_dates(issuer, ChainRole::Issuer, policy.at)));
    found.extend(check_end(chain, policy.anchors));
    found.extend(chain.certificates().iter().filter_map(check_key));
    if found.is_empty() {
        found.extend(check_path(chain, policy));
    }
    found.extend(check_hosts(chain.leaf(), policy.hosts));
    found
}

/// Returns why path validation refuses `chain`: certctl's own rules decide. What webpki refuses
/// beyond them counts only if it is not known to be stricter there than other clients.
fn check_path(chain: &Chain, policy: VerifyPolicy<'_>) -> Vec<ChainProblem> {
    let broken = client_rules::find_broken_rules(chain, policy.anchors);
    let (strict, refused): (Vec<BrokenRule>, Vec<BrokenRule>) =
        broken.into_iter().partition(BrokenRule::is_only_strict);
    if !refused.is_empty() {
        return refused.into_iter().map(ChainProblem::BrokenRule).collect();
    }
    let reason = match validate(chain, policy) {
        Err(error) if !webpki_words::is_stricter(&error, &strict) => {
            Some(webpki_words::describe_error(&error).to_owned())
        }
        _ => refuse_anchor(chain, policy),
    };
    let refusal = reason.map(|reason| ChainProblem::Refused { reason });
    refusal.into_iter().collect()
}

/// A root from a file or from the system must be valid and permit the chain, as with OpenSSL.
fn refuse_anchor(chain: &Chain, policy: VerifyPolicy<'_>) -> Option<String> {
    let below = chain
        .intermediates()
        .iter()
        .filter(|issuer| !issuer.is_self_issued())
        .count();
    policy
        .anchors
        .find_refusal(chain.anchor()?, below, policy.at)
}

/// The role of a certificate in a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ChainRole {
    Issuer,
    Leaf,
}

/// RFC 5280 4.1.2.5: valid from `notBefore` through `notAfter`, both included.
fn check_dates(certificate: &Certificate, role: ChainRole, at: Timestamp) -> Option<ChainProblem> {
    let label = certificate.label();
    if at.as_second() < certificate.not_before.as_second() {
        return Some(ChainProblem::NotYetValid {
            label,
            not_before: certificate.not_before,
            at,
        });
    }
    let not_after = certificate.not_after;
    (at.as_second() > not_after.as_second()).then_some(ChainProblem::Expired {
        label,
        not_after,
        leaf: role == ChainRole::Leaf,
    })
}

/// Returns the problem at the end of the chain, if it does not end in an anchor.
fn check_end(chain: &Chain, anchors: &TrustAnchors) -> Option<ChainProblem> {
    match chain.end() {
        ChainEnd::Anchored => None,
        _ if chain.leaf().is_self_issued() => Some(ChainProblem::SelfSigned {
            label: chain.leaf().label(),
        }),
        // Certificates of public CAs contain the URL of their issuer (AIA, BR 7.1.2.7.7).
        ChainEnd::Gap {
            subject,
            issuer,
            urls,
        } if urls.is_empty() && anchors.source().scope() == TrustScope::Public => {
            Some(ChainProblem::UnknownIssuer {
                subject: subject.clone(),
                issuer: issuer.clone(),
                source_name: anchors.source().to_string(),
            })
        }
        ChainEnd::Gap {
            subject,
            issuer,
            urls,
        } => Some(ChainProblem::MissingIntermediate {
            subject: subject.clone(),
            issuer: issuer.clone(),
            urls: urls.clone(),
            trust: anchors.source().clone(),
        }),
        ChainEnd::TooManyCandidates => Some(ChainProblem::TooManyCandidates),
        ChainEnd::WeakSignature { subject, issuer } => Some(ChainProblem::WeakSignature {
            subject: subject.clone(),
            issuer: issuer.clone(),
        }),
        ChainEnd::UnknownRoot(root) => Some(ChainProblem::UnknownRoot {
            root: root.clone(),
            source_name: anchors.source().to_string(),
        }),
    }
}

/// CA/B Forum BR 6.1.5: RSA moduli have at least 2048 bits.
fn check_key(certificate: &Certificate) -> Option<ChainProblem> {
    let algorithm = certificate.algorithm;
    let short = matches!(algorithm, KeyAlgorithm::Rsa(bits) if bits < 2048);
    short.then(|| ChainProblem::WeakKey {
        label: certificate.label(),
        algorithm,
    })
}

/// RFC 9525 6.3: only the subject alternative name counts; it must have every host of the policy.
fn check_hosts(leaf: &Certificate, hosts: &[String]) -> Vec<ChainProblem> {
    if !leaf.is_ca && leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty() {
        return vec![ChainProblem::NoNames {
            label: leaf.label(),
        }];
    }
    let missing = hosts.iter().filter(|host| !leaf.covers(host));
    missing
        .map(|host| ChainProblem::HostNotCovered {
            host: host.clone(),
            names: leaf
                .dns_names
                .iter()
                .cloned()
                .chain(leaf.ip_addresses.iter().map(ToString::to_string))
                .collect(),
        })
        .collect()
}

/// Validates the path with webpki, which refuses whatever the checks above do not find. It gets
/// only the anchor that the chain ends in: with more, it might stop at a nearer one and skip the
/// rest of the chain.
fn validate(chain: &Chain, policy: VerifyPolicy<'_>) -> Result<(), webpki::Error> {
    let leaf = CertificateDer::from(chain.leaf().der());
    let bag: Vec<_> = chain
        .intermediates()
        .iter()
        .map(|one| CertificateDer::from(one.der()))
        .collect();
    let seconds = u64::try_from(policy.at.as_second()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(&leaf)?;
    let end = chain.certificates().last().zip(chain.anchor());
    let anchors = end
        .map(|(last, key)| policy.anchors.with_key(last.issuer_der(), key))
        .unwrap_or_default();
    leaf.verify_for_usage(
        signature::algorithms(),
        &anchors,
        &bag,
        time,
        KeyUsage::server_auth(),
        None,
        None,
    )?;
    policy
        .hosts
        .iter()
        .filter(|host| chain.leaf().covers(host))
        .try_for_each(
            |host| match ServerName::try_from(host.trim_matches(['[', ']'])) {
                Ok(name) => leaf.verify_is_valid_for_subject_name(&name),
                Err(_) => Ok(()),
            },
        )
}

#[cfg(test)]
mod tests;
