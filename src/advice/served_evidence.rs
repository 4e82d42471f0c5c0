//! Advice on what servers send after an installation, and on files that belong to one certificate.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::{NextStep, shell_word};
use crate::webserver::model::ServerSoftware;

/// A server staples an OCSP response for another certificate.
#[must_use]
pub(crate) fn replace_stapled_response() -> NextStep {
    NextStep::say(
        "Replace the stored OCSP response that the server sends (nginx: `ssl_stapling_file`, \
         HAProxy: the file `.ocsp` next to the certificate), or stop using it, then reload the server",
    )
}

/// Handshakes fail since the new certificate is installed.
#[must_use]
pub(crate) fn check_key_usage_and_type() -> NextStep {
    NextStep::say(
        "Check that the server's protocols and cipher suites allow the key type of the new \
         certificate, and that the certificate's key usage contains digitalSignature; then request a \
         certificate that fits",
    )
}

/// A stored OCSP response is for another certificate: a new one is available from the responder.
#[must_use]
pub(crate) fn fetch_ocsp_response(live: &Path, url: &str, file: &Path, reload: &str) -> NextStep {
    let issuer = shell_path(&live.join("ca.pem"));
    let certificate = shell_path(&live.join("cert.pem"));
    let url = shell_word(url);
    let file = shell_path(file);
    let command = format!(
        "sudo openssl ocsp -no_nonce -issuer {issuer} -cert {certificate} -url {url} -respout {file}"
    );
    let sentence =
        "Once the certificate is installed, fetch its OCSP response and reload the server";
    NextStep::run_shell(sentence, then_reload(&command, reload)).later()
}

/// A stored OCSP response is for another certificate, and the new certificate has no responder.
#[must_use]
pub(crate) fn remove_stapling_file(place: &str) -> NextStep {
    NextStep::say(format!(
        "The new certificate has no OCSP responder: remove the line {place}, then reload the server"
    ))
}

/// A file next to the certificate belongs to the old one and is not needed with the new one.
#[must_use]
pub(crate) fn remove_neighbor(file: &Path, reload: &str) -> NextStep {
    let command = format!("sudo rm {}", shell_path(file));
    let sentence = "Once the certificate is installed, remove the file and reload the server";
    NextStep::run_shell(sentence, then_reload(&command, reload)).later()
}

/// The file of trusted certificates lacks the issuer of the new certificate.
#[must_use]
pub(crate) fn add_trusted_issuer(live: &Path, file: &Path, reload: &str) -> NextStep {
    let issuer = shell_path(&live.join("ca.pem"));
    let command = format!("sudo tee -a {} <{issuer} >/dev/null", shell_path(file));
    let sentence =
        "Once the certificate is installed, add its issuer to the file and reload the server";
    NextStep::run_shell(sentence, then_reload(&command, reload)).later()
}

/// `command`, and `reload` after it if there is one.
fn then_reload(command: &str, reload: &str) -> String {
    if reload.is_empty() {
        command.to_owned()
    } else {
        format!("{command} && sudo {reload}")
    }
}

/// Makes a server read its files again.
#[must_use]
pub(super) fn reload_server(software: ServerSoftware) -> NextStep {
    let (server, command) = match software {
        ServerSoftware::Apache => (
            "Apache",
            "sudo apachectl configtest && sudo systemctl reload apache2",
        ),
        ServerSoftware::Haproxy => ("HAProxy", "sudo systemctl reload haproxy"),
        ServerSoftware::Nginx => ("nginx", "sudo nginx -t && sudo systemctl reload nginx"),
    };
    NextStep::run_shell(
        format!("Reload {server} so that it serves the certificate on disk"),
        command,
    )
}
