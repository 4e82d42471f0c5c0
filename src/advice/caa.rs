//! Advice for CAA records.

use crate::dcv::answer::DnsAnswer;
use crate::dcv::ca::CaaIssuer;
use crate::dcv::caa::{CaaParameters, CaaRefusal, CaaRuling, CaaVerdict};
use crate::finding::{Finding, NextStep};
use crate::wording::joined_with_and;

/// At most one; none where the CA may issue.
impl From<&CaaRuling> for Vec<Finding> {
    fn from(ruling: &CaaRuling) -> Self {
        finding(ruling).into_iter().collect()
    }
}

fn finding(ruling: &CaaRuling) -> Option<Finding> {
    let name = &ruling.name;
    let at = ruling.at.as_deref().unwrap_or_default();
    let found = format!("{at} CAA {}", ruling.records.join(", "));
    Some(match &ruling.verdict {
        CaaVerdict::NotAsked | CaaVerdict::Unrestricted | CaaVerdict::Allowed => return None,
        CaaVerdict::Forbidden(why) => forbidden(ruling, why, &found),
        CaaVerdict::Partly(missing) => Finding::warning(
            "caa-allows-some",
            format!(
                "{found}: lets the CA issue for {name}, but not {}, which the shop may order from",
                missing.join(", ")
            ),
        )
        .with_step(add(ruling, at, |issuer| missing.contains(&issuer.title))),
        CaaVerdict::OnTerms(terms) => on_terms(name, &found, terms),
        CaaVerdict::Only(named) => Finding::note(
            "caa-needs-ca",
            format!("{found}: only {} may issue for {name}", named.join(", ")),
        )
        .with_step(NextStep::say("name the CA to have it compared:  --ca")),
        CaaVerdict::CaUnknown(named) => Finding::warning(
            "caa-ca-unknown",
            format!(
                "{found}: only {} may issue for {name}; by which name the CA goes is not known",
                named.join(", ")
            ),
        )
        .with_step(NextStep::say(
            "ask the CA which name belongs into a CAA record",
        )),
        CaaVerdict::Failed(asked, answer) => failed(name, asked, answer),
    })
}

fn forbidden(ruling: &CaaRuling, why: &CaaRefusal, found: &str) -> Finding {
    let name = &ruling.name;
    let at = ruling.at.as_deref().unwrap_or_default();
    let who = titles(ruling.issuers);
    match why {
        CaaRefusal::NotListed => Finding::error(
            "caa-forbids",
            format!(
                "{found}: forbids {who} to \
            issue for {name}"
            ),
        )
        .with_step(add(ruling, at, |_| true)),
        CaaRefusal::NoIssuer => Finding::error(
            "caa-forbids",
            format!(
                "{found}: forbids all CAs to \
            issue for {name}"
            ),
        )
        .with_step(add(ruling, at, |_| true)),
        CaaRefusal::Unreadable => Finding::error(
            "caa-unreadable",
            format!(
                "{found}: cannot be read, which forbids all CAs to issue for {name} (RFC 8659 \
                4.2)"
            ),
        )
        .with_step(add(ruling, at, |_| true)),
        CaaRefusal::UnknownCritical(tag) => Finding::error(
            "caa-unknown-critical",
            format!(
                "{found}: '{tag}' is marked critical and no CA knows it, so none issues for \
                {name} (RFC 8659 4.1)"
            ),
        )
        .with_step(NextStep::say(format!(
            "at {at}, delete that record or set its flags to 0"
        ))),
    }
}

fn titles(issuers: &[CaaIssuer]) -> String {
    let titles: Vec<&str> = issuers.iter().map(|issuer| issuer.title).collect();
    if titles.is_empty() {
        "the CA".to_owned()
    } else {
        joined_with_and(&titles)
    }
}

/// The records to add, one for each CA that may turn out to issue.
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
            "add a CAA record for the CA at {at}; name the CA to have it compared:  --ca"
        ));
    }
    let meanwhile = ruling
        .ttl
        .map(|ttl| format!(" (resolvers remember what is there now for {ttl} s)"));
    NextStep::say(format!(
        "add to the zone of {at}{}:",
        meanwhile.unwrap_or_default()
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
        .map(|methods| format!("proofs by {methods}"));
    let what: Vec<String> = account.into_iter().chain(methods).collect();
    let message = format!(
        "{found}: for {name} it allows only {} (RFC 8657)",
        joined_with_and(&what)
    );
    let next = NextStep::say(
        "an order at a shop has no such account or method: take the terms out of the record",
    );
    if terms.in_force {
        Finding::error("caa-parameters", message).with_step(next)
    } else {
        Finding::warning(
            "caa-parameters",
            format!("{message}; every CA must heed it from 2027-03-15, some do now"),
        )
        .with_step(next)
    }
}

/// BR 3.2.2.8: a CA may take a failure for a permission, if it asked again and the zone is not
/// signed; none has to.
fn failed(name: &str, asked: &str, answer: &DnsAnswer) -> Finding {
    let cause = lookup_error_in_words(answer);
    let so = match answer {
        DnsAnswer::Bogus => format!("a CA issues nothing for {name} then"),
        _ => format!(
            "a CA may refuse to issue for {name} then, and must where DNSSEC signs the zone"
        ),
    };
    let message =
        format!("the CAA records of {asked} cannot be looked up ({cause}): {so} (BR 3.2.2.8)");
    let next = match answer {
        DnsAnswer::Bogus => {
            format!("have the zone signed anew, CAA too; see why:  delv CAA {asked}")
        }
        DnsAnswer::Refused => format!(
            "see whether that server looks up any name, or name one that does:  --resolver \
                9.9.9.9;  dig CAA {asked}"
        ),
        _ => format!(
            "see why:  dig CAA {asked}; the servers of its zone must answer for this type too"
        ),
    };
    Finding::error("caa-lookup-failed", message).with_step(NextStep::say(next))
}

/// Why a look-up came to nothing, in words.
pub(crate) fn lookup_error_in_words(answer: &DnsAnswer) -> &'static str {
    match answer {
        DnsAnswer::Bogus => "DNSSEC signatures do not hold",
        DnsAnswer::ServFail => "SERVFAIL",
        DnsAnswer::Refused => "REFUSED",
        _ => "no answer",
    }
}
