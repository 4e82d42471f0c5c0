//! Advice of `revoke`.

use super::command_lines::certctl_step;
use super::rerun::{RepeatOption, repeat_with, run_in_same_tree};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::pki::certificate::Certificate;
use crate::wording::day;

/// No certificate of this name is here.
#[must_use]
pub(crate) fn no_certificate(name: &str) -> Failure {
    let message = format!("no certificate of {name} is installed, or in the working directory");
    Failure::new(FailureKind::NotFound, message).with_step(run_in_same_tree(
        "See which certificates are here",
        &["status"],
    ))
}

/// No certificate here has this serial number.
#[must_use]
pub(crate) fn no_such_serial(name: &str, serial: &str, known: &[String]) -> Failure {
    let message = format!("no certificate of {name} here has the serial number {serial}");
    let mut failure = Failure::new(FailureKind::NotFound, message);
    for serial in known {
        failure = failure.because(format!(
            "a certificate with the serial number {serial} is here"
        ));
    }
    failure.with_step(NextStep::say(
        "Repeat the command with one of these serial numbers, if it is the right one",
    ))
}

/// No certificate was replaced.
#[must_use]
pub(crate) fn nothing_replaced(name: &str) -> Failure {
    let message = format!("no earlier certificate of {name} is kept here that is still valid");
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::say(
        "To revoke another one, pass its serial number with `--serial`",
    ))
}

/// It is not known from which CA the certificate was ordered.
#[must_use]
pub(crate) fn ca_unknown(name: &str) -> Failure {
    let message = format!("it is not saved from which CA {name} was ordered");
    Failure::new(FailureKind::NotFound, message).with_step(repeat_with(
        "If Let's Encrypt issued it, repeat the command",
        &["revoke"],
        &[RepeatOption {
            name: "--ca",
            value: Some("letsencrypt"),
        }],
    ))
}

/// Neither an account nor the key of the certificate is here.
#[must_use]
pub(crate) fn nobody_may_revoke(name: &str, ca: &str) -> Failure {
    let message =
        format!("neither an account at {ca} nor the key of this certificate of {name} is here");
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::say(
        "Run the command where the certificate was ordered, or revoke it in the CA's console",
    ))
}

/// The certificate is in use.
#[must_use]
pub(crate) fn in_use(name: &str, leaf: &Certificate, addresses: &[String]) -> Finding {
    let place = match addresses {
        [] => "is the installed one".to_owned(),
        addresses => format!("is served at {}", addresses.join(", ")),
    };
    let message = format!(
        "the certificate with the serial number {} (expires {}) {place}, so it is not revoked",
        leaf.serial,
        day(leaf.not_after)
    );
    Finding::error("certificate-in-use", message).with_step(certctl_step(
        None,
        "Replace it first, then revoke it; see what is served",
        &["status", name],
    ))
}

/// No server was probed.
#[must_use]
pub(crate) fn not_probed(name: &str) -> Finding {
    let message =
        format!("certctl did not check whether a server still sends this certificate of {name}");
    Finding::warning("not-probed", message)
}
