//! Findings that `--allow` names: they are reported as warnings and no longer block the install.

use crate::finding::{Finding, Severity};
use crate::install::servers::{ServerUse, ServingState};
use crate::install_plan::plan::{NameCoverage, ServerState};

/// The code of a certificate that cannot be probed. If it is allowed, the names count as covered.
const UNREACHED: &str = "not-probed";

/// Turns the findings with allowed codes into warnings.
pub(crate) fn apply(serving: &mut ServingState, allowed: &[&'static str]) {
    let losing_coverage = std::mem::take(&mut serving.names_losing_coverage);
    for finding in losing_coverage {
        if allowed.contains(&finding.code) {
            serving.findings.push(finding);
        } else {
            serving.names_losing_coverage.push(finding);
        }
    }
    let errors = serving
        .findings
        .iter_mut()
        .filter(|finding| is_error(finding));
    for finding in errors.filter(|finding| allowed.contains(&finding.code)) {
        demote(finding);
    }
    let other_files = serving
        .uses
        .iter_mut()
        .flat_map(|server_use| &mut server_use.other_files);
    let mut has_other_files = false;
    for other in other_files.filter(|other| other.is_error()) {
        if allowed.contains(&other.finding.code) {
            demote(&mut other.finding);
        } else {
            has_other_files = true;
        }
    }
    let is_unreached = |finding: &Finding| is_error(finding) && finding.code == UNREACHED;
    if !has_other_files && !serving.findings.iter().any(is_unreached) {
        serving.uses.iter_mut().for_each(set_covered);
    }
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

/// Turns an error into a warning that says why.
fn demote(finding: &mut Finding) {
    *finding = finding.clone().into_allowed();
}

/// Notes that all names are served with the certificate.
fn set_covered(server_use: &mut ServerUse) {
    server_use.coverage = NameCoverage::All;
    if let ServerState::BrokenUntilInstalled(questions)
    | ServerState::Serves(questions, _)
    | ServerState::Stopped(questions) = &mut server_use.state
    {
        questions.coverage = NameCoverage::All;
    }
}
