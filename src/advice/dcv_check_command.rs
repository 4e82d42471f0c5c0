//! Advice of `dcv-check`: what to publish, what to ask again, what to do once it is visible.

use crate::finding::{NextStep, shell_word};
use crate::pki::name::DnsName;

/// The command line of `words`, which come after `certctl`.
#[must_use]
pub(crate) fn check_again(words: &[String]) -> NextStep {
    NextStep::run(words)
}

/// The same with the record on stdin: `words` are the command line without it.
#[must_use]
pub(crate) fn check_again_with_record(words: &[String]) -> NextStep {
    NextStep::run(&[words, &["--record".to_owned(), "-".to_owned()]].concat())
}

/// What a list for `--batch` holds.
#[must_use]
pub(crate) fn batch_line_syntax() -> NextStep {
    NextStep::say(
        "one line each: a name that has a request here, a request's file, or a record \
                    (host and value)",
    )
}

/// A request for `name`: `csr_command` are the words up to `csr`.
#[must_use]
pub(crate) fn make_request(csr_command: Vec<String>, name: &DnsName) -> NextStep {
    NextStep::run(&[csr_command, vec![name.to_string()]].concat())
}

/// What to do once the file on the web server is visible.
#[must_use]
pub(crate) fn install_after_file_check(install_command: &[String]) -> NextStep {
    let install = NextStep::run(install_command).text;
    NextStep::say(format!(
        "press Retry at the shop; leave the files there. When the zip has come:  sudo {install} \
            FILE.zip"
    ))
}

/// What to do once mail arrives.
#[must_use]
pub(crate) fn install_after_mail(install_command: &[String]) -> NextStep {
    let install = NextStep::run(install_command).text;
    NextStep::say(format!(
        "answer the mail that the CA sends there. When the zip has come:  sudo {install} FILE.zip"
    ))
}

/// What to do once the DNS record is visible: `install_command` is the line to install with.
#[must_use]
pub(crate) fn install_after_record_check(shop: &str, install_command: &str) -> NextStep {
    NextStep::say(format!(
        "press Retry at {shop}; leave the record there. When the zip has come:  sudo \
                    {install_command} FILE.zip"
    ))
}

/// What to do where the CA wants no DNS record.
#[must_use]
pub(crate) fn install_without_record(install_command: &[String]) -> NextStep {
    let install = NextStep::run(install_command).text;
    NextStep::say(format!(
        "when the certificate has come:  sudo {install} FILE"
    ))
}

/// Where the shop alone knows the host of the record.
#[must_use]
pub(crate) fn copy_record_from_shop(check_command: &[String]) -> NextStep {
    let command = check_again_with_record(check_command).text;
    NextStep::say(format!(
        "copy host and value from its page and give them:  {command}"
    ))
}

/// For a record that proves none of the names.
#[must_use]
pub(crate) fn copy_record_with_host() -> NextStep {
    NextStep::say("copy the record of this order at the shop, with its whole host")
}

/// For a record that belongs to another request.
#[must_use]
pub(crate) fn copy_record_of_this_order() -> NextStep {
    NextStep::say(
        "copy the record of this order at the shop (a reissue needs a new record); if \
        it is of this order, another CSR was pasted there",
    )
}

/// The value that belongs to the request: `labels` are its first ones.
#[must_use]
pub(crate) fn value_starts_with(labels: &str) -> NextStep {
    NextStep::say(format!("the value for this request starts with {labels}"))
}

/// For a record that fits several requests.
#[must_use]
pub(crate) fn name_the_request() -> NextStep {
    NextStep::say("name the request in front of --record")
}

/// For a file without a request.
#[must_use]
pub(crate) fn inspect_file(shown: &str) -> NextStep {
    NextStep::shell(format!("certctl inspect {}", shell_word(shown)))
}

/// Checks a request although it has a certificate.
#[must_use]
pub(crate) fn check_finished_request(wait_command: &[String]) -> NextStep {
    let command = NextStep::run(wait_command).text;
    NextStep::say(format!("to look all the same:  {command} NAME"))
}

/// For a folder without requests.
#[must_use]
pub(crate) fn make_first_request(csr_command: &[String]) -> NextStep {
    let command = NextStep::run(csr_command).text;
    NextStep::say(format!("{command} NAME"))
}
