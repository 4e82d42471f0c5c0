//! Advice about certificates that are bought at Namecheap: what each state and each error of its API
//! means, and what to do.

use std::path::Path;

use super::command_lines::{run_as_root_if_needed, shell_path};
use super::rerun::{RepeatOption, repeat_with};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::namecheap::{
    CertificateId, CertificateInfo, CertificateStatus, FaultKind, ListedCertificate,
    NamecheapFault, PurchaseTerm, PurchasedCertificate, fault_kind,
};
use crate::state::JournaledRecord;
use crate::system::namecheap::NamecheapError;

/// The command that is repeated with another option.
const ORDER: [&str; 1] = ["order"];
/// How many certificates of an account are listed.
const MOST_LISTED: usize = 10;

impl From<NamecheapError> for Failure {
    fn from(error: NamecheapError) -> Self {
        match error {
            NamecheapError::Api(error) => (*error).into(),
            NamecheapError::Refused { command, faults } => refused(command, &faults),
        }
    }
}

/// The API's own words are the cause; what to do depends on the number.
fn refused(command: &str, faults: &[NamecheapFault]) -> Failure {
    let first = faults.first().map_or(FaultKind::Other, fault_kind);
    let kind = match first {
        FaultKind::Rate | FaultKind::Provider | FaultKind::Server => FailureKind::Network,
        _ => FailureKind::Malformed,
    };
    let mut failure = Failure::new(kind, format!("Namecheap refused the call {command}"));
    for fault in faults {
        let number = match fault.number.as_str() {
            "" => String::new(),
            number => format!(" (error {number})"),
        };
        failure = failure.because(format!("{}{number}", fault.message));
    }
    match step_for(first) {
        Some(sentence) => failure.with_step(NextStep::say(sentence)),
        None => failure,
    }
}

fn step_for(kind: FaultKind) -> Option<&'static str> {
    Some(match kind {
        FaultKind::Address => {
            "At Namecheap choose Profile > Tools > API Access > Whitelisted IPs, add the public IPv4 \
                address of this machine, and set `client_ip` to it in `[ca.namecheap]`"
        }
        FaultKind::Key => {
            "At Namecheap choose Profile > Tools > API Access: API access must be ON, and `api_key` in \
                `[ca.namecheap]` must be the key that is shown there. The sandbox has keys of its own"
        }
        FaultKind::User => {
            "Set `api_user` in `[ca.namecheap]` to the user name of the Namecheap account that the key \
                belongs to"
        }
        FaultKind::Rate => "Repeat the command in an hour: the API limits the number of calls",
        FaultKind::Funds => {
            "Add funds to the balance of the Namecheap account, and repeat the command; nothing was \
                charged"
        }
        FaultKind::Status => {
            "See at Namecheap under SSL Certificates in which state the certificate is"
        }
        FaultKind::Certificate => {
            "Pass `--certificate` and the number that Namecheap lists for the certificate, from the \
                account that `[ca.namecheap]` names"
        }
        FaultKind::Product => {
            "Pass the name of a product as Namecheap's API documentation writes it, such as \
                `PositiveSSL`"
        }
        FaultKind::Provider => {
            "The CA refused the request or did not answer Namecheap. Repeat the command later; if that \
                does not help, ask Namecheap's support"
        }
        FaultKind::Server => "Repeat the command later; nothing that costs money is repeated",
        FaultKind::Other => return None,
    })
}

/// The same command with one more option.
fn repeat(sentence: &str, name: &str, value: Option<&str>) -> NextStep {
    repeat_with(sentence, &ORDER, &[RepeatOption { name, value }])
}

/// The address that Namecheap writes to was not given.
#[must_use]
pub(crate) fn email_missing() -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "Namecheap needs the mail address of an administrator for the certificate",
    )
    .with_step(repeat(
        "Repeat the command",
        "--email",
        Some("admin@example.com"),
    ))
}

/// `--webroot` or `--standalone` with a reseller.
#[must_use]
pub(crate) fn only_records() -> Failure {
    Failure::new(
        FailureKind::Usage,
        "at Namecheap certctl proves control of the names by a CNAME record, not by a file",
    )
    .with_step(NextStep::say(
        "Pass `--dns` and the DNS provider of the names, or neither: then certctl prints the record, \
            and continues once you have added it",
    ))
}

/// No certificate was given.
#[must_use]
pub(crate) fn choose_certificate(unused: &[ListedCertificate]) -> Failure {
    let failure = Failure::new(
        FailureKind::NotFound,
        "no certificate of the Namecheap account was given",
    );
    if unused.is_empty() {
        return failure
            .because("the account has no certificate that is bought and not activated")
            .with_step(NextStep::say(
                "Buy one at namecheap.com and pass its number with `--certificate`, or let certctl \
                    buy one with `--buy PRODUCT --years N`",
            ));
    }
    let listed = unused.iter().take(MOST_LISTED);
    listed.fold(failure, |failure, one| {
        let sentence = format!(
            "To activate {}, which is bought and unused, repeat the command",
            one.product
        );
        let id = one.id.to_string();
        failure.with_step(repeat(&sentence, "--certificate", Some(&id)).later())
    })
}

/// Reissues point to one another.
#[must_use]
pub(crate) fn too_many_reissues(id: CertificateId) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("Namecheap lists too many reissues of the certificate {id}"),
    )
}

/// A purchase for several domains.
#[must_use]
pub(crate) fn buy_for_one_domain() -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "certctl buys certificates for one domain with its www name, or for a wildcard",
    )
    .because("how many names a product includes, and what further ones cost, is not in the API")
    .with_step(NextStep::say(
        "Buy the certificate for several domains at namecheap.com, and pass its number with \
            `--certificate`",
    ))
}

/// What an activation does, for a plan.
#[must_use]
pub(crate) fn activation_in_words(id: CertificateId, product: &str, names: &str) -> String {
    format!("activate the certificate {id} ({product}) for {names}, which cannot be repeated")
}

/// Before an activation is sent.
#[must_use]
pub(crate) fn activation_cannot_be_repeated(
    id: CertificateId,
    product: &str,
    names: &str,
) -> Finding {
    Finding::warning(
        "activation-is-final",
        format!(
            "the certificate {id} ({product}) is activated for {names}; this cannot be repeated for \
                other names"
        ),
    )
}

/// A renewal would activate another certificate.
#[must_use]
pub(crate) fn activation_is_not_a_renewal(id: CertificateId, product: &str) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!("the certificate {id} ({product}) is not activated, and `renew` activates none"),
    )
    .with_step(NextStep::say(format!(
        "To activate it, run `order` with `--ca namecheap --certificate {id}`"
    )))
}

/// Before a purchase is sent.
#[must_use]
pub(crate) fn purchase_in_words(product: &str, term: PurchaseTerm, names: &str) -> String {
    let years = term.years();
    format!("buying {product} for {years} year(s) at Namecheap, for {names}; this is charged once")
}

/// What was bought.
#[must_use]
pub(crate) fn bought(bought: &PurchasedCertificate) -> Finding {
    Finding::note(
        "certificate-bought",
        format!(
            "bought the certificate {} ({}); Namecheap charged {}",
            bought.id, bought.product, bought.charged
        ),
    )
}

/// The purchase was sent, and no answer came.
#[must_use]
pub(crate) fn answer_of_purchase_lost(failure: Failure) -> Failure {
    let mut lost = Failure::new(
        failure.kind,
        "certctl does not know whether Namecheap has carried out the purchase",
    )
    .because(failure.message);
    lost.causes.extend(failure.causes);
    lost.with_step(NextStep::say(
        "Repeat the command: it buys nothing, and lists what is new in the account",
    ))
}

/// An earlier run has sent a purchase and got no answer; `new` is unused in the account and was not
/// there before.
#[must_use]
pub(crate) fn purchase_unconfirmed(new: &[ListedCertificate], entry: &Path) -> Finding {
    let found = match new {
        [] => "the account has no new certificate".to_owned(),
        _ => {
            let ids = new.iter();
            let ids = ids.map(|one| format!("{} ({})", one.id, one.product));
            format!("new in the account: {}", Vec::from_iter(ids).join(", "))
        }
    };
    let finding = Finding::error(
        "purchase-unconfirmed",
        format!(
            "an earlier run was about to buy a certificate, and does not know whether it did; {found}"
        ),
    );
    if new.is_empty() {
        let line = format!("rm {}", shell_path(entry));
        return finding.with_step(run_as_root_if_needed(
            NextStep::run_shell(
                "If the account shows no charge either, let certctl forget the purchase; the next \
                    run buys again",
                line,
            )
            .later(),
        ));
    }
    new.iter().take(MOST_LISTED).fold(finding, |finding, one| {
        let id = one.id.to_string();
        let sentence = format!("If {} is that purchase, repeat the command", one.product);
        finding.with_step(repeat(&sentence, "--certificate", Some(&id)).later())
    })
}

/// What is paid for ends with the certificate, or was cancelled.
#[must_use]
pub(crate) fn paid_term_ends(names: &[String], product: &str) -> Finding {
    let mut words = vec!["order".to_owned()];
    words.extend(names.iter().cloned());
    let options = ["--ca", "namecheap", "--buy", product, "--years", "1"];
    words.extend(options.map(str::to_owned));
    Finding::error(
        "paid-term-ends",
        format!(
            "the paid term of the certificate at Namecheap ({product}) is over; `renew` buys none"
        ),
    )
    .with_step(
        NextStep::run_certctl(
            "To buy another one, which Namecheap charges to the account",
            &words,
        )
        .later(),
    )
}

/// No certificate can be had from this one, or not now.
#[must_use]
pub(crate) fn not_usable(id: CertificateId, info: &CertificateInfo) -> Finding {
    let (meaning, action) = match &info.status {
        CertificateStatus::PurchaseError => (
            "the CA or Namecheap could not process it",
            "Ask Namecheap's support to reset it, and repeat the command; it continues with the same \
                certificate",
        ),
        CertificateStatus::Cancelled => (
            "it was cancelled",
            "Pass another certificate of the account with `--certificate`",
        ),
        CertificateStatus::Expired => (
            "its term is over",
            "Pass another certificate of the account with `--certificate`",
        ),
        CertificateStatus::Replaced => (
            "it was reissued, and Namecheap does not say under which number",
            "Pass the number of the newest certificate for these names with `--certificate`",
        ),
        _ => (
            "certctl does not know this state",
            "See at Namecheap under SSL Certificates what it waits for, and repeat the command",
        ),
    };
    let words = match info.description.as_str() {
        "" => String::new(),
        description => format!("; Namecheap says: {description}"),
    };
    Finding::error(
        "certificate-not-usable",
        format!(
            "the certificate {id} ({}) has the state {}: {meaning}{words}",
            info.product, info.status
        ),
    )
    .with_step(NextStep::say(action))
}

/// The certificate was activated or reissued with another request.
#[must_use]
pub(crate) fn used_for_another_request(
    id: CertificateId,
    info: &CertificateInfo,
    request: &Path,
) -> Finding {
    let request = request.display();
    Finding::error(
        "certificate-not-usable",
        format!(
            "the certificate {id} ({}, state {}) is for another request than {request}",
            info.product, info.status
        ),
    )
    .with_step(NextStep::say(format!(
        "If its request and key are in another folder, run the command there with `-C`; otherwise wait \
            until it is issued: then the same command reissues it for {request}"
    )))
}

/// The journal has no certificate.
#[must_use]
pub(crate) fn no_certificate_in_journal() -> Failure {
    Failure::new(
        FailureKind::NotFound,
        "the unfinished order has no certificate of the Namecheap account yet",
    )
    .with_step(NextStep::say(
        "Repeat the command with `--certificate` and the number of a certificate",
    ))
}

/// The API did not return the records.
#[must_use]
pub(crate) fn no_records() -> Failure {
    Failure::new(
        FailureKind::Malformed,
        "Namecheap's API returned no CNAME record to prove control of the names",
    )
    .with_step(NextStep::say(
        "See at Namecheap under SSL Certificates which validation the certificate waits for",
    ))
}

/// A record that certctl does not publish.
#[must_use]
pub(crate) fn record_not_acceptable(host: &str, target: &str) -> Failure {
    Failure::new(
        FailureKind::Hostile,
        "Namecheap's API returned a record that validates none of the names",
    )
    .because(format!("{host} CNAME {target}"))
}

/// The record of the API is not what follows from the request.
#[must_use]
pub(crate) fn record_differs(host: &str) -> Finding {
    Finding::warning(
        "record-differs-from-request",
        format!(
            "the record {host} that Namecheap's API returned is not the one that certctl computes from \
                the request; the API's record is used"
        ),
    )
}

/// An unfinished order uses another certificate.
#[must_use]
pub(crate) fn other_certificate_in_use(used: &str) -> Failure {
    Failure::new(
        FailureKind::Exists,
        format!("an unfinished order for these names uses the certificate {used}"),
    )
    .with_step(repeat("Finish it first", "--certificate", Some(used)))
}

/// The CA has not issued yet.
#[must_use]
pub(crate) fn waiting_for_ca(time: &str) -> String {
    format!("the CA has not issued the certificate yet; come back after {time}")
}

/// The user adds the records.
#[must_use]
pub(crate) fn publish_yourself(records: &[JournaledRecord]) -> Vec<NextStep> {
    let mut lines = Vec::new();
    for record in records {
        lines.push(format!("{}. CNAME {}.", record.host, record.target));
    }
    vec![
        NextStep::say("Add this record at the DNS provider of the domain").with_lines(lines),
        NextStep::say(
            "Then repeat the command: it looks whether the record is visible, and continues. With \
                `--dns` and your DNS provider, certctl adds the record itself",
        ),
    ]
}
