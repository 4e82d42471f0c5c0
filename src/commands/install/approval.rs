//! `--plan`: an install runs only if its plan is the one that somebody has approved.

use super::checked::CheckedCertificate;
use super::outcome::{CertificateOutcome, InstallOutcome};
use super::placeholder;
use crate::advice::install_command;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::request::{InstallRequest, RunMode};
use crate::install::transaction;

/// The length of a plan's id in hexadecimal digits.
const ID_LENGTH: usize = 16;

/// Parses the value of `--plan`.
pub(super) fn parse_plan_id(text: &str) -> Result<String, &'static str> {
    let is_id = text.len() == ID_LENGTH && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id
        .then(|| text.to_ascii_lowercase())
        .ok_or("expected the plan_id of a dry run, 16 hexadecimal digits")
}

/// Plans the requests without running them. If the id of all plans together is `id`, each request is
/// bound to its plan; otherwise returns the refusal.
///
/// # Errors
/// When a dry run would fail, too.
pub(super) fn approve(
    context: &Context,
    checked: &[CheckedCertificate],
    requests: &mut [InstallRequest<'_>],
    id: &str,
) -> Result<Option<InstallOutcome>, Failure> {
    let planned: Vec<InstallRequest<'_>> = requests.iter().map(as_dry_run).collect();
    let mut results = transaction::run_all(context, &planned)?.into_iter();
    let mut outcomes = Vec::new();
    let mut plan_ids = Vec::new();
    for one in checked {
        let mut outcome = one.outcome.before_transaction();
        if one.certified.is_some()
            && let Some(result) = results.next()
        {
            outcome.record_result(context, result);
            plan_ids.push(outcome.plan_id());
        }
        outcomes.push(outcome);
    }
    for (request, plan_id) in requests.iter_mut().zip(plan_ids) {
        request.approved = Some(plan_id);
    }
    compare(context, outcomes, id)
}

/// Does the same for a placeholder.
///
/// # Errors
/// When a dry run would fail, too.
pub(super) fn approve_placeholder(
    context: &Context,
    request: &mut InstallRequest<'_>,
    id: &str,
) -> Result<Option<InstallOutcome>, Failure> {
    let planned = transaction::run(context, &as_dry_run(request))?;
    let outcome = placeholder::outcome(context, planned);
    request.approved = Some(outcome.plan_id());
    compare(context, vec![outcome], id)
}

fn as_dry_run<'a>(request: &InstallRequest<'a>) -> InstallRequest<'a> {
    InstallRequest {
        mode: RunMode::DryRun,
        ..request.clone()
    }
}

/// Returns the refusal if the plans have another id.
fn compare(
    context: &Context,
    outcomes: Vec<CertificateOutcome>,
    id: &str,
) -> Result<Option<InstallOutcome>, Failure> {
    let mut refused: Vec<CertificateOutcome> = outcomes
        .iter()
        .map(CertificateOutcome::before_transaction)
        .collect();
    let planned = InstallOutcome::new(context, RunMode::DryRun, outcomes)?;
    let now = planned.plan_id();
    if now == id {
        return Ok(None);
    }
    for certificate in &mut refused {
        let finding = install_command::plan_changed(&now, id);
        certificate.findings.push(finding);
    }
    InstallOutcome::new(context, RunMode::Run, refused).map(Some)
}
