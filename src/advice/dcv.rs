//! Advice for the reseller's validation record and for what DNS servers answer about it.

use crate::failure::{Failure, FailureKind};

use super::caa::use_another_resolver;
use super::dcv_conflicts::conflicting_record;
use crate::dcv::answer::{DnsAnswer, UnqueriedServers};
use crate::dcv::ca::{Ca, CaProfile};
use crate::dcv::parse::RecordError;
use crate::dcv::reason::{DcvReason, OtherServers, WrongPlace};
use crate::dcv::value_check::ValueFlaw;
use crate::finding::{Finding, NextStep, shell_word};

const COPY: &str = "Copy host and value from the CA's page again, both in full";

/// `dcv-check` adds the command line that reads the record again: it knows the folder, the names and
/// the resolvers.
impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let failure = Self::from_error(FailureKind::Malformed, &error);
        match &error {
            RecordError::Empty => failure.with_step(
                NextStep::say("Paste host and value; at Sectigo and SSL.com they have this form")
                    .with_lines([
                        "_<32 hex digits>.example.com  <32 hex digits>.<32 hex digits>.<unique \
                            value>.<zone>"
                            .to_owned(),
                    ]),
            ),
            RecordError::Contradiction(_) => failure.with_step(NextStep::say(
                "Paste only the record of the order that is open now: a name can have one CNAME \
                    record",
            )),
            RecordError::HostForm(_) => failure
                .because(
                    "the value is derived from a CSR, as Sectigo, SSL.com and their resellers do \
                        it, but the host is not",
                )
                .with_step(NextStep::say(COPY)),
            RecordError::Many => {
                failure.with_step(NextStep::say("Pass only the records of one order"))
            }
            RecordError::NoHost(_) | RecordError::NoValue(_) => failure.with_step(NextStep::say(
                "Pass host and value in one argument, for example \
                    `--record '_dnsauth.example.com abc123.dcv.digicert.com'`",
            )),
            RecordError::NoHashHost(_)
            | RecordError::NotARecord
            | RecordError::Pem(_)
            | RecordError::Placeholder(_)
            | RecordError::Type(_)
            | RecordError::Underscore(_)
            | RecordError::Url(_) => paste_the_record(failure, &error),
            RecordError::Host(_)
            | RecordError::Target(_)
            | RecordError::HostDigits { .. }
            | RecordError::ValueDigits { .. }
            | RecordError::ValueForm(_)
            | RecordError::ValueHalf
            | RecordError::ValueZone => failure.with_step(NextStep::say(COPY)),
        }
    }
}

/// The text is something else than a validation record, or only a part of one.
fn paste_the_record(failure: Failure, error: &RecordError) -> Failure {
    match error {
        RecordError::NoHashHost(_) => failure.with_step(NextStep::say(
            "Copy the host too, and pass it before the value; it starts with _ and 32 hex digits",
        )),
        RecordError::NotARecord => failure.with_step(NextStep::say(
            "Copy host and value of the record from the CA's page",
        )),
        RecordError::Pem(label) if label.contains("REQUEST") => failure.with_step(NextStep::say(
            "Paste the CSR at the CA, then pass the DNS record that the CA shows",
        )),
        RecordError::Pem(_) => {
            failure.with_step(NextStep::say("Pass the DNS record that the CA shows"))
        }
        RecordError::Placeholder(_) => failure
            .because("certctl prints the form of a value that only the CA knows")
            .with_step(NextStep::say(
                "Copy the complete value that the CA shows for this order",
            )),
        RecordError::Type(_) => failure
            .because("no CA that certctl knows uses this type for domain validation")
            .with_step(NextStep::say(
                "Choose validation by CNAME or TXT at the CA, then pass the record that it shows",
            )),
        RecordError::Underscore(host) => failure
            .because("the CA queries the host with a leading underscore")
            .with_step(NextStep::say(format!(
                "Publish the record at the host _{host}, and pass that host"
            ))),
        RecordError::Url(_) => failure
            .because("CAs show such a URL for validation by a file on the web server")
            .with_step(NextStep::say(
                "Pass the URL and, on the lines below it, the content of the file with \
                        `--record -`; or pass the CNAME, if the CA shows one",
            )),
        _ => failure,
    }
}

impl From<&DcvReason> for Finding {
    fn from(reason: &DcvReason) -> Self {
        match reason {
            DcvReason::WrongName { at, cause } => elsewhere(at, cause),
            DcvReason::Conflict { at, conflict } => conflicting_record(at, conflict),
            DcvReason::NoRoute { servers, others } => no_route(&servers.join(", "), *others),
            DcvReason::NotDelegated { domain } => not_delegated(domain),
            DcvReason::NotEverywhere { servers } => not_everywhere(servers),
            DcvReason::NotPublished { name, servers } => Self::error(
                "not-published",
                format!("the record {name} was not found at {}", servers.join(", ")),
            ),
            DcvReason::OwnServersNotFound { domain } => own_servers_not_found(domain),
            DcvReason::ResolverCachedAbsence { servers, seconds } => {
                resolver_remembers(servers, *seconds)
            }
            DcvReason::TooManyServers { domain, omitted } => too_many(domain, *omitted),
            DcvReason::NoAnswer { servers, answer } => silent(&servers.join(", "), answer),
            DcvReason::Value {
                at,
                found,
                expected,
                flaw,
            } => value(at, found, expected.as_deref(), *flaw),
        }
    }
}

/// Notes what is unconfirmed about the CA's own record format. `dcv-check` reports it unless the
/// user passed the reseller's record.
#[must_use]
pub(crate) fn not_confirmed(ca: Ca) -> Option<Finding> {
    let CaProfile {
        title,
        unconfirmed,
        source,
        read_in,
        ..
    } = ca.profile();
    let message =
        format!("unconfirmed for {title}: {unconfirmed} (source: {source}, read {read_in})");
    let next = NextStep::say(format!(
        "Use the record that {title} shows, and check it with `certctl dcv-check --record -`"
    ));
    (!unconfirmed.is_empty()).then(|| Finding::note("ca-rule-unconfirmed", message).with_step(next))
}

fn not_delegated(domain: &str) -> Finding {
    Finding::error(
        "domain-not-delegated",
        format!(
            "{domain} has no name servers: it is not registered, has expired, or has none set at \
                the registrar"
        ),
    )
    .with_step(NextStep::run_shell(
        "See how the domain is registered, and correct it at the registrar",
        format!("whois {}", shell_word(domain)),
    ))
}

fn not_everywhere(servers: &[String]) -> Finding {
    Finding::error(
        "not-on-all-servers",
        format!(
            "the record is published, but still missing at {}; a CA checks from several networks \
                and may query any of the servers",
            servers.join(", ")
        ),
    )
    .with_step(NextStep::say(
        "Wait until all servers have the new version of the zone",
    ))
}

fn own_servers_not_found(domain: &str) -> Finding {
    Finding::error(
        "zone-servers-not-found",
        format!(
            "the name servers of the zone of {domain} could not be found, so only the resolver was \
                queried"
        ),
    )
    .with_step(NextStep::run_shell(
        "See what your resolver answers",
        format!("dig NS {}", shell_word(domain)),
    ))
    .with_step(use_another_resolver())
}

/// Resolvers cache that the record does not exist (RFC 2308); `seconds` is for how much longer, if
/// that is known.
fn resolver_remembers(servers: &[String], seconds: Option<u32>) -> Finding {
    let until = match seconds {
        Some(seconds) => format!(" for up to {seconds} s more"),
        None => String::new(),
    };
    let servers = servers.join(", ");
    Finding::error(
        "resolver-cached-absence",
        format!("the record is published, but its absence is still cached{until} by {servers}"),
    )
    .with_step(NextStep::say(
        "Check again when the cache has expired, or rely on the answers of the zone's own servers",
    ))
}

/// This machine usually has no IPv6, or no network.
fn no_route(servers: &str, others: OtherServers) -> Finding {
    const CODE: &str = "unreachable-from-here";
    match others {
        OtherServers::ZoneServers => Finding::note(
            CODE,
            format!("not queried, because this machine has no route to it: {servers}"),
        ),
        OtherServers::Resolver => Finding::error(
            CODE,
            format!(
                "only the resolver was queried: this machine has no route (no IPv6?) to any of the \
                    zone's own servers, {servers}"
            ),
        )
        .with_step(NextStep::say(
            "Run the check on a machine that can reach these servers, for example one with IPv6",
        )),
        OtherServers::NoServer => Finding::error(
            CODE,
            format!("no server was queried: this machine has no route to {servers} (no network?)"),
        )
        .with_step(NextStep::say(
            "Check the network of this machine, or use a resolver that it can reach, for example \
                `--resolver 9.9.9.9`",
        )),
    }
}

/// Servers beyond the bounds were not queried, so their answer is unknown.
fn too_many(domain: &str, omitted: UnqueriedServers) -> Finding {
    let counts = [
        (omitted.names, "of its name servers"),
        (omitted.addresses, "of their addresses"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, of)| format!("{count} {of}"))
        .collect();
    Finding::error(
        "servers-not-queried",
        format!(
            "the zone of {domain} has more servers than certctl queries; not queried: {}",
            counts.join(", ")
        ),
    )
    .with_step(NextStep::run_shell(
        "List the name servers, query the rest yourself, and reduce their number",
        format!("dig NS {}", shell_word(domain)),
    ))
}

/// The record is published at another name than the one that the CA queries.
fn elsewhere(at: &str, cause: &WrongPlace) -> Finding {
    match cause {
        WrongPlace::Below { domain } => Finding::error(
            "record-below-domain",
            format!("the record is at {at}, which does not validate {domain}"),
        )
        .with_step(NextStep::say(format!(
            "Add the record for {domain}: there it also validates the names below"
        ))),
        WrongPlace::Doubled { zone, relative } => Finding::error(
            "zone-doubled",
            format!(
                "the record is at {at}: the host was entered with {zone}, which the DNS \
                    provider's console appends automatically"
            ),
        )
        .with_step(
            NextStep::say(format!(
                "In the DNS provider's console for {zone}, change the host to"
            ))
            .with_lines([relative.clone()]),
        ),
        WrongPlace::NoUnderscore => Finding::error(
            "underscore-lost",
            format!("the record is at {at}, without the leading underscore"),
        )
        .with_step(NextStep::say(
            "Change the host so that it starts with an underscore",
        )),
        WrongPlace::Parent => Finding::note(
            "found-at-parent",
            format!(
                "the record is at {at}, which the CA also queries: it validates all names below"
            ),
        ),
    }
}

/// The published value is wrong, or cannot be checked. `expected` is the right one, if it is known.
fn value(at: &str, found: &str, expected: Option<&str>, flaw: ValueFlaw) -> Finding {
    let change = match expected {
        Some(value) => NextStep::say("Change the value to").with_lines([value.to_owned()]),
        None => NextStep::say("Change the value to the one that the CA shows"),
    };
    match flaw {
        ValueFlaw::AnotherRequest => Finding::error(
            "value-from-another-request",
            format!("{at} has a record that was derived from another CSR: {found}"),
        )
        .with_step(NextStep::say(
            "Replace the value with the one that the CA shows for this request: a reissue needs a \
                new record",
        )),
        ValueFlaw::Unrelated => {
            Finding::error("wrong-value", format!("{at} has another value: {found}"))
                .with_step(change)
        }
        ValueFlaw::OtherToken => Finding::error(
            "token-from-another-order",
            format!("{at} has a record of the same CA with another random value: {found}"),
        )
        .with_step(change),
        ValueFlaw::Quoted => Finding::error(
            "value-quoted",
            format!("{at} has the right value with additional quotes or spaces: {found}"),
        )
        .with_step(change),
        ValueFlaw::OtherUnique => Finding::error(
            "wrong-unique-value",
            format!("{at} has a record of this request with another unique value: {found}"),
        )
        .with_step(change),
        ValueFlaw::Unchecked => Finding::error(
            "unique-value-unchecked",
            format!(
                "{at} has {found}; without the record that the CA shows, certctl cannot tell \
                    whether all of it is right"
            ),
        )
        .with_step(NextStep::say(
            "Copy host and value from the CA's page, and pass them with `--record -`",
        )),
        ValueFlaw::WithZone => {
            let next = NextStep::say("Enter the value with a dot at its end");
            Finding::error(
                "zone-appended-to-value",
                format!("the DNS provider appended the zone to the value at {at}: {found}"),
            )
            .with_step(match expected {
                Some(value) => next.with_lines([format!("{value}.")]),
                None => next,
            })
        }
    }
}

/// Servers without an answer: REFUSED, SERVFAIL, a timeout and a closed port have different causes.
fn silent(servers: &str, answer: &DnsAnswer) -> Finding {
    const REPAIR: &str = "If it is one of the zone's own servers, repair it; if it is a resolver, \
        use another one, for example `--resolver 9.9.9.9`";
    let (code, message, next) = match answer {
        DnsAnswer::Bogus => (
            "server-bogus",
            format!(
                "the DNSSEC signatures of the zone are invalid, so CAs reject the record too; found \
                    by {servers}"
            ),
            "Repair DNSSEC at the DNS provider, or delete the DS record at the registrar",
        ),
        DnsAnswer::Closed => (
            "server-connection-refused",
            format!("no DNS server is listening at {servers}"),
            REPAIR,
        ),
        DnsAnswer::Failed(reason) => (
            "server-failed",
            format!("no answer ({reason}) from {servers}"),
            REPAIR,
        ),
        DnsAnswer::Lame => (
            "server-lame",
            format!("listed as name server of the zone, but not authoritative for it: {servers}"),
            "Remove it from the zone's NS records, or set up the zone on it",
        ),
        DnsAnswer::NoAddress => (
            "server-no-address",
            format!(
                "listed as name server of the zone, but not queried, because its address was not \
                    found: {servers}"
            ),
            "Check again; if the server no longer exists, remove it from the zone's NS records",
        ),
        DnsAnswer::NoTcp => (
            "server-no-tcp",
            format!(
                "the answer is too long for UDP, and the server does not answer over TCP: \
                    {servers}; a CA's resolver gets no answer either"
            ),
            "Open port 53 for TCP too (RFC 7766), on the server and in its firewall",
        ),
        DnsAnswer::Refused => (
            "server-refused",
            format!("REFUSED by {servers}: it does not serve this zone, or not to this machine"),
            REPAIR,
        ),
        DnsAnswer::ServFail => (
            "server-servfail",
            format!("SERVFAIL from {servers}: it cannot answer for the zone (not loaded, expired)"),
            "Check the DNS provider's status page or ask its support, then check again",
        ),
        DnsAnswer::Addresses(_)
        | DnsAnswer::Cname(_)
        | DnsAnswer::Cnames(_)
        | DnsAnswer::Mx(_)
        | DnsAnswer::NoData(_)
        | DnsAnswer::NoName(_)
        | DnsAnswer::NoRoute
        | DnsAnswer::Timeout
        | DnsAnswer::Txt(_) => (
            "server-timeout",
            format!("no usable answer from {servers} within the time limit"),
            "Check again; if a firewall here blocks port 53, run the check on another machine",
        ),
    };
    Finding::error(code, message).with_step(NextStep::say(next))
}
