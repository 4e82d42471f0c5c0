//! Advice for the shop's record and for what servers say of it.

use crate::failure::{Failure, Kind};
use std::net::IpAddr;

use crate::dcv::answer::{Answer, LeftOut, RecordKind};
use crate::dcv::ca::{Ca, Profile};
use crate::dcv::parse::RecordError;
use crate::dcv::reason::{Elsewhere, Instead, Others, Reason};
use crate::dcv::value_check::Flaw;
use crate::finding::{Finding, Next};

const COPY: &str = "copy host and value again from the shop's page, the whole of both";

/// The command that takes the record is added by `dcv-check`, which knows the folder, names and
/// resolvers to give it.
impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let failure = Self::of(Kind::Malformed, &error);
        match error {
            RecordError::Empty => failure.with(Next::say(
                "it looks like this:  _<32 hex digits>.example.com  <32 hex digits>.<32>.<unique \
                    value>.<zone>",
            )),
            RecordError::HostForm(_) => failure
                .because("the value is made of a request, as Sectigo, SSL.com and their shops show \
                    it; the host is not")
                .with(Next::say(COPY)),
            RecordError::Many => failure.with(Next::say("give those of one order")),
            RecordError::NoHost(_) | RecordError::NoValue(_) => {
                failure.with(Next::say("give both, in one argument:  --record 'HOST VALUE'"))
            }
            RecordError::Type(_) => failure
                .because("no CA takes it for a proof")
                .with(Next::say("choose DCV by CNAME or TXT at the shop, then give the record that \
                    it shows")),
            RecordError::Underscore(host) => failure
                .because("the CA looks for the host with it")
                .with(Next::say(format!("the host is _{host}; publish and give it so"))),
            RecordError::Url(_) => failure.because("this is what the HTTP method shows").with(Next::say(
                "give it and, in lines below it, what the file is to hold:  --record -   (or the \
                    CNAME, if the shop shows one)",
            )),
            RecordError::Host(_)
            | RecordError::Target(_)
            | RecordError::HostDigits { .. }
            | RecordError::ValueDigits { .. }
            | RecordError::ValueForm(_)
            | RecordError::ValueHalf
            | RecordError::ValueZone => failure.with(Next::say(COPY)),
        }
    }
}

impl From<&Reason> for Finding {
    fn from(reason: &Reason) -> Self {
        match reason {
            Reason::Elsewhere { at, how } => elsewhere(at, how),
            Reason::Instead { at, what } => instead(at, what),
            Reason::NoRoute { servers, others } => no_route(&servers.join(", "), *others),
            Reason::NotDelegated { domain } => Self::error(
                "domain-not-delegated",
                format!(
                    "{domain} has no name servers: not registered, expired, or none are set at \
                    the registrar"
                ),
            )
            .with(Next::say(format!(
                "see to {domain} at the registrar:  whois {domain}"
            ))),
            Reason::NotEverywhere { servers } => Self::error(
                "not-on-all-servers",
                format!(
                    "not there yet: {}; a CA asks from several places and needs them all",
                    servers.join(", ")
                ),
            )
            .with(Next::say("wait for the zone's servers to take it over")),
            Reason::NotPublished { name, servers } => Self::error(
                "not-published",
                format!("{name} is not there; asked {}", servers.join(", ")),
            ),
            Reason::OwnServersNotFound { domain } => Self::error(
                "zone-servers-not-found",
                format!(
                    "the servers of {domain}'s zone were not found, so only the resolver was \
                    asked"
                ),
            )
            .with(Next::say(format!(
                "dig NS {domain}; or name a resolver that finds them:  \
                --resolver 9.9.9.9"
            ))),
            Reason::ResolverRemembers { servers, seconds } => {
                let until = seconds.map_or_else(String::new, |seconds| {
                    format!(
                        ", for up to \
                    {seconds} s more"
                    )
                });
                let who = servers.join(", ");
                Self::error(
                    "resolver-remembers",
                    format!(
                        "its absence is still remembered{until} \
                    by {who}"
                    ),
                )
                .with(Next::say(
                    "the zone's own servers have it; look again then, or go by them",
                ))
            }
            Reason::TooManyServers { domain, left_out } => too_many(domain, *left_out),
            Reason::Silent { servers, answer } => silent(&servers.join(", "), answer),
            Reason::Value {
                at,
                seen,
                wanted,
                flaw,
            } => value(at, seen, wanted, *flaw),
        }
    }
}

/// What nobody could confirm of the CA's own record is told, unless the shop's record was given.
#[must_use]
pub(crate) fn not_confirmed(ca: Ca) -> Option<Finding> {
    let Profile {
        title,
        unconfirmed,
        source,
        read,
        ..
    } = ca.profile();
    let message = format!("not confirmed for {title}: {unconfirmed} (from {source}; {read})");
    let next = Next::say(format!(
        "go by what {title} shows, and give it:  --record -"
    ));
    (!unconfirmed.is_empty()).then(|| Finding::note("ca-not-confirmed", message).with(next))
}

/// This machine has no IPv6, as a rule, or no network.
fn no_route(who: &str, others: Others) -> Finding {
    match others {
        Others::OfTheZone => Finding::note(
            "no-route",
            format!(
                "not asked, no way there from this \
            machine: {who}"
            ),
        ),
        Others::Resolver => Finding::error(
            "no-route",
            format!(
                "only the resolver was asked: this machine has no way (no IPv6?) to any of the \
                    zone's own servers, {who}"
            ),
        )
        .with(Next::say("run it on a machine that has IPv6")),
        Others::Nobody => Finding::error(
            "no-route",
            format!(
                "nobody was asked: this machine has no way to {who} \
                (no network?)"
            ),
        )
        .with(Next::say(
            "see to the network here, or name a resolver that it leads to:  \
                    --resolver 9.9.9.9",
        )),
    }
}

/// Something else is at the record's own name.
fn instead(at: &str, what: &Instead) -> Finding {
    match what {
        Instead::Addresses(addresses) => Finding::error(
            "cname-flattened",
            format!(
                "at {at} are addresses in place of the CNAME, which the DNS provider resolves or \
                    proxies: {}",
                listed(addresses)
            ),
        )
        .with(Next::say(
            "switch proxy and flattening off for this record (\"DNS only\"); enter it as CNAME, \
                not as ALIAS",
        )),
        Instead::Alias(target) => Finding::error(
            "alias-without-text",
            format!("{at} is an alias (CNAME) for {target}, where the text is not"),
        )
        .with(Next::say(format!(
            "delete the CNAME at {at} and add the TXT record, or add the text \
            at {target}"
        ))),
        Instead::Beside(other) => Finding::warning(
            "cname-beside-other-data",
            format!(
                "at {at} stand a CNAME and a {}, which the DNS forbids (RFC 1034 3.6.2): some \
                    resolvers fail",
                other.word()
            ),
        )
        .with(Next::say(format!("delete the {} at {at}", other.word()))),
        Instead::InTheWay(other) => Finding::error(
            "other-data-in-the-way",
            format!(
                "at {at} is no CNAME but other data ({}), which a CNAME cannot stand beside",
                other.word()
            ),
        )
        .with(Next::say(format!(
            "delete the {} at {at}, then add the CNAME",
            other.word()
        ))),
        Instead::Wildcard(what) => Finding::error(
            "wildcard-answers",
            format!("{at} is not there; a wildcard record (*) answers for every name: {what}"),
        )
        .with(Next::say(
            "add the record itself: it goes before the wildcard",
        )),
        Instead::WrongType { wanted, seen } => wrong_type(at, *wanted, *seen),
    }
}

/// The value was entered, with another type.
fn wrong_type(at: &str, wanted: RecordKind, seen: RecordKind) -> Finding {
    let code = if wanted == RecordKind::Txt {
        "cname-instead-of-txt"
    } else {
        "txt-instead-of-cname"
    };
    let (wanted, seen) = (wanted.word(), seen.word());
    Finding::error(
        code,
        format!("at {at} the value is in a {seen} record; the CA looks for a {wanted}"),
    )
    .with(Next::say(format!(
        "change the record's type to {wanted}; delete the {seen}"
    )))
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is beyond the bounds was not asked, so it is not known to be right there.
fn too_many(domain: &str, left_out: LeftOut) -> Finding {
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
        "servers-not-asked",
        format!(
            "{domain}'s zone has more servers than are asked; not asked: {}",
            counts.join(", ")
        ),
    )
    .with(Next::say(format!(
        "ask them yourself, and have the zone name fewer:  dig NS {domain}"
    )))
}

/// The record is at another name.
fn elsewhere(at: &str, how: &Elsewhere) -> Finding {
    match how {
        Elsewhere::Below { domain } => Finding::error(
            "record-too-low",
            format!("the record is at {at}, which does not prove {domain}"),
        )
        .with(Next::say(format!(
            "add it for {domain}: a record there proves the names below it too"
        ))),
        Elsewhere::Doubled { zone, relative } => Finding::error(
            "zone-doubled",
            format!("the record is at {at}: the panel adds {zone} by itself, and it was typed too"),
        )
        .with(Next::say(format!(
            "in the panel of {zone}, change the host to {relative}"
        ))),
        Elsewhere::NoUnderscore => Finding::error(
            "underscore-lost",
            format!("the record is at {at}, without the underscore in front"),
        )
        .with(Next::say(
            "change the host so that it starts with the underscore",
        )),
        Elsewhere::Parent => Finding::note(
            "found-at-parent",
            format!("it is at {at}, where the CA looks too: it proves all names below"),
        ),
    }
}

/// The value is not known to be the right one.
fn value(at: &str, seen: &str, wanted: &str, flaw: Flaw) -> Finding {
    let change = Next::say(format!("change the value to {wanted}"));
    match flaw {
        Flaw::AnotherRequest => Finding::error(
            "value-of-another-request",
            format!(
                "at {at} is a record made from \
                another request: {seen}"
            ),
        )
        .with(Next::say(
            "put the value that the shop shows for this request in its place: a reissue \
                        needs a new record",
        )),
        Flaw::Other => {
            Finding::error("other-value", format!("at {at} is another value: {seen}")).with(change)
        }
        Flaw::OtherToken => Finding::error(
            "token-of-another-order",
            format!("at {at} is a record of the same CA with another random value: {seen}"),
        )
        .with(change),
        Flaw::Quoted => Finding::error(
            "value-quoted",
            format!("at {at} is the value with quotes or spaces that were typed with it: {seen}"),
        )
        .with(change),
        Flaw::OtherUnique => Finding::error(
            "other-unique-value",
            format!("at {at} is a record of this request with another unique value: {seen}"),
        )
        .with(change),
        Flaw::Unchecked => Finding::error(
            "unique-value-unchecked",
            format!(
                "at {at} is {seen}; whether all of it is the shop's cannot be told without the \
                shop's record"
            ),
        )
        .with(Next::say(
            "copy host and value from the shop's page and give them",
        )),
        Flaw::WithZone => Finding::error(
            "zone-appended-to-value",
            format!("at {at} the DNS provider added the zone to the value: {seen}"),
        )
        .with(Next::say(format!(
            "enter the value with a dot at its end:  {wanted}."
        ))),
    }
}

/// REFUSED, SERVFAIL, silence, a closed port: each has its own cause.
fn silent(who: &str, answer: &Answer) -> Finding {
    const ANOTHER: &str = "if it is the zone's own, see to it there; if it is a resolver, ask \
        another one:  --resolver 9.9.9.9";
    let (code, message, next) = match answer {
        Answer::Bogus => (
            "server-bogus",
            format!(
                "DNSSEC signatures of the zone do not hold, and the CA will reject it too; found \
                    by {who}"
            ),
            "mend DNSSEC at the DNS provider, or take the DS record out at the registrar",
        ),
        Answer::Closed => ("server-closed", format!("nobody listens at {who}"), ANOTHER),
        Answer::Failed(reason) => (
            "server-failed",
            format!("no answer ({reason}) from {who}"),
            ANOTHER,
        ),
        Answer::Lame => (
            "server-lame",
            format!("named for the zone but without authority over it: {who}"),
            "take it out of the zone's NS records, or have the zone set up there",
        ),
        Answer::NoAddress => (
            "server-no-address",
            format!("named for the zone, but no address was found, so it was not asked: {who}"),
            "look again; if it is gone, take it out of the zone's NS records:  dig A NAME",
        ),
        Answer::NoTcp => (
            "server-no-tcp",
            format!(
                "its answer is too long for UDP, and TCP gives none: {who}; a CA's resolver is \
                    left with nothing too"
            ),
            "open port 53 for TCP as well (RFC 7766), at the server and in its firewall",
        ),
        Answer::Refused => (
            "server-refused",
            format!("REFUSED by {who}: it does not serve this zone, or not to here"),
            ANOTHER,
        ),
        Answer::ServFail => (
            "server-servfail",
            format!("SERVFAIL from {who}: the zone is broken there (not loaded, expired)"),
            "see the DNS provider's status page or its support, then look again",
        ),
        Answer::Addresses(_)
        | Answer::Cname(_)
        | Answer::Mx(_)
        | Answer::NoData(_)
        | Answer::NoName(_)
        | Answer::NoRoute
        | Answer::Timeout
        | Answer::Txt(_) => (
            "server-timeout",
            format!("no usable answer in time from {who}"),
            "look again; where a firewall keeps port 53 shut, run it from another machine",
        ),
    };
    Finding::error(code, message).with(Next::say(next))
}
