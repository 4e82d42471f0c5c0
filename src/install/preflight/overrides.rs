//! Findings that the operator has overridden: still told, as warnings that say so, and no reason to
//! refuse any more.

use crate::finding::{Finding, Severity};
use crate::install::servers::ServingState;
use crate::install_plan::plan::{NameCoverage, ServerState};

/// What leaves names without the certificate; allowed, the pair counts as reached.
const UNREACHED: [&str; 2] = ["not-probed", "configured-elsewhere"];

/// Turns what is allowed into warnings.
pub(crate) fn apply(serving: &mut ServingState, allowed: &[&'static str]) {
    let (given_up, lost) = std::mem::take(&mut serving.lost)
        .into_iter()
        .partition(|one| is(one, allowed));
    serving.lost = lost;
    let given_up: Vec<Finding> = given_up;
    serving.findings.extend(given_up);
    for finding in serving
        .findings
        .iter_mut()
        .filter(|one| one.severity == Severity::Error && is(one, allowed))
    {
        finding.severity = Severity::Warning;
        finding
            .message
            .push_str(&format!(" (allowed by --allow {})", finding.code));
        finding.next.clear();
    }
    let unreached =
        |one: &Finding| one.severity == Severity::Error && UNREACHED.contains(&one.code);
    if serving.findings.iter().any(unreached) {
        return;
    }
    for one in &mut serving.uses {
        one.reach = NameCoverage::All;
        if let ServerState::Mends(asks)
        | ServerState::Serves(asks, _)
        | ServerState::Stopped(asks) = &mut one.state
        {
            asks.reach = NameCoverage::All;
        }
    }
}

fn is(finding: &Finding, allowed: &[&'static str]) -> bool {
    allowed.contains(&finding.code)
}
