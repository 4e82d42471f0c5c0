//! Advice for what `status` finds.

use std::net::SocketAddr;
use std::path::Path;

use super::call_context::is_here;
pub(crate) use super::call_context::{CallContext, RootToTrust};
use super::csr_command::copy_shown_record;
use super::install_steps::{
    install_command, install_files_of_ca, is_rolled_back, step_before_install,
};
use super::key_files;
use super::missing_keys;
use super::name_coverage::cover_names;
use super::pki::lint_advice;
use super::served_evidence::{reload_server, replace_stapled_response};
use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::inventory::item::{ItemLocation, ItemOrigin};
use crate::inventory::reason::DeployedNewer;
use crate::inventory::{ReasonSeverity, RowState, RowVerdict, StatusReason, StatusRow};
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;
use crate::webserver::model::ServerSoftware;

/// Returns what to do about the most urgent reason of a row: one step, or a check and the step after
/// it; nothing where the row is fine.
#[must_use]
pub(crate) fn row_steps(row: &StatusRow, calls: &CallContext<'_>) -> Vec<NextStep> {
    let mut pressing: Vec<&StatusReason> = row
        .reasons
        .iter()
        .filter(|reason| reason.severity() >= ReasonSeverity::Warns)
        .collect();
    // Where a newer certificate exists, nothing is worth doing before it is served; and a certificate
    // whose key is not used is not in use.
    pressing.sort_by_key(|reason| !reason.is_newer() && !is_about_refused_key(reason));
    // What else is wrong is reported; its step is the next one when this is done.
    let mut found = pressing
        .into_iter()
        .map(|reason| steps_for_reason(reason, row, calls));
    let mut steps = found.find(|steps| !steps.is_empty()).unwrap_or_default();
    if steps.is_empty() && row.verdict() == RowVerdict::Fine {
        steps.extend(step_for_waiting_row(row, calls));
    }
    steps
}

fn is_about_refused_key(reason: &StatusReason) -> bool {
    matches!(reason, StatusReason::KeyRefused(_))
}

/// Returns the step that a request waits for, or a certificate or key that is not in use.
fn step_for_waiting_row(row: &StatusRow, calls: &CallContext<'_>) -> Option<NextStep> {
    match row.state {
        RowState::Ready => {
            let step = install_command(row, calls)?;
            Some(after_rollback(row, step))
        }
        RowState::KeyMissing => Some(NextStep::say(
            "If this machine is to use the certificate, pass the folder with its key too, for \
                example `certctl status /etc/ssl/private`",
        )),
        RowState::UnusedKey if !is_of_ca(row) => {
            let key = row.keys.first().map(|(place, _)| place.to_string())?;
            Some(NextStep::say(format!(
                "If the key is for a site, create a request with it, for example \
                    `certctl csr www.example.com --key {}`",
                shell_word(&key)
            )))
        }
        _ => None,
    }
}

/// A CA does not use its own key for a site.
fn is_of_ca(row: &StatusRow) -> bool {
    let mut reasons = row.reasons.iter();
    reasons.any(|reason| matches!(reason, StatusReason::KeyOfCa { .. }))
}

/// The same step, or what has to happen before a certificate that was rolled back is installed again.
fn after_rollback(row: &StatusRow, mut step: NextStep) -> NextStep {
    if is_rolled_back(row) {
        step.text = "When the reason for the rollback is gone, install it again".to_owned();
        return step.later();
    }
    step
}

/// Checks the domain validation of a request: by its name where it is in the working directory,
/// else by its file. The record that the CA shows is passed on stdin, as `csr` says.
fn check_validation(request: &ItemLocation, name: &str, calls: &CallContext<'_>) -> NextStep {
    const SENTENCE: &str = "Check whether the CA can see the record that validates the domain";
    let path = request.to_string();
    let subject = if is_here(request) { name } else { &path };
    match (calls.record_at)(request) {
        Some(ca) => {
            let words = ["dcv-check", subject, "--wait", "--record", "-"];
            (calls.here)(&copy_shown_record(Some(ca)), &words).later()
        }
        None => (calls.here)(SENTENCE, &["dcv-check", subject]),
    }
}

/// Returns true if the certificate and a key of `row` are in the working directory, and its name is
/// one that certctl accepts as an argument.
fn is_known_here(row: &StatusRow) -> bool {
    row.locations.iter().any(is_here)
        && row.keys.iter().any(|(key, _)| is_here(key))
        && DnsName::parse(&row.name).is_ok()
}

/// Returns what to do about one reason. A key that is not used needs a check before the change.
fn steps_for_reason(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Vec<NextStep> {
    match reason {
        StatusReason::KeyRefused(key) | StatusReason::NewerRefused { key, .. } => {
            key_files::steps_to_use(key)
        }
        StatusReason::NewerNotServed { newer, .. } => vec![load_newer(newer, row, calls)],
        StatusReason::NewerReady { place, .. } => vec![install_newer(place, row, calls)],
        other => Vec::from_iter(step(other, row, calls)),
    }
}

/// Returns the step for a reason that has at most one, and is not about a newer certificate.
fn step(reason: &StatusReason, row: &StatusRow, calls: &CallContext<'_>) -> Option<NextStep> {
    match reason {
        StatusReason::Problem(problem) => step_for_problem(problem, row, calls),
        StatusReason::NotInstallable(problem) => step_before_install(problem, row, calls),
        StatusReason::Due { .. } | StatusReason::Revoked { .. } | StatusReason::Weak(_) => {
            renewal(row, calls)
        }
        StatusReason::Sent { reason, .. } => step_for_sent(reason, row, calls),
        StatusReason::WrongKey { .. }
        | StatusReason::RequestWithoutKey { .. }
        | StatusReason::KeyReadable { .. } => step_for_key(reason, row, calls),
        StatusReason::StapledDiffers { .. }
        | StatusReason::ServedDiffers { .. }
        | StatusReason::OtherServed { .. }
        | StatusReason::Silent { .. } => step_for_served(reason, row, calls),
        other => step_for_certificate(other, row, calls),
    }
}

/// Returns what to do about the certificate or the request itself.
fn step_for_certificate(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    match reason {
        StatusReason::EndsFirst { .. } => Some(ask_for_current_bundle()),
        StatusReason::FewScts(lint) => Some(NextStep::say(lint_advice(lint.rule.code))),
        StatusReason::RequestPending { request } => {
            Some(check_validation(request, &row.name, calls))
        }
        StatusReason::NamesNotCovered { names, .. } => Some(cover_names(names, row, calls)),
        StatusReason::Placeholder => Some(replace_placeholder(row, calls)),
        // Nothing to do, or a step of its own.
        _ => None,
    }
}

/// Returns what to do about a key that is missing, does not match or can be read by others.
fn step_for_key(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    let step = match reason {
        StatusReason::WrongKey { path, .. } => find_right_key(path, row, calls),
        StatusReason::RequestWithoutKey { request } => {
            missing_keys::replace_request(request, &row.names, calls.here)
        }
        StatusReason::KeyReadable { path, .. } => key_files::restrict_access(path),
        _ => return None,
    };
    Some(step)
}

/// Returns what to do about what a server sends.
fn step_for_served(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    match reason {
        StatusReason::StapledDiffers { .. } => Some(replace_stapled_response()),
        StatusReason::OtherServed { block, .. } => block.next.first().cloned(),
        StatusReason::Silent { addresses, .. } => Some(check_listener(addresses)),
        _ => Some(serve_again(row, calls)),
    }
}

fn ask_for_current_bundle() -> NextStep {
    NextStep::say("Ask the CA for its current bundle, or for the chain to its other root")
}

fn replace_placeholder(row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    install_files_of_ca(
        "When the files from the CA are in this folder, install the real certificate",
        row.installed_as.as_ref().unwrap_or(&row.name),
        calls,
    )
}

/// `key` is the file of the key that does not match.
fn find_right_key(key: &Path, row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    if let Some(stem) = &row.installed_as {
        return (calls.root)(
            "Check the installed files against each other",
            &["install", "--check", stem],
        );
    }
    let key = key.display().to_string();
    match deployed_file(row) {
        Some(certificate) => (calls.here)(
            "Check the certificate against the key",
            &["verify", &certificate, "--key", &key],
        ),
        None => NextStep::say(format!(
            "Find the key that matches, and replace {key} with it"
        )),
    }
}

fn check_listener(addresses: &[SocketAddr]) -> NextStep {
    let port = addresses.first().map_or(443, SocketAddr::port);
    NextStep::run_shell(
        format!("Check that the server runs and listens on port {port}"),
        format!("sudo ss -ltnp 'sport = :{port}'"),
    )
}

/// Returns what to do about a chain that fails validation.
fn step_for_problem(
    problem: &ChainProblem,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    match problem {
        ChainProblem::NotYetValid { .. } => Some(NextStep::run_shell(
            "Check the clock of this machine; if it is right, restore the previous certificate",
            "date -u",
        )),
        ChainProblem::UnknownRoot { .. } | ChainProblem::SelfSigned { .. } => None,
        ChainProblem::Expired { leaf: true, .. }
        | ChainProblem::WeakKey { .. }
        | ChainProblem::WeakSignature { .. } => renewal(row, calls),
        _ => Some(match &row.installed_as {
            Some(stem) => install_files_of_ca(
                "When all files from the CA are in this folder, install the complete chain",
                stem,
                calls,
            ),
            None => NextStep::say(
                "Build the complete chain from the files that the CA sent, for example \
                    `certctl bundle example_com.zip --aia`",
            ),
        }),
    }
}

/// Returns what makes the server serve the certificate that is on disk.
fn serve_again(row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    match (&row.installed_as, reload_step(row)) {
        (_, Some(reload)) => reload,
        (Some(stem), None) => (calls.root)(
            "Install the certificate again, which reloads the server and probes it",
            &["install", stem],
        ),
        (None, None) => reload_and_check(),
    }
}

fn reload_and_check() -> NextStep {
    NextStep::say("Reload the server so that it reads its files again, then run `certctl status`")
}

/// Returns what to do about `reason`, which holds only for what some addresses send: the chain on
/// disk may be complete, and the server does not read it.
fn step_for_sent(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    match (reason, deployed_file(row)) {
        (StatusReason::Problem(_) | StatusReason::EndsFirst { .. }, Some(path)) => {
            Some(NextStep::say(format!(
                "Give that server the certificates in {path}, and reload it"
            )))
        }
        (reason, _) => step(reason, row, calls),
    }
}

/// Installs a newer certificate that was found at `place`.
fn install_newer(place: &ItemLocation, row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    const SENTENCE: &str = "Install the newer certificate";
    match &row.installed_as {
        Some(stem) if is_here(place) && DnsName::parse(stem).is_ok() => {
            (calls.root)(SENTENCE, &["install", stem])
        }
        Some(_) => (calls.root)(SENTENCE, &["install", &place.to_string()]),
        None => calls.install(SENTENCE, &[&place.to_string()], row),
    }
}

/// Makes the server that sends `row` load the newer certificate.
fn load_newer(newer: &DeployedNewer, row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    const SENTENCE: &str = "Make the server load the newer certificate, and check that it does";
    let server = configured_by(&row.locations);
    match (&newer.installed_as, &newer.key, server) {
        (Some(stem), _, Some(software)) => {
            (calls.root)(SENTENCE, &["install", stem, "--server", software.name()])
        }
        (Some(stem), _, None) => (calls.root)(SENTENCE, &["install", stem]),
        (None, Some(key), Some(software)) => {
            let chain = newer.place.to_string();
            let key = key.to_string();
            let words = [&chain, "--key", &key, "--server", software.name()];
            calls.install(SENTENCE, &words, row)
        }
        _ => configured_by(std::slice::from_ref(&newer.place))
            .map_or_else(reload_and_check, reload_server),
    }
}

/// Returns how to renew the certificate: nothing where a newer one is ready, the check of the
/// request where one is prepared.
fn renewal(row: &StatusRow, calls: &CallContext<'_>) -> Option<NextStep> {
    if row.reasons.iter().any(StatusReason::is_newer) {
        return None;
    }
    // A new key is no answer to a key that may be right and only has the wrong owner.
    let is_valid = row.days_left.is_some_and(|days| days >= 0);
    if is_valid && row.reasons.iter().any(is_about_refused_key) {
        return None;
    }
    let prepared = row.reasons.iter().find_map(|reason| match reason {
        StatusReason::Prepared { request } => Some(check_validation(request, &row.name, calls)),
        _ => None,
    });
    prepared
        .or_else(|| renewal_by_acme_client(row))
        .or_else(|| renewal_by_certctl(row, calls))
}

/// The renewal command of the ACME client that keeps the certificate.
fn renewal_by_acme_client(row: &StatusRow) -> Option<NextStep> {
    let origins = row.locations.iter().filter_map(|place| match place {
        ItemLocation::File { origin, .. } => Some(origin),
        ItemLocation::Address { .. } => None,
    });
    let mut steps = origins.filter_map(|origin| match origin {
        ItemOrigin::Certbot(name) => Some(NextStep::run_shell(
            "Renew the certificate with certbot, which manages it",
            format!("sudo certbot renew --cert-name {}", shell_word(name)),
        )),
        ItemOrigin::AcmeSh => Some(NextStep::run_shell(
            "Renew the certificate with acme.sh, which manages it",
            format!("acme.sh --renew -d {}", shell_word(&row.name)),
        )),
        _ => None,
    });
    steps.next()
}

fn renewal_by_certctl(row: &StatusRow, calls: &CallContext<'_>) -> Option<NextStep> {
    const SENTENCE: &str = "Prepare the request for the next certificate";
    match (&row.installed_as, row.state) {
        (Some(stem), _) => Some((calls.here)(SENTENCE, &["renew", stem])),
        (None, RowState::Ready) if is_known_here(row) => {
            Some((calls.here)(SENTENCE, &["renew", &row.name]))
        }
        (None, RowState::Served | RowState::Installed | RowState::KeyMissing | RowState::Ready)
            if !row.names.is_empty() =>
        {
            let mut words = vec!["csr"];
            words.extend(row.names.iter().map(String::as_str));
            let sentence = "Create the request for the next certificate";
            Some((calls.here)(sentence, &words))
        }
        _ => None,
    }
}

/// The file of the certificate that a server on this machine reads.
fn deployed_file(row: &StatusRow) -> Option<String> {
    let deployed = row.locations.iter().find(|place| place.is_live());
    deployed.map(ToString::to_string)
}

/// The command that makes the server of a configuration read its files again; `certctl install`
/// does that for the certificates that it installed.
fn reload_step(row: &StatusRow) -> Option<NextStep> {
    if row.installed_as.is_some() {
        return None;
    }
    configured_by(&row.locations).map(reload_server)
}

/// The server whose configuration references one of these files.
fn configured_by(places: &[ItemLocation]) -> Option<ServerSoftware> {
    places.iter().find_map(|place| match place {
        ItemLocation::File {
            origin: ItemOrigin::Configured(software, _),
            ..
        } => Some(*software),
        _ => None,
    })
}

/// Reads a file that `status` does not decrypt.
#[must_use]
pub(crate) fn read_with_password(path: &Path) -> NextStep {
    let path = path.display().to_string();
    let words = ["inspect", &path, "--password-file", "password.txt"];
    let sentence = "Put its password into a file with mode 0600, and see what is in it";
    NextStep::run_certctl(sentence, &words).later()
}

/// Returns a reason as a finding about its row.
#[must_use]
pub(crate) fn reason_finding(
    reason: &StatusReason,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Finding {
    let severity = match reason.severity() {
        ReasonSeverity::Wrong | ReasonSeverity::Due => Severity::Error,
        ReasonSeverity::Warns => Severity::Warning,
        ReasonSeverity::Notes => Severity::Note,
    };
    Finding {
        code: reason.code(),
        severity,
        message: reason.to_string(),
        lines: Vec::new(),
        next: steps_for_reason(reason, row, calls),
    }
}
