//! Advice for the reseller's validation record and for what DNS servers answer about it.

use crate::failure::{Failure, FailureKind};
use std::net::IpAddr;

use crate::dcv::answer::{DnsAnswer, RecordKind, UnqueriedServers};
use crate::dcv::ca::{Ca, CaProfile};
use crate::dcv::parse::RecordError;
use crate::dcv::reason::{ConflictingRecord, DcvReason, OtherServers, WrongPlace};
use crate::dcv::value_check::ValueFlaw;
use crate::finding::{Finding, NextStep};

const COPY: &str = "copy host and value again from the shop's page, the whole of both";

/// `dcv-check` adds the command line that takes the record: it knows the folder, the names and the
/// resolvers to write into it.
impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let failure = Self::from_error(FailureKind::Malformed, &error);
        match error {
            RecordError::Empty => failure.with_step(NextStep::say(
                "it looks like this:  _<32 hex digits>.example.com  <32 hex digits>.<32>.<unique \
                    value>.<zone>",
            )),
            RecordError::HostForm(_) => failure
                .because("the value is made of a request, as Sectigo, SSL.com and their shops show \
                    it; the host is not")
                .with_step(NextStep::say(COPY)),
            RecordError::Many => failure.with_step(NextStep::say("give those of one order")),
            RecordError::NoHost(_) | RecordError::NoValue(_) => {
                failure.with_step(NextStep::say("give both, in one argument:  --record 'HOST VALUE'"))
            }
            RecordError::Type(_) => failure
                .because("no CA takes it for a proof")
                .with_step(NextStep::say("choose DCV by CNAME or TXT at the shop, then give the record that \
                    it shows")),
            RecordError::Underscore(host) => failure
                .because("the CA looks for the host with it")
                .with_step(NextStep::say(format!("the host is _{host}; publish and give it so"))),
            RecordError::Url(_) => failure.because("this is what the HTTP method shows").with_step(NextStep::say(
                "give it and, in lines below it, what the file is to hold:  --record -   (or the \
                    CNAME, if the shop shows one)",
            )),
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

impl From<&DcvReason> for Finding {
    fn from(reason: &DcvReason) -> Self {
        match reason {
            DcvReason::WrongName { at, cause: how } => elsewhere(at, how),
            DcvReason::Conflict { at, conflict: what } => conflicting_record(at, what),
            DcvReason::NoRoute { servers, others } => no_route(&servers.join(", "), *others),
            DcvReason::NotDelegated { domain } => not_delegated(domain),
            DcvReason::NotEverywhere { servers } => not_everywhere(servers),
            DcvReason::NotPublished { name, servers } => Self::error(
                "not-published",
                format!("{name} is not there; asked {}", servers.join(", ")),
            ),
            DcvReason::OwnServersNotFound { domain } => own_servers_not_found(domain),
            DcvReason::ResolverRemembers { servers, seconds } => {
                resolver_remembers(servers, *seconds)
            }
            DcvReason::TooManyServers {
                domain,
                omitted: left_out,
            } => too_many(domain, *left_out),
            DcvReason::Silent { servers, answer } => silent(&servers.join(", "), answer),
            DcvReason::Value {
                at,
                found: seen,
                expected: wanted,
                flaw,
            } => value(at, seen, wanted, *flaw),
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
        read_in: read,
        ..
    } = ca.profile();
    let message = format!("not confirmed for {title}: {unconfirmed} (from {source}; {read})");
    let next = NextStep::say(format!(
        "go by what {title} shows, and give it:  --record -"
    ));
    (!unconfirmed.is_empty()).then(|| Finding::note("ca-rule-unconfirmed", message).with_step(next))
}

fn not_delegated(domain: &str) -> Finding {
    Finding::error(
        "domain-not-delegated",
        format!(
            "{domain} has no name servers: not registered, expired, or none are set at \
                    the registrar"
        ),
    )
    .with_step(NextStep::say(format!(
        "see to {domain} at the registrar:  whois {domain}"
    )))
}

fn not_everywhere(servers: &[String]) -> Finding {
    Finding::error(
        "not-on-all-servers",
        format!(
            "not there yet: {}; a CA asks from several places and needs them all",
            servers.join(", ")
        ),
    )
    .with_step(NextStep::say("wait for the zone's servers to take it over"))
}

fn own_servers_not_found(domain: &str) -> Finding {
    Finding::error(
        "zone-servers-not-found",
        format!(
            "the servers of {domain}'s zone were not found, so only the resolver was \
                    asked"
        ),
    )
    .with_step(NextStep::say(format!(
        "dig NS {domain}; or name a resolver that finds them:  \
                --resolver 9.9.9.9"
    )))
}

/// Resolvers keep the answer that the record does not exist (RFC 2308); `seconds` is how long they
/// still may, where that is known.
fn resolver_remembers(servers: &[String], seconds: Option<u32>) -> Finding {
    let until = match seconds {
        Some(seconds) => format!(", for up to {seconds} s more"),
        None => String::new(),
    };
    let servers = servers.join(", ");
    Finding::error(
        "resolver-cached-absence",
        format!("its absence is still remembered{until} by {servers}"),
    )
    .with_step(NextStep::say(
        "the zone's own servers have it; look again then, or go by them",
    ))
}

/// This machine usually has no IPv6, or no network.
fn no_route(who: &str, others: OtherServers) -> Finding {
    match others {
        OtherServers::ZoneServers => Finding::note(
            "unreachable-from-here",
            format!(
                "not asked, no way there from this \
            machine: {who}"
            ),
        ),
        OtherServers::Resolver => Finding::error(
            "unreachable-from-here",
            format!(
                "only the resolver was asked: this machine has no way (no IPv6?) to any of the \
                    zone's own servers, {who}"
            ),
        )
        .with_step(NextStep::say("run it on a machine that has IPv6")),
        OtherServers::NoServer => Finding::error(
            "unreachable-from-here",
            format!(
                "nobody was asked: this machine has no way to {who} \
                (no network?)"
            ),
        )
        .with_step(NextStep::say(
            "see to the network here, or name a resolver that it leads to:  \
                    --resolver 9.9.9.9",
        )),
    }
}

/// Other data is at the record's own name.
fn conflicting_record(at: &str, what: &ConflictingRecord) -> Finding {
    match what {
        ConflictingRecord::Addresses(addresses) => flattened_cname(at, addresses),
        ConflictingRecord::Alias(target) => Finding::error(
            "alias-without-text",
            format!("{at} is an alias (CNAME) for {target}, where the text is not"),
        )
        .with_step(NextStep::say(format!(
            "delete the CNAME at {at} and add the TXT record, or add the text \
            at {target}"
        ))),
        ConflictingRecord::Beside(other) => Finding::warning(
            "cname-conflicts-with-records",
            format!(
                "at {at} stand a CNAME and a {}, which the DNS forbids (RFC 1034 3.6.2): some \
                    resolvers fail",
                other.word()
            ),
        )
        .with_step(NextStep::say(format!(
            "delete the {} at {at}",
            other.word()
        ))),
        ConflictingRecord::Blocking(other) => Finding::error(
            "records-conflict-with-cname",
            format!(
                "at {at} is no CNAME but other data ({}), which a CNAME cannot stand beside",
                other.word()
            ),
        )
        .with_step(NextStep::say(format!(
            "delete the {} at {at}, then add the CNAME",
            other.word()
        ))),
        ConflictingRecord::Wildcard(what) => Finding::error(
            "wildcard-answers",
            format!("{at} is not there; a wildcard record (*) answers for every name: {what}"),
        )
        .with_step(NextStep::say(
            "add the record itself: it goes before the wildcard",
        )),
        ConflictingRecord::WrongType { wanted, seen } => wrong_type(at, *wanted, *seen),
    }
}

/// The DNS provider publishes the addresses that the CNAME leads to.
fn flattened_cname(at: &str, addresses: &[IpAddr]) -> Finding {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Finding::error(
        "cname-flattened",
        format!(
            "at {at} are addresses in place of the CNAME, which the DNS provider resolves or \
                proxies: {}",
            addresses.join(", ")
        ),
    )
    .with_step(NextStep::say(
        "switch proxy and flattening off for this record (\"DNS only\"); enter it as CNAME, \
            not as ALIAS",
    ))
}

/// The value is published in a record of another type.
fn wrong_type(at: &str, wanted: RecordKind, seen: RecordKind) -> Finding {
    let code = if wanted == RecordKind::Txt {
        "cname-instead-of-txt"
    } else {
        "txt-instead-of-cname"
    };
    let wanted = wanted.word();
    let seen = seen.word();
    Finding::error(
        code,
        format!("at {at} the value is in a {seen} record; the CA looks for a {wanted}"),
    )
    .with_step(NextStep::say(format!(
        "change the record's type to {wanted}; delete the {seen}"
    )))
}

/// Servers beyond the bounds were not queried, so their answer is unknown.
fn too_many(domain: &str, left_out: UnqueriedServers) -> Finding {
    let counts = [
        (left_out.names, "of its name servers"),
        (left_out.addresses, "of their addresses"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, of)| format!("{count} {of}"))
        .collect();
    Finding::error(
        "servers-not-queried",
        format!(
            "{domain}'s zone has more servers than are asked; not asked: {}",
            counts.join(", ")
        ),
    )
    .with_step(NextStep::say(format!(
        "ask them yourself, and have the zone name fewer:  dig NS {domain}"
    )))
}

/// The record is published at another name than the CA looks at.
fn elsewhere(at: &str, how: &WrongPlace) -> Finding {
    match how {
        WrongPlace::Below { domain } => Finding::error(
            "record-below-domain",
            format!("the record is at {at}, which does not prove {domain}"),
        )
        .with_step(NextStep::say(format!(
            "add it for {domain}: a record there proves the names below it too"
        ))),
        WrongPlace::Doubled { zone, relative } => Finding::error(
            "zone-doubled",
            format!("the record is at {at}: the panel adds {zone} by itself, and it was typed too"),
        )
        .with_step(NextStep::say(format!(
            "in the panel of {zone}, change the host to {relative}"
        ))),
        WrongPlace::NoUnderscore => Finding::error(
            "underscore-lost",
            format!("the record is at {at}, without the underscore in front"),
        )
        .with_step(NextStep::say(
            "change the host so that it starts with the underscore",
        )),
        WrongPlace::Parent => Finding::note(
            "found-at-parent",
            format!("it is at {at}, where the CA looks too: it proves all names below"),
        ),
    }
}

/// The published value is wrong, or cannot be checked.
fn value(at: &str, seen: &str, wanted: &str, flaw: ValueFlaw) -> Finding {
    let change = NextStep::say(format!("change the value to {wanted}"));
    match flaw {
        ValueFlaw::AnotherRequest => Finding::error(
            "value-from-another-request",
            format!(
                "at {at} is a record made from \
                another request: {seen}"
            ),
        )
        .with_step(NextStep::say(
            "put the value that the shop shows for this request in its place: a reissue \
                        needs a new record",
        )),
        ValueFlaw::Unrelated => {
            Finding::error("wrong-value", format!("at {at} is another value: {seen}"))
                .with_step(change)
        }
        ValueFlaw::OtherToken => Finding::error(
            "token-from-another-order",
            format!("at {at} is a record of the same CA with another random value: {seen}"),
        )
        .with_step(change),
        ValueFlaw::Quoted => Finding::error(
            "value-quoted",
            format!("at {at} is the value with quotes or spaces that were typed with it: {seen}"),
        )
        .with_step(change),
        ValueFlaw::OtherUnique => Finding::error(
            "wrong-unique-value",
            format!("at {at} is a record of this request with another unique value: {seen}"),
        )
        .with_step(change),
        ValueFlaw::Unchecked => Finding::error(
            "unique-value-unchecked",
            format!(
                "at {at} is {seen}; whether all of it is the shop's cannot be told without the \
                shop's record"
            ),
        )
        .with_step(NextStep::say(
            "copy host and value from the shop's page and give them",
        )),
        ValueFlaw::WithZone => Finding::error(
            "zone-appended-to-value",
            format!("at {at} the DNS provider added the zone to the value: {seen}"),
        )
        .with_step(NextStep::say(format!(
            "enter the value with a dot at its end:  {wanted}."
        ))),
    }
}

/// REFUSED, SERVFAIL, silence, a closed port: each has its own cause.
fn silent(who: &str, answer: &DnsAnswer) -> Finding {
    const ANOTHER: &str = "if it is the zone's own, see to it there; if it is a resolver, ask \
        another one:  --resolver 9.9.9.9";
    let (code, message, next) = match answer {
        DnsAnswer::Bogus => (
            "server-bogus",
            format!(
                "DNSSEC signatures of the zone do not hold, and the CA will reject it too; found \
                    by {who}"
            ),
            "mend DNSSEC at the DNS provider, or take the DS record out at the registrar",
        ),
        DnsAnswer::Closed => (
            "server-connection-refused",
            format!("nobody listens at {who}"),
            ANOTHER,
        ),
        DnsAnswer::Failed(reason) => (
            "server-failed",
            format!("no answer ({reason}) from {who}"),
            ANOTHER,
        ),
        DnsAnswer::Lame => (
            "server-lame",
            format!("named for the zone but without authority over it: {who}"),
            "take it out of the zone's NS records, or have the zone set up there",
        ),
        DnsAnswer::NoAddress => (
            "server-no-address",
            format!("named for the zone, but no address was found, so it was not asked: {who}"),
            "look again; if it is gone, take it out of the zone's NS records:  dig A NAME",
        ),
        DnsAnswer::NoTcp => (
            "server-no-tcp",
            format!(
                "its answer is too long for UDP, and TCP gives none: {who}; a CA's resolver is \
                    left with nothing too"
            ),
            "open port 53 for TCP as well (RFC 7766), at the server and in its firewall",
        ),
        DnsAnswer::Refused => (
            "server-refused",
            format!("REFUSED by {who}: it does not serve this zone, or not to here"),
            ANOTHER,
        ),
        DnsAnswer::ServFail => (
            "server-servfail",
            format!("SERVFAIL from {who}: the zone is broken there (not loaded, expired)"),
            "see the DNS provider's status page or its support, then look again",
        ),
        DnsAnswer::Addresses(_)
        | DnsAnswer::Cname(_)
        | DnsAnswer::Mx(_)
        | DnsAnswer::NoData(_)
        | DnsAnswer::NoName(_)
        | DnsAnswer::NoRoute
        | DnsAnswer::Timeout
        | DnsAnswer::Txt(_) => (
            "server-timeout",
            format!("no usable answer in time from {who}"),
            "look again; where a firewall keeps port 53 shut, run it from another machine",
        ),
    };
    Finding::error(code, message).with_step(NextStep::say(next))
}
