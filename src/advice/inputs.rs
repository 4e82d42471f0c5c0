//! Advice for arguments, files and hosts that cannot be read.

use std::path::Path;

use crate::finding::{NextStep, shell_word};

/// What to do where an issuer is missing and cannot be fetched.
pub(crate) const ADD_BUNDLE: &str =
    "add the CA's bundle (.ca-bundle) from its mail, or download it at the shop";

#[must_use]
pub(crate) fn add_bundle() -> NextStep {
    NextStep::say(ADD_BUNDLE)
}

/// `--aia` fetches from private addresses only with `--aia=any`.
#[must_use]
pub(crate) fn allow_private_aia() -> NextStep {
    NextStep::say("if that is a server of your own CA:  --aia=any")
}

#[must_use]
pub(crate) fn name_a_mail_host() -> NextStep {
    NextStep::say("certctl inspect mail.example.com:25 --starttls smtp")
}

#[must_use]
pub(crate) fn example_host_flag() -> NextStep {
    NextStep::say("--host www.example.com")
}

/// A `.dcv` file at `path` that holds no validation record.
#[must_use]
pub(crate) fn repair_dcv_file(path: &Path) -> NextStep {
    NextStep::say(format!(
        "look into it, then mend it or move it away:  file {}",
        shell_word(&path.display().to_string())
    ))
}

#[must_use]
pub(crate) fn pass_files_one_by_one() -> NextStep {
    NextStep::say("pass the files that the CA sent, one by one")
}

#[must_use]
pub(crate) fn pass_password_file() -> NextStep {
    NextStep::say("put the password into a file of mode 0600 and pass that:  --password-file FILE")
}

/// The first line of a password file is empty.
#[must_use]
pub(crate) fn write_password_first() -> NextStep {
    NextStep::say("write the password into its first line, with nothing before it")
}

/// Moves a backup back to its original path.
#[must_use]
pub(crate) fn restore_backup(backup: &Path, original: &Path) -> NextStep {
    NextStep::shell(format!(
        "mv -n {} {}",
        shell_word(&backup.display().to_string()),
        shell_word(&original.display().to_string())
    ))
}

/// Nothing at a host answered with a certificate.
#[must_use]
pub(crate) fn check_listener(host: &str, port: u16) -> NextStep {
    NextStep::say(format!(
        "is something listening there?  nc -vz {host} {port}"
    ))
}

/// `port` is for HTTP without TLS; `tls_host` is the same host with the usual port for HTTPS.
#[must_use]
pub(crate) fn inspect_https_port(port: u16, tls_host: &str) -> NextStep {
    NextStep::say(format!(
        "{port} is a port for HTTP without TLS; that is usually at 443:  certctl inspect {tls_host}"
    ))
}

/// A server that does not answer in TLS; `host` is its name with its port.
#[must_use]
pub(crate) fn try_https_or_starttls(host: &str) -> NextStep {
    NextStep::say(format!(
        "if it is a web server, look at its port for https; if it speaks another protocol \
                first:  certctl inspect {host} --starttls smtp"
    ))
}

/// A server that waits in silence; `host` is its name with its port.
#[must_use]
pub(crate) fn try_starttls(host: &str) -> NextStep {
    NextStep::say(format!(
        "a server that waits for its client speaks another protocol first:  certctl inspect \
                {host} --starttls smtp"
    ))
}

/// A server sends more certificates than a chain has.
#[must_use]
pub(crate) fn send_only_the_chain() -> NextStep {
    NextStep::say(
        "give it the chain of its certificate alone: leaf and intermediates, no bag of CAs",
    )
}

/// The server does not speak the protocol of `--starttls`.
#[must_use]
pub(crate) fn name_its_protocol() -> NextStep {
    NextStep::say(
        "name what it speaks:  --starttls smtp, imap, pop3 or postgres; or its port for TLS \
                from the start",
    )
}

/// The system's roots know a chain that Mozilla's list does not.
#[must_use]
pub(crate) fn trust_system_roots() -> NextStep {
    NextStep::say("if they are whom to trust:  --trust system")
}

/// Mozilla's list knows a chain that the system's roots do not.
#[must_use]
pub(crate) fn trust_mozilla_roots() -> NextStep {
    NextStep::say("if that is whom to trust:  --trust mozilla")
}

/// Browsers trust a chain that programs with the system's roots do not.
#[must_use]
pub(crate) fn update_system_roots() -> NextStep {
    NextStep::say(
        "if such programs visit the site, update the package ca-certificates on their machines",
    )
}

/// Only the system's roots know a chain, so browsers elsewhere refuse it.
#[must_use]
pub(crate) fn order_from_public_root() -> NextStep {
    NextStep::say("for a public site, ask the CA for a certificate of a root that Mozilla lists")
}
