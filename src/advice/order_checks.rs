//! Advice of `order` about what certctl checks before the CA does: validation files and records.

use std::path::Path;

use super::command_lines::{run_as_root_if_needed, shell_path};
use super::order::repeat;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::permissions::{Mode, Owner};

/// The name does not exist in the DNS, or has no address.
#[must_use]
pub(crate) fn no_address(name: &str) -> Finding {
    let message =
        format!("{name} has no address in the DNS, so the CA cannot fetch a file from it");
    Finding::error("challenge-file-wrong", message).with_step(NextStep::say(format!(
        "Add an A or AAAA record for {name} that leads to this web server"
    )))
}

/// The web server does not serve the test file.
#[must_use]
pub(crate) fn file_wrong(name: &str, address: &str, reason: &str, webroot: &Path) -> Finding {
    let webroot = webroot.display();
    let message = format!(
        "a test file in {webroot} is not served as http://{name}/.well-known/acme-challenge/: \
            {address} {reason}"
    );
    Finding::error("challenge-file-wrong", message).with_step(NextStep::say(format!(
        "Pass the folder from which the web server of {name} serves files on port 80, or let it \
            serve /.well-known/acme-challenge/ from {webroot}"
    )))
}

/// The test file could not be fetched from this machine. `renewal` is the command line that orders the
/// same certificate, if this run renews it: `renew` has no option that skips the check.
#[must_use]
pub(crate) fn file_unchecked(name: &str, reason: &str, renewal: Option<Vec<String>>) -> Finding {
    let message = format!(
        "certctl could not check whether http://{name}/.well-known/acme-challenge/ serves the \
            validation file: {reason}"
    );
    let condition = "If the CA can reach the name, although this machine cannot";
    let step = allow_unchecked(condition, "challenge-file-unchecked", renewal);
    Finding::error("challenge-file-unchecked", message).with_step(step)
}

/// The validation record could not be confirmed, so the CA is not asked. `renewal` is the command line
/// that orders the same certificate, if this run renews it.
#[must_use]
pub(crate) fn record_not_published(
    name: &str,
    exit_code: u8,
    findings: &[Finding],
    renewal: Option<Vec<String>>,
) -> Failure {
    let kind = match exit_code {
        3 => FailureKind::Malformed,
        _ => FailureKind::Network,
    };
    let message = format!("the record {name} could not be published and checked");
    let errors = findings.iter();
    let errors = errors.filter(|finding| finding.severity == Severity::Error);
    let mut failure = Failure::new(kind, message);
    for error in errors {
        failure = failure.because(error.message.clone());
        for step in &error.next {
            failure = failure.with_step(step.clone());
        }
        if error.code == "unchecked-record" {
            let condition = "If they serve it, although this machine cannot query them";
            failure = failure.with_step(allow_unchecked(condition, error.code, renewal.clone()));
        }
    }
    failure
}

/// The same order without a check. `renewal` is the command line that orders the same certificate, if this
/// run renews it: `renew` has no option that skips a check.
fn allow_unchecked(condition: &str, code: &str, renewal: Option<Vec<String>>) -> NextStep {
    let Some(mut words) = renewal else {
        let sentence = format!("{condition}, repeat the command");
        return repeat(&sentence, "--allow", Some(code));
    };
    words.extend(["--allow".to_owned(), code.to_owned()]);
    let sentence = format!("{condition}, order it without this check");
    run_as_root_if_needed(NextStep::run_certctl(sentence, &words))
}

/// Another user could have written how a certificate in a folder was ordered.
#[must_use]
pub(crate) fn saved_order_exposed(path: &Path, owner: Owner, mode: Mode) -> Failure {
    let message = format!(
        "{} could have been changed by another user: it has the owner {owner} and the mode {mode}",
        path.display()
    );
    let words = shell_path(path);
    Failure::new(FailureKind::Malformed, message).with_step(NextStep::run_shell(
        "Read it, and if it is right, make it yours alone",
        format!("cat {words} && chown $(id -u) {words} && chmod 0644 {words}"),
    ))
}
