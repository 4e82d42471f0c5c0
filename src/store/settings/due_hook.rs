//! A command of `--after` that has not succeeded yet.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::layout::ReleaseId;

/// The command of `--after` has to be run for this release, because it was not run yet, or failed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct DueHook {
    pub release: ReleaseId,
    /// The SHA-256 fingerprint of the certificate that was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Unknown fields, which a later version wrote; they are kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
