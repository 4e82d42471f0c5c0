//! The lines of the audit log about an installation or a rollback.

use super::TransactionOutcome;
use super::attempt::{Attempt, AttemptedChange};
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::install::preflight::PreflightState;

impl TransactionOutcome {
    /// Writes a line about the change, and one about the key of a placeholder.
    pub(super) fn audit(
        &mut self,
        context: &Context,
        situation: &PreflightState,
        attempt: AttemptedChange,
    ) {
        if let Some(key_path) = &self.key_path
            && situation.action == AuditAction::InstallPlaceholder
            && attempt.release == Attempt::Made
        {
            let key_id = self.leaf.key_id.to_string();
            let event = AuditEvent::of_key(AuditAction::CreateKey, key_path, key_id);
            let failed = audit::record(context, &event);
            self.findings.extend(failed);
        }
        if attempt.deployed == Attempt::NotMade {
            return;
        }
        let event = AuditEvent {
            action: situation.action,
            subject: &self.name,
            result: self.verdict.name(),
            before: self.before.as_ref().map(|before| before.sha256()),
            after: self.after.as_ref().map(|after| after.sha256()),
            key_id: None,
            proof: self.proof(),
        };
        let failed = audit::record(context, &event);
        self.findings.extend(failed);
    }
}
