//! Advice of `renew`: where to paste the request, which record to check, what to run instead.

use crate::finding::{NextStep, shell_word};

/// The command line of `words`, which come after `certctl`.
#[must_use]
pub(crate) fn command(words: &[String]) -> NextStep {
    NextStep::run(words)
}

/// The command for one certificate: `words` without its name.
#[must_use]
pub(crate) fn command_for(words: Vec<String>, name: &str) -> NextStep {
    NextStep::run(&[words, vec![name.to_owned()]].concat())
}

/// Installs the newer certificate in a file, as root.
#[must_use]
pub(crate) fn install_newer(install_command: &[String], path: &str) -> NextStep {
    command_for(install_command.to_vec(), path).with_sudo()
}

/// Pastes the request; `instruction` says where.
#[must_use]
pub(crate) fn paste_request(instruction: &str, pem: &str) -> NextStep {
    NextStep::say(instruction).with_lines(pem.lines().map(str::to_owned))
}

/// Installs what the CA will send.
#[must_use]
pub(crate) fn install_later(install_command: &[String]) -> NextStep {
    let install = NextStep::run(install_command).text;
    NextStep::say(format!(
        "when the certificate has come:  sudo {install} FILE"
    ))
}

/// For `--reuse-key` where a request with a new key is prepared.
#[must_use]
pub(crate) fn move_prepared_files_away() -> NextStep {
    NextStep::say("to use the old key all the same, move the prepared key and request away first")
}

/// For `--reuse-key` where the key cannot be found.
#[must_use]
pub(crate) fn omit_reuse_key() -> NextStep {
    NextStep::say("leave --reuse-key out: a new key is as good, and nobody has had it yet")
}

/// For a certificate whose key is not in the folder.
#[must_use]
pub(crate) fn find_key_or_make_request(csr_command: Vec<String>, name: &str) -> NextStep {
    let csr = command_for(csr_command, name).text;
    NextStep::say(format!("where its key is, or for a new one:  {csr}"))
}

/// For a certificate that certbot renews.
#[must_use]
pub(crate) fn renew_with_certbot(name: &str) -> NextStep {
    NextStep::shell(format!(
        "sudo certbot renew --cert-name {}",
        shell_word(name)
    ))
}
