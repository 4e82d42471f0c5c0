//! Advice of `rehearse`.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::pki::name::DnsName;
use crate::system::fs::scratch::ScratchError;

impl From<ScratchError> for Failure {
    fn from(error: ScratchError) -> Self {
        match error {
            ScratchError::Busy(_) => Self::from_error(FailureKind::LockHeld, &error)
                .with_step(NextStep::say("Wait until the other rehearsal has ended")),
            ScratchError::Foreign(_) => Self::from_error(FailureKind::Exists, &error).with_step(
                NextStep::run_certctl("Rehearse in another folder", &["-C", "/tmp", "rehearse"]),
            ),
            ScratchError::File(error) => error.into(),
        }
    }
}

/// Rehearses without the option that was refused.
#[must_use]
pub(crate) fn rehearse(name: &DnsName) -> NextStep {
    NextStep::run_certctl("Rehearse without it", &["rehearse", name.as_str()])
}

/// Rehearses with a name that has a domain.
#[must_use]
pub(crate) fn rehearse_with_domain(name: &DnsName) -> NextStep {
    let with_domain = format!("www.{name}.example");
    NextStep::run_certctl("Rehearse with a complete name", &["rehearse", &with_domain])
}

/// Rehearses in a folder whose name is UTF-8.
#[must_use]
pub(crate) fn rehearse_in_tmp(name: &DnsName) -> NextStep {
    NextStep::run_certctl(
        "Rehearse in another folder",
        &["rehearse", name.as_str(), "-C", "/tmp"],
    )
}

/// For `--step` without a terminal or with `--json`.
#[must_use]
pub(crate) fn omit_step() -> NextStep {
    NextStep::say("Omit `--step`: all steps are then run and reported at once")
}

/// For `--server nginx` without nginx.
#[must_use]
pub(crate) fn install_nginx_or_use_embedded(name: &DnsName) -> NextStep {
    NextStep::run_certctl(
        "Install nginx first, or use the web server that is built into certctl",
        &["rehearse", name.as_str()],
    )
}

/// For a result that a rehearsal cannot have.
#[must_use]
pub(crate) fn report_unexpected() -> NextStep {
    NextStep::say("Please report this with the output of `certctl rehearse --json`")
}

/// The first step for a real certificate.
#[must_use]
pub(crate) fn request_real_certificate() -> NextStep {
    NextStep::say(
        "To get a real certificate, make its key and CSR in the same way with your own names, for \
            example `certctl csr example.com www.example.com --ca namecheap`",
    )
}

/// The first step for a certificate that renews by itself.
#[must_use]
pub(crate) fn order_real_certificate() -> NextStep {
    NextStep::say(
        "To order a real certificate, use your own names and DNS provider, for example `sudo certctl \
            order example.com --ca letsencrypt --dns cloudflare --agree-tos`",
    )
}
