//! Advice that `verify` prints about servers and installed files.

use std::path::{Path, PathBuf};

use super::rerun;
use crate::advice::command_lines::certctl_step;
use crate::finding::{Finding, NextStep, shell_word};
use crate::matching::FolderContents;
use crate::pki::name::join_listed;

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

/// An installed certificate is renewed, as `status` says too; `renew` is the command line for it.
pub(crate) fn renew_expired(findings: &mut [Finding], renew: &[String]) {
    for finding in findings.iter_mut().filter(|one| one.code == "expired") {
        let sentence = "Prepare the request for the next certificate";
        finding.next = vec![NextStep::run_certctl(sentence, renew)];
    }
}

/// Lists the files of the working directory that `verify` without arguments does not check: archives,
/// and files that this user may not read.
pub(crate) fn report_skipped_files(folder: &FolderContents) -> Vec<Finding> {
    let archives = folder.archives.first().map(|first| {
        let paths = joined_paths(&folder.archives);
        let check = ["verify".to_owned(), first.display().to_string()];
        Finding::note(
            "skipped",
            format!("not checked, because it is packed: {paths}"),
        )
        .with_step(NextStep::run_certctl("Check what the CA packed", &check))
    });
    let unreadable = (!folder.unreadable.is_empty()).then(|| {
        let paths = joined_paths(&folder.unreadable);
        let message = format!("not checked, because you may not read them: {paths}");
        let finding = Finding::warning("skipped", message);
        rerun::as_root()
            .into_iter()
            .fold(finding, Finding::with_step)
    });
    let unusable = folder.unusable_requests.iter().map(Finding::from);
    archives
        .into_iter()
        .chain(unreadable)
        .chain(unusable)
        .collect()
}

fn joined_paths(paths: &[PathBuf]) -> String {
    let words: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    join_listed(&words)
}
