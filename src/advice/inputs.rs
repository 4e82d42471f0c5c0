//! Advice for arguments, files and hosts that cannot be read.

use std::path::Path;

use super::rerun::{RepeatOption, repeat_with};
use crate::finding::{NextStep, shell_word};
use crate::probe::StartTls;

/// What to do where an issuer is missing and cannot be fetched.
pub(crate) const ADD_BUNDLE: &str =
    "Add the CA's bundle (.ca-bundle) from its mail, or download it from the CA's website";

#[must_use]
pub(crate) fn add_bundle() -> NextStep {
    NextStep::say(ADD_BUNDLE)
}

/// `--aia` fetches from private addresses only with `--aia=any`.
#[must_use]
pub(crate) fn allow_private_aia() -> NextStep {
    let sentence = "If that address belongs to your own CA, repeat the command";
    let any = RepeatOption {
        name: "--aia=any",
        value: None,
    };
    repeat_with(sentence, &["bundle", "install"], &[any])
}

#[must_use]
pub(crate) fn name_a_mail_host() -> NextStep {
    NextStep::say(
        "Pass the host too, for example `certctl inspect mail.example.com:25 --starttls smtp`",
    )
}

#[must_use]
pub(crate) fn example_host_flag() -> NextStep {
    NextStep::say("Pass a host name, for example `--host www.example.com`")
}

/// A `.dcv` file at `path` that holds no validation record.
#[must_use]
pub(crate) fn repair_dcv_file(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Find out what kind of file it is, then correct it or move it away",
        format!("file {}", shell_word(&path.display().to_string())),
    )
}

#[must_use]
pub(crate) fn pass_files_one_by_one() -> NextStep {
    NextStep::say("Pass the files that the CA sent one by one")
}

#[must_use]
pub(crate) fn pass_password_file() -> NextStep {
    NextStep::say(
        "Write the password to a file with mode 0600 and pass that file, for example \
            `--password-file password.txt`",
    )
}

/// The first line of a password file is empty.
#[must_use]
pub(crate) fn write_password_first() -> NextStep {
    NextStep::say("Write the password on the first line of the file, with nothing before it")
}

/// Moves a backup back to its original path.
#[must_use]
pub(crate) fn restore_backup(backup: &Path, original: &Path) -> NextStep {
    NextStep::run_shell(
        "Move the backup back",
        format!(
            "mv -n {} {}",
            shell_word(&backup.display().to_string()),
            shell_word(&original.display().to_string())
        ),
    )
}

/// Nothing at a host answered with a certificate.
#[must_use]
pub(crate) fn check_listener(host: &str, port: u16) -> NextStep {
    NextStep::run_shell(
        "Check whether a server listens on that port",
        format!("nc -vz {} {port}", shell_word(host)),
    )
}

/// `port` is for HTTP without TLS; `tls_host` is the same host with the usual port for HTTPS.
#[must_use]
pub(crate) fn inspect_https_port(port: u16, tls_host: &str) -> NextStep {
    NextStep::run_certctl(
        format!(
            "Port {port} is for HTTP without TLS; use the port for HTTPS, which is usually 443"
        ),
        &["inspect", tls_host],
    )
}

/// The port for HTTPS does not answer in TLS.
#[must_use]
pub(crate) fn enable_tls(name: &str) -> NextStep {
    NextStep::run_shell(
        "Find out what answers there; if it is nginx, its block for port 443 has to say \
            `listen 443 ssl`",
        format!("curl -sI {}", shell_word(&format!("http://{name}:443/"))),
    )
}

/// A server that does not answer in TLS; `host` is its name with its port.
#[must_use]
pub(crate) fn try_https_or_starttls(host: &str) -> NextStep {
    NextStep::run_certctl(
        "If it is a web server, pass its port for HTTPS; if it starts in plain text, pass its \
            protocol",
        &["inspect", host, "--starttls", "smtp"],
    )
}

/// A server that sends nothing; `host` is its name with its port, `starttls` the protocol that was
/// tried.
#[must_use]
pub(crate) fn try_starttls(host: &str, starttls: Option<StartTls>) -> NextStep {
    match starttls {
        None => NextStep::run_certctl(
            "If it starts in plain text, pass its protocol",
            &["inspect", host, "--starttls", "smtp"],
        ),
        Some(protocol) => NextStep::run_shell(
            format!(
                "It may not speak {}; see what it answers to TLS",
                protocol.display_name()
            ),
            format!("openssl s_client -connect {} </dev/null", shell_word(host)),
        ),
    }
}

/// A server sends more certificates than a chain has.
#[must_use]
pub(crate) fn send_only_the_chain() -> NextStep {
    NextStep::say("Configure the server to send only its leaf and the intermediates of its chain")
}

/// The server does not speak the protocol of `--starttls`.
#[must_use]
pub(crate) fn name_its_protocol() -> NextStep {
    NextStep::say(
        "Pass the protocol that the server speaks (`--starttls`; `--help` lists them), or its port \
            for implicit TLS",
    )
}

/// The system's roots know a chain that Mozilla's list does not.
#[must_use]
pub(crate) fn trust_system_roots() -> NextStep {
    repeat_with_trust(
        "If you trust the system's roots, repeat the command",
        "system",
    )
}

/// Mozilla's list knows a chain that the system's roots do not.
#[must_use]
pub(crate) fn trust_mozilla_roots() -> NextStep {
    repeat_with_trust("If you trust Mozilla's list, repeat the command", "mozilla")
}

/// Browsers trust a chain that programs with the system's roots do not.
#[must_use]
pub(crate) fn update_system_roots() -> NextStep {
    NextStep::say(
        "If programs with the system's roots visit the site, update the package ca-certificates \
            on their machines",
    )
}

/// Only the system's roots know a chain, so browsers elsewhere refuse it.
#[must_use]
pub(crate) fn order_from_public_root() -> NextStep {
    NextStep::say("For a public site, order a certificate that chains to a root in Mozilla's list")
}

/// The root is stored with the installed certificate `stem`, in the file `path`.
#[must_use]
pub(crate) fn trust_stored_root(stem: &str, path: &Path) -> NextStep {
    let sentence =
        format!("Its root is the one that {stem} was installed with. Repeat the command");
    repeat_with_trust(&sentence, &path.display().to_string())
}

/// The same command with another trust store, or with the file of a root.
#[must_use]
pub(crate) fn repeat_with_trust(sentence: &str, trust: &str) -> NextStep {
    let option = RepeatOption {
        name: "--trust",
        value: Some(trust),
    };
    repeat_with(sentence, &["bundle", "install", "verify"], &[option])
}
