//! Advice for what shows when servers are seen side by side.

use jiff::Timestamp;

use crate::dcv::answer::AliasChain;
use crate::dcv::zone_consistency::ZoneRemark;
use crate::finding::{Finding, NextStep};
use crate::pki::baseline_dates;

/// A remark as a finding; `at` decides from how many places a CA looks.
#[must_use]
pub(crate) fn finding(remark: &ZoneRemark, at: Timestamp) -> Finding {
    match remark {
        ZoneRemark::AbsenceCached { servers, until } => Finding::note(
            "negative-answer-cacheable",
            format!(
                "the absence is remembered until {} by {} (SOA minimum)",
                clock(*until, at),
                servers.join(", ")
            ),
        )
        .with(NextStep::say(
            "a CA whose resolver has looked remembers it as long: once it is there, \
            give it that time",
        )),
        ZoneRemark::Chain { name, chain } => chained(name, chain),
        ZoneRemark::Disagree { said } => Finding::error(
            "servers-disagree",
            format!("the zone's own servers answer differently; {}", places(at)),
        )
        .quoting(
            said.iter()
                .map(|(server, value)| format!("{server}: {value}")),
        )
        .with(NextStep::say(
            "have one and the same zone at all of them; answers by place or network \
            (GeoDNS, views) must not differ here",
        )),
        ZoneRemark::NameServers {
            zone,
            above,
            above_only,
            own_only,
        } => name_servers(zone, above, &above_only.join(", "), &own_only.join(", ")),
        ZoneRemark::ResolverDiffers { servers } => Finding::error(
            "resolver-differs",
            format!(
                "another value than at the zone's own servers comes from {}; {}",
                servers.join(", "),
                places(at)
            ),
        )
        .with(NextStep::say(
            "an older answer that is remembered: look again later; or a view of the \
            zone for some networks only (split horizon, geo-blocking): publish it in all views",
        )),
        ZoneRemark::Serials { zone, serials } => Finding::note(
            "serials-differ",
            format!("the copies of {zone} are not of the same age"),
        )
        .quoting(
            serials
                .iter()
                .map(|(server, serial)| format!("{server}: serial {serial}")),
        )
        .with(NextStep::say(
            "wait until the servers have taken it over; if it stays so, see to the \
            zone transfer",
        )),
        ZoneRemark::Shadowed { zone, above } => Finding::error(
            "child-zone-hides-record",
            format!(
                "{zone} is a zone of its own, delegated to other servers: what stands in the \
                zone of {above} for names in it is not seen"
            ),
        )
        .with(NextStep::say(format!(
            "add the record in the panel of {zone}, or one for {above}, which \
            proves all names below it:  dig NS {zone}"
        ))),
    }
}

fn chained(name: &str, chain: &AliasChain) -> Finding {
    match chain {
        AliasChain::Loop(back) => Finding::error(
            "cname-loop",
            format!(
                "the alias at {name} leads in a circle, back to \
                {back}"
            ),
        )
        .with(NextStep::say(format!(
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
        .with(NextStep::say(format!(
            "have {name} lead straight to where it is meant to:  dig CNAME \
            {name}"
        ))),
    }
}

fn name_servers(zone: &str, above: &str, above_only: &str, own_only: &str) -> Finding {
    let only = |who: &str, names: &str| {
        if names.is_empty() {
            String::new()
        } else {
            format!("; only {who}: {names}")
        }
    };
    Finding::warning(
        "name-servers-differ",
        format!(
            "the servers that {above} names for {zone} are not those that the zone names{}{}",
            only(above, above_only),
            only("the zone", own_only)
        ),
    )
    .with(NextStep::say(format!(
        "set the same name servers at the registrar and in the zone:  dig +trace NS {zone}"
    )))
}

/// BR 3.2.2.9.
fn places(at: Timestamp) -> String {
    format!(
        "a CA looks from its own place and {} others on the network and must see the same",
        baseline_dates::perspectives(at)
    )
}

/// `14:06Z`, rounded up; with the date where it is not within half a day.
fn clock(until: Timestamp, at: Timestamp) -> String {
    let minute = 60 - until.as_second().rem_euclid(60);
    let up = if minute == 60 {
        until
    } else {
        until + jiff::SignedDuration::from_secs(minute)
    };
    let near = until.as_second() - at.as_second() < 12 * 3600;
    up.strftime(if near { "%H:%MZ" } else { "%Y-%m-%d %H:%MZ" })
        .to_string()
}
