//! Compares the judgements on all servers: which lack the record, and which do not answer. Pure.

use super::answer::{DnsAnswer, ServerRole};
use super::reason::{DcvReason, OtherServers};
use super::verdict::{DcvVerdict, ServerJudgement};

pub(super) fn absent_servers(standings: &[ServerJudgement]) -> Vec<&ServerJudgement> {
    standings
        .iter()
        .filter(|one| one.verdict == DcvVerdict::Absent)
        .collect()
}

/// The servers that lack a record that others have: some of the zone's own, or a resolver alone.
pub(super) fn partial_absence(standings: &[ServerJudgement]) -> Option<DcvReason> {
    let absent = absent_servers(standings);
    let absent_in_zone: Vec<&ServerJudgement> = absent
        .iter()
        .copied()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .collect();
    if absent.is_empty() {
        None
    } else if absent_in_zone.is_empty() {
        Some(DcvReason::ResolverRemembers {
            servers: server_names(&absent),
            seconds: absent
                .iter()
                .filter_map(|one| negative_ttl(&one.decisive_answer))
                .max(),
        })
    } else {
        Some(DcvReason::NotEverywhere {
            servers: server_names(&absent_in_zone),
        })
    }
}

/// Whether the zone's own servers are known and this machine can reach none of them, so that only a
/// resolver was asked.
pub(super) fn zone_servers_are_unreachable(standings: &[ServerJudgement]) -> bool {
    let mut own = standings
        .iter()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .peekable();
    own.peek().is_some() && own.all(|one| one.decisive_answer == DnsAnswer::NoRoute)
}

/// Which servers were asked besides the unreachable ones.
fn other_servers(standings: &[ServerJudgement]) -> OtherServers {
    if standings
        .iter()
        .all(|one| one.decisive_answer == DnsAnswer::NoRoute)
    {
        OtherServers::NoServer
    } else if zone_servers_are_unreachable(standings) {
        OtherServers::Resolver
    } else {
        OtherServers::ZoneServers
    }
}

/// One reason for each kind of failure: the servers that did not answer, grouped by what came
/// instead.
pub(super) fn silence_reasons(standings: &[ServerJudgement]) -> Vec<DcvReason> {
    let mut failures: Vec<&DnsAnswer> = Vec::new();
    for one in standings {
        if one.verdict == DcvVerdict::Unreachable && !failures.contains(&&one.decisive_answer) {
            failures.push(&one.decisive_answer);
        }
    }
    failures
        .into_iter()
        .map(|failure| silence_reason(standings, failure))
        .collect()
}

fn silence_reason(standings: &[ServerJudgement], failure: &DnsAnswer) -> DcvReason {
    let failed: Vec<&ServerJudgement> = standings
        .iter()
        .filter(|one| one.decisive_answer == *failure)
        .collect();
    let servers = server_names(&failed);
    match failure {
        DnsAnswer::NoRoute => DcvReason::NoRoute {
            servers,
            others: other_servers(standings),
        },
        _ => DcvReason::Silent {
            servers,
            answer: failure.clone(),
        },
    }
}

pub(super) fn server_names(standings: &[&ServerJudgement]) -> Vec<String> {
    standings.iter().map(|one| one.server.to_string()).collect()
}

/// For how many seconds the absence may be cached.
fn negative_ttl(answer: &DnsAnswer) -> Option<u32> {
    match answer {
        DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds) => *seconds,
        _ => None,
    }
}
