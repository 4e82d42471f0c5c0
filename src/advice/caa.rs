//! Advice for CAA records.

use crate::dcv::answer::DnsAnswer;
use crate::dcv::ca::CaaIssuer;
use crate::dcv::caa::order::{OrderFacts, OrderPermission, OrderRefusal, OrderRuling};
use crate::dcv::caa::{CaaParameters, CaaRefusal, CaaRuling, CaaVerdict};
use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::pki::name::join_listed;
use crate::wording::joined_with_and;

/// At most one finding; none if the CA may issue.
impl From<&CaaRuling> for Vec<Finding> {
    fn from(ruling: &CaaRuling) -> Self {
        finding(ruling).into_iter().collect()
    }
}

fn finding(ruling: &CaaRuling) -> Option<Finding> {
    let name = &ruling.name;
    let at = ruling.at.as_deref().unwrap_or_default();
    let server = ruling.server.as_ref().map(|server| {
        format!(" (at {server}; the resolver has another answer, which a CA does not rely on)")
    });
    let found = format!(
        "{at} CAA {}{}",
        ruling.records.join(", "),
        server.unwrap_or_default()
    );
    Some(match &ruling.verdict {
        CaaVerdict::NotQueried | CaaVerdict::Unrestricted | CaaVerdict::Allowed => return None,
        CaaVerdict::Forbidden(why) => forbidden(ruling, why, &found),
        CaaVerdict::AllowsSome(missing) => Finding::warning(
            "caa-allows-some",
            format!(
                "{found}: {} may not issue for {name}, but a reseller may order the certificate \
                    there",
                joined_with_and(missing)
            ),
        )
        .with_step(add(ruling, at, |issuer| missing.contains(&issuer.title))),
        CaaVerdict::WithParameters(terms) => on_terms(name, &found, terms),
        CaaVerdict::Only(allowed) => Finding::note(
            "caa-needs-ca",
            format!("{found}: only {} may issue for {name}", allowed.join(", ")),
        )
        .with_step(NextStep::say(
            "Pass your CA to compare it with the records, for example with `--ca sectigo`",
        )),
        CaaVerdict::CaUnknown(allowed) => Finding::warning(
            "caa-ca-unknown",
            format!(
                "{found}: only {} may issue for {name}; certctl does not know which identifier \
                    stands for your CA",
                allowed.join(", ")
            ),
        )
        .with_step(NextStep::say(
            "Ask the CA which identifier it accepts in a CAA record",
        )),
        CaaVerdict::Failed(queried, answer) => failed(name, queried, answer),
    })
}

/// Only a resolver was asked about these names, so nothing is known of what a CA sees.
#[must_use]
pub(crate) fn not_checked(names: &[String], issuer: &str) -> Finding {
    let message = format!(
        "whether CAA records of {} forbid {issuer} to issue was not checked at the zone's own servers: \
            none of them answered, and a resolver may have an older answer",
        join_listed(names)
    );
    Finding::warning("caa-not-checked", message).with_step(NextStep::say(
        "Allow queries to port 53 of the zone's name servers, and run the same command again without \
            `--resolver`",
    ))
}

fn forbidden(ruling: &CaaRuling, why: &CaaRefusal, found: &str) -> Finding {
    let name = &ruling.name;
    let at = ruling.at.as_deref().unwrap_or_default();
    match why {
        CaaRefusal::NotListed => {
            let issuers = titles(ruling.issuers);
            Finding::error(
                "caa-forbids",
                format!("{found}: {issuers} may not issue for {name}"),
            )
            .with_step(add(ruling, at, |_| true))
        }
        CaaRefusal::NoIssuer => Finding::error(
            "caa-forbids",
            format!("{found}: no CA may issue for {name}"),
        )
        .with_step(add(ruling, at, |_| true)),
        CaaRefusal::Unreadable => Finding::error(
            "caa-unreadable",
            format!(
                "{found}: the value is malformed, so no CA may issue for {name} (RFC 8659 4.2)"
            ),
        )
        .with_step(add(ruling, at, |_| true)),
        CaaRefusal::UnknownCritical(tag) => Finding::error(
            "caa-unknown-critical",
            format!(
                "{found}: CAs do not know the critical tag '{tag}', so none may issue for {name} \
                    (RFC 8659 4.1)"
            ),
        )
        .with_step(NextStep::say(format!(
            "Delete this record at {at}, or set its flags to 0"
        ))),
    }
}

/// What the records say about an order that is about to be placed; `ca` is the name for people.
#[must_use]
pub(crate) fn of_order(ruling: &OrderRuling, order: OrderFacts<'_>, ca: &str) -> Option<Finding> {
    let name = &ruling.name;
    let server = ruling.server.as_ref();
    let server = server.map(|server| format!(" (at {server})"));
    let server = server.unwrap_or_default();
    let found = format!("{} CAA {}{server}", ruling.at, ruling.records.join(", "));
    match &ruling.permission {
        OrderPermission::Allowed => None,
        OrderPermission::CaUnknown => Some(Finding::warning(
            "caa-ca-unknown",
            format!(
                "{found}: {ca} does not say which identifier stands for it, so certctl cannot tell whether it may issue for {name}"
            ),
        )),
        OrderPermission::Failed(queried, answer) => {
            let finding = failed(name, queried, answer);
            let severity = match answer {
                DnsAnswer::Bogus => Severity::Error,
                _ => Severity::Warning,
            };
            Some(Finding {
                severity,
                ..finding
            })
        }
        OrderPermission::Forbidden(why) => Some(order_forbidden(ruling, why, order, &found, ca)),
    }
}

/// The records do not allow the order.
fn order_forbidden(
    ruling: &OrderRuling,
    why: &OrderRefusal,
    order: OrderFacts<'_>,
    found: &str,
    ca: &str,
) -> Finding {
    let name = &ruling.name;
    let at = &ruling.at;
    let reason = match why {
        OrderRefusal::UnknownCritical(tag) => {
            let message = format!(
                "{found}: CAs do not know the critical tag '{tag}', so none may issue for {name}"
            );
            return Finding::error("caa-unknown-critical", message).with_step(NextStep::say(
                format!("Delete this record at {at}, or set its flags to 0"),
            ));
        }
        OrderRefusal::NotListed => format!("{ca} may not issue for {name}"),
        OrderRefusal::OtherAccount => {
            format!(
                "{ca} may issue for {name}, but not to the account {}",
                order.account
            )
        }
        OrderRefusal::OtherMethod => {
            format!(
                "{ca} may issue for {name}, but not after validation by {}",
                order.method
            )
        }
    };
    let finding = Finding::error("caa-forbids", format!("{found}: {reason}"));
    match order.identities.first() {
        Some(identity) => finding.with_step(add_for_order(ruling, order, identity)),
        None => finding,
    }
}

/// The record that allows the order; it is as strict as the present ones.
fn add_for_order(ruling: &OrderRuling, order: OrderFacts<'_>, identity: &str) -> NextStep {
    let has = |word: &str| ruling.records.iter().any(|record| record.contains(word));
    let is_wild = ruling.name.starts_with("*.") && has("issuewild");
    let tag = if is_wild { "issuewild" } else { "issue" };
    let mut value = identity.to_owned();
    if has("accounturi=") {
        value.push_str(&format!("; accounturi={}", order.account));
    }
    if has("validationmethods=") {
        value.push_str(&format!("; validationmethods={}", order.method));
    }
    let line = format!("{}. CAA 0 {tag} \"{value}\"", ruling.at);
    NextStep::say(format!("Add this to the zone of {}", ruling.at)).with_lines([line])
}

fn titles(issuers: &[CaaIssuer]) -> String {
    let mut titles = Vec::new();
    for issuer in issuers {
        titles.push(issuer.title);
    }
    if titles.is_empty() {
        "the CA".to_owned()
    } else {
        joined_with_and(&titles)
    }
}

/// The records to add: one for each CA that may turn out to issue.
fn add(ruling: &CaaRuling, at: &str, wanted: impl Fn(&CaaIssuer) -> bool) -> NextStep {
    let tag = if ruling.name.starts_with("*.")
        && ruling.records.iter().any(|one| one.contains("issuewild"))
    {
        "issuewild"
    } else {
        "issue"
    };
    let issuers = ruling.issuers.iter().filter(|issuer| wanted(issuer));
    let identities = issuers.filter_map(|issuer| issuer.caa_identities.first());
    let lines: Vec<String> = identities
        .map(|identity| format!("{at}. CAA 0 {tag} \"{identity}\""))
        .collect();
    if lines.is_empty() {
        return NextStep::say(format!(
            "Add a CAA record for your CA at {at}; with `--ca`, certctl compares it with your CA"
        ));
    }
    let caching = ruling
        .ttl
        .map(|ttl| format!(" (resolvers may cache the present records for {ttl} s)"));
    NextStep::say(format!(
        "Add this to the zone of {at}{}",
        caching.unwrap_or_default()
    ))
    .with_lines(lines)
}

fn on_terms(name: &str, found: &str, terms: &CaaParameters) -> Finding {
    let account = terms
        .account
        .as_ref()
        .map(|account| format!("orders of the account {account}"));
    let methods = terms
        .methods
        .as_ref()
        .map(|methods| format!("validation by {methods}"));
    let allowed: Vec<String> = account.into_iter().chain(methods).collect();
    let message = format!(
        "{found}: for {name}, this allows only {} (RFC 8657)",
        joined_with_and(&allowed)
    );
    let next = NextStep::say(
        "Remove these parameters from the record: an order through a reseller does not use this \
            account or method",
    );
    if terms.in_force {
        Finding::error("caa-parameters", message).with_step(next)
    } else {
        Finding::warning(
            "caa-parameters",
            format!("{message}; some CAs enforce this now, all have to from 2027-03-15"),
        )
        .with_step(next)
    }
}

/// BR 3.2.2.8: a CA may treat a failed lookup as permission if it retried and the zone is not signed;
/// it does not have to.
fn failed(name: &str, queried: &str, answer: &DnsAnswer) -> Finding {
    let cause = lookup_error_in_words(answer);
    let consequence = match answer {
        DnsAnswer::Bogus => format!("CAs do not issue for {name} in this case"),
        _ => format!(
            "a CA may refuse to issue for {name}, and has to if the zone is signed with DNSSEC"
        ),
    };
    let message = format!(
        "the CAA records of {queried} cannot be looked up ({cause}); {consequence} (BR 3.2.2.8)"
    );
    let finding = Finding::error("caa-lookup-failed", message);
    let domain = shell_word(queried);
    match answer {
        DnsAnswer::Bogus => finding.with_step(NextStep::run_shell(
            "See why the signatures are rejected, then have the zone signed again",
            format!("delv CAA {domain}"),
        )),
        DnsAnswer::Refused => finding
            .with_step(NextStep::run_shell(
                "See what your resolver answers",
                format!("dig CAA {domain}"),
            ))
            .with_step(use_another_resolver()),
        _ => finding.with_step(NextStep::run_shell(
            "See what the DNS answers; the servers of the zone have to answer queries for CAA",
            format!("dig CAA {domain}"),
        )),
    }
}

/// For a resolver that fails.
pub(super) fn use_another_resolver() -> NextStep {
    NextStep::say("If your resolver is at fault, use another one, for example `--resolver 9.9.9.9`")
}

/// Describes why a lookup failed.
pub(crate) fn lookup_error_in_words(answer: &DnsAnswer) -> &'static str {
    match answer {
        DnsAnswer::Bogus => "invalid DNSSEC signatures",
        DnsAnswer::ServFail => "SERVFAIL",
        DnsAnswer::Refused => "REFUSED",
        _ => "no answer",
    }
}
