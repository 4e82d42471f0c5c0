//! Advice of `dcv-check`: how to check again, and what to do once the validation is visible.

use std::path::Path;

use crate::finding::NextStep;
use crate::pki::name::DnsName;

/// Repeats the check; `words` come after `certctl`.
#[must_use]
pub(crate) fn check_again(words: &[String]) -> NextStep {
    if words.iter().any(|word| word == "-") {
        let sentence = "Start this command, paste the record that the CA shows and press Ctrl-D; it \
            repeats the check until it passes";
        return NextStep::run_certctl(sentence, words).later();
    }
    let waits = words.iter().any(|word| word == "--wait");
    let sentence = if waits {
        "Repeat the check until it passes, for up to 2 hours"
    } else {
        "Repeat the check"
    };
    NextStep::run_certctl(sentence, words)
}

/// Repeats the check with the CA's record on stdin; `words` are the command line without it.
#[must_use]
pub(crate) fn check_again_with_record(words: &[String]) -> NextStep {
    NextStep::run_certctl(
        "Run this command, paste the record that the CA shows (host and value), and press Ctrl-D",
        &with_record_from_stdin(words),
    )
    .later()
}

fn with_record_from_stdin(words: &[String]) -> Vec<String> {
    [words, &["--record".to_owned(), "-".to_owned()]].concat()
}

/// Explains what a list for `--batch` contains.
#[must_use]
pub(crate) fn batch_line_syntax() -> NextStep {
    NextStep::say(
        "Write one entry per line: a name that has a request here, the file of a request, or a \
            record (host and value)",
    )
}

/// Creates a request for `name`; `csr_command` are the words up to `csr`.
#[must_use]
pub(crate) fn make_request(csr_command: Vec<String>, name: &DnsName) -> NextStep {
    let words = [csr_command, vec![name.to_string()]].concat();
    NextStep::run_certctl(format!("Create a key and a request for {name}"), &words)
}

/// The step after the file on the web server is visible.
#[must_use]
pub(crate) fn install_after_file_check(ca: &str, install_command: &[String]) -> NextStep {
    let before = format!("Press Retry at {ca}, and leave the files in place");
    install_when_issued(&before, install_command)
}

/// The step after it is known that mail arrives.
#[must_use]
pub(crate) fn install_after_mail(install_command: &[String]) -> NextStep {
    let before = "Follow the instructions in the mail that the CA sends to the chosen address";
    install_when_issued(before, install_command)
}

/// The step after the DNS record is visible.
#[must_use]
pub(crate) fn install_after_record_check(ca: &str, install_command: &[String]) -> NextStep {
    let before = format!("Press Retry at {ca}, and leave the record in place");
    install_when_issued(&before, install_command)
}

/// What to do `before`, then the command that installs the files from the CA.
fn install_when_issued(before: &str, install_command: &[String]) -> NextStep {
    let folder = folder_of(install_command);
    let sentence = format!("{before}. When the zip has arrived in {folder}, install it");
    install_later(sentence, install_command)
}

/// The step for a CA that requires no DNS record.
#[must_use]
pub(crate) fn install_without_record(install_command: &[String]) -> NextStep {
    let folder = folder_of(install_command);
    let sentence = format!("When the certificate has arrived in {folder}, install it");
    install_later(sentence, install_command)
}

/// Where an install gets the root of a company's own CA from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RootSource {
    /// `--trust` has to name its file.
    Argument,
    /// It is configured, or stored with the installed certificate.
    Stored,
}

/// The step for a request in the file `request`, which is for a private CA.
#[must_use]
pub(crate) fn send_to_private_ca(
    request: &str,
    install_command: &[String],
    root: RootSource,
) -> NextStep {
    let folder = folder_of(install_command);
    let arrival =
        format!("Send {request} to your CA. When its certificate has arrived in {folder}");
    match root {
        RootSource::Stored => install_later(format!("{arrival}, install it"), install_command),
        RootSource::Argument => {
            let sentence =
                format!("{arrival}, and the CA's root certificate as root.pem, install it");
            let trust = ["--trust".to_owned(), "root.pem".to_owned()];
            install_later(sentence, &[install_command, &trust].concat())
        }
    }
}

/// The step for a certificate of a private CA whose root is not here.
#[must_use]
pub(crate) fn install_with_root(name: &str, install_command: &[String]) -> NextStep {
    let folder = folder_of(install_command);
    let sentence = format!(
        "When your CA's root certificate (here root.pem), and its intermediates if it has any, are in \
            {folder} too, install the certificate for {name}"
    );
    let trust = ["--trust".to_owned(), "root.pem".to_owned()];
    install_later(sentence, &[install_command, &trust].concat())
}

fn install_later(sentence: String, install_command: &[String]) -> NextStep {
    let step = NextStep::run_certctl(sentence, install_command).later();
    if step.needs_root {
        step.with_sudo()
    } else {
        step
    }
}

/// The folder in which a command looks for files: that of `-C`, else the current one.
pub(super) fn folder_of(command: &[String]) -> &str {
    match command {
        [option, folder, ..] if option == "-C" => folder,
        _ => "this folder",
    }
}

/// For a record that validates none of the names.
#[must_use]
pub(crate) fn copy_record_with_host() -> NextStep {
    NextStep::say("Copy the record of this order from the CA's page, with its complete host name")
}

/// For a record that belongs to another request.
#[must_use]
pub(crate) fn copy_record_of_this_order() -> NextStep {
    NextStep::say(
        "Copy the record of this order from the CA's page; a reissue needs a new record. If it is \
            already the record of this order, the order was placed with another CSR",
    )
}

/// For a record whose value belongs to another request; the right value starts with `labels`.
#[must_use]
pub(crate) fn value_starts_with(labels: &str) -> NextStep {
    NextStep::say("Copy the record of this request from the CA's page; its value starts with")
        .with_lines([labels.to_owned()])
}

/// For a record that fits several requests: checks it for the one that is named `shown`. `words`
/// are the command line with that request.
#[must_use]
pub(crate) fn check_named_request(shown: &str, words: &[String]) -> NextStep {
    let sentence = format!("If the record belongs to {shown}, name it and paste the record again");
    NextStep::run_certctl(sentence, &with_record_from_stdin(words)).later()
}

/// For a file that contains no request.
#[must_use]
pub(crate) fn inspect_file(path: &Path) -> NextStep {
    let words = ["inspect".to_owned(), path.display().to_string()];
    NextStep::run_certctl("See what the file contains", &words)
}

/// Checks a request that already has a certificate; `name` is one of its names.
#[must_use]
pub(crate) fn check_finished_request(wait_command: &[String], name: &str) -> NextStep {
    let words = [wait_command, &[name.to_owned()]].concat();
    NextStep::run_certctl(
        "To check a request that already has its certificate, name it, as in this command",
        &words,
    )
}

/// For a folder without requests; `csr_command` are the words up to `csr`.
#[must_use]
pub(crate) fn make_first_request(csr_command: &[String]) -> NextStep {
    let words = [csr_command, &["example.com".to_owned()]].concat();
    let sentence = "Create a key and a request, with your own name in place of example.com";
    NextStep::run_certctl(sentence, &words).later()
}
