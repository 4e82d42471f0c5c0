//! Advice of `account`.

use std::path::Path;

use super::rerun::{RepeatOption, repeat_with, run_in_same_tree};
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

/// There is no account, at this CA or at all.
#[must_use]
pub(crate) fn no_account(ca: Option<&str>) -> Failure {
    let message = match ca {
        Some(ca) => format!("there is no account at {ca} here"),
        None => "there is no account at any CA here".to_owned(),
    };
    let failure = Failure::new(FailureKind::NotFound, message);
    match ca {
        Some(_) => failure.with_step(run_in_same_tree(
            "See which accounts are here",
            &["account", "list"],
        )),
        None => failure.with_step(NextStep::say(
            "Order a certificate: `certctl order` creates the account",
        )),
    }
}

/// There are several accounts.
#[must_use]
pub(crate) fn choose_account(directories: &[String]) -> Failure {
    let failure = Failure::new(
        FailureKind::Ambiguous,
        "there are accounts at several CAs here",
    );
    directories.iter().fold(failure, |failure, directory| {
        failure.with_step(repeat_with(
            "For this one, repeat the command",
            &["account"],
            &[RepeatOption {
                name: "--ca",
                value: Some(directory),
            }],
        ))
    })
}

/// The file of an account names no CA.
#[must_use]
pub(crate) fn damaged_account(directory: &str) -> Failure {
    let message = format!("the file of an account names no CA, but {directory}");
    Failure::new(FailureKind::Malformed, message)
}

/// Another account is in use at the CA.
#[must_use]
pub(crate) fn other_account(ca: &str, url: &str) -> Failure {
    let message = format!("another account at {ca} is in use here: {url}");
    Failure::new(FailureKind::Exists, message)
        .because("all certificates of a CA share one account")
        .with_step(run_in_same_tree(
            "See which certificates use it",
            &["account", "list"],
        ))
}

/// The CA knows no account with the key.
#[must_use]
pub(crate) fn key_without_account(path: &Path, ca: &str) -> Failure {
    let message = format!("{ca} has no account with the key in {}", path.display());
    Failure::new(FailureKind::NotFound, message).with_step(NextStep::say(
        "Pass the CA at which the account was created with `--ca`, or the file of another key",
    ))
}

/// The file has no key.
#[must_use]
pub(crate) fn no_key_in(path: &Path) -> Failure {
    let message = format!("{} contains no private key", path.display());
    Failure::new(FailureKind::Malformed, message).with_step(NextStep::say(
        "Pass the PEM file of the account's key; certbot's private_key.json is none",
    ))
}

/// The key has another algorithm.
#[must_use]
pub(crate) fn key_not_usable(path: &Path, algorithm: &str) -> Failure {
    let message = format!(
        "certctl uses accounts with ECDSA P-256 keys only, and {} has a key of {algorithm}",
        path.display()
    );
    Failure::new(FailureKind::Malformed, message).with_step(NextStep::say(
        "Order without importing: `certctl order` creates a new account, which costs nothing",
    ))
}
