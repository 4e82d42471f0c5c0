//! Advice for what `status` finds.

use std::net::{IpAddr, SocketAddr};

use crate::finding::{Finding, Next, Severity, shell_word};
use crate::inventory::crls::Remark;
use crate::inventory::item::{Origin, Place};
use crate::inventory::{Reason, Row, State, Verdict, Weight};
use crate::pki::name::DnsName;
use crate::pki::verify::Problem;
use crate::webserver::model::Software;

/// How certctl is called where this run was made.
pub(crate) struct Ways<'a> {
    /// In the same directory and tree.
    pub here: &'a dyn Fn(&[&str]) -> Next,
    /// As root, in the same tree.
    pub root: &'a dyn Fn(&[&str]) -> Next,
}

/// What to do about a row, the first thing first; nothing where it is fine.
#[must_use]
pub(crate) fn steps(row: &Row, ways: &Ways<'_>) -> Vec<Next> {
    let mut steps: Vec<Next> = Vec::new();
    let pressing = row
        .reasons
        .iter()
        .filter(|reason| reason.weight() >= Weight::Warns);
    for step in pressing.filter_map(|reason| step(reason, row, ways)) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    if steps.is_empty() && row.verdict() == Verdict::Fine {
        steps.extend(waiting(row, ways));
    }
    steps
}

/// What a request or a certificate waits for.
fn waiting(row: &Row, ways: &Ways<'_>) -> Option<Next> {
    match row.state {
        State::Pending => row
            .requests
            .first()
            .map(|request| checked(request, &row.name, ways)),
        State::Ready => installed(row, ways),
        State::NoKey => Some(Next::say(
            "if it is to be used here, name the folders that may have its key:  certctl status \
                FOLDER...",
        )),
        State::KeyAlone => {
            let key = row
                .keys
                .first()
                .map(|(place, _)| place.to_string())
                .unwrap_or_default();
            Some(Next::say(format!(
                "if it is for a site:  certctl csr NAME --key {}",
                shell_word(&key)
            )))
        }
        _ => None,
    }
}

/// Looks for the proof of a request: by its name where names are looked up, else by its file.
fn checked(request: &Place, name: &str, ways: &Ways<'_>) -> Next {
    match request {
        Place::File {
            origin: Origin::Here,
            ..
        } => (ways.here)(&["dcv-check", name]),
        other => (ways.here)(&["dcv-check", &other.to_string()]),
    }
}

/// Installs what lies ready: by its name where names are looked up, else by its files. What other
/// tools keep is theirs.
fn installed(row: &Row, ways: &Ways<'_>) -> Option<Next> {
    let (Place::File { path, origin }, (key, _)) = (row.place()?, row.keys.first()?) else {
        return None;
    };
    let is_here = |place: &Place| {
        matches!(
            place,
            Place::File {
                origin: Origin::Here,
                ..
            }
        )
    };
    match origin {
        Origin::AcmeSh | Origin::Certbot(_) => None,
        Origin::Delivery if is_here(key) => {
            Some((ways.root)(&["install", &path.display().to_string()]))
        }
        Origin::Here if is_here(key) && DnsName::parse(&row.name).is_ok() => {
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
fn lies_here(row: &Row) -> bool {
    let is_here = |place: &Place| {
        matches!(
            place,
            Place::File {
                origin: Origin::Here,
                ..
            }
        )
    };
    row.places.iter().any(is_here)
        && row.keys.iter().any(|(key, _)| is_here(key))
        && DnsName::parse(&row.name).is_ok()
}

/// What to do about one reason.
fn step(reason: &Reason, row: &Row, ways: &Ways<'_>) -> Option<Next> {
    Some(match reason {
        Reason::Problem(Problem::NotYetValid { .. }) => Next::say(
            "if the machine's clock is right, put the certificate before it back:  date -u",
        ),
        Reason::Problem(Problem::UnknownRoot { .. } | Problem::SelfSigned { .. }) => return None,
        Reason::Problem(Problem::Expired { leaf: true, .. })
        | Reason::Due { .. }
        | Reason::Revoked { .. } => {
            return renewal(row, ways);
        }
        Reason::Weak(_)
        | Reason::Problem(Problem::WeakKey { .. } | Problem::WeakSignature { .. }) => {
            return renewal(row, ways);
        }
        Reason::Problem(_) => match &row.stem {
            Some(_) => Next::say(format!(
                "with what the CA sent:  {}",
                (ways.root)(&["install", "FILE"]).text
            )),
            None => {
                Next::say("make a whole chain of what the CA sent:  certctl bundle FILE... --aia")
            }
        },
        Reason::WrongKey { .. } => match &row.stem {
            Some(stem) => (ways.root)(&["install", "--check", stem]),
            None => Next::say("see which key fits:  certctl verify CERTIFICATE --key KEY"),
        },
        Reason::ServedDiffers { .. } => match (&row.stem, reload(row)) {
            (_, Some(reload)) => Next::say(reload),
            (Some(stem), None) => (ways.root)(&["install", stem]),
            (None, None) => {
                Next::say("make the server read its files again, then:  certctl status")
            }
        },
        Reason::Silent { addresses, .. } => {
            let port = addresses.first().map_or(443, SocketAddr::port);
            Next::say(format!(
                "does the server run?  sudo ss -ltnp 'sport = :{port}'"
            ))
        }
        Reason::EndsFirst { .. } => {
            Next::say("ask the CA for the chain to its other root, or what its bundle of today is")
        }
        // What lies here may be whole, and of no use to whoever does not read it.
        Reason::Sent { reason, .. } => match (&**reason, here(row)) {
            (Reason::Problem(_) | Reason::EndsFirst { .. }, Some(path)) => Next::say(format!(
                "give that server what is in {path}, and make it read its files again"
            )),
            (reason, _) => return step(reason, row, ways),
        },
        Reason::KeyReadable { path, .. } => Next::say(format!(
            "sudo chmod 0600 {}",
            shell_word(&path.display().to_string())
        )),
        // Whoever asks by an address gets what is there for those who come by a name.
        Reason::NamesNotCovered { names, .. }
            if names.iter().all(|name| name.parse::<IpAddr>().is_ok()) =>
        {
            Next::say(format!(
                "if people come by its name, ask by that:  certctl status {}:PORT",
                row.name
            ))
        }
        Reason::NamesNotCovered { names, .. } => {
            let wanted: Vec<&str> = row.names.iter().chain(names).map(String::as_str).collect();
            (ways.here)(&[&["csr"], &wanted[..]].concat())
        }
        Reason::NewerReady { place, .. } => match (&row.stem, place) {
            (
                Some(stem),
                Place::File {
                    origin: Origin::Here,
                    ..
                },
            ) if DnsName::parse(stem).is_ok() => (ways.root)(&["install", stem]),
            _ => (ways.root)(&["install", &place.to_string()]),
        },
        Reason::Placeholder => Next::say((ways.root)(&["install", "FILE"]).text),
        Reason::TermEnds { .. } | Reason::Prepared { .. } | Reason::Rule(_) => return None,
    })
}

/// The next round, where one has to be made; what lies ready or is prepared comes first.
fn renewal(row: &Row, ways: &Ways<'_>) -> Option<Next> {
    let ready = row
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::NewerReady { .. }));
    if ready {
        return None;
    }
    let prepared = row.reasons.iter().find_map(|reason| match reason {
        Reason::Prepared { request } => Some(checked(request, &row.name, ways)),
        _ => None,
    });
    if prepared.is_some() {
        return prepared;
    }
    let other = row.places.iter().find_map(|place| match place {
        Place::File {
            origin: Origin::Certbot(name),
            ..
        } => Some(Next::say(format!(
            "sudo certbot renew --cert-name {}",
            shell_word(name)
        ))),
        Place::File {
            origin: Origin::AcmeSh,
            ..
        } => Some(Next::say(format!(
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
        (None, State::Ready) if lies_here(row) => (ways.here)(&["renew", &row.name]),
        (None, State::Served | State::Installed | State::NoKey | State::Ready)
            if !row.names.is_empty() =>
        {
            let names: Vec<&str> = row.names.iter().map(String::as_str).collect();
            (ways.here)(&[&["csr"], &names[..]].concat())
        }
        _ => return None,
    })
}

/// The file that servers of this machine read.
fn here(row: &Row) -> Option<String> {
    row.places
        .iter()
        .find(|place| place.is_live())
        .map(ToString::to_string)
}

/// How the server that a configuration belongs to reads its files again.
fn reload(row: &Row) -> Option<String> {
    if row.stem.is_some() {
        return None;
    }
    row.places.iter().find_map(|place| match place {
        Place::File {
            origin: Origin::Configured(software, _),
            ..
        } => Some(match software {
            Software::Apache => {
                "sudo apachectl configtest && sudo systemctl reload apache2".to_owned()
            }
            Software::Haproxy => "sudo systemctl reload haproxy".to_owned(),
            Software::Nginx => "sudo nginx -t && sudo systemctl reload nginx".to_owned(),
        }),
        _ => None,
    })
}

/// A remark on a list of revoked certificates as a finding.
impl From<&Remark> for Finding {
    fn from(remark: &Remark) -> Self {
        let message = remark.to_string();
        match remark {
            Remark::Delta { .. } => Self::warning("crl-delta", message).with(Next::say(
                "name that \
                list too",
            )),
            Remark::Old { .. } => Self::warning("crl-old", message).with(Next::say(
                "fetch the CA's list of today: its address is in the certificate's CRL \
                    distribution points",
            )),
            Remark::OfOthers { .. } => Self::warning("crl-of-others", message),
        }
    }
}

/// A reason as a finding about its row.
#[must_use]
pub(crate) fn finding(reason: &Reason, row: &Row, ways: &Ways<'_>) -> Finding {
    let severity = match reason.weight() {
        Weight::Wrong | Weight::Due => Severity::Error,
        Weight::Warns => Severity::Warning,
        Weight::Notes => Severity::Note,
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
