//! Whether a chain may be served: RFC 5280 path validation by rustls-webpki, and in words which
//! certificate fails and why, which webpki does not say. Names by RFC 9525.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::certificate::Certificate;
use super::chain::{AssembledChain, Chain, ChainCriteria, ChainEnd};
use super::key::KeyAlgorithm;
use super::signature;
use super::trust::TrustAnchors;

mod problem;
mod usage;

pub use problem::ChainProblem;

/// What a chain is judged by.
#[derive(Clone, Copy, Debug)]
pub struct VerifyPolicy<'a> {
    /// The hosts that it will be served for; none: names are not judged.
    pub hosts: &'a [String],
    /// What it must end in.
    pub anchors: &'a TrustAnchors,
    /// The instant of the judgement.
    pub at: Timestamp,
}

/// A chain that held under a [`VerifyPolicy`].
#[derive(Clone, Debug)]
pub struct VerifiedChain(Chain);

impl VerifiedChain {
    /// Judges `chain`; all problems are told, the most telling first.
    ///
    /// # Errors
    /// What is wrong; never empty.
    pub fn new(chain: Chain, policy: VerifyPolicy<'_>) -> Result<Self, Vec<ChainProblem>> {
        let problems = problems(&chain, policy);
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

/// The chain of `leaf` ([`Chain::assemble`]); where path validation refuses the best way, the first
/// other that holds.
#[must_use]
pub fn assemble(
    leaf: &Certificate,
    bag: &[Certificate],
    wanted: ChainCriteria<'_>,
) -> AssembledChain {
    let policy = VerifyPolicy {
        hosts: &[],
        anchors: wanted.anchors,
        at: wanted.at,
    };
    Chain::assemble_by(leaf, bag, wanted, |chain| {
        let error = validate(chain, policy).err()?;
        let places = 1..chain.certificates().len();
        let constrained = || {
            places
                .clone()
                .filter(|&place| chain.certificates()[place].is_constrained)
        };
        match error {
            webpki::Error::NameConstraintViolation if constrained().next().is_some() => {
                Some(constrained().collect())
            }
            _ => Some(places.collect()),
        }
    })
}

/// Everything that is wrong with `chain` under `policy`; empty when it holds.
#[must_use]
pub fn problems(chain: &Chain, policy: VerifyPolicy<'_>) -> Vec<ChainProblem> {
    let mut found = Vec::new();
    // A server's own makeshift certificate says that it is a CA's, too; that it stands for itself
    // is what matters.
    if chain.leaf().is_ca && (chain.leaf().dns_names.is_empty() || !chain.leaf().is_self_issued()) {
        let label = chain.leaf().label();
        found.push(ChainProblem::CaAsLeaf { label });
    }
    found.extend(
        chain
            .certificates()
            .iter()
            .enumerate()
            .filter_map(|(index, one)| dates(one, index == 0, policy.at)),
    );
    found.extend(ending(chain, policy.anchors));
    found.extend(chain.certificates().iter().filter_map(weak_key));
    if found.is_empty() {
        let usage = || {
            usage::refusal(chain, policy.anchors, policy.at)
                .map(|reason| ChainProblem::Refused { reason })
        };
        let refused = validate(chain, policy)
            .err()
            .map(|error| ChainProblem::Refused {
                reason: reason(&error),
            });
        found.extend(refused.or_else(usage));
    }
    found.extend(hosts(chain.leaf(), policy.hosts));
    found
}

/// RFC 5280 4.1.2.5: valid from `notBefore` through `notAfter`, both included.
fn dates(certificate: &Certificate, leaf: bool, at: Timestamp) -> Option<ChainProblem> {
    let label = certificate.label();
    if at.as_second() < certificate.not_before.as_second() {
        let not_before = certificate.not_before;
        return Some(ChainProblem::NotYetValid {
            label,
            not_before,
            at,
        });
    }
    let not_after = certificate.not_after;
    (at.as_second() > not_after.as_second()).then_some(ChainProblem::Expired {
        label,
        not_after,
        leaf,
    })
}

fn ending(chain: &Chain, anchors: &TrustAnchors) -> Option<ChainProblem> {
    match chain.end() {
        ChainEnd::Anchored => None,
        _ if chain.leaf().is_self_issued() => Some(ChainProblem::SelfSigned {
            label: chain.leaf().label(),
        }),
        ChainEnd::Gap {
            subject,
            issuer,
            urls,
        } => {
            let (subject, issuer, urls) = (subject.clone(), issuer.clone(), urls.clone());
            Some(ChainProblem::MissingIntermediate {
                subject,
                issuer,
                urls,
                trust: anchors.source().clone(),
            })
        }
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
fn weak_key(certificate: &Certificate) -> Option<ChainProblem> {
    let algorithm = certificate.algorithm;
    let short = matches!(algorithm, KeyAlgorithm::Rsa(bits) if bits < 2048);
    short.then(|| ChainProblem::WeakKey {
        label: certificate.label(),
        algorithm,
    })
}

/// RFC 9525 6.3: only the subject alternative name counts; every host that is asked for must be in
/// it.
fn hosts(leaf: &Certificate, hosts: &[String]) -> Vec<ChainProblem> {
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

/// The judge of last resort: whatever the checks above do not know, webpki refuses here. It sees
/// the one anchor that the chain ends in, or it would stop at a nearer one and leave the rest of
/// the chain unseen.
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
        .map(|(last, key)| policy.anchors.of(last.issuer_der(), key))
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

/// webpki's errors in words, for those that people meet.
fn reason(error: &webpki::Error) -> String {
    let words = match error {
        webpki::Error::CaUsedAsEndEntity => {
            "the site's certificate says that it is a CA's (basic constraints, RFC 5280 4.2.1.9)"
        }
        webpki::Error::EndEntityUsedAsCa => {
            "a certificate in it is used as a CA's but is none (basic constraints, RFC 5280 \
                4.2.1.9)"
        }
        webpki::Error::NameConstraintViolation => {
            "a CA in it may not issue for these names (name constraints, RFC 5280 4.2.1.10)"
        }
        webpki::Error::PathLenConstraintViolated => {
            "it has more CAs than one of them allows (path length, RFC 5280 4.2.1.9)"
        }
        webpki::Error::RequiredEkuNotFoundContext(_) => {
            "it is not meant for TLS servers (extended key usage, RFC 5280 4.2.1.12)"
        }
        webpki::Error::UnsupportedCriticalExtension => {
            "it has a critical extension that nobody here knows (RFC 5280 4.2)"
        }
        webpki::Error::MaximumPathDepthExceeded => "it has more than 6 intermediates",
        other => return format!("path validation says {other:?}"),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
