//! Why a row is not simply fine: facts only, in an order. The first reason is the one that the row
//! is about: what keeps visitors away now, then what the next renewal repairs, then what stays wrong
//! after it.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use super::item::{ItemLocation, ServedLeaf};
use crate::inventory::rule_changes::RuleChange;
use crate::permissions::Mode;
use crate::pki::key::PublicKeyId;
use crate::pki::lint::LintViolation;
use crate::pki::name::join_listed;
use crate::pki::verify::ChainProblem;
use crate::wording::day;

/// What comes of a reason; the greater, the worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum ReasonSeverity {
    Notes,
    /// Should be looked into; nothing is due.
    Warns,
    /// The next round is due.
    Due,
    Wrong,
}

/// The order of reasons.
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

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum StatusReason {
    /// What path validation refuses, and what the dates say.
    #[error(transparent)]
    Problem(ChainProblem),
    /// A list that was given revokes it.
    #[error("the CA has revoked it, says {}", list.display())]
    Revoked {
        /// The file of the list.
        list: PathBuf,
    },
    /// The key beside it does not fit.
    #[error("{} holds another key ({}) than the certificate ({}): no server can load the two", path.display(), key.short(), leaf.short())]
    WrongKey {
        /// The file of the key.
        path: PathBuf,
        key: PublicKeyId,
        /// The id in the certificate.
        leaf: PublicKeyId,
    },
    /// A server shows something else.
    #[error(
        "{} is served for {} at {}, not what is on disk",
        served_in_words(shown),
        join_listed(names),
        listed_addresses(addresses)
    )]
    ServedDiffers {
        addresses: Vec<SocketAddr>,
        /// The names asked for at each.
        names: Vec<String>,
        shown: ServedLeaf,
    },
    /// Nobody shows it where it should be.
    #[error(
        "nothing is served for {} at {}: {why}",
        join_listed(names),
        listed_addresses(addresses)
    )]
    Silent {
        addresses: Vec<SocketAddr>,
        /// The names asked for at each.
        names: Vec<String>,
        why: String,
    },
    /// The next round is due.
    #[error("due since {}: it ends on {}", day(*since), day(*ends))]
    Due {
        since: Timestamp,
        /// Its end, or that of what it depends on.
        ends: Timestamp,
    },
    /// The site's certificate outlives what it depends on.
    #[error("{label}, on which it depends, ends on {}, before it does: the chain breaks then", day(*ends))]
    EndsFirst {
        /// The intermediate in words.
        label: String,
        ends: Timestamp,
    },
    /// What holds for what some addresses send, and not for what others do or servers here read.
    #[error("{} sends it so: {reason}", listed_addresses(by))]
    Sent {
        by: Vec<SocketAddr>,
        /// What is wrong with it.
        reason: Box<Self>,
    },
    /// Somebody else may read its key.
    #[error("others may read its key {} (mode {mode})", path.display())]
    KeyReadable { path: PathBuf, mode: Mode },
    /// A server uses it for names that it does not have.
    #[error(
        "{block} serves {} with it, which it does not name",
        join_listed(names)
    )]
    NamesNotCovered {
        /// `FILE:LINE`.
        block: String,
        names: Vec<String>,
    },
    /// A rule that clients refuse it for.
    #[error("{0}")]
    Weak(LintViolation),
    /// A newer certificate can be installed.
    #[error("a newer certificate lies ready in {place}, until {}", day(*ends))]
    NewerReady {
        place: ItemLocation,
        ends: Timestamp,
    },
    /// A request for the next renewal waits for its certificate.
    #[error("the next round is prepared: {request} waits for its certificate")]
    Prepared {
        /// The file of the request.
        request: ItemLocation,
    },
    /// The paid term ends before the next renewal.
    #[error("what is paid for ends on {on}: the next certificate has to be bought")]
    TermEnds { on: Date },
    /// A self-signed certificate that keeps the place.
    #[error("it only keeps the place of the real certificate")]
    Placeholder,
    /// A rule that takes effect before the next renewal.
    #[error("from {} on {}", _0.from, _0.what)]
    Rule(RuleChange),
}

impl StatusReason {
    /// The stable code of the finding.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Problem(problem) => problem.code(),
            Self::Revoked { .. } => "revoked",
            Self::WrongKey { .. } => "wrong-key",
            Self::ServedDiffers { .. } => "served-certificate-differs",
            Self::Silent { .. } => "not-served",
            Self::Due { .. } => "due",
            Self::EndsFirst { .. } => "intermediate-expires-first",
            Self::Sent { reason, .. } => reason.code(),
            Self::KeyReadable { .. } => "key-readable-by-others",
            Self::NamesNotCovered { .. } => "host-not-covered",
            Self::Weak(lint) => lint.rule.code,
            Self::NewerReady { .. } => "newer-ready",
            Self::Prepared { .. } => "prepared",
            Self::TermEnds { .. } => "order-term-ends",
            Self::Placeholder => "placeholder-in-place",
            Self::Rule(change) => change.code,
        }
    }

    /// The place in the order of reasons.
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
            Self::ServedDiffers { .. } | Self::Silent { .. } | Self::WrongKey { .. } => {
                Rank::Served
            }
            Self::Due { .. } => Rank::Due,
            Self::Sent { reason, .. } => reason.rank(),
            Self::KeyReadable { .. } => Rank::KeyReadable,
            Self::NamesNotCovered { .. } => Rank::Names,
            Self::Revoked { .. } => Rank::Revoked,
            Self::NewerReady { .. } | Self::TermEnds { .. } | Self::Placeholder => {
                Rank::WorthKnowing
            }
            Self::Prepared { .. } => Rank::Prepared,
            Self::Rule(_) => Rank::Rule,
        }
    }

    /// What comes of it.
    #[must_use]
    pub(crate) fn severity(&self) -> ReasonSeverity {
        match self {
            // A company's own CA is no mistake, and a server's default certificate often signed
            // itself.
            Self::Problem(ChainProblem::UnknownRoot { .. } | ChainProblem::SelfSigned { .. }) => {
                ReasonSeverity::Warns
            }
            // Certificates of public CAs say where their issuer is: without that it may be a root
            // of a company's own CA.
            Self::Problem(ChainProblem::MissingIntermediate { urls, .. }) if urls.is_empty() => {
                ReasonSeverity::Warns
            }
            Self::Problem(_) | Self::Revoked { .. } | Self::WrongKey { .. } => {
                ReasonSeverity::Wrong
            }
            Self::ServedDiffers { .. } | Self::Silent { .. } => ReasonSeverity::Wrong,
            Self::KeyReadable { .. } | Self::NamesNotCovered { .. } | Self::Weak(_) => {
                ReasonSeverity::Wrong
            }
            Self::Sent { reason, .. } => reason.severity(),
            Self::Due { .. } => ReasonSeverity::Due,
            Self::EndsFirst { .. }
            | Self::NewerReady { .. }
            | Self::TermEnds { .. }
            | Self::Placeholder => ReasonSeverity::Warns,
            Self::Prepared { .. } | Self::Rule(_) => ReasonSeverity::Notes,
        }
    }
}

/// Sorts reasons by rank; those of the same rank stay in the order in which they were found.
pub(super) fn sort(reasons: &mut [StatusReason]) {
    reasons.sort_by_key(StatusReason::rank);
}

fn listed_addresses(addresses: &[SocketAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    join_listed(&addresses)
}

fn served_in_words(shown: &ServedLeaf) -> String {
    match (shown.not_after, shown.same_chain) {
        (_, true) => "the same certificate with other intermediates".to_owned(),
        (Some(ends), false) => {
            format!("another certificate ({}, until {})", shown.label, day(ends))
        }
        (None, false) => format!("another certificate ({})", shown.label),
    }
}
