//! A certificate whose renewal failed.

use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inventory::StatusRow;

/// A certificate whose renewal failed.
pub(super) struct FailedRenewal {
    pub name: String,
    pub failure: Failure,
    /// The code of its finding.
    code: &'static str,
    pub exit_code: u8,
}

impl FailedRenewal {
    /// The next request could not be prepared.
    pub(super) fn of_request(row: &StatusRow, failure: Failure) -> Self {
        Self {
            name: row.name.clone(),
            failure,
            code: "request-not-prepared",
            exit_code: 1,
        }
    }

    /// The order could not be placed or continued.
    pub(super) fn of_order(row: &StatusRow, failure: Failure) -> Self {
        Self {
            name: row.installed_as.clone().unwrap_or_else(|| row.name.clone()),
            exit_code: match failure.kind {
                // The command line was right: what was saved is not.
                FailureKind::Usage => FailureKind::Malformed.exit_code(),
                kind => kind.exit_code(),
            },
            failure,
            code: "renewal-failed",
        }
    }

    /// What was obtained could not be installed.
    pub(super) fn of_install(name: String, failure: Failure) -> Self {
        Self {
            name,
            exit_code: failure.kind.exit_code(),
            failure,
            code: "renewal-failed",
        }
    }

    pub(super) fn into_finding(self) -> Finding {
        let Self { name, code, .. } = self;
        let mut failure = self.failure;
        failure.message = format!("{name}: {}", failure.message);
        failure.into_finding(code)
    }
}
