//! Advice for domain validation by a file on the web server and by e-mail.

use std::net::{IpAddr, SocketAddr};

use super::caa::lookup_error_in_words;
use crate::dcv::ca::RedirectPolicy;
use crate::dcv::http_file::{FileFlaw, FileReason};
use crate::dcv::mailbox::{MailDelivery, MailReason};
use crate::finding::{Finding, NextStep};

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
                format!(
                    "the addresses of {name} were not found ({})",
                    lookup_error_in_words(answer)
                ),
            )
            .with_step(NextStep::say(format!(
                "dig A {name}; or name a resolver that finds them:  --resolver \
                9.9.9.9"
            ))),
            FileReason::AddressNotPublic {
                name,
                address,
                why,
                rehearsed,
            } => {
                let message = address_not_public_message(name, *address, why);
                // A user who queries a server of their own, at a port of its own, knows that it is
                // a test.
                if *rehearsed {
                    Self::warning("address-not-public", message)
                } else {
                    address_not_public(name, message)
                }
            }
            FileReason::Silent {
                url,
                address,
                reason,
            } => Self::error(
                "web-server-no-answer",
                format!("{address} does not answer for {url}: {reason}"),
            )
            .with_step(NextStep::say(
                "open port 80 to everybody, or take the address out of the DNS: a CA \
                may ask any of them",
            )),
            FileReason::Wildcard { name } => Self::error(
                "wildcard-not-by-file",
                format!(
                    "{name} cannot be proved by a file (BR \
                    3.2.2.4.18)"
                ),
            )
            .with_step(NextStep::say("choose DCV by CNAME at the shop")),
            FileReason::WwwDropsOut { name, source } => Self::warning(
                "www-will-be-dropped",
                format!(
                    "{name} does not serve the file: Sectigo then leaves it out of the certificate \
                        and says nothing ({source})"
                ),
            )
            .with_step(NextStep::say(format!(
                "serve the file at {name} too, or choose DCV by CNAME, which \
                proves both"
            ))),
        }
    }
}

fn without_address(name: &str) -> Finding {
    let message = format!("{name} has no address, so no web server is asked for it");
    Finding::error("name-without-address", message).with_step(NextStep::say(format!(
        "add an A or AAAA record for {name}, or choose DCV by CNAME"
    )))
}

/// The name resolves here to an address that the CA cannot reach: to another one than from outside
/// (split DNS), or to one that is not public anywhere.
fn address_not_public(name: &str, message: String) -> Finding {
    Finding::error("address-not-public", message).with_step(NextStep::say(format!(
        "ask a resolver outside:  --resolver 9.9.9.9; if it says the same, give {name} a public \
            address or choose DCV by CNAME"
    )))
}

fn address_not_public_message(name: &str, address: IpAddr, why: &str) -> String {
    format!(
        "{name} leads to {address} here ({why}), where no CA gets to: what it would see was not \
            looked at"
    )
}

fn flawed(url: &str, address: SocketAddr, flaw: &FileFlaw, redirects: RedirectPolicy) -> Finding {
    let fill =
        NextStep::say("put the lines above into the file, each on its own line, nothing else");
    match flaw {
        FileFlaw::AnotherRequest => Finding::error(
            "file-from-another-request",
            format!("at {address} {url} holds another request's hash: a reissue needs a new file"),
        )
        .with_step(fill),
        FileFlaw::Content(seen) => Finding::error(
            "file-other-content",
            format!(
                "at {address} {url} holds something else: \
                {seen:?}"
            ),
        )
        .with_step(fill),
        FileFlaw::Page => Finding::error(
            "file-is-a-page",
            format!(
                "at {address} {url} gives a web page: the site's program answers in place of \
                the file"
            ),
        )
        .with_step(NextStep::say(
            "have the web server serve /.well-known/pki-validation/ from a folder, before the \
                site's program",
        )),
        FileFlaw::Redirected(to) => {
            let rule = match redirects {
                RedirectPolicy::Refused => "the CA does not follow",
                RedirectPolicy::Unknown => "whether the CA follows is not known",
            };
            Finding::error(
                "file-redirected",
                format!("at {address} {url} sends to {to}; {rule}"),
            )
            .with_step(NextStep::say(
                "leave /.well-known/pki-validation/ out of the redirect",
            ))
        }
        FileFlaw::Status(status) => Finding::error(
            "file-not-found",
            format!(
                "at {address} {url} gives {status}{}",
                if *status == 404 { ": no such file" } else { "" }
            ),
        )
        .with_step(NextStep::say(
            "put the file there; its name is upper case, and a path keeps its case",
        )),
        FileFlaw::Unchecked => Finding::error(
            "unique-value-unchecked",
            format!(
                "at {address} {url} is there; whether all of it is the shop's cannot be told \
                    without the shop's record"
            ),
        )
        .with_step(NextStep::say(
            "copy the file's name and lines, or host and value, from the shop's page \
            and give them",
        )),
        FileFlaw::Unique(seen) => Finding::error(
            "wrong-unique-value",
            format!("at {address} {url} goes on with other lines than the shop's: {seen}"),
        )
        .with_step(fill),
    }
}

impl From<&MailReason> for Finding {
    fn from(reason: &MailReason) -> Self {
        match reason {
            MailReason::Ended => Self::error(
                "email-dcv-ended",
                "no CA takes an answer to an \
                e-mail as proof since 2028-03-15 (SC-090)",
            )
            .with_step(NextStep::say("choose DCV by CNAME at the shop")),
            MailReason::Ends => Self::note(
                "email-dcv-ends",
                "no CA takes an answer to an e-mail as proof from 2028-03-15 on (SC-090), nor one \
                    that it has from before",
            )
            .with_step(NextStep::say(
                "use the CNAME for the rounds to come: it can stay in place",
            )),
            MailReason::NoMail { domain, mail } => {
                Self::error("no-mail-for-domain", no_mail(domain, mail)).with_step(NextStep::say(
                    format!("add an MX record for {domain}, or choose DCV by CNAME"),
                ))
            }
            MailReason::NotOffered { ca } => Self::error(
                "email-not-accepted",
                format!(
                    "{ca} takes no \
                answer to an e-mail as proof"
                ),
            )
            .with_step(NextStep::say("choose DCV by CNAME at the shop")),
            MailReason::NotConfirmed { ca } => Self::note(
                "ca-rule-unconfirmed",
                format!("not confirmed for {ca}: whether it takes an answer to an e-mail as proof"),
            )
            .with_step(NextStep::say(format!(
                "see whether {ca} offers it, or choose DCV by CNAME"
            ))),
            MailReason::Unchecked => Self::error(
                "mailbox-unchecked",
                "whether somebody reads one of these mailboxes cannot be seen from here, so this \
                    proves nothing yet",
            )
            .with_step(NextStep::say(
                "write to the one that you choose at the shop, and see that it arrives",
            )),
            MailReason::Unknown { domain, answer } => Self::error(
                "mail-lookup-failed",
                format!(
                    "who takes mail for {domain} was not \
                    found out ({})",
                    lookup_error_in_words(answer)
                ),
            )
            .with_step(NextStep::say(format!(
                "dig MX {domain}; or name a resolver that finds it:  \
                        --resolver 9.9.9.9"
            ))),
        }
    }
}

fn no_mail(domain: &str, mail: &MailDelivery) -> String {
    match mail {
        MailDelivery::Null => format!("{domain} says that it takes no mail (a null MX, RFC 7505)"),
        _ => format!("{domain} has neither MX nor address, so mail for it arrives nowhere"),
    }
}
