//! Advice that `verify` prints about servers and installed files.

use std::path::Path;

use crate::advice::command_lines::certctl_step;
use crate::finding::{NextStep, shell_word};

/// `--starttls` was given without a host.
pub(crate) fn name_starttls_host() -> NextStep {
    NextStep::say("Name the server with its port, such as `certctl verify mail.example.com:25`")
}

/// The certificate that the server at `host` (name and port) sends cannot be parsed; `starttls` is
/// the protocol that it speaks before TLS, which OpenSSL calls the same.
pub(crate) fn show_sent_certificate(host: &str, starttls: Option<&str>) -> NextStep {
    let host = shell_word(host);
    let starttls = starttls
        .map(|protocol| format!(" -starttls {protocol}"))
        .unwrap_or_default();
    NextStep::run_shell(
        "Show what the server sends",
        format!("openssl s_client -connect {host}{starttls} -showcerts </dev/null"),
    )
}

/// The server sends a wrong chain: install the files from the CA there.
pub(crate) fn install_on_server() -> NextStep {
    NextStep::say(
        "On that server, install the files from the CA again, for example with \
            `sudo certctl install example_com.zip`",
    )
}

/// One address answers with different certificates.
pub(crate) fn check_each_backend() -> NextStep {
    NextStep::say(
        "Install the same certificate on every server behind this address, and reload each of them",
    )
}

/// The files were installed, and no server was verified to serve them.
pub(crate) fn verify_live(root: Option<&Path>, stem: &str) -> NextStep {
    certctl_step(
        root,
        "Install the same files again, which verifies that the server serves them",
        &["install", stem],
    )
}
