//! One row of `status`: a certificate, or a request or a key that has none yet, with everything
//! that is known about it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::item::{HeldKey, ItemLocation};
use super::reason::{ReasonSeverity, StatusReason};
use crate::inventory::schedule::ScheduledRenewal;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};

/// The state of a certificate, request or key.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum RowState {
    /// A server sends it.
    Served,
    /// A server's configuration uses it, or certctl installed it.
    Installed,
    /// Certificate and key were found; no server uses them.
    Ready,
    /// Certificate and key were found, but certctl does not use the key: other users control it.
    KeyRefused,
    /// A request without a certificate.
    Pending,
    /// A certificate whose key was not found.
    KeyMissing,
    /// A key without request and certificate.
    UnusedKey,
    /// A newer one for the same names replaced it.
    Superseded,
}

impl RowState {
    /// Returns the stable word in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Installed => "installed",
            Self::Ready => "ready",
            Self::KeyRefused => "key-refused",
            Self::Pending => "pending",
            Self::KeyMissing => "key-missing",
            Self::UnusedKey => "unused-key",
            Self::Superseded => "superseded",
        }
    }

    #[must_use]
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Installed => "installed",
            Self::Ready => "ready",
            Self::KeyRefused => "key refused",
            Self::Pending => "pending",
            Self::KeyMissing => "key missing",
            Self::UnusedKey => "unused key",
            Self::Superseded => "superseded",
        }
    }
}

/// The verdict on a row; greater is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum RowVerdict {
    Fine,
    /// The next renewal is due.
    Due,
    Wrong,
}

impl RowVerdict {
    /// Returns the stable word in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Due => "due",
            Self::Wrong => "wrong",
        }
    }

    /// Returns one line for people, for the streams of documents.
    #[must_use]
    pub(crate) fn comment(self) -> &'static str {
        match self {
            Self::Fine => "nothing to do",
            Self::Due => "a renewal is due",
            Self::Wrong => "something is wrong",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct StatusRow {
    /// The first of its names, or its subject. Untrusted text.
    pub name: String,
    /// All its names, unchanged. Untrusted text.
    pub names: Vec<String>,
    pub state: RowState,
    /// The certificate, where there is one.
    pub certificate: Option<Arc<Certificate>>,
    /// The algorithm of its key.
    pub algorithm: KeyAlgorithm,
    /// The id of its key.
    pub key_id: PublicKeyId,
    /// Its expiry, or the earlier one of an intermediate that it depends on.
    pub expiry: Option<Timestamp>,
    /// When its renewal is due.
    pub due: Option<Timestamp>,
    /// Whole days until it expires.
    pub days_left: Option<i64>,
    /// Where the certificate was found or is served.
    pub locations: Vec<ItemLocation>,
    /// Its key files and their modes.
    pub keys: Vec<(ItemLocation, HeldKey)>,
    pub requests: Vec<ItemLocation>,
    /// The name under which certctl installed it.
    pub installed_as: Option<String>,
    /// The last day of the paid order term.
    pub paid_until: Option<Date>,
    /// Until when a CA may reuse the domain validation that was made for it, at the latest.
    pub validation_until: Option<Timestamp>,
    /// The scheduled renewals, the next first.
    pub renewals: Vec<ScheduledRenewal>,
    /// When the certificates of a company's own CA are expected to be renewed; no rule binds it.
    pub expected_renewals: Vec<Timestamp>,
    /// The reasons for its verdict, the most important first.
    pub reasons: Vec<StatusReason>,
}

impl StatusRow {
    /// Returns whether something should be fixed that does not make it wrong.
    #[must_use]
    pub(crate) fn warns(&self) -> bool {
        let mut severities = self.reasons.iter().map(StatusReason::severity);
        severities.any(|severity| severity == ReasonSeverity::Warns)
    }

    /// Returns the verdict according to the worst reason. A superseded row keeps only reasons about
    /// access to its key.
    #[must_use]
    pub(crate) fn verdict(&self) -> RowVerdict {
        match self.reasons.iter().map(StatusReason::severity).max() {
            Some(ReasonSeverity::Wrong) => RowVerdict::Wrong,
            Some(ReasonSeverity::Due) => RowVerdict::Due,
            Some(ReasonSeverity::Warns | ReasonSeverity::Notes) | None => RowVerdict::Fine,
        }
    }

    /// Returns the place to show first: an address, else a file that a server reads, else any
    /// other.
    #[must_use]
    pub(crate) fn main_location(&self) -> Option<&ItemLocation> {
        let best = self.locations.iter().min_by_key(|place| match place {
            ItemLocation::Address { .. } => 0,
            ItemLocation::File { .. } if place.is_live() => 1,
            ItemLocation::File { .. } => 2,
        });
        let first_key = self.keys.first().map(|(place, _)| place);
        best.or_else(|| self.requests.first()).or(first_key)
    }
}
