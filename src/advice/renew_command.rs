//! Advice of `renew`: where to paste the request, which record to check, what to run instead.

use jiff::Timestamp;
use jiff::civil::Date;

use super::command_lines::run_as_root_if_needed;
use super::rerun::run_in_same_tree;
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::inventory::schedule::{PaymentCoverage, ValidationMethod};
use crate::state::FailedTry;
use crate::wording::{date_and_minute, date_and_time};

/// Where to paste the request of a renewal: at the CA or reseller `ca`, for a reissue of what is
/// paid for or after a new purchase.
#[must_use]
pub(crate) fn paste_request(
    ca: Option<Ca>,
    payment: Option<PaymentCoverage>,
    paid_until: Option<Date>,
) -> String {
    let title = ca.map_or("your CA or reseller", Ca::title);
    match (ca, payment, paid_until) {
        (Some(Ca::Private), ..) => "Send this CSR to your CA".to_owned(),
        (_, Some(PaymentCoverage::Purchase), Some(until)) => {
            let action = match ca {
                Some(Ca::Namecheap) => "choose Activate there, and paste this CSR",
                _ => "and paste this CSR there",
            };
            format!("The order is paid until {until}, so buy a new one at {title}, {action}")
        }
        _ => format!("At {title} choose Reissue, and paste this CSR"),
    }
}

/// Pastes the request (PEM); `sentence` says where.
#[must_use]
pub(crate) fn paste_step(sentence: &str, pem: &str) -> NextStep {
    NextStep::say(sentence).with_lines(pem.lines().map(str::to_owned))
}

/// Checks records of which all parts are known, once they are published.
#[must_use]
pub(crate) fn check_published_record(words: &[String]) -> NextStep {
    let sentence = "When the record is published, wait until the CA can see it";
    NextStep::run_certctl(sentence, words).later()
}

/// Reads the record that the CA or reseller shows and waits until it is visible.
#[must_use]
pub(crate) fn check_shown_record(
    ca: Option<Ca>,
    validation: ValidationMethod,
    words: &[String],
) -> NextStep {
    let source = ca.map_or("the CA", Ca::title);
    let condition = match validation {
        ValidationMethod::New => format!("Copy the whole record that {source} shows"),
        ValidationMethod::Reused(_) => {
            format!("If {source} shows a new record, copy all of it")
        }
    };
    let sentence = format!(
        "{condition}, start this command, paste the record and press Ctrl-D; it waits until the \
            CA can see the record"
    );
    NextStep::run_certctl(sentence, words).later()
}

/// Installs the newer certificate in the file at `path`.
#[must_use]
pub(crate) fn install_newer(install_command: &[String], path: &str) -> NextStep {
    let words = [install_command, &[path.to_owned()]].concat();
    run_as_root_if_needed(NextStep::run_certctl(
        "Install the newer certificate",
        &words,
    ))
}

/// Installs what the CA will send.
#[must_use]
pub(crate) fn install_later(install_command: &[String]) -> NextStep {
    let sentence = "When the certificate has arrived in the folder of the request, install it";
    run_as_root_if_needed(NextStep::run_certctl(sentence, install_command)).later()
}

/// What renews a certificate of a reseller without a person: `count` renewals are expected in the next
/// two years, and a certificate is valid for at most `days`.
#[must_use]
pub(crate) fn automatic_alternatives(names: &[String], count: usize, days: Option<i64>) -> Finding {
    let limit = match days {
        Some(days) => {
            format!("a certificate is valid for at most {days} days now, and for less later")
        }
        None => "certificates are valid for ever shorter terms".to_owned(),
    };
    let message = format!(
        "this certificate needs about {count} requests by hand in the next two years: {limit}. This is \
            printed once"
    );
    let mut words = vec!["order".to_owned()];
    words.extend(names.iter().cloned());
    words.extend(["--ca", "letsencrypt", "--dry-run"].map(str::to_owned));
    Finding::note("automatic-alternatives", message)
        .with_step(
            NextStep::run_certctl(
                "A CA that issues through ACME and does not charge renews without you. See what an \
                    order would do",
                &words,
            )
            .later(),
        )
        .with_step(
            NextStep::run_certctl(
                "An account with access to Namecheap's API renews what was bought there without you. \
                    See who has access",
                &["explain", "namecheap"],
            )
            .later(),
        )
}

/// For `--reuse-key` if a request with a new key is prepared.
#[must_use]
pub(crate) fn move_prepared_files_away() -> NextStep {
    NextStep::say(
        "To use the old key instead, move the prepared key and request out of the folder, and run \
            `renew --reuse-key` again",
    )
}

/// For `--reuse-key` if the key cannot be found.
#[must_use]
pub(crate) fn omit_reuse_key() -> NextStep {
    NextStep::say("Omit `--reuse-key` to generate a new key")
}

/// Renews the certificate `name`, one of several that a name of the command line selects. `words`
/// are the words before it.
#[must_use]
pub(crate) fn renew_this_one(words: Vec<String>, name: &str) -> NextStep {
    NextStep::run_certctl(format!("Renew {name}"), &with_name(words, name))
}

/// Checks the validation record of a request that has no certificate yet.
#[must_use]
pub(crate) fn check_validation(words: Vec<String>, name: &str) -> NextStep {
    NextStep::run_certctl("Check its validation record", &with_name(words, name))
}

/// Makes a request for a name that has no certificate to renew.
#[must_use]
pub(crate) fn make_request(words: Vec<String>, name: &str) -> NextStep {
    NextStep::run_certctl("Make a key and a request for it", &with_name(words, name))
}

/// Lists the certificates of this machine and folder.
#[must_use]
pub(crate) fn list_certificates(words: &[String]) -> NextStep {
    NextStep::run_certctl("List the certificates that certctl finds", words)
}

/// For a certificate whose key is not in the folder.
#[must_use]
pub(crate) fn find_key_or_make_request(words: Vec<String>, name: &str) -> NextStep {
    let sentence = "Renew it on the machine that has its key, or make a new key and request here";
    NextStep::run_certctl(sentence, &with_name(words, name))
}

/// For a certificate that certbot renews.
#[must_use]
pub(crate) fn renew_with_certbot(name: &str) -> NextStep {
    let line = format!("sudo certbot renew --cert-name {}", shell_word(name));
    NextStep::run_shell("Renew it with certbot if it is due", line)
}

/// A renewal failed, and is not tried again yet. `renew` is the command with its global options.
#[must_use]
pub(crate) fn last_renewal_failed(last: &FailedTry, renew: Vec<String>) -> Finding {
    let message = format!(
        "the last renewal of {} failed at {}: {}",
        last.name,
        date_and_time(last.at),
        last.reason
    );
    let words = [renew, vec![last.name.clone()]].concat();
    Finding::error("last-renewal-failed", message).with_step(run_as_root_if_needed(
        NextStep::run_certctl("Once the cause is removed, try again at once", &words),
    ))
}

/// A TLSA record is for the renewed certificate; `value` is that of the record for the new one, if it is
/// known.
#[must_use]
pub(crate) fn tlsa_mismatch(name: &str, value: Option<&str>) -> Finding {
    let message = format!(
        "the TLSA record {name} is for the certificate that is renewed: clients that check DANE refuse the \
            new one"
    );
    let finding = Finding::warning("tlsa-mismatch", message);
    finding.with_step(match value {
        Some(value) => NextStep::say("Publish this record beside the old one")
            .with_lines([format!("{name}. TLSA {value}")]),
        None => NextStep::say(
            "Publish the record for the new certificate as soon as it is known, or renew with \
                `--reuse-key` if the record is for the key",
        ),
    })
}

/// What was obtained waits for the time at which servers may be reloaded.
#[must_use]
pub(crate) fn outside_window(name: &str, opens_at: Timestamp) -> Finding {
    let when = date_and_minute(opens_at);
    Finding::note(
        "outside-install-window",
        format!("{name} is installed by the next run after {when}, when `install_window` opens"),
    )
}

/// The saved CA is none that this version knows.
#[must_use]
pub(crate) fn saved_ca_unknown(name: &str, ca: &str) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("the saved options of {name} have an unknown CA: {ca}"),
    )
    .with_step(NextStep::say(format!(
        "Order {name} once with `--ca` and the CA of your choice; it is saved then"
    )))
}

/// The key of the installed certificate cannot be used again.
#[must_use]
pub(crate) fn no_key_to_reuse(name: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("the key of {name} cannot be used again: it is not readable in /etc/ssl/certctl"),
    )
    .with_step(run_as_root_if_needed(run_in_same_tree(
        "Renew it with a new key",
        &["renew", name, "--force"],
    )))
}

/// The key of the installed certificate is not a file, so certctl cannot make the next request.
#[must_use]
pub(crate) fn key_is_not_a_file(name: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("certctl cannot make the next request for {name}"),
    )
    .because("it was installed with `--key none`, and only the server opens its key")
    .with_step(NextStep::say(
        "Make the request with the program that manages the key, and install the files that the \
            CA sends",
    ))
}

fn with_name(mut words: Vec<String>, name: &str) -> Vec<String> {
    words.push(name.to_owned());
    words
}
