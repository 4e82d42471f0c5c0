//! Advice for domain validation by a file on the web server and by email.

use std::net::{IpAddr, SocketAddr};

use super::caa::{lookup_error_in_words, use_another_resolver};
use crate::dcv::ca::RedirectPolicy;
use crate::dcv::http_file::{FileFlaw, FileReason};
use crate::dcv::mailbox::{MailDelivery, MailReason};
use crate::finding::{Finding, NextStep, shell_word};

const CHOOSE_CNAME: &str = "Choose validation by CNAME at the CA";

impl From<&FileReason> for Finding {
    fn from(reason: &FileReason) -> Self {
        match reason {
            FileReason::WrongFile {
                url,
                address,
                flaw,
                redirects,
            } => flawed(url, *address, flaw, *redirects),
            FileReason::NoAddress { name, failed: None } => without_address(name),
            FileReason::NoAddress {
                name,
                failed: Some(answer),
            } => Self::error(
                "addresses-not-found",
                format!("cannot resolve {name} ({})", lookup_error_in_words(answer)),
            )
            .with_step(NextStep::run_shell(
                "See what the DNS answers",
                format!("dig A {}", shell_word(name)),
            ))
            .with_step(use_another_resolver()),
            FileReason::AddressNotPublic {
                name,
                address,
                why,
                rehearsed,
            } => {
                let message = address_not_public_message(name, *address, why);
                // A user who queries their own server on an unusual port knows that it is a test.
                if *rehearsed {
                    Self::warning("address-not-public", message)
                } else {
                    address_not_public(name, message)
                }
            }
            FileReason::NoResponse {
                url,
                address,
                reason,
            } => Self::error(
                "web-server-no-answer",
                format!("{address} does not answer for {url}: {reason}"),
            )
            .with_step(NextStep::say(
                "Open port 80 to everyone, or remove the address from the DNS: a CA may connect \
                    to any of the addresses",
            )),
            FileReason::Wildcard { name } => Self::error(
                "wildcard-not-by-file",
                format!("{name} is a wildcard, which a file cannot validate (BR 3.2.2.4.18)"),
            )
            .with_step(NextStep::say(CHOOSE_CNAME)),
            FileReason::WwwWillBeDropped { name, source } => Self::warning(
                "www-will-be-dropped",
                format!(
                    "{name} does not serve the file; Sectigo then omits this name from the \
                        certificate without saying so ({source})"
                ),
            )
            .with_step(NextStep::say(format!(
                "Serve the file at {name} too, or choose validation by CNAME, which validates \
                    both names"
            ))),
        }
    }
}

fn without_address(name: &str) -> Finding {
    let message = format!("{name} has no A or AAAA record, so no web server was queried");
    Finding::error("name-without-address", message).with_step(NextStep::say(format!(
        "Add an A or AAAA record for {name}, or choose validation by CNAME at the CA"
    )))
}

/// The name resolves here to an address that the CA cannot reach: either it resolves to another
/// address outside (split DNS), or the address is not public anywhere.
fn address_not_public(name: &str, message: String) -> Finding {
    Finding::error("address-not-public", message).with_step(NextStep::say(format!(
        "Query a public resolver, for example with `--resolver 9.9.9.9`; if it returns the same \
            address, give {name} a public one or choose validation by CNAME at the CA"
    )))
}

fn address_not_public_message(name: &str, address: IpAddr, why: &str) -> String {
    format!(
        "{name} resolves to {address} here ({why}), which no CA can reach; what a CA would see \
            was not checked"
    )
}

fn flawed(url: &str, address: SocketAddr, flaw: &FileFlaw, redirects: RedirectPolicy) -> Finding {
    let fill = NextStep::say(
        "Replace the content of the file with the expected lines, each on its own line",
    );
    let place = format!("{url} at {address}");
    match flaw {
        FileFlaw::AnotherRequest => Finding::error(
            "file-from-another-request",
            format!("{place} has the hash of another CSR; a reissue needs a new file"),
        )
        .with_step(fill),
        FileFlaw::Content(content) => Finding::error(
            "file-other-content",
            format!("{place} has other content: {content:?}"),
        )
        .with_step(fill),
        FileFlaw::Page => Finding::error(
            "file-is-a-page",
            format!("{place} returns a web page: the application answers instead of the file"),
        )
        .with_step(NextStep::say(
            "Let the web server serve /.well-known/pki-validation/ from a folder, before requests \
                reach the application",
        )),
        FileFlaw::Redirected(target) => {
            let rule = match redirects {
                RedirectPolicy::Refused => "the CA does not follow redirects",
                RedirectPolicy::Unknown => "certctl does not know whether the CA follows redirects",
            };
            Finding::error(
                "file-redirected",
                format!("{place} redirects to {target}; {rule}"),
            )
            .with_step(NextStep::say(
                "Exclude /.well-known/pki-validation/ from the redirect",
            ))
        }
        FileFlaw::Status(status) => Finding::error(
            "file-not-found",
            format!("{place} returns HTTP status {status}"),
        )
        .with_step(NextStep::say(
            "Create the file at exactly this path; upper and lower case matter",
        )),
        FileFlaw::Unchecked => Finding::error(
            "unique-value-unchecked",
            format!(
                "{place} exists; without the CA's record, certctl cannot tell whether all of its \
                    content is right"
            ),
        )
        .with_step(NextStep::say(
            "Copy the file's name and lines, or host and value of the CNAME, from the CA's page, \
                and pass them with `--record -`",
        )),
        FileFlaw::Unique(lines) => Finding::error(
            "wrong-unique-value",
            format!("{place} has the right hash, followed by other lines than expected: {lines}"),
        )
        .with_step(fill),
    }
}

impl From<&MailReason> for Finding {
    fn from(reason: &MailReason) -> Self {
        match reason {
            MailReason::Ended => Self::error(
                "email-dcv-ended",
                "since 2028-03-15, CAs no longer accept domain validation by email (SC-090)",
            )
            .with_step(NextStep::say(CHOOSE_CNAME)),
            MailReason::Ends => Self::note(
                "email-dcv-ends",
                "from 2028-03-15 on, CAs accept no domain validation by email, not even an \
                    earlier one (SC-090)",
            )
            .with_step(NextStep::say(
                "Choose validation by CNAME for later renewals",
            )),
            MailReason::NoMail { domain, mail } => {
                Self::error("no-mail-for-domain", no_mail(domain, mail)).with_step(NextStep::say(
                    format!(
                        "Add an MX record for {domain}, or choose validation by CNAME at the CA"
                    ),
                ))
            }
            MailReason::NotOffered { ca } => Self::error(
                "email-not-accepted",
                format!("{ca} does not offer domain validation by email"),
            )
            .with_step(NextStep::say(CHOOSE_CNAME)),
            MailReason::NotConfirmed { ca } => Self::note(
                "ca-rule-unconfirmed",
                format!("unconfirmed for {ca}: whether it offers domain validation by email"),
            )
            .with_step(NextStep::say(format!(
                "Check whether {ca} offers it, or choose validation by CNAME"
            ))),
            MailReason::Unchecked => Self::error(
                "mailbox-unchecked",
                "mail for the domain can be delivered, but certctl cannot check whether anyone \
                    reads these mailboxes",
            )
            .with_step(NextStep::say(
                "Send a test mail to the address that you choose at the CA, and check that it \
                    arrives",
            )),
            MailReason::Unknown { domain, answer } => Self::error(
                "mail-lookup-failed",
                format!(
                    "cannot look up which server receives mail for {domain} ({})",
                    lookup_error_in_words(answer)
                ),
            )
            .with_step(NextStep::run_shell(
                "See what the DNS answers",
                format!("dig MX {}", shell_word(domain)),
            ))
            .with_step(use_another_resolver()),
        }
    }
}

fn no_mail(domain: &str, mail: &MailDelivery) -> String {
    match mail {
        MailDelivery::Null => {
            format!("{domain} declares that it accepts no mail (null MX, RFC 7505)")
        }
        _ => format!(
            "{domain} has neither an MX record nor an address, so mail for it cannot be delivered"
        ),
    }
}
