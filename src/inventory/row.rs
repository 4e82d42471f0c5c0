//! One row: a certificate, or a request or a key that has none yet, with everything that is known
//! of it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::item::{HeldKey, ItemLocation};
use super::reason::{ReasonSeverity, StatusReason};
use crate::inventory::schedule::ScheduledRenewal;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};

/// What a row is in the life of a certificate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum RowState {
    /// A server shows it.
    Served,
    /// A server's configuration names it, or certctl put it where servers read.
    Installed,
    /// Certificate and key are here; no server reads them.
    Ready,
    /// A request that no certificate answers yet.
    Pending,
    /// A certificate whose key was not found in any place that was scanned.
    NoKey,
    /// A key with neither request nor certificate.
    KeyAlone,
    /// Another for the same names took its place.
    Superseded,
}

impl RowState {
    /// The stable word in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Installed => "installed",
            Self::Ready => "ready",
            Self::Pending => "pending",
            Self::NoKey => "key-missing",
            Self::KeyAlone => "unused-key",
            Self::Superseded => "superseded",
        }
    }

    #[must_use]
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Installed => "installed",
            Self::Ready => "not installed",
            Self::Pending => "pending",
            Self::NoKey => "no key here",
            Self::KeyAlone => "key alone",
            Self::Superseded => "superseded",
        }
    }
}

/// What is to be said of a row in one word.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum RowVerdict {
    Fine,
    /// The next renewal is due.
    Due,
    Wrong,
}

impl RowVerdict {
    /// The stable word in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Due => "due",
            Self::Wrong => "wrong",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct StatusRow {
    /// The first of its names, or what it calls itself. Foreign text.
    pub name: String,
    /// All its names, as written. Foreign text.
    pub names: Vec<String>,
    pub state: RowState,
    /// The certificate, where there is one.
    pub certificate: Option<Arc<Certificate>>,
    /// The kind of its key.
    pub algorithm: KeyAlgorithm,
    /// The identity of its key.
    pub key_id: PublicKeyId,
    /// Its end, or the earlier one of an intermediate that it depends on.
    pub expiry: Option<Timestamp>,
    /// From when on the next renewal is due.
    pub due: Option<Timestamp>,
    /// Whole days until it expires.
    pub days_left: Option<i64>,
    /// Where the certificate was found and is served.
    pub locations: Vec<ItemLocation>,
    /// Its keys and their modes.
    pub keys: Vec<(ItemLocation, HeldKey)>,
    pub requests: Vec<ItemLocation>,
    /// The name under which certctl installed it.
    pub installed_as: Option<String>,
    /// The last day of the term that is paid for.
    pub paid_until: Option<Date>,
    /// Until when a CA may reuse the domain validation that was made for it, at the latest.
    pub validation_until: Option<Timestamp>,
    /// The scheduled renewals, the next first.
    pub renewals: Vec<ScheduledRenewal>,
    /// Why it is not simply fine; the first is what the row is about.
    pub reasons: Vec<StatusReason>,
}

impl StatusRow {
    /// What is to be said of it in one word, by the worst of all reasons. What was superseded needs
    /// nothing, whatever is wrong with it.
    #[must_use]
    pub(crate) fn verdict(&self) -> RowVerdict {
        match self.reasons.iter().map(StatusReason::severity).max() {
            Some(ReasonSeverity::Wrong) => RowVerdict::Wrong,
            Some(ReasonSeverity::Due) => RowVerdict::Due,
            Some(ReasonSeverity::Warns | ReasonSeverity::Notes) | None => RowVerdict::Fine,
        }
    }

    /// The place that users know best, for a narrow column: an address, then a file that a server
    /// reads.
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
