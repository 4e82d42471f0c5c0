//! The entries of the history: finished installs and rollbacks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::layout::ReleaseId;

/// The maximum number of entries of the history.
pub(crate) const HISTORY_LIMIT: usize = 100;

/// One finished install or rollback.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct HistoryEntry {
    pub release: ReleaseId,
    pub at: Timestamp,
    /// The release that was proven before this install, or live before this rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ReleaseId>,
    /// Unknown fields, which a later version wrote; they are kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Adds an entry to a list, which loses its oldest ones beyond the limit.
pub(super) fn add_entry(
    entries: &mut Vec<HistoryEntry>,
    release: ReleaseId,
    before: Option<ReleaseId>,
    at: Timestamp,
) {
    entries.push(HistoryEntry {
        release,
        at,
        before,
        other: Map::new(),
    });
    let excess = entries.len().saturating_sub(HISTORY_LIMIT);
    entries.drain(..excess);
}
