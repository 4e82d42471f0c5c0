//! Advice of `order`: what to do about CAs that refuse, files that are not served, and options that are
//! missing.

use std::path::Path;

use super::command_lines::{run_as_root_if_needed, shell_path};
use super::install_command;
use super::rerun::{RepeatOption, repeat_with, run_in_same_tree};
use crate::acme::ca_table::{AccountBinding, AcmeCa};
use crate::acme::signer::MessageError;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::state::JournaledOrder;
use crate::system::acme::{AcmeError, AcmeProblem};
use crate::system::http::api::ApiUrlError;
use crate::wording::date_and_time;

/// The commands that are repeated with another option.
const ORDER: [&str; 2] = ["order", "import"];

/// Problems after which the CA has to be asked again later.
const BUSY: [&str; 3] = ["badNonce", "rateLimited", "serverInternal"];

impl From<AcmeError> for Failure {
    fn from(error: AcmeError) -> Self {
        match error {
            AcmeError::Api(error) => (*error).into(),
            AcmeError::Refused(problem) => refused(problem),
            AcmeError::Protocol(_) | AcmeError::Unsupported(_) | AcmeError::Replacement => {
                Self::from_error(FailureKind::Network, &error)
            }
            AcmeError::Message(MessageError::Key) => {
                Self::from_error(FailureKind::Malformed, &error)
            }
            AcmeError::Message(MessageError::HmacKey) => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "Copy the key id and the HMAC key again from the CA's console; the HMAC key is \
                        base64url text",
                ))
            }
        }
    }
}

impl From<MessageError> for Failure {
    fn from(error: MessageError) -> Self {
        AcmeError::from(error).into()
    }
}

/// The CA's own words are the cause; what to do depends on the type of the problem.
fn refused(problem: AcmeProblem) -> Failure {
    let is_busy = BUSY.contains(&problem.kind.as_str());
    let kind = if is_busy {
        FailureKind::Network
    } else {
        FailureKind::Malformed
    };
    let failure = Failure::new(kind, "the CA refused the request").because(problem.to_string());
    let mut failure = failure.with_retry_at(problem.retry_at);
    for part in &problem.parts {
        failure = failure.because(part.clone());
    }
    match (problem.kind.as_str(), problem.retry_at) {
        (_, Some(at)) => failure.with_step(continue_later(&date_and_time(at))),
        ("externalAccountRequired", _) => failure.with_step(pass_external_account()),
        ("rateLimited", None) => failure.with_step(NextStep::say(
            "Repeat the command later; the CA's message says when",
        )),
        _ => failure,
    }
}

/// The same command with one more option.
pub(super) fn repeat(sentence: &str, name: &str, value: Option<&str>) -> NextStep {
    repeat_with(sentence, &ORDER, &[RepeatOption { name, value }])
}

/// The URL after `--ca` is none of an API.
#[must_use]
pub(crate) fn wrong_directory(url: &str, error: ApiUrlError) -> Failure {
    Failure::new(FailureKind::Usage, format!("--ca {url}: the URL {error}")).with_step(
        NextStep::say("Pass the URL of the ACME directory that the CA documents"),
    )
}

/// `--certificate` or `--buy` with a CA that is no reseller.
#[must_use]
pub(crate) fn only_at_reseller(title: &str) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("--certificate and --buy are for `--ca namecheap`, not for {title}"),
    )
}

/// The CA has no ACME directory.
#[must_use]
pub(crate) fn not_an_acme_ca(title: &str) -> Failure {
    Failure::new(
        FailureKind::Internal,
        format!("{title} does not offer ACME"),
    )
}

/// The profile is not offered.
#[must_use]
pub(crate) fn unknown_profile(profile: &str, offered: &[String]) -> Failure {
    let failure = Failure::new(
        FailureKind::NotFound,
        format!("the CA offers no profile {profile}"),
    );
    match offered.first() {
        Some(first) => failure
            .because(format!("it offers {}", offered.join(", ")))
            .with_step(repeat("Repeat it", "--profile", Some(first))),
        None => failure
            .because("it offers none")
            .with_step(NextStep::say("Repeat the command without `--profile`")),
    }
}

/// A new account needs the user's consent.
#[must_use]
pub(crate) fn agree_to_terms(ca: &str, terms: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("an account at {ca} needs your consent to its terms of service"),
    )
    .because(terms.to_owned())
    .with_step(repeat(
        "Read them, and if you agree, repeat the command",
        "--agree-tos",
        None,
    ))
}

/// A new account has to be bound to one at the CA.
#[must_use]
pub(crate) fn external_account_missing(title: &str, known: Option<&AcmeCa>) -> Failure {
    let failure = Failure::new(
        FailureKind::NotFound,
        format!("{title} binds new accounts to a customer's account, which was not given"),
    );
    let is_single_use = known.is_some_and(|ca| ca.binding == AccountBinding::SingleUse);
    let failure = if is_single_use {
        failure.because("each binding works once; certctl keeps the account for later orders")
    } else {
        failure
    };
    failure.with_step(pass_external_account())
}

fn pass_external_account() -> NextStep {
    NextStep::say(
        "Create an external account binding (EAB) in the CA's console, write its HMAC key to a file \
            with mode 0600, and pass `--eab-kid ID --eab-hmac-key-file FILE`",
    )
}

/// The CA charges, or may charge, for the certificate.
#[must_use]
pub(crate) fn accept_charges(ca: &AcmeCa) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("{} {} for its certificates", ca.title, ca.price.verb()),
    )
    .because(format!("source: {}", ca.source))
    .with_step(repeat(
        "If you accept what it may cost, repeat the command",
        "--accept-charges",
        None,
    ))
}

/// Another certificate for the same names would come close to the CA's limit. `renewed` is the name of the
/// certificate that this run renews.
#[must_use]
pub(crate) fn limit_reached(ca: &str, count: u32, limit: u32, renewed: Option<&String>) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!("{count} certificates for exactly these names were issued within 7 days"),
    )
    .because(format!(
        "{ca} issues at most {limit}, and the last ones are kept for emergencies"
    ))
    .with_step(match renewed {
        Some(name) => renew_now(
            "Install a certificate that exists already, or order one more",
            name,
        ),
        None => repeat(
            "Install a certificate that exists already, or order one more",
            "--force",
            None,
        ),
    })
}

/// `renew --force` for one certificate.
fn renew_now(sentence: &str, name: &str) -> NextStep {
    run_as_root_if_needed(run_in_same_tree(sentence, &["renew", name, "--force"]))
}

/// The name is a mail address, or an address that would be validated by a record.
#[must_use]
pub(crate) fn not_orderable(name: &str) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!(
            "certctl orders certificates for DNS names, and for IP addresses by a file: {name}"
        ),
    )
}

/// A file validates no wildcard.
#[must_use]
pub(crate) fn wildcard_needs_dns(name: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!(
            "{name} cannot be validated by a file: CAs validate wildcards only by a DNS record"
        ),
    )
    .with_step(NextStep::say(
        "Validate by DNS records instead: replace `--webroot` by `--dns` and the DNS provider",
    ))
}

/// `--webroot` without a name was given twice.
#[must_use]
pub(crate) fn two_webroots() -> Failure {
    Failure::new(
        FailureKind::Usage,
        "two folders after --webroot have no name, so certctl does not know which name each is for",
    )
    .with_step(NextStep::say(
        "Name them: `--webroot www.example.com=/srv/www`",
    ))
}

/// A name has no webroot.
#[must_use]
pub(crate) fn no_webroot_for(name: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("no folder was given that serves the validation file of {name}"),
    )
    .with_step(repeat(
        "If its web server serves files from this folder, repeat the command",
        "--webroot",
        Some("/var/www/html"),
    ))
}

/// The existing certificate has fewer names.
#[must_use]
pub(crate) fn expand_names(name: &str, new: &[&str]) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!(
            "the certificate {name} exists and does not have {}",
            new.join(", ")
        ),
    )
    .with_step(repeat(
        "To replace it with one that has all of these names, repeat the command",
        "--expand",
        None,
    ))
}

/// The certificate that exists is not installed completely.
#[must_use]
pub(crate) fn finish_install_first(root: Option<&Path>, name: &str) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!("a certificate of {name} exists already, and its installation is not finished"),
    )
    .with_step(install_command::finish_install(root, name))
}

/// An order for other names, or at another CA, may have been fulfilled.
#[must_use]
pub(crate) fn other_order_unfinished(entry: &JournaledOrder) -> Failure {
    let mut words = vec!["order".to_owned()];
    words.extend(entry.names.iter().cloned());
    words.extend(["--ca".to_owned(), entry.directory.clone()]);
    let mut webroots: Vec<String> = Vec::new();
    for file in &entry.files {
        let webroot = file.webroot.display().to_string();
        if !webroots.contains(&webroot) {
            webroots.push(webroot);
        }
    }
    for webroot in webroots {
        words.extend(["--webroot".to_owned(), webroot]);
    }
    Failure::new(
        FailureKind::Exists,
        format!("another order for {} is not finished", entry.name),
    )
    .because(format!(
        "it is for {} at {}",
        entry.names.join(", "),
        entry.directory
    ))
    .with_step(NextStep::run_certctl("Finish it first", &words))
}

/// A validation record could not be removed. `words` begin the command line of `dcv-publish` in the
/// tree of the run that published it.
#[must_use]
pub(crate) fn record_not_removed(mut words: Vec<String>, name: &str) -> Finding {
    words.push(name.to_owned());
    words.push("--remove".to_owned());
    let message = format!(
        "the validation record {name} could not be removed, or its removal not be confirmed"
    );
    Finding::warning("record-still-visible", message)
        .with_step(NextStep::run_certctl("Remove it later", &words))
}

/// All file names of the certificate are taken.
#[must_use]
pub(crate) fn too_many_files(name: &str) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!("this folder has too many files of {name}"),
    )
}

/// The request of an order is not in its file any more.
#[must_use]
pub(crate) fn request_missing(path: &Path) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("{} contains no certificate request", path.display()),
    )
    .with_step(NextStep::run_shell(
        "See what it contains",
        format!("cat {}", shell_path(path)),
    ))
}

/// The CA's answer has no certificate for the key.
#[must_use]
pub(crate) fn no_certificate_issued(name: &str) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("the CA's answer contains no certificate for the key of {name}"),
    )
}

/// Installs the certificate that was only written to a file.
#[must_use]
pub(crate) fn install_later(words: &[String], chain: &str) -> NextStep {
    let words = [words, &[chain.to_owned()]].concat();
    run_as_root_if_needed(NextStep::run_certctl("Install it", &words))
}

/// Repeats the command after the cause of a failed install was removed.
#[must_use]
pub(crate) fn repeat_to_install() -> NextStep {
    NextStep::say(
        "Repeat the command once the cause is removed: it installs this certificate, and orders none",
    )
}

/// The certificate that was issued is refused. `renewed` is the name of the certificate that this run
/// renews.
#[must_use]
pub(crate) fn order_another(renewed: Option<&String>) -> NextStep {
    match renewed {
        Some(name) => renew_now("If it cannot be used, order another one", name),
        None => repeat(
            "If it cannot be used, order another one: repeat the command",
            "--force",
            None,
        ),
    }
}

/// The CA asks to come back later.
#[must_use]
pub(crate) fn continue_later(time: &str) -> NextStep {
    NextStep::say(format!(
        "Repeat the command after {time}; it continues this order"
    ))
}

/// A method of validation that is possible on this machine.
#[derive(Clone, Debug)]
pub(crate) enum PossibleMethod {
    /// A DNS provider with credentials.
    Provider(String),
    /// A folder that web servers serve by default.
    Webroot(String),
    /// Nothing holds port 80.
    Standalone,
}

impl PossibleMethod {
    fn step(&self) -> NextStep {
        match self {
            Self::Provider(provider) => repeat(
                "To prove it by DNS records, repeat the command",
                "--dns",
                Some(provider),
            ),
            Self::Webroot(webroot) => repeat(
                "If the web server of these names serves files from this folder, repeat the command",
                "--webroot",
                Some(webroot),
            ),
            Self::Standalone => repeat(
                "If port 80 of these names leads to this machine, repeat the command",
                "--standalone",
                None,
            ),
        }
    }
}

/// No method of validation was given.
#[must_use]
pub(crate) fn choose_method(possible: &[PossibleMethod]) -> Failure {
    let failure = Failure::new(
        FailureKind::NotFound,
        "no method was given that proves control of the names to the CA",
    );
    if possible.is_empty() {
        return failure.with_step(NextStep::say(
            "Pass `--webroot` and the folder from which the web server of these names serves files, \
                or `--dns` and the DNS provider of these names",
        ));
    }
    let steps = possible.iter().map(PossibleMethod::step);
    steps.fold(failure, Failure::with_step)
}

/// Only one part of the external account was given.
#[must_use]
pub(crate) fn hmac_key_exposed(path: &Path) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("other users can read the HMAC key in {}", path.display()),
    )
    .with_step(NextStep::run_shell(
        "Make it yours alone",
        format!("chmod 0600 {}", shell_path(path)),
    ))
}
