//! What earlier runs have tried: a renewal that failed is tried again after a pause that grows, so that
//! a timer neither gives up nor exceeds the limits of the CA.

use jiff::Timestamp;
use serde_json::Map;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Severity;
use crate::inventory::backoff::next_try;
use crate::ordering::{OrderOutcome, OrderVerdict};
use crate::pki::certificate::Certificate;
use crate::state::{FailedTry, StateFolder};

/// The earlier tries to renew one certificate.
#[derive(Debug)]
pub(super) struct EarlierTries {
    state: StateFolder,
    name: String,
    expiry: Timestamp,
    last: Option<FailedTry>,
}

/// What a try says about the next one.
enum TryResult {
    Succeeded,
    Failed(FailedRun),
    /// The CA needs more time, or another certctl is at work.
    Undecided,
}

/// A try that failed.
struct FailedRun {
    reason: String,
    /// The CA wants no further try before this time.
    retry_at: Option<Timestamp>,
}

impl EarlierTries {
    /// Reads the last try. One that was about an earlier certificate does not count.
    pub(super) fn read(context: &Context, name: &str, leaf: &Certificate) -> Result<Self, Failure> {
        let state = StateFolder::find(context.root.as_deref())?;
        let last = state.read_failed_try(name);
        Ok(Self {
            name: name.to_owned(),
            expiry: leaf.not_after,
            last: last.filter(|last| last.at >= leaf.not_before),
            state,
        })
    }

    /// Returns the last try if it is too early for the next one. Where the clock was set back, it is not.
    pub(super) fn too_early(&self, now: Timestamp) -> Option<&FailedTry> {
        let last = self.last.as_ref();
        last.filter(|last| last.at <= now && now < last.again_at)
    }

    /// Writes down how a try ended.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn record(
        &self,
        now: Timestamp,
        result: Result<&OrderOutcome, &Failure>,
    ) -> Result<(), Failure> {
        match result_of(result) {
            TryResult::Undecided => Ok(()),
            TryResult::Succeeded if self.last.is_none() => Ok(()),
            TryResult::Succeeded => Ok(self.state.forget_failed_try(&self.name)?),
            TryResult::Failed(failed) => {
                let earlier = self.last.as_ref().map_or(0, |last| last.count);
                let count = earlier.saturating_add(1);
                let usual = next_try(count, now, self.expiry);
                let failed = FailedTry {
                    name: self.name.clone(),
                    count,
                    at: now,
                    again_at: failed.retry_at.map_or(usual, |at| at.max(usual)),
                    reason: failed.reason,
                    other: Map::new(),
                };
                Ok(self.state.write_failed_try(&failed)?)
            }
        }
    }
}

fn result_of(result: Result<&OrderOutcome, &Failure>) -> TryResult {
    match result {
        Err(failure) => match failure.kind {
            FailureKind::Interrupted(_) | FailureKind::LockHeld => TryResult::Undecided,
            _ => TryResult::Failed(FailedRun {
                reason: failure.with_causes(),
                retry_at: failure.retry_at(),
            }),
        },
        Ok(outcome) if outcome.has_failed() => TryResult::Failed(FailedRun {
            reason: reason_of(outcome),
            retry_at: outcome.not_before,
        }),
        Ok(outcome) if outcome.verdict == OrderVerdict::Pending => TryResult::Undecided,
        Ok(_) => TryResult::Succeeded,
    }
}

/// The first error, else the summary.
fn reason_of(outcome: &OrderOutcome) -> String {
    let findings = outcome.all_findings().into_iter();
    let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
    let error = errors.next().map(|finding| finding.message);
    error.unwrap_or_else(|| outcome.summary.clone())
}
