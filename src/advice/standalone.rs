//! Advice of `order --standalone`.

use super::rerun::{RepeatOption, as_root_saying, repeat_instead_of};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::webserver::control::ports::PortOwner;

/// Another process holds the port.
#[must_use]
pub(crate) fn port_in_use(address: &str, owner: Option<&PortOwner>) -> Failure {
    let message = format!("certctl cannot serve the validation files itself: {address} is in use");
    let mut failure = Failure::new(FailureKind::Exists, message);
    if let Some(owner) = owner {
        failure = failure.because(owner.in_words());
    }
    failure.with_step(repeat_instead_of(
        "If that is the web server of these names, let it serve the files from its folder",
        &["order"],
        RepeatOption {
            name: "--standalone",
            value: None,
        },
        RepeatOption {
            name: "--webroot",
            value: Some("/var/www/html"),
        },
    ))
}

/// Only root may use the port.
#[must_use]
pub(crate) fn port_denied(address: &str) -> Failure {
    let message = format!("this user may not listen at {address}");
    let failure = Failure::new(FailureKind::Io, message);
    match as_root_saying("Run the same command as root") {
        Some(step) => failure.with_step(step),
        None => failure.with_step(NextStep::say(
            "Allow this user to use port 80, or pass a port that a router forwards port 80 to",
        )),
    }
}

/// The test file of certctl's own server is not what the name answers.
#[must_use]
pub(crate) fn file_wrong(name: &str, address: &str, reason: &str) -> Finding {
    let message = format!(
        "certctl's own server is not what answers http://{name}/.well-known/acme-challenge/: \
            {address} {reason}"
    );
    Finding::error("challenge-file-wrong", message).with_step(NextStep::say(format!(
        "Let {name} and port 80 lead to this machine, or validate in another way"
    )))
}
