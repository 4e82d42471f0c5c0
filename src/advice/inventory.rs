//! Advice for what `status` finds.

use std::net::{IpAddr, SocketAddr};

use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::inventory::crls::CrlRemark;
use crate::inventory::item::{ItemLocation, ItemOrigin};
use crate::inventory::{ReasonSeverity, RowState, RowVerdict, StatusReason, StatusRow};
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;
use crate::webserver::model::ServerSoftware;

/// How the user calls certctl again from where this run was started.
pub(crate) struct CallContext<'a> {
    /// In the same directory and tree.
    pub here: &'a dyn Fn(&[&str]) -> NextStep,
    /// As root, in the same tree.
    pub root: &'a dyn Fn(&[&str]) -> NextStep,
}

/// What to do about a row, the first thing first; nothing where it is fine.
#[must_use]
pub(crate) fn row_steps(row: &StatusRow, ways: &CallContext<'_>) -> Vec<NextStep> {
    let mut steps: Vec<NextStep> = Vec::new();
    let pressing = row
        .reasons
        .iter()
        .filter(|reason| reason.severity() >= ReasonSeverity::Warns);
    for step in pressing.filter_map(|reason| step(reason, row, ways)) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    if steps.is_empty() && row.verdict() == RowVerdict::Fine {
        steps.extend(step_for_waiting_row(row, ways));
    }
    steps
}

/// What a request or a certificate waits for.
fn step_for_waiting_row(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    match row.state {
        RowState::Pending => {
            let request = row.requests.first()?;
            Some(check_validation(request, &row.name, ways))
        }
        RowState::Ready => install_command(row, ways),
        RowState::NoKey => Some(NextStep::say(
            "if it is to be used here, name the folders that may have its key:  certctl status \
                FOLDER...",
        )),
        RowState::KeyAlone => {
            let key = row
                .keys
                .first()
                .map(|(place, _)| place.to_string())
                .unwrap_or_default();
            Some(NextStep::say(format!(
                "if it is for a site:  certctl csr NAME --key {}",
                shell_word(&key)
            )))
        }
        _ => None,
    }
}

/// Checks the domain validation of a request: by its name where it is in the working directory,
/// else by its file.
fn check_validation(request: &ItemLocation, name: &str, ways: &CallContext<'_>) -> NextStep {
    if is_here(request) {
        (ways.here)(&["dcv-check", name])
    } else {
        (ways.here)(&["dcv-check", &request.to_string()])
    }
}

/// Installs a certificate whose key is here: by its name where both are in the working directory,
/// else by their files. Certificates of other ACME clients are left to those.
fn install_command(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    let ItemLocation::File { path, origin } = row.main_location()? else {
        return None;
    };
    let (key, _) = row.keys.first()?;
    match origin {
        ItemOrigin::AcmeSh | ItemOrigin::Certbot(_) => None,
        ItemOrigin::Delivery if is_here(key) => {
            Some((ways.root)(&["install", &path.display().to_string()]))
        }
        ItemOrigin::Here if is_here(key) && DnsName::parse(&row.name).is_ok() => {
            Some((ways.root)(&["install", &row.name]))
        }
        _ => Some((ways.root)(&[
            "install",
            &path.display().to_string(),
            "--key",
            &key.to_string(),
        ])),
    }
}

/// Whether `row` has a certificate and a key in the working directory, under a name that certctl
/// takes as an argument.
fn is_known_here(row: &StatusRow) -> bool {
    row.locations.iter().any(is_here)
        && row.keys.iter().any(|(key, _)| is_here(key))
        && DnsName::parse(&row.name).is_ok()
}

/// Whether a file is in the working directory.
fn is_here(place: &ItemLocation) -> bool {
    matches!(
        place,
        ItemLocation::File {
            origin: ItemOrigin::Here,
            ..
        }
    )
}

/// What to do about one reason.
fn step(reason: &StatusReason, row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    match reason {
        StatusReason::Problem(problem) => step_for_problem(problem, row, ways),
        StatusReason::Due { .. } | StatusReason::Revoked { .. } | StatusReason::Weak(_) => {
            renewal(row, ways)
        }
        StatusReason::Sent { reason, .. } => step_for_sent(reason, row, ways),
        StatusReason::TermEnds { .. } | StatusReason::Prepared { .. } | StatusReason::Rule(_) => {
            None
        }
        StatusReason::WrongKey { .. } => Some(find_right_key(row, ways)),
        StatusReason::ServedDiffers { .. } => Some(serve_again(row, ways)),
        StatusReason::Silent { addresses, .. } => Some(check_listener(addresses)),
        StatusReason::EndsFirst { .. } => Some(NextStep::say(
            "ask the CA for the chain to its other root, or what its bundle of today is",
        )),
        StatusReason::KeyReadable { path, .. } => Some(NextStep::shell(format!(
            "sudo chmod 0600 {}",
            shell_word(&path.display().to_string())
        ))),
        StatusReason::NamesNotCovered { names, .. } => Some(cover_names(names, row, ways)),
        StatusReason::NewerReady { place, .. } => Some(install_newer(place, row, ways)),
        StatusReason::Placeholder => Some(NextStep::say((ways.root)(&["install", "FILE"]).text)),
    }
}

fn find_right_key(row: &StatusRow, ways: &CallContext<'_>) -> NextStep {
    match &row.installed_as {
        Some(stem) => (ways.root)(&["install", "--check", stem]),
        None => NextStep::say("see which key fits:  certctl verify CERTIFICATE --key KEY"),
    }
}

fn check_listener(addresses: &[SocketAddr]) -> NextStep {
    let port = addresses.first().map_or(443, SocketAddr::port);
    NextStep::say(format!(
        "does the server run?  sudo ss -ltnp 'sport = :{port}'"
    ))
}

/// What to do about a chain that fails validation.
fn step_for_problem(
    problem: &ChainProblem,
    row: &StatusRow,
    ways: &CallContext<'_>,
) -> Option<NextStep> {
    match problem {
        ChainProblem::NotYetValid { .. } => Some(NextStep::say(
            "if the machine's clock is right, put the certificate before it back:  date -u",
        )),
        ChainProblem::UnknownRoot { .. } | ChainProblem::SelfSigned { .. } => None,
        ChainProblem::Expired { leaf: true, .. }
        | ChainProblem::WeakKey { .. }
        | ChainProblem::WeakSignature { .. } => renewal(row, ways),
        _ => Some(match &row.installed_as {
            Some(_) => NextStep::say(format!(
                "with what the CA sent:  {}",
                (ways.root)(&["install", "FILE"]).text
            )),
            None => NextStep::say(
                "make a whole chain of what the CA sent:  certctl bundle FILE... --aia",
            ),
        }),
    }
}

/// What makes the server serve the certificate that is on disk.
fn serve_again(row: &StatusRow, ways: &CallContext<'_>) -> NextStep {
    match (&row.installed_as, reload_command(row)) {
        (_, Some(reload)) => NextStep::say(reload),
        (Some(stem), None) => (ways.root)(&["install", stem]),
        (None, None) => {
            NextStep::say("make the server read its files again, then:  certctl status")
        }
    }
}

/// What to do about `reason`, which holds only for what some addresses send: the chain on disk may
/// be complete, and the server does not read it.
fn step_for_sent(
    reason: &StatusReason,
    row: &StatusRow,
    ways: &CallContext<'_>,
) -> Option<NextStep> {
    match (reason, deployed_file(row)) {
        (StatusReason::Problem(_) | StatusReason::EndsFirst { .. }, Some(path)) => {
            Some(NextStep::say(format!(
                "give that server what is in {path}, and make it read its files again"
            )))
        }
        (reason, _) => step(reason, row, ways),
    }
}

/// What to do about `names` that a server serves and the certificate does not have. A client that
/// connects by address gets the certificate for clients that connect by name.
fn cover_names(names: &[String], row: &StatusRow, ways: &CallContext<'_>) -> NextStep {
    if names.iter().all(|name| name.parse::<IpAddr>().is_ok()) {
        return NextStep::say(format!(
            "if people come by its name, ask by that:  certctl status {}:PORT",
            row.name
        ));
    }
    csr_command(row.names.iter().chain(names), ways)
}

/// Installs a newer certificate that was found at `place`.
fn install_newer(place: &ItemLocation, row: &StatusRow, ways: &CallContext<'_>) -> NextStep {
    match &row.installed_as {
        Some(stem) if is_here(place) && DnsName::parse(stem).is_ok() => {
            (ways.root)(&["install", stem])
        }
        _ => (ways.root)(&["install", &place.to_string()]),
    }
}

/// Makes a request for these names.
fn csr_command<'n>(names: impl Iterator<Item = &'n String>, ways: &CallContext<'_>) -> NextStep {
    let words: Vec<&str> = std::iter::once("csr")
        .chain(names.map(String::as_str))
        .collect();
    (ways.here)(&words)
}

/// The next renewal, where one has to be started: nothing where a newer certificate is ready, the
/// check of the request where one is prepared.
fn renewal(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    let newer_is_ready = row
        .reasons
        .iter()
        .any(|reason| matches!(reason, StatusReason::NewerReady { .. }));
    if newer_is_ready {
        return None;
    }
    let prepared = row.reasons.iter().find_map(|reason| match reason {
        StatusReason::Prepared { request } => Some(check_validation(request, &row.name, ways)),
        _ => None,
    });
    prepared
        .or_else(|| renewal_by_acme_client(row))
        .or_else(|| renewal_by_certctl(row, ways))
}

/// The renewal command of the ACME client that keeps the certificate.
fn renewal_by_acme_client(row: &StatusRow) -> Option<NextStep> {
    let origins = row.locations.iter().filter_map(|place| match place {
        ItemLocation::File { origin, .. } => Some(origin),
        ItemLocation::Address { .. } => None,
    });
    let mut commands = origins.filter_map(|origin| match origin {
        ItemOrigin::Certbot(name) => Some(format!(
            "sudo certbot renew --cert-name {}",
            shell_word(name)
        )),
        ItemOrigin::AcmeSh => Some(format!("acme.sh --renew -d {}", shell_word(&row.name))),
        _ => None,
    });
    commands.next().map(NextStep::say)
}

fn renewal_by_certctl(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    match (&row.installed_as, row.state) {
        (Some(stem), _) => Some((ways.here)(&["renew", stem])),
        (None, RowState::Ready) if is_known_here(row) => Some((ways.here)(&["renew", &row.name])),
        (None, RowState::Served | RowState::Installed | RowState::NoKey | RowState::Ready)
            if !row.names.is_empty() =>
        {
            Some(csr_command(row.names.iter(), ways))
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
fn reload_command(row: &StatusRow) -> Option<&'static str> {
    if row.installed_as.is_some() {
        return None;
    }
    row.locations.iter().find_map(|place| match place {
        ItemLocation::File {
            origin: ItemOrigin::Configured(software, _),
            ..
        } => Some(match software {
            ServerSoftware::Apache => "sudo apachectl configtest && sudo systemctl reload apache2",
            ServerSoftware::Haproxy => "sudo systemctl reload haproxy",
            ServerSoftware::Nginx => "sudo nginx -t && sudo systemctl reload nginx",
        }),
        _ => None,
    })
}

/// A remark on a list of revoked certificates as a finding.
impl From<&CrlRemark> for Finding {
    fn from(remark: &CrlRemark) -> Self {
        let message = remark.to_string();
        match remark {
            CrlRemark::Delta { .. } => {
                Self::warning("crl-delta", message).with_step(NextStep::say(
                    "name that \
                list too",
                ))
            }
            CrlRemark::Old { .. } => Self::warning("crl-old", message).with_step(NextStep::say(
                "fetch the CA's list of today: its address is in the certificate's CRL \
                    distribution points",
            )),
            CrlRemark::OfOthers { .. } => Self::warning("crl-other-issuer", message),
        }
    }
}

/// A reason as a finding about its row.
#[must_use]
pub(crate) fn reason_finding(
    reason: &StatusReason,
    row: &StatusRow,
    ways: &CallContext<'_>,
) -> Finding {
    let severity = match reason.severity() {
        ReasonSeverity::Wrong | ReasonSeverity::Due => Severity::Error,
        ReasonSeverity::Warns => Severity::Warning,
        ReasonSeverity::Notes => Severity::Note,
    };
    let message = reason.to_string();
    Finding {
        code: reason.code(),
        severity,
        message,
        lines: Vec::new(),
        next: step(reason, row, ways).into_iter().collect(),
    }
}
