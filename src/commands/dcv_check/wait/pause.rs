//! Decides how long to wait before the next check.

use std::time::Duration;

use crate::dcv::answer::{DnsAnswer, ServerRole};
use crate::dcv::judge::{DcvVerdict, ServerJudgement};
use crate::validation::record_check::RecordCheck;

/// Seconds between checks; the last value repeats.
const PAUSES: [u64; 9] = [2, 3, 5, 8, 13, 20, 30, 45, 60];
/// The longest pause for a resolver's cache to expire, in seconds.
const LONGEST: u64 = 300;

/// The pause after a check; `checks` were made before it.
pub(super) fn regular(checks: usize) -> Duration {
    let last = PAUSES[PAUSES.len() - 1];
    Duration::from_secs(PAUSES.get(checks).copied().unwrap_or(last))
}

/// Grows with each check. If only resolvers lag behind, waits until their caches expire: an absence
/// (RFC 2308 5) or another value (its TTL).
pub(super) fn after_record_check(checks: usize, records: &[RecordCheck]) -> Duration {
    let judgements: Vec<&[ServerJudgement]> = records
        .iter()
        .map(|record| record.judgement.server_judgements.as_slice())
        .collect();
    after_judgements(checks, &judgements)
}

/// `records` are the judgements of all servers, for each record.
fn after_judgements(checks: usize, records: &[&[ServerJudgement]]) -> Duration {
    let regular = regular(checks);
    let lagging: Vec<&ServerJudgement> = records
        .iter()
        .copied()
        .flatten()
        .filter(|one| lags(one))
        .collect();
    let only_resolvers_lag = lagging
        .iter()
        .all(|one| one.server.role == ServerRole::Resolver)
        && records.iter().all(|servers| is_visible_somewhere(servers));
    let cached = lagging.iter().filter_map(|one| match one.decisive_answer {
        DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds) => seconds,
        _ => one.ttl,
    });
    match cached.max() {
        Some(cached) if only_resolvers_lag => {
            let seconds = u64::from(cached) + 1;
            Duration::from_secs(seconds.clamp(regular.as_secs(), LONGEST))
        }
        _ => regular,
    }
}

fn is_visible_somewhere(servers: &[ServerJudgement]) -> bool {
    servers.iter().any(|one| one.verdict == DcvVerdict::Visible)
}

fn lags(judgement: &ServerJudgement) -> bool {
    judgement.verdict != DcvVerdict::Visible && judgement.decisive_answer != DnsAnswer::NoRoute
}

#[cfg(test)]
mod tests {
    use super::after_judgements;
    use crate::dcv::answer::{DnsAnswer, DnsServerId, ServerRole};
    use crate::dcv::judge::{DcvVerdict, ServerJudgement};

    fn judgement(
        role: ServerRole,
        verdict: DcvVerdict,
        answer: DnsAnswer,
        ttl: Option<u32>,
    ) -> ServerJudgement {
        let server = DnsServerId {
            address: None,
            name: Some("ns1.example".to_owned()),
            role,
        };
        ServerJudgement {
            server,
            verdict,
            decisive_name: "_x.example.com".to_owned(),
            decisive_answer: answer,
            ttl,
        }
    }

    fn visible() -> ServerJudgement {
        judgement(
            ServerRole::Authoritative,
            DcvVerdict::Visible,
            DnsAnswer::Cname("a.example".into()),
            Some(60),
        )
    }

    fn absent(role: ServerRole, answer: DnsAnswer) -> ServerJudgement {
        judgement(role, DcvVerdict::Absent, answer, None)
    }

    fn different(ttl: u32) -> ServerJudgement {
        judgement(
            ServerRole::Resolver,
            DcvVerdict::Different,
            DnsAnswer::Cname("b.example".into()),
            Some(ttl),
        )
    }

    fn assert_pause(checks: usize, servers: &[ServerJudgement], seconds: u64) {
        let pause = after_judgements(checks, &[servers]);
        assert_eq!(pause.as_secs(), seconds, "{servers:?}");
    }

    #[test]
    fn a_lagging_resolver_is_queried_again_when_its_cache_expires() {
        let no_name = absent(ServerRole::Resolver, DnsAnswer::NoName(Some(30)));
        assert_pause(0, &[visible(), no_name], 31);
        assert_pause(0, &[visible(), different(17)], 18);
        assert_pause(0, &[visible(), different(86_400)], 300);
        let no_data = absent(ServerRole::Resolver, DnsAnswer::NoData(Some(0)));
        assert_pause(0, &[visible(), no_data], 2);
        assert_pause(3, &[visible(), different(1)], 8);
    }

    #[test]
    fn caches_do_not_matter_while_the_zones_own_servers_lag() {
        let no_name = DnsAnswer::NoName(Some(30));
        let authoritative = absent(ServerRole::Authoritative, no_name.clone());
        assert_pause(1, &[visible(), authoritative], 3);
        assert_pause(0, &[absent(ServerRole::Resolver, no_name)], 2);
    }

    #[test]
    fn pauses_stop_growing_at_a_minute() {
        let timeout = judgement(
            ServerRole::Resolver,
            DcvVerdict::Unreachable,
            DnsAnswer::Timeout,
            None,
        );
        assert_pause(99, &[timeout], 60);
    }
}
