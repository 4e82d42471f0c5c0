//! Advice that `bundle` prints: what to do with the files that it wrote or refused to write.

use std::path::Path;

use crate::export::TargetStep;
use crate::finding::{NextStep, shell_word};

/// `--out` names one file, and several chains were found.
pub(crate) fn select_chain() -> NextStep {
    NextStep::say(
        "Omit `--out`, or select one certificate by its key, for example `--key example.com.key`",
    )
}

/// The key is only in the files from the CA.
pub(crate) fn extract_key() -> NextStep {
    NextStep::say(
        "To write the key to a separate file (mode 0600), repeat the command with `--extract-key`",
    )
}

/// `--extract-key` was given, and no key came with the certificate.
pub(crate) fn omit_extract_key() -> NextStep {
    NextStep::say(
        "Omit `--extract-key`: the key that was created with the request stays in its own file",
    )
}

/// Another key exists at the path of the extracted key.
pub(crate) fn move_old_key_away(path: &Path) -> NextStep {
    NextStep::run_shell(
        "If nothing uses the existing key, move it out of the way and repeat the command",
        move_command(path),
    )
    .later()
}

/// The command that installs the chain file; without its key it has to run where the key is.
pub(crate) fn install_chain(words: &[String], key: InstallKey) -> NextStep {
    match key {
        InstallKey::Known => {
            NextStep::run_certctl("Install it, and verify that the server serves it", words)
                .with_sudo()
        }
        InstallKey::Missing => NextStep::run_certctl(
            "Copy it to the machine that has its private key, and install \
                                      it there",
            words,
        )
        .with_sudo()
        .later(),
    }
}

/// Whether this machine has the key of a chain that is to be installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstallKey {
    Known,
    Missing,
}

/// One step of configuring a server with the files.
pub(crate) fn configure_server(step: TargetStep) -> NextStep {
    let TargetStep {
        sentence,
        lines,
        command,
    } = step;
    match command {
        Some(command) => NextStep::run_shell(sentence, command).later(),
        None => NextStep::say(sentence).with_lines(lines),
    }
}

/// The configuration names the key file `key_file`, which does not exist.
pub(crate) fn provide_key_file(key_file: &str) -> NextStep {
    NextStep::say(format!(
        "Provide {key_file}, the private key, which was not found here; if it came with the \
            certificate, repeat the command with `--extract-key`"
    ))
}

/// A format with the private key was sent to stdout, or stdout has another use.
pub(crate) fn name_output_file() -> NextStep {
    NextStep::say("Write to a file, for example `--out example.com.pfx`")
}

/// `--out` names one file, and several formats were requested.
pub(crate) fn omit_out() -> NextStep {
    NextStep::say("Omit `--out`: each format then gets its own file name in the working directory")
}

/// `--legacy` was given without the format that it changes.
pub(crate) fn request_legacy_pfx() -> NextStep {
    NextStep::say("Request a .pfx file with `--format pfx --legacy`, or omit `--legacy`")
}

/// The password of the new `.pfx` is empty.
pub(crate) fn confirm_empty_password() -> NextStep {
    NextStep::say("If you want an empty password, repeat the command with `--pfx-empty-password`")
}

/// The password file is not UTF-8.
pub(crate) fn rewrite_password_file() -> NextStep {
    NextStep::say("Save the password file as UTF-8 text")
}

/// The two passwords that were typed differ.
pub(crate) fn retype_password() -> NextStep {
    NextStep::say(
        "Repeat the command, or pass the password in a file: `--pfx-password-file password.txt`",
    )
}

/// The existing file cannot be opened with the password of the new one.
pub(crate) fn give_old_password() -> NextStep {
    NextStep::say(
        "To replace it if it contains the same key, pass its password in a file: \
            `--password-file old-password.txt`",
    )
}

/// The existing file at `path` is not overwritten.
pub(crate) fn write_elsewhere(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Choose another file with `--out`; or, if nothing uses this one, move it out of the way and \
            repeat the command",
        move_command(path),
    )
    .later()
}

/// `mv -n` never overwrites an earlier backup.
fn move_command(path: &Path) -> String {
    let current = shell_word(&path.display().to_string());
    let renamed = shell_word(&format!("{}.old", path.display()));
    format!("mv -n {current} {renamed}")
}
