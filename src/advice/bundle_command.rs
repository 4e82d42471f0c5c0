//! Advice that `bundle` prints: what to do with the files that it wrote or refused to write.

use std::path::Path;

use crate::finding::{NextStep, shell_word};

/// `--out` names one file, and several chains were found.
pub(crate) fn select_chain() -> NextStep {
    NextStep::say("leave --out away, or name the key of the one that is meant:  --key FILE")
}

/// The key is only in what the CA sent.
pub(crate) fn extract_key() -> NextStep {
    NextStep::say("write it to a file of its own, mode 0600:  --extract-key")
}

/// `--extract-key` was given, and no key came with the certificate.
pub(crate) fn omit_extract_key() -> NextStep {
    NextStep::say(
        "leave --extract-key away: the key that was made with the request stays where it is",
    )
}

/// Another key is at the path of the extracted key.
pub(crate) fn move_old_key_away(path: &Path) -> NextStep {
    NextStep::say(format!(
        "if it is no longer needed, move it away:  {}",
        move_command(path)
    ))
}

/// The command that installs the chain file; without its key it has to run where the key is.
pub(crate) fn install_chain(words: &[String], key: InstallKey) -> NextStep {
    let run = NextStep::run(words);
    match key {
        InstallKey::Known => run.with_sudo(),
        InstallKey::Missing => {
            NextStep::say(format!("where its private key is:  sudo {}", run.text))
        }
    }
}

/// Whether this machine has the key of a chain that is to be installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstallKey {
    Known,
    Missing,
}

/// What to configure on a server; `lines` go into its configuration.
pub(crate) fn configure_server(text: String, lines: Vec<String>) -> NextStep {
    NextStep::say(text).with_lines(lines)
}

/// The configuration names the key file `key_file`, which does not exist.
pub(crate) fn provide_key_file(key_file: &str) -> NextStep {
    NextStep::say(format!(
        "{key_file} is its private key, which is not here; if it came with the certificate:  \
            --extract-key"
    ))
}

/// A format with the private key was sent to stdout, or stdout has another use.
pub(crate) fn name_output_file() -> NextStep {
    NextStep::say("name a file:  --out FILE")
}

/// `--out` names one file, and several formats were requested.
pub(crate) fn omit_out() -> NextStep {
    NextStep::say("leave --out away: each gets its own name in the directory")
}

/// `--legacy` was given without the format that it changes.
pub(crate) fn request_legacy_pfx() -> NextStep {
    NextStep::say("ask for one:  --format pfx --legacy")
}

/// The password of the new `.pfx` is empty.
pub(crate) fn confirm_empty_password() -> NextStep {
    NextStep::say("if that is what you want:  --pfx-empty-password")
}

/// The password file is not UTF-8.
pub(crate) fn rewrite_password_file() -> NextStep {
    NextStep::say("write the password anew, as UTF-8 text")
}

/// The two passwords that were typed differ.
pub(crate) fn retype_password() -> NextStep {
    NextStep::say("run it again, or put the password into a file:  --pfx-password-file FILE")
}

/// The existing file cannot be opened with the password of the new one.
pub(crate) fn give_old_password() -> NextStep {
    NextStep::say(
        "to replace it if it holds the same key, give its password:  --password-file FILE",
    )
}

/// The existing file at `path` is not overwritten.
pub(crate) fn write_elsewhere(path: &Path) -> NextStep {
    NextStep::say(format!(
        "name another file:  --out FILE  or move this one away:  {}",
        move_command(path)
    ))
}

fn move_command(path: &Path) -> String {
    let current = shell_word(&path.display().to_string());
    let renamed = shell_word(&format!("{}.old", path.display()));
    format!("mv {current} {renamed}")
}
