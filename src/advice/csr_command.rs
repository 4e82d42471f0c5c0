//! Advice that `csr` prints: other command lines to choose from, and what to do with a new request.

use std::path::{Path, PathBuf};

use super::command_lines::run_as_root_if_needed;
use super::dcv_check_command::folder_of;
use crate::dcv::ca::Ca;
use crate::finding::{Finding, NextStep, shell_word};
use crate::permissions::Owner;

/// Makes a request for a key file that exists without one.
pub(crate) fn request_existing_key(words: &[String]) -> NextStep {
    NextStep::run_certctl("Make a request for the existing key", words)
}

/// Uses another file name, so that the existing files stay.
pub(crate) fn use_another_stem(words: &[String]) -> NextStep {
    NextStep::run_certctl("Keep the existing files and use another file name", words)
}

/// Repeats the command line with `--force`.
pub(crate) fn replace_existing_files(words: &[String]) -> NextStep {
    NextStep::run_certctl(
        "Replace the existing files, which are kept as numbered backups",
        words,
    )
}

/// A request exists without its key, which the user may have elsewhere.
pub(crate) fn add_missing_key() -> NextStep {
    NextStep::say(
        "If you have its key, repeat the command with the key file, for example \
            `--key example.com.key`",
    )
}

/// Repeats the command line with `--allow` for every finding that refused the request.
pub(crate) fn allow_refused_findings(words: &[String]) -> NextStep {
    NextStep::run_certctl("If your CA accepts this request, make it anyway", words)
}

/// Where to paste a new request. `kind` is the type of the DNS record for domain validation.
pub(crate) fn paste_request(ca: Option<Ca>, kind: &str) -> String {
    match ca {
        Some(Ca::Private) => "Send this CSR to your CA:".to_owned(),
        Some(Ca::Namecheap) => "At Namecheap choose Activate, then DCV \"Add CNAME record\", and \
            paste this CSR:"
            .to_owned(),
        Some(ca) => {
            let title = ca.title();
            format!("At {title} choose domain validation by {kind} record, and paste this CSR:")
        }
        None => "Paste this CSR at the CA or reseller:".to_owned(),
    }
}

/// Checks a record of which all parts are known, once it is published.
pub(crate) fn check_published_record(words: &[String]) -> NextStep {
    let sentence = "When the record is published, wait until the CA can see it";
    NextStep::run_certctl(sentence, words).later()
}

/// Reads the record that the CA or reseller shows and waits until it is visible.
pub(crate) fn check_shown_record(ca: Option<Ca>, words: &[String]) -> NextStep {
    NextStep::run_certctl(copy_shown_record(ca), words).later()
}

/// The sentence of a command that reads the record from stdin and waits for it.
pub(crate) fn copy_shown_record(ca: Option<Ca>) -> String {
    let source = ca.map_or("the CA", Ca::title);
    format!(
        "Copy the whole record that {source} shows, start this command, paste the record and press \
            Ctrl-D; it waits until the CA can see the record"
    )
}

/// Submits `request` to a CA that runs on Windows (AD CS).
pub(crate) fn submit_to_windows_ca(request: &Path) -> NextStep {
    let certificate = request.with_extension("cer");
    let line = format!(
        "certreq -submit -attrib CertificateTemplate:WebServer {} {}",
        path_word(request),
        path_word(&certificate)
    );
    let sentence = "If your CA is Active Directory Certificate Services, copy the CSR to a Windows \
        computer and submit it there with your CA's template, for example WebServer";
    NextStep::run_shell(sentence, line).later()
}

/// Installs the issued certificate. `words` are the first words of the command, and `key` is the
/// key file if `install` does not find it by itself.
pub(crate) fn install_when_issued(words: &[String], key: Option<&Path>) -> NextStep {
    let mut words = words.to_vec();
    if let Some(path) = key {
        words.extend(["--key".to_owned(), path.display().to_string()]);
    }
    let folder = folder_of(&words);
    let sentence = format!("When the certificate has arrived in {folder}, install it");
    run_as_root_if_needed(NextStep::run_certctl(sentence, &words)).later()
}

/// As the step `install`, for a company's own CA, whose root only the user has.
pub(crate) fn with_own_root(install: NextStep) -> NextStep {
    let mut words = install.argv.unwrap_or_default();
    words.drain(..words.len().min(1));
    let folder = folder_of(&words);
    let sentence = format!(
        "When the certificate and your CA's root certificate (here root.pem) have arrived in \
         {folder}, install it"
    );
    words.extend(["--trust", "root.pem"].map(str::to_owned));
    run_as_root_if_needed(NextStep::run_certctl(sentence, &words)).later()
}

/// Root created the files `written` in the folder of `owner`.
pub(crate) fn files_of_root(owner: Owner, written: &[&PathBuf]) -> Finding {
    let mut words = Vec::new();
    for path in written {
        words.push(path_word(path));
    }
    let message = "the new files belong to root, and another user owns the folder";
    Finding::warning("files-of-root", message).with_step(NextStep::run_shell(
        "If that user is to work with them, make that user the owner",
        format!("sudo chown {owner} {}", words.join(" ")),
    ))
}

/// Renews a certificate that is already installed.
pub(crate) fn renew_installed(words: &[String]) -> NextStep {
    NextStep::run_certctl("To replace it, prepare its renewal", words)
}

/// `--key -` was given, and stdin cannot be read again by `install`.
pub(crate) fn pass_key_as_file() -> NextStep {
    NextStep::say("Save the key in a file and pass that, for example `--key example.com.key`")
}

/// The file of `--key` holds several keys.
pub(crate) fn pass_single_key() -> NextStep {
    NextStep::say("Copy the key that you want to use into a separate file, and pass that file")
}

/// `--key-type` contradicts the key of `--key`.
pub(crate) fn choose_key_or_key_type() -> NextStep {
    NextStep::say(
        "Omit one of the two: `--key` uses that key, and `--key-type` generates a new one",
    )
}

/// The source of `--like` holds neither a server's certificate nor a request.
pub(crate) fn pass_template_source() -> NextStep {
    NextStep::say(
        "Pass a file that contains one, or a server that sends its certificate, for example \
            `--like example.com:443`",
    )
}

/// The source of `--like` holds several certificates or requests that differ.
pub(crate) fn pass_single_template() -> NextStep {
    NextStep::say("Save the one that you mean in a separate file, and pass that file")
}

/// The names in the source of `--like` cannot be requested.
pub(crate) fn type_names_instead() -> NextStep {
    NextStep::say(
        "Also list the names on the command line; they replace those of `--like`, for example \
            `certctl csr example.com --like old.pem`",
    )
}

fn path_word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}
