//! Whether a chain may be served: RFC 5280 path validation by rustls-webpki, and in words which certificate fails and
//! why, which webpki does not say. Names by RFC 9525.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

use super::certificate::Certificate;
use super::chain::{Assembly, Chain, ChainEnd};
use super::key::{KeyAlgorithm, PublicKeyId};
use super::trust::TrustAnchors;

/// What a chain is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The hosts that it will be served for; none: names are not judged.
    pub hosts: &'a [String],
    /// What it must end in.
    pub anchors: &'a TrustAnchors,
    /// The instant of the judgement.
    pub at: Timestamp,
}

/// What is wrong with a chain or a pair: facts only; the advice is `failure`'s.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The leaf is a CA certificate.
    #[error("{label} is a CA's certificate, not a site's")]
    CaAsLeaf {
        /// The certificate in words.
        label: String,
    },
    /// After its last second.
    #[error("the certificate {label} ended on {not_after}")]
    Expired {
        /// The certificate in words.
        label: String,
        /// Its end.
        not_after: Timestamp,
        /// Whether it is the site's own certificate.
        leaf: bool,
    },
    /// A host that the certificate is not for.
    #[error("the certificate is not for {host}: it names {}", names.join(", "))]
    HostNotCovered {
        /// The host asked for.
        host: String,
        /// What the certificate names.
        names: Vec<String>,
    },
    /// An issuer is missing.
    #[error(
        "an intermediate certificate is missing: nothing here issued {subject}; its issuer is {issuer}; nginx starts, and curl and phones say \"unable to get local issuer certificate\""
    )]
    MissingIntermediate {
        /// The certificate without issuer, in words.
        subject: String,
        /// The issuer that is wanted.
        issuer: String,
        /// Where the CA offers it.
        urls: Vec<String>,
    },
    /// The site's certificate names no site.
    #[error("the certificate {label} has no subject alternative name: no client accepts it for any host")]
    NoNames {
        /// The certificate in words.
        label: String,
    },
    /// Before its first second.
    #[error("the certificate {label} is not valid before {not_before}; it is now {at}")]
    NotYetValid {
        /// The certificate in words.
        label: String,
        /// Its first second.
        not_before: Timestamp,
        /// The instant of the judgement.
        at: Timestamp,
    },
    /// Path validation refused it for a reason that has no word of its own here.
    #[error("the chain is refused: {reason}")]
    Refused {
        /// The validator's words.
        reason: String,
    },
    /// The site's certificate signed itself.
    #[error("{label} is self-signed: no CA stands behind it")]
    SelfSigned {
        /// The certificate in words.
        label: String,
    },
    /// The bag holds too many certificates of the same names.
    #[error(
        "no chain was found within the number of signatures that are checked: the files hold too many certificates of the same names"
    )]
    TooManyCandidates,
    /// The chain is complete but nobody trusts its root.
    #[error("the chain ends in {root}, which {source_name} does not know")]
    UnknownRoot {
        /// The root in words.
        root: String,
        /// Whose list it was looked up in.
        source_name: String,
    },
    /// RSA below 2048 bits (CA/B Forum BR 6.1.5).
    #[error(
        "the certificate {label} has a key of kind {algorithm}: too short, no CA may issue for it and clients refuse it"
    )]
    WeakKey {
        /// The certificate in words.
        label: String,
        /// The kind of its key.
        algorithm: KeyAlgorithm,
    },
    /// A signature that nobody trusts today.
    #[error("the signature of {issuer} on {subject} is of a kind that nobody trusts today (SHA-1, MD5 or a short key)")]
    WeakSignature {
        /// The certificate with that signature, in words.
        subject: String,
        /// Its issuer.
        issuer: String,
    },
    /// The key is of another kind than the certificate's: `nginx -t` passes this.
    #[error(
        "the private key is {key}, the certificate {label} carries a key of kind {leaf}: they cannot belong together; nginx -t accepts them, and then every handshake fails"
    )]
    WrongKeyKind {
        /// The key's kind.
        key: KeyAlgorithm,
        /// The certificate's.
        leaf: KeyAlgorithm,
        /// The certificate in words.
        label: String,
    },
    /// Same kind, another key.
    #[error("the private key does not belong to the certificate {label}: the key is {}, the certificate carries {}; servers say \"key values mismatch\"", key.short(), leaf.short())]
    WrongKey {
        /// The key's id.
        key: PublicKeyId,
        /// The certificate's.
        leaf: PublicKeyId,
        /// The certificate in words.
        label: String,
    },
}

impl Problem {
    /// The stable code of the finding.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CaAsLeaf { .. } => "ca-as-leaf",
            Self::Expired { leaf: true, .. } => "expired",
            Self::Expired { leaf: false, .. } => "intermediate-expired",
            Self::HostNotCovered { .. } => "host-not-covered",
            Self::MissingIntermediate { .. } => "missing-intermediate",
            Self::NoNames { .. } => "no-names",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Refused { .. } => "chain-refused",
            Self::SelfSigned { .. } => "self-signed",
            Self::TooManyCandidates => "too-many-candidates",
            Self::UnknownRoot { .. } => "unknown-root",
            Self::WeakKey { .. } => "weak-key",
            Self::WeakSignature { .. } => "weak-signature",
            Self::WrongKey { .. } => "wrong-key",
            Self::WrongKeyKind { .. } => "wrong-key-kind",
        }
    }
}

/// A chain that held under a [`Policy`].
#[derive(Clone, Debug)]
pub struct VerifiedChain(Chain);

impl VerifiedChain {
    /// Judges `chain`; all problems are told, the most telling first.
    ///
    /// # Errors
    /// What is wrong; never empty.
    pub fn new(chain: Chain, policy: Policy<'_>) -> Result<Self, Vec<Problem>> {
        let problems = problems(&chain, policy);
        if problems.is_empty() { Ok(Self(chain)) } else { Err(problems) }
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.0
    }
}

/// The chain of `leaf` by signatures ([`Chain::assemble`]); where a CA on it may not do what it does there (constraints,
/// usages, lengths), the first other way that holds.
#[must_use]
pub fn assemble(leaf: &Certificate, bag: &[Certificate], anchors: &TrustAnchors, at: Timestamp) -> Assembly {
    let first = Chain::assemble(leaf, bag, anchors, at);
    let policy = Policy { hosts: &[], anchors, at };
    if *first.chain.end() != ChainEnd::Anchored || path_validation(&first.chain, policy).is_none() {
        return first;
    }
    let without = |refused: &Certificate| {
        let others: Vec<Certificate> = bag.iter().filter(|one| *one != refused).cloned().collect();
        Chain::assemble(leaf, &others, anchors, at).chain
    };
    let mut ways = first.chain.intermediates().iter().map(without);
    match ways.find(|chain| problems(chain, policy).is_empty()) {
        Some(chain) => Assembly::of(chain, bag),
        None => first,
    }
}

/// Everything that is wrong with `chain` under `policy`; empty when it holds.
#[must_use]
pub fn problems(chain: &Chain, policy: Policy<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    // A server's own makeshift certificate says that it is a CA's, too; that it stands for itself is what matters.
    if chain.leaf().is_ca && (chain.leaf().dns_names.is_empty() || !chain.leaf().is_self_issued()) {
        let label = chain.leaf().label();
        found.push(Problem::CaAsLeaf { label });
    }
    found.extend(chain.certificates().iter().enumerate().filter_map(|(index, one)| dates(one, index == 0, policy.at)));
    found.extend(ending(chain, policy.anchors));
    found.extend(chain.certificates().iter().filter_map(weak_key));
    found.extend(hosts(chain.leaf(), policy.hosts));
    if found.is_empty() {
        let usage = || usage::refusal(chain, policy.anchors, policy.at).map(|reason| Problem::Refused { reason });
        found.extend(path_validation(chain, policy).or_else(usage));
    }
    found
}

/// RFC 5280 4.1.2.5: valid from `notBefore` through `notAfter`, both included.
fn dates(certificate: &Certificate, leaf: bool, at: Timestamp) -> Option<Problem> {
    let label = certificate.label();
    if at.as_second() < certificate.not_before.as_second() {
        let not_before = certificate.not_before;
        return Some(Problem::NotYetValid { label, not_before, at });
    }
    let not_after = certificate.not_after;
    (at.as_second() > not_after.as_second()).then_some(Problem::Expired { label, not_after, leaf })
}

fn ending(chain: &Chain, anchors: &TrustAnchors) -> Option<Problem> {
    match chain.end() {
        ChainEnd::Anchored => None,
        _ if chain.leaf().is_self_issued() => Some(Problem::SelfSigned { label: chain.leaf().label() }),
        ChainEnd::Gap { subject, issuer, urls } => {
            Some(Problem::MissingIntermediate { subject: subject.clone(), issuer: issuer.clone(), urls: urls.clone() })
        }
        ChainEnd::TooManyCandidates => Some(Problem::TooManyCandidates),
        ChainEnd::WeakSignature { subject, issuer } => {
            Some(Problem::WeakSignature { subject: subject.clone(), issuer: issuer.clone() })
        }
        ChainEnd::UnknownRoot(root) => {
            Some(Problem::UnknownRoot { root: root.clone(), source_name: anchors.source().to_string() })
        }
    }
}

/// CA/B Forum BR 6.1.5: RSA moduli have at least 2048 bits.
fn weak_key(certificate: &Certificate) -> Option<Problem> {
    let algorithm = certificate.algorithm;
    let short = matches!(algorithm, KeyAlgorithm::Rsa(bits) if bits < 2048);
    short.then(|| Problem::WeakKey { label: certificate.label(), algorithm })
}

/// RFC 9525 6.3: only the subject alternative name counts; every host that is asked for must be in it.
fn hosts(leaf: &Certificate, hosts: &[String]) -> Vec<Problem> {
    if !leaf.is_ca && leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty() {
        return vec![Problem::NoNames { label: leaf.label() }];
    }
    let missing = hosts.iter().filter(|host| !leaf.covers(host));
    missing
        .map(|host| Problem::HostNotCovered {
            host: host.clone(),
            names: leaf.dns_names.iter().cloned().chain(leaf.ip_addresses.iter().map(ToString::to_string)).collect(),
        })
        .collect()
}

/// The judge of last resort: whatever the checks above do not know, webpki refuses here.
fn path_validation(chain: &Chain, policy: Policy<'_>) -> Option<Problem> {
    let refused = |error: webpki::Error| Problem::Refused { reason: reason(&error) };
    let leaf = CertificateDer::from(chain.leaf().der());
    let bag: Vec<_> = chain.intermediates().iter().map(|one| CertificateDer::from(one.der())).collect();
    let seconds = u64::try_from(policy.at.as_second()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let leaf = match EndEntityCert::try_from(&leaf) {
        Ok(leaf) => leaf,
        Err(error) => return Some(refused(error)),
    };
    let anchors = policy.anchors.anchors();
    let usage = KeyUsage::server_auth();
    if let Err(error) = leaf.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, &bag, time, usage, None, None) {
        return Some(refused(error));
    }
    policy.hosts.iter().find_map(|host| {
        let name = ServerName::try_from(host.trim_matches(['[', ']'])).ok()?;
        leaf.verify_is_valid_for_subject_name(&name).err().map(refused)
    })
}

/// webpki's errors in words, for those that people meet.
fn reason(error: &webpki::Error) -> String {
    let words = match error {
        webpki::Error::CaUsedAsEndEntity => {
            "the site's certificate says that it is a CA's (basic constraints, RFC 5280 4.2.1.9)"
        }
        webpki::Error::EndEntityUsedAsCa => {
            "a certificate in it is used as a CA's but is none (basic constraints, RFC 5280 4.2.1.9)"
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

mod usage;

#[cfg(test)]
mod tests;
