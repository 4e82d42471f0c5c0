//! Advice for what `status` finds.

use std::net::{IpAddr, SocketAddr};

use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::inventory::crls::CrlRemark;
use crate::inventory::item::{ItemLocation, ItemOrigin};
use crate::inventory::{ReasonSeverity, RowState, RowVerdict, StatusReason, StatusRow};
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;
use crate::webserver::model::ServerSoftware;

/// How certctl is called where this run was made.
pub(crate) struct CallContext<'a> {
    /// In the same directory and tree.
    pub here: &'a dyn Fn(&[&str]) -> NextStep,
    /// As root, in the same tree.
    pub root: &'a dyn Fn(&[&str]) -> NextStep,
}

/// What to do about a row, the first thing first; nothing where it is fine.
#[must_use]
pub(crate) fn steps(row: &StatusRow, ways: &CallContext<'_>) -> Vec<NextStep> {
    let mut steps: Vec<NextStep> = Vec::new();
    let pressing = row
        .reasons
        .iter()
        .filter(|reason| reason.weight() >= ReasonSeverity::Warns);
    for step in pressing.filter_map(|reason| step(reason, row, ways)) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    if steps.is_empty() && row.verdict() == RowVerdict::Fine {
        steps.extend(waiting(row, ways));
    }
    steps
}

/// What a request or a certificate waits for.
fn waiting(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    match row.state {
        RowState::Pending => row
            .requests
            .first()
            .map(|request| checked(request, &row.name, ways)),
        RowState::Ready => installed(row, ways),
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

/// Looks for the proof of a request: by its name where names are looked up, else by its file.
fn checked(request: &ItemLocation, name: &str, ways: &CallContext<'_>) -> NextStep {
    match request {
        ItemLocation::File {
            origin: ItemOrigin::Here,
            ..
        } => (ways.here)(&["dcv-check", name]),
        other => (ways.here)(&["dcv-check", &other.to_string()]),
    }
}

/// Installs what lies ready: by its name where names are looked up, else by its files. What other
/// tools keep is theirs.
fn installed(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    let (ItemLocation::File { path, origin }, (key, _)) = (row.place()?, row.keys.first()?) else {
        return None;
    };
    let is_here = |place: &ItemLocation| {
        matches!(
            place,
            ItemLocation::File {
                origin: ItemOrigin::Here,
                ..
            }
        )
    };
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

/// Whether certificate and key lie where names are looked up.
fn lies_here(row: &StatusRow) -> bool {
    let is_here = |place: &ItemLocation| {
        matches!(
            place,
            ItemLocation::File {
                origin: ItemOrigin::Here,
                ..
            }
        )
    };
    row.places.iter().any(is_here)
        && row.keys.iter().any(|(key, _)| is_here(key))
        && DnsName::parse(&row.name).is_ok()
}

/// What to do about one reason.
fn step(reason: &StatusReason, row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    Some(match reason {
        StatusReason::Problem(ChainProblem::NotYetValid { .. }) => NextStep::say(
            "if the machine's clock is right, put the certificate before it back:  date -u",
        ),
        StatusReason::Problem(
            ChainProblem::UnknownRoot { .. } | ChainProblem::SelfSigned { .. },
        ) => return None,
        StatusReason::Problem(ChainProblem::Expired { leaf: true, .. })
        | StatusReason::Due { .. }
        | StatusReason::Revoked { .. } => {
            return renewal(row, ways);
        }
        StatusReason::Weak(_)
        | StatusReason::Problem(
            ChainProblem::WeakKey { .. } | ChainProblem::WeakSignature { .. },
        ) => {
            return renewal(row, ways);
        }
        StatusReason::Problem(_) => match &row.stem {
            Some(_) => NextStep::say(format!(
                "with what the CA sent:  {}",
                (ways.root)(&["install", "FILE"]).text
            )),
            None => NextStep::say(
                "make a whole chain of what the CA sent:  certctl bundle FILE... --aia",
            ),
        },
        StatusReason::WrongKey { .. } => match &row.stem {
            Some(stem) => (ways.root)(&["install", "--check", stem]),
            None => NextStep::say("see which key fits:  certctl verify CERTIFICATE --key KEY"),
        },
        StatusReason::ServedDiffers { .. } => match (&row.stem, reload(row)) {
            (_, Some(reload)) => NextStep::say(reload),
            (Some(stem), None) => (ways.root)(&["install", stem]),
            (None, None) => {
                NextStep::say("make the server read its files again, then:  certctl status")
            }
        },
        StatusReason::Silent { addresses, .. } => {
            let port = addresses.first().map_or(443, SocketAddr::port);
            NextStep::say(format!(
                "does the server run?  sudo ss -ltnp 'sport = :{port}'"
            ))
        }
        StatusReason::EndsFirst { .. } => NextStep::say(
            "ask the CA for the chain to its other root, or what its bundle of today is",
        ),
        // What lies here may be whole, and of no use to whoever does not read it.
        StatusReason::Sent { reason, .. } => match (&**reason, here(row)) {
            (StatusReason::Problem(_) | StatusReason::EndsFirst { .. }, Some(path)) => {
                NextStep::say(format!(
                    "give that server what is in {path}, and make it read its files again"
                ))
            }
            (reason, _) => return step(reason, row, ways),
        },
        StatusReason::KeyReadable { path, .. } => NextStep::say(format!(
            "sudo chmod 0600 {}",
            shell_word(&path.display().to_string())
        )),
        // Whoever asks by an address gets what is there for those who come by a name.
        StatusReason::NamesNotCovered { names, .. }
            if names.iter().all(|name| name.parse::<IpAddr>().is_ok()) =>
        {
            NextStep::say(format!(
                "if people come by its name, ask by that:  certctl status {}:PORT",
                row.name
            ))
        }
        StatusReason::NamesNotCovered { names, .. } => {
            let wanted: Vec<&str> = row.names.iter().chain(names).map(String::as_str).collect();
            (ways.here)(&[&["csr"], &wanted[..]].concat())
        }
        StatusReason::NewerReady { place, .. } => match (&row.stem, place) {
            (
                Some(stem),
                ItemLocation::File {
                    origin: ItemOrigin::Here,
                    ..
                },
            ) if DnsName::parse(stem).is_ok() => (ways.root)(&["install", stem]),
            _ => (ways.root)(&["install", &place.to_string()]),
        },
        StatusReason::Placeholder => NextStep::say((ways.root)(&["install", "FILE"]).text),
        StatusReason::TermEnds { .. } | StatusReason::Prepared { .. } | StatusReason::Rule(_) => {
            return None;
        }
    })
}

/// The next round, where one has to be made; what lies ready or is prepared comes first.
fn renewal(row: &StatusRow, ways: &CallContext<'_>) -> Option<NextStep> {
    let ready = row
        .reasons
        .iter()
        .any(|reason| matches!(reason, StatusReason::NewerReady { .. }));
    if ready {
        return None;
    }
    let prepared = row.reasons.iter().find_map(|reason| match reason {
        StatusReason::Prepared { request } => Some(checked(request, &row.name, ways)),
        _ => None,
    });
    if prepared.is_some() {
        return prepared;
    }
    let other = row.places.iter().find_map(|place| match place {
        ItemLocation::File {
            origin: ItemOrigin::Certbot(name),
            ..
        } => Some(NextStep::say(format!(
            "sudo certbot renew --cert-name {}",
            shell_word(name)
        ))),
        ItemLocation::File {
            origin: ItemOrigin::AcmeSh,
            ..
        } => Some(NextStep::say(format!(
            "acme.sh --renew -d {}",
            shell_word(&row.name)
        ))),
        _ => None,
    });
    if other.is_some() {
        return other;
    }
    Some(match (&row.stem, row.state) {
        (Some(stem), _) => (ways.here)(&["renew", stem]),
        (None, RowState::Ready) if lies_here(row) => (ways.here)(&["renew", &row.name]),
        (None, RowState::Served | RowState::Installed | RowState::NoKey | RowState::Ready)
            if !row.names.is_empty() =>
        {
            let names: Vec<&str> = row.names.iter().map(String::as_str).collect();
            (ways.here)(&[&["csr"], &names[..]].concat())
        }
        _ => return None,
    })
}

/// The file that servers of this machine read.
fn here(row: &StatusRow) -> Option<String> {
    row.places
        .iter()
        .find(|place| place.is_live())
        .map(ToString::to_string)
}

/// How the server that a configuration belongs to reads its files again.
fn reload(row: &StatusRow) -> Option<String> {
    if row.stem.is_some() {
        return None;
    }
    row.places.iter().find_map(|place| match place {
        ItemLocation::File {
            origin: ItemOrigin::Configured(software, _),
            ..
        } => Some(match software {
            ServerSoftware::Apache => {
                "sudo apachectl configtest && sudo systemctl reload apache2".to_owned()
            }
            ServerSoftware::Haproxy => "sudo systemctl reload haproxy".to_owned(),
            ServerSoftware::Nginx => "sudo nginx -t && sudo systemctl reload nginx".to_owned(),
        }),
        _ => None,
    })
}

/// A remark on a list of revoked certificates as a finding.
impl From<&CrlRemark> for Finding {
    fn from(remark: &CrlRemark) -> Self {
        let message = remark.to_string();
        match remark {
            CrlRemark::Delta { .. } => Self::warning("crl-delta", message).with(NextStep::say(
                "name that \
                list too",
            )),
            CrlRemark::Old { .. } => Self::warning("crl-old", message).with(NextStep::say(
                "fetch the CA's list of today: its address is in the certificate's CRL \
                    distribution points",
            )),
            CrlRemark::OfOthers { .. } => Self::warning("crl-other-issuer", message),
        }
    }
}

/// A reason as a finding about its row.
#[must_use]
pub(crate) fn finding(reason: &StatusReason, row: &StatusRow, ways: &CallContext<'_>) -> Finding {
    let severity = match reason.weight() {
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
