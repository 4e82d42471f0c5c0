//! Advice for differences between the DNS servers of a zone.

use jiff::Timestamp;

use crate::dcv::answer::AliasChain;
use crate::dcv::zone_consistency::ZoneRemark;
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::baseline_dates;
use crate::wording::{date_and_minute, minute_of_day};

/// Returns a remark as a finding; `at` decides from how many networks a CA checks.
#[must_use]
pub(crate) fn zone_remark_finding(remark: &ZoneRemark, at: Timestamp) -> Finding {
    match remark {
        ZoneRemark::AbsenceCached { servers, until } => absence_cached(servers, *until, at),
        ZoneRemark::Chain { name, chain } => alias_chain(name, chain),
        ZoneRemark::Disagree { values } => servers_disagree(values, at),
        ZoneRemark::NameServers {
            zone,
            above,
            parent_only,
            own_only,
        } => name_servers(zone, above, &parent_only.join(", "), &own_only.join(", ")),
        ZoneRemark::ResolverDiffers { servers } => resolver_differs(servers, at),
        ZoneRemark::Serials { zone, serials } => serials_differ(zone, serials),
        ZoneRemark::HiddenByChildZone { zone, above } => Finding::error(
            "child-zone-hides-record",
            format!(
                "{zone} is a separate zone, delegated to other servers; records for its names in \
                    the zone of {above} have no effect"
            ),
        )
        .with_step(NextStep::run_shell(
            format!(
                "See which servers {zone} is delegated to, and add the record there; or add one \
                    for {above}, which validates all names below it"
            ),
            format!("dig NS {}", shell_word(zone)),
        )),
    }
}

/// Resolvers keep the answer that the record does not exist until `until`.
fn absence_cached(servers: &[String], until: Timestamp, at: Timestamp) -> Finding {
    Finding::note(
        "negative-answer-cacheable",
        format!(
            "the absence of the record is cached until {} by {} (SOA minimum)",
            end_of_caching(until, at),
            servers.join(", ")
        ),
    )
    .with_step(NextStep::say(
        "Once the record is published, allow the same time for the CA's resolver, which may have \
            cached its absence too",
    ))
}

/// `values` are the values that each of the zone's own servers returned.
fn servers_disagree(values: &[(String, String)], at: Timestamp) -> Finding {
    let lines = values
        .iter()
        .map(|(server, value)| format!("{server}: {value}"));
    Finding::error(
        "servers-disagree",
        format!(
            "the zone's own servers return different values; {}",
            ca_perspectives(at)
        ),
    )
    .with_quote(lines)
    .with_step(NextStep::say(
        "Load the same version of the zone on all of its servers; answers by location or network \
            (GeoDNS, views) must not differ for this record",
    ))
}

fn resolver_differs(servers: &[String], at: Timestamp) -> Finding {
    Finding::error(
        "resolver-differs",
        format!(
            "these resolvers return another value than the zone's own servers: {}; {}",
            servers.join(", "),
            ca_perspectives(at)
        ),
    )
    .with_step(NextStep::say(
        "Check again later, because the answer may be cached; if some networks get another view \
            of the zone (split horizon, geo-blocking), publish the record in all views",
    ))
}

fn serials_differ(zone: &str, serials: &[(String, u32)]) -> Finding {
    let lines = serials
        .iter()
        .map(|(server, serial)| format!("{server}: serial {serial}"));
    Finding::note(
        "serials-differ",
        format!("the servers of {zone} have different versions of the zone"),
    )
    .with_quote(lines)
    .with_step(NextStep::say(
        "Wait until all servers have the newest version; if the serial numbers stay different, \
            check the zone transfer",
    ))
}

fn alias_chain(name: &str, chain: &AliasChain) -> Finding {
    match chain {
        AliasChain::Loop(back) => Finding::error(
            "cname-loop",
            format!("the CNAME records that start at {name} form a loop, back to {back}"),
        )
        .with_step(NextStep::say(format!(
            "Delete the CNAME at {name}, and add the CA's record in its place"
        ))),
        AliasChain::Long(most) => Finding::error(
            "cname-chain-long",
            format!(
                "the chain of CNAME records that starts at {name} has more than {most} names; \
                    resolvers give up earlier"
            ),
        )
        .with_step(NextStep::run_shell(
            "See the first record of the chain, and point it directly at its final target",
            format!("dig CNAME {}", shell_word(name)),
        )),
    }
}

fn name_servers(zone: &str, above: &str, parent_only: &str, own_only: &str) -> Finding {
    Finding::warning(
        "name-servers-differ",
        format!(
            "the parent zone {above} lists other name servers for {zone} than the zone itself{}{}",
            listed_only_in(above, parent_only),
            listed_only_in("the zone", own_only)
        ),
    )
    .with_step(NextStep::run_shell(
        "See both lists, and set the same name servers at the registrar and in the zone",
        format!("dig +trace NS {}", shell_word(zone)),
    ))
}

fn listed_only_in(zone: &str, names: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; only in {zone}: {names}")
    }
}

/// Says from how many network perspectives a CA checks (BR 3.2.2.9).
fn ca_perspectives(at: Timestamp) -> String {
    format!(
        "a CA checks from its own network and {} others, which must all see the same value",
        baseline_dates::required_perspectives(at)
    )
}

/// `14:06 +02:00`, rounded up to the minute; with the date unless it is within half a day of `now`.
fn end_of_caching(instant: Timestamp, now: Timestamp) -> String {
    let minute = 60 - instant.as_second().rem_euclid(60);
    let rounded_up = if minute == 60 {
        instant
    } else {
        instant + jiff::SignedDuration::from_secs(minute)
    };
    let is_near = instant.as_second() - now.as_second() < 12 * 3600;
    if is_near {
        minute_of_day(rounded_up)
    } else {
        date_and_minute(rounded_up)
    }
}
