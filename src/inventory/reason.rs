//! Why a row of `status` is not simply fine: facts only, sorted. First what affects clients now,
//! then what the next renewal fixes, then what remains after it.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use super::item::{ItemLocation, OtherBlock, ServedLeaf};
use crate::inventory::rule_changes::RuleChange;
use crate::matching::key_trust::DoubtfulKeyFile;
use crate::permissions::Mode;
use crate::pki::key::PublicKeyId;
use crate::pki::lint::LintViolation;
use crate::pki::name::join_listed;
use crate::pki::verify::ChainProblem;
use crate::wording::day;

/// How severe a reason is; greater is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum ReasonSeverity {
    Notes,
    /// Should be fixed; the certificate works.
    Warns,
    /// Renewal is due.
    Due,
    Wrong,
}

/// The order in which reasons are listed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    Ended,
    Served,
    Due,
    Chain,
    KeyReadable,
    Names,
    Weak,
    Revoked,
    WorthKnowing,
    Prepared,
    Rule,
}

/// The files of a newer certificate that is deployed on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DeployedNewer {
    /// The file of the certificate.
    pub place: ItemLocation,
    /// The file of its key, if that was read.
    pub key: Option<ItemLocation>,
    /// The name under which certctl installed it.
    pub installed_as: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum StatusReason {
    /// The chain fails path validation, or the certificate is outside its validity period.
    #[error(transparent)]
    Problem(ChainProblem),
    /// A problem of a certificate that is not installed: an install refuses it.
    #[error("{0}")]
    NotInstallable(ChainProblem),
    /// A CRL that was passed or downloaded lists the certificate.
    #[error("the CA revoked the certificate, according to the CRL {list}")]
    Revoked {
        /// The file or the URL of the CRL.
        list: String,
    },
    /// The CRL that the certificate names does not list it.
    #[error("not revoked, according to the CRL of {} at {list}", day(*as_of))]
    NotRevoked {
        /// The URL of the CRL.
        list: String,
        /// When it was issued.
        as_of: Timestamp,
    },
    /// The certificate names no CRL that can be downloaded.
    #[error("the certificate names no CRL over http, so its revocation was not checked")]
    NoCrl,
    /// The key that is deployed with the certificate does not match it.
    #[error(
        "{} contains the key {}, but the certificate needs the key {}; no server can load them \
            together",
        path.display(),
        key.short(),
        leaf.short()
    )]
    WrongKey {
        /// The file with the key.
        path: PathBuf,
        key: PublicKeyId,
        /// The id of the key in the certificate.
        leaf: PublicKeyId,
    },
    /// A request is pending, and its key was not found.
    #[error(
        "the key of {} was not found; a certificate for this request cannot be used without it",
        request.display()
    )]
    RequestWithoutKey {
        /// The file of the request.
        request: PathBuf,
    },
    /// A server sends another certificate or chain than the files on disk.
    #[error(
        "{} is served for {} at {} instead of the files on disk",
        served_in_words(shown),
        join_listed(names),
        listed_addresses(addresses)
    )]
    ServedDiffers {
        addresses: Vec<SocketAddr>,
        /// The server names (SNI) that were requested at each address.
        names: Vec<String>,
        shown: ServedLeaf,
    },
    /// A server sends the certificate with an OCSP response for something else.
    #[error(
        "for {} at {}, the server staples an OCSP response for {subject}; clients that check it \
            reject the site",
        join_listed(names),
        listed_addresses(addresses)
    )]
    StapledDiffers {
        addresses: Vec<SocketAddr>,
        /// The server names (SNI) that were requested at each address.
        names: Vec<String>,
        /// What the response is about.
        subject: String,
    },
    /// A block with other files answers for names of the certificate.
    #[error(
        "{} is served for {} at {}: {} answers there with other files",
        served_in_words(shown),
        join_listed(names),
        listed_addresses(addresses),
        block.place
    )]
    OtherServed {
        addresses: Vec<SocketAddr>,
        /// The server names (SNI) that were requested at each address.
        names: Vec<String>,
        shown: ServedLeaf,
        block: OtherBlock,
    },
    /// No certificate is served where this one should be.
    #[error(
        "no certificate is served for {} at {}: {why}",
        join_listed(names),
        listed_addresses(addresses)
    )]
    Silent {
        addresses: Vec<SocketAddr>,
        /// The server names (SNI) that were requested at each address.
        names: Vec<String>,
        why: String,
    },
    /// Renewal is due.
    #[error("due for renewal since {}; expires on {}", day(*since), day(*expiry))]
    Due {
        since: Timestamp,
        /// The expiry of the certificate, or the earlier one of an intermediate.
        expiry: Timestamp,
    },
    /// An intermediate expires before the certificate.
    #[error(
        "the intermediate {label} expires on {}, before the certificate; the chain is invalid from \
            then on",
        day(*expiry)
    )]
    EndsFirst {
        /// A label of the intermediate.
        label: String,
        expiry: Timestamp,
    },
    /// A reason that applies only to what some addresses send, not to other addresses or to the
    /// deployed files.
    #[error("at {}: {reason}", listed_addresses(by))]
    Sent {
        by: Vec<SocketAddr>,
        /// What is wrong with the chain that they send.
        reason: Box<Self>,
    },
    /// Users other than owner and group have access to its key.
    #[error("all users of this machine have access to the key {} (mode {mode})", path.display())]
    KeyReadable { path: PathBuf, mode: Mode },
    /// Its key is not used, because other users control it.
    #[error("certctl does not use its key {}: {}", _0.path().display(), _0.reasons())]
    KeyRefused(Box<DoubtfulKeyFile>),
    /// A server uses it for names that it does not cover.
    #[error(
        "{block} uses the certificate for {}, which it does not cover",
        join_listed(names)
    )]
    NamesNotCovered {
        /// `FILE:LINE`.
        block: String,
        names: Vec<String>,
    },
    /// It breaks a rule that clients enforce.
    #[error("{0}")]
    Weak(LintViolation),
    /// Too few logs of Certificate Transparency have recorded it.
    #[error("{0}")]
    FewScts(LintViolation),
    /// A newer certificate is deployed on this machine, and a server still sends this one.
    #[error(
        "a newer certificate for these names, which expires on {}, is deployed at {}, and the server \
            does not serve it",
        day(*expiry),
        newer.place
    )]
    NewerNotServed {
        newer: DeployedNewer,
        expiry: Timestamp,
    },
    /// A newer certificate can be installed.
    #[error("a newer certificate, which expires on {}, is in {place} and not installed", day(*expiry))]
    NewerReady {
        place: ItemLocation,
        expiry: Timestamp,
    },
    /// A newer certificate can be installed once its key may be used.
    #[error(
        "a newer certificate, which expires on {}, is at {place}, but certctl does not use its key {}: \
            {}",
        day(*expiry),
        key.path().display(),
        key.reasons()
    )]
    NewerRefused {
        place: ItemLocation,
        expiry: Timestamp,
        key: Box<DoubtfulKeyFile>,
    },
    /// A request waits for its certificate.
    #[error("the request {request} waits for its certificate")]
    RequestPending {
        /// The file of the request.
        request: ItemLocation,
    },
    /// A request for the next renewal waits for its certificate.
    #[error("the request for the next renewal, {request}, waits for its certificate")]
    Prepared {
        /// The file of the request.
        request: ItemLocation,
    },
    /// A key is that of a CA, which signs certificates of sites and is not for a site itself.
    #[error("this is the key of the CA certificate in {certificate}")]
    KeyOfCa { certificate: ItemLocation },
    /// A rollback replaced this certificate.
    #[error("this certificate was rolled back on {}", day(*at))]
    RolledBack { at: Timestamp },
    /// The paid term ends before the next renewal.
    #[error("the paid term ends on {on}; the next certificate has to be purchased")]
    TermEnds { on: Date },
    /// A self-signed placeholder is installed.
    #[error("this is a placeholder until the real certificate is installed")]
    Placeholder,
    /// A rule that takes effect before the next renewal.
    #[error("from {} on, {}", _0.from, _0.what)]
    Rule(RuleChange),
}

impl StatusReason {
    /// Returns the stable code of the finding.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotInstallable(problem) | Self::Problem(problem) => problem.code(),
            Self::Revoked { .. } => "revoked",
            Self::NotRevoked { .. } => "not-revoked",
            Self::NoCrl => "crl-missing",
            Self::WrongKey { .. } => "wrong-key",
            Self::RequestWithoutKey { .. } => "key-missing",
            Self::ServedDiffers { .. } => "served-certificate-differs",
            Self::OtherServed { .. } => "other-certificate-served",
            Self::StapledDiffers { .. } => "stapled-response-differs",
            Self::Silent { .. } => "not-served",
            Self::Due { .. } => "due",
            Self::EndsFirst { .. } => "intermediate-expires-first",
            Self::Sent { reason, .. } => reason.code(),
            Self::KeyReadable { .. } => "key-readable-by-others",
            Self::KeyRefused(key) | Self::NewerRefused { key, .. } => key.code(),
            Self::NamesNotCovered { .. } => "host-not-covered",
            Self::Weak(lint) | Self::FewScts(lint) => lint.rule.code,
            Self::NewerNotServed { .. } => "newer-not-served",
            Self::NewerReady { .. } => "newer-ready",
            Self::RequestPending { .. } => "request-pending",
            Self::Prepared { .. } => "prepared",
            Self::KeyOfCa { .. } => "key-of-ca",
            Self::RolledBack { .. } => "certificate-rolled-back",
            Self::TermEnds { .. } => "order-term-ends",
            Self::Placeholder => "placeholder-in-place",
            Self::Rule(change) => change.code,
        }
    }

    /// Returns whether there is a newer certificate, which only has to be served.
    #[must_use]
    pub(crate) fn is_newer(&self) -> bool {
        matches!(
            self,
            Self::NewerNotServed { .. } | Self::NewerReady { .. } | Self::NewerRefused { .. }
        )
    }

    /// Returns its place in the order of reasons.
    fn rank(&self) -> Rank {
        match self {
            Self::Problem(
                ChainProblem::Expired { leaf: true, .. } | ChainProblem::NotYetValid { .. },
            ) => Rank::Ended,
            Self::Problem(ChainProblem::WeakKey { .. } | ChainProblem::WeakSignature { .. })
            | Self::Weak(_) => Rank::Weak,
            Self::Problem(ChainProblem::NoNames { .. }) => Rank::Names,
            Self::Problem(_) if self.severity() < ReasonSeverity::Wrong => Rank::WorthKnowing,
            Self::Problem(_) | Self::EndsFirst { .. } => Rank::Chain,
            Self::ServedDiffers { .. }
            | Self::OtherServed { .. }
            | Self::StapledDiffers { .. }
            | Self::Silent { .. }
            | Self::RequestWithoutKey { .. }
            | Self::Placeholder
            | Self::WrongKey { .. } => Rank::Served,
            Self::Due { .. } | Self::RequestPending { .. } => Rank::Due,
            Self::Sent { reason, .. } => reason.rank(),
            Self::KeyReadable { .. } | Self::KeyRefused(_) => Rank::KeyReadable,
            Self::NamesNotCovered { .. } => Rank::Names,
            Self::Revoked { .. } => Rank::Revoked,
            Self::Prepared { .. } => Rank::Prepared,
            Self::Rule(_) => Rank::Rule,
            // What is newer, and what comes next.
            _ => Rank::WorthKnowing,
        }
    }

    /// Returns how severe it is.
    #[must_use]
    pub(crate) fn severity(&self) -> ReasonSeverity {
        match self {
            // A company's own CA is legitimate, and a server's default certificate is often
            // self-signed.
            Self::Problem(
                ChainProblem::SelfSigned { .. }
                | ChainProblem::UnknownIssuer { .. }
                | ChainProblem::UnknownRoot { .. },
            ) => ReasonSeverity::Warns,
            // Certificates of public CAs contain the URL of their issuer (AIA). Without that, the
            // missing issuer may be a root of a company's own CA.
            Self::Problem(ChainProblem::MissingIntermediate { urls, .. }) if urls.is_empty() => {
                ReasonSeverity::Warns
            }
            Self::Problem(_)
            | Self::Revoked { .. }
            | Self::RequestWithoutKey { .. }
            | Self::Placeholder
            | Self::WrongKey { .. } => ReasonSeverity::Wrong,
            Self::ServedDiffers { .. }
            | Self::OtherServed { .. }
            | Self::StapledDiffers { .. }
            | Self::Silent { .. } => ReasonSeverity::Wrong,
            Self::KeyReadable { .. }
            | Self::KeyRefused(_)
            | Self::NamesNotCovered { .. }
            | Self::Weak(_) => ReasonSeverity::Wrong,
            Self::Sent { reason, .. } => reason.severity(),
            Self::Due { .. } | Self::RequestPending { .. } => ReasonSeverity::Due,
            Self::EndsFirst { .. }
            | Self::NotInstallable(_)
            | Self::NewerNotServed { .. }
            | Self::NewerReady { .. }
            | Self::NewerRefused { .. }
            | Self::FewScts(_)
            | Self::NoCrl
            | Self::TermEnds { .. } => ReasonSeverity::Warns,
            Self::NotRevoked { .. }
            | Self::KeyOfCa { .. }
            | Self::Prepared { .. }
            | Self::RolledBack { .. }
            | Self::Rule(_) => ReasonSeverity::Notes,
        }
    }
}

/// Sorts reasons by rank; those of the same rank stay in the order in which they were found.
pub(crate) fn sort(reasons: &mut [StatusReason]) {
    reasons.sort_by_key(StatusReason::rank);
}

fn listed_addresses(addresses: &[SocketAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    join_listed(&addresses)
}

fn served_in_words(shown: &ServedLeaf) -> String {
    match (shown.not_after, shown.same_chain) {
        (_, true) => "this certificate with other intermediates".to_owned(),
        (Some(expiry), false) => {
            format!(
                "another certificate ({}, expires on {})",
                shown.label,
                day(expiry)
            )
        }
        (None, false) => format!("another certificate ({})", shown.label),
    }
}
