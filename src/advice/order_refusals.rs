//! What an order says when the CA refuses it.

use std::time::Duration;

use crate::finding::{Finding, NextStep};
use crate::system::acme::{AcmeProblem, ChallengeMethod};

/// The CA has refused a name or the order.
#[must_use]
pub(crate) fn ca_refused(ca: &str, problem: &AcmeProblem) -> Finding {
    let message = format!("{ca} refused the order: {problem}");
    Finding::error("ca-refused", message).with_quote(problem.parts.clone())
}

/// The CA did not see a record that the zone's servers had; certctl waits and places a second order.
#[must_use]
pub(crate) fn validation_repeated(ca: &str, pause: Duration) -> Finding {
    let seconds = pause.as_secs();
    Finding::note(
        "validation-repeated",
        format!(
            "{ca} did not see the record at the first attempt; certctl waited {seconds} s and tried once \
                more"
        ),
    )
}

/// The CA has refused, and certctl's own check finds nothing wrong.
#[must_use]
pub(crate) fn own_check_passed(method: ChallengeMethod) -> NextStep {
    NextStep::say(match method {
        ChallengeMethod::Http01 => {
            "Compare the addresses in the CA's message with those of the names in the DNS: \
                certctl itself fetched a test file of every name without an error"
        }
        ChallengeMethod::Dns01 => {
            "Check that the parent zone delegates the domain to the same servers: the records were \
                visible at the zone's own servers before the CA was asked"
        }
    })
}

/// The CA has refused the order without a reason.
#[must_use]
pub(crate) fn ca_refused_silently(ca: &str) -> Finding {
    Finding::error(
        "ca-refused",
        format!("{ca} refused the order and gave no reason"),
    )
}
