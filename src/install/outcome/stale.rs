//! What is known about servers that were neither reloaded nor probed.

use super::TransactionOutcome;
use super::verdict::{InstallVerdict, RELOADED};
use crate::finding::{Finding, Severity};
use crate::store::deployed::DeployedCertificate;

impl TransactionOutcome {
    /// Whether no server was probed although the files are in place.
    #[must_use]
    pub(crate) fn is_unprobed(&self) -> bool {
        let is_installed = matches!(
            self.verdict,
            InstallVerdict::Files | InstallVerdict::Unchanged
        );
        is_installed && self.seen.is_empty()
    }

    /// What was deployed before this run.
    #[must_use]
    pub(crate) fn deployed_before(&self) -> Option<&DeployedCertificate> {
        self.before.as_ref()
    }

    /// Whether the plan has reloaded a server.
    #[must_use]
    pub(crate) fn has_reloaded(&self) -> bool {
        self.server.iter().any(|word| word == RELOADED)
    }

    /// Records what still uses the previous certificate.
    pub(crate) fn record_stale(&mut self, stale: Vec<Finding>) {
        if stale.iter().any(|one| one.severity == Severity::Error) {
            self.verdict = InstallVerdict::LiveIncomplete;
        }
        self.findings.extend(stale);
    }
}
