//! Advice of `rehearse`.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::pki::name::DnsName;
use crate::system::fs::scratch::ScratchError;

impl From<ScratchError> for Failure {
    fn from(error: ScratchError) -> Self {
        match error {
            ScratchError::Busy(_) => Self::from_error(FailureKind::LockHeld, &error)
                .with_step(NextStep::say("wait until it has ended")),
            ScratchError::Foreign(_) => Self::from_error(FailureKind::Exists, &error)
                .with_step(NextStep::run(&["-C", "/tmp", "rehearse"])),
            ScratchError::File(error) => error.into(),
        }
    }
}

/// The command line without options.
#[must_use]
pub(crate) fn rehearse(name: &DnsName) -> NextStep {
    NextStep::run(&["rehearse", name.as_str()])
}

/// Rehearses in a folder whose name is UTF-8.
#[must_use]
pub(crate) fn rehearse_in_tmp(name: &DnsName) -> NextStep {
    NextStep::run(&["rehearse", name.as_str(), "-C", "/tmp"])
}

/// For `--server nginx` without nginx.
#[must_use]
pub(crate) fn install_nginx_or_use_embedded() -> NextStep {
    NextStep::say("install it, or take the server of the rehearsal itself:  certctl rehearse")
}

/// For a result that a rehearsal cannot have.
#[must_use]
pub(crate) fn report_unexpected() -> NextStep {
    NextStep::say("please report it, with all of:  certctl rehearse --json")
}

/// The first step for a real certificate.
#[must_use]
pub(crate) fn request_real_certificate() -> NextStep {
    NextStep::run(&[
        "csr",
        "YOUR-DOMAIN.com",
        "www.YOUR-DOMAIN.com",
        "--ca",
        "namecheap",
    ])
}
