//! Compares the judgements about all servers: which lack the record, and which do not answer. Pure.

use super::answer::{DnsAnswer, ServerRole};
use super::reason::{DcvReason, OtherServers};
use super::verdict::{DcvVerdict, ServerJudgement};

pub(super) fn absent_servers(judgements: &[ServerJudgement]) -> Vec<&ServerJudgement> {
    judgements
        .iter()
        .filter(|one| one.verdict == DcvVerdict::Absent)
        .collect()
}

/// Returns the reason for servers that lack a record that others have: some of the zone's own
/// servers, or only resolvers.
pub(super) fn partial_absence(judgements: &[ServerJudgement]) -> Option<DcvReason> {
    let absent = absent_servers(judgements);
    let absent_in_zone: Vec<&ServerJudgement> = absent
        .iter()
        .copied()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .collect();
    if absent.is_empty() {
        None
    } else if absent_in_zone.is_empty() {
        Some(DcvReason::ResolverCachedAbsence {
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

/// Returns whether the zone's own servers are known and this machine can reach none of them, so
/// that only a resolver was queried.
pub(super) fn zone_servers_are_unreachable(judgements: &[ServerJudgement]) -> bool {
    let mut own = judgements
        .iter()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .peekable();
    own.peek().is_some() && own.all(|one| one.decisive_answer == DnsAnswer::NoRoute)
}

/// Returns which servers were queried besides the unreachable ones.
fn other_servers(judgements: &[ServerJudgement]) -> OtherServers {
    if judgements
        .iter()
        .all(|one| one.decisive_answer == DnsAnswer::NoRoute)
    {
        OtherServers::NoServer
    } else if zone_servers_are_unreachable(judgements) {
        OtherServers::Resolver
    } else {
        OtherServers::ZoneServers
    }
}

/// Returns one reason for each kind of failure, with the servers that failed in this way.
pub(super) fn silence_reasons(judgements: &[ServerJudgement]) -> Vec<DcvReason> {
    let mut failures: Vec<&DnsAnswer> = Vec::new();
    for one in judgements {
        if one.verdict == DcvVerdict::Unreachable && !failures.contains(&&one.decisive_answer) {
            failures.push(&one.decisive_answer);
        }
    }
    failures
        .into_iter()
        .map(|failure| silence_reason(judgements, failure))
        .collect()
}

fn silence_reason(judgements: &[ServerJudgement], failure: &DnsAnswer) -> DcvReason {
    let failed: Vec<&ServerJudgement> = judgements
        .iter()
        .filter(|one| one.decisive_answer == *failure)
        .collect();
    let servers = server_names(&failed);
    match failure {
        DnsAnswer::NoRoute => DcvReason::NoRoute {
            servers,
            others: other_servers(judgements),
        },
        _ => DcvReason::NoAnswer {
            servers,
            answer: failure.clone(),
        },
    }
}

pub(super) fn server_names(judgements: &[&ServerJudgement]) -> Vec<String> {
    judgements
        .iter()
        .map(|one| one.server.to_string())
        .collect()
}

/// Returns for how many seconds the absence may be cached.
fn negative_ttl(answer: &DnsAnswer) -> Option<u32> {
    match answer {
        DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds) => *seconds,
        _ => None,
    }
}
