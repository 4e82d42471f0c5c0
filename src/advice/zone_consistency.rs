//! Advice for differences between the DNS servers of a zone.

use jiff::Timestamp;

use crate::dcv::answer::AliasChain;
use crate::dcv::zone_consistency::ZoneRemark;
use crate::finding::{Finding, NextStep};
use crate::pki::baseline_dates;

/// A remark as a finding; `at` decides from how many places a CA looks.
#[must_use]
pub(crate) fn zone_remark_finding(remark: &ZoneRemark, at: Timestamp) -> Finding {
    match remark {
        ZoneRemark::AbsenceCached { servers, until } => absence_cached(servers, *until, at),
        ZoneRemark::Chain { name, chain } => alias_chain(name, chain),
        ZoneRemark::Disagree { said } => servers_disagree(said, at),
        ZoneRemark::NameServers {
            zone,
            above,
            above_only,
            own_only,
        } => name_servers(zone, above, &above_only.join(", "), &own_only.join(", ")),
        ZoneRemark::ResolverDiffers { servers } => resolver_differs(servers, at),
        ZoneRemark::Serials { zone, serials } => serials_differ(zone, serials),
        ZoneRemark::Shadowed { zone, above } => Finding::error(
            "child-zone-hides-record",
            format!(
                "{zone} is a zone of its own, delegated to other servers: what stands in the \
                zone of {above} for names in it is not seen"
            ),
        )
        .with_step(NextStep::say(format!(
            "add the record in the panel of {zone}, or one for {above}, which \
            proves all names below it:  dig NS {zone}"
        ))),
    }
}

/// Resolvers keep the answer that the record does not exist until `until`.
fn absence_cached(servers: &[String], until: Timestamp, at: Timestamp) -> Finding {
    Finding::note(
        "negative-answer-cacheable",
        format!(
            "the absence is remembered until {} by {} (SOA minimum)",
            time_of_day(until, at),
            servers.join(", ")
        ),
    )
    .with_step(NextStep::say(
        "a CA whose resolver has looked remembers it as long: once it is there, \
            give it that time",
    ))
}

/// `answers` are the values that each of the zone's own servers gives.
fn servers_disagree(answers: &[(String, String)], at: Timestamp) -> Finding {
    let lines = answers
        .iter()
        .map(|(server, value)| format!("{server}: {value}"));
    Finding::error(
        "servers-disagree",
        format!(
            "the zone's own servers answer differently; {}",
            ca_perspectives(at)
        ),
    )
    .with_quote(lines)
    .with_step(NextStep::say(
        "have one and the same zone at all of them; answers by place or network \
            (GeoDNS, views) must not differ here",
    ))
}

fn resolver_differs(servers: &[String], at: Timestamp) -> Finding {
    Finding::error(
        "resolver-differs",
        format!(
            "another value than at the zone's own servers comes from {}; {}",
            servers.join(", "),
            ca_perspectives(at)
        ),
    )
    .with_step(NextStep::say(
        "an older answer that is remembered: look again later; or a view of the \
            zone for some networks only (split horizon, geo-blocking): publish it in all views",
    ))
}

fn serials_differ(zone: &str, serials: &[(String, u32)]) -> Finding {
    let lines = serials
        .iter()
        .map(|(server, serial)| format!("{server}: serial {serial}"));
    Finding::note(
        "serials-differ",
        format!("the copies of {zone} are not of the same age"),
    )
    .with_quote(lines)
    .with_step(NextStep::say(
        "wait until the servers have taken it over; if it stays so, see to the \
            zone transfer",
    ))
}

fn alias_chain(name: &str, chain: &AliasChain) -> Finding {
    match chain {
        AliasChain::Loop(back) => Finding::error(
            "cname-loop",
            format!(
                "the alias at {name} leads in a circle, back to \
                {back}"
            ),
        )
        .with_step(NextStep::say(format!(
            "delete the alias at {name} and add the CA's record in its \
                    place"
        ))),
        AliasChain::Long(most) => Finding::error(
            "cname-chain-long",
            format!(
                "the alias at {name} leads on over more than {most} names; resolvers give up \
                before that"
            ),
        )
        .with_step(NextStep::say(format!(
            "have {name} lead straight to where it is meant to:  dig CNAME \
            {name}"
        ))),
    }
}

fn name_servers(zone: &str, above: &str, above_only: &str, own_only: &str) -> Finding {
    Finding::warning(
        "name-servers-differ",
        format!(
            "the servers that {above} names for {zone} are not those that the zone names{}{}",
            listed_only_by(above, above_only),
            listed_only_by("the zone", own_only)
        ),
    )
    .with_step(NextStep::say(format!(
        "set the same name servers at the registrar and in the zone:  dig +trace NS {zone}"
    )))
}

fn listed_only_by(zone: &str, names: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; only {zone}: {names}")
    }
}

/// From how many network perspectives a CA checks (BR 3.2.2.9).
fn ca_perspectives(at: Timestamp) -> String {
    format!(
        "a CA looks from its own place and {} others on the network and must see the same",
        baseline_dates::required_perspectives(at)
    )
}

/// `14:06Z`, rounded up to the minute; with the date where it is not within half a day of `now`.
fn time_of_day(instant: Timestamp, now: Timestamp) -> String {
    let minute = 60 - instant.as_second().rem_euclid(60);
    let rounded_up = if minute == 60 {
        instant
    } else {
        instant + jiff::SignedDuration::from_secs(minute)
    };
    let is_near = instant.as_second() - now.as_second() < 12 * 3600;
    let format = if is_near { "%H:%MZ" } else { "%Y-%m-%d %H:%MZ" };
    rounded_up.strftime(format).to_string()
}
