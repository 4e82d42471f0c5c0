//! How long to wait before the next look.

use std::time::Duration;

use super::super::outcome::RecordCheck;
use crate::dcv::answer::{DnsAnswer, ServerRole};
use crate::dcv::judge::{DcvVerdict, ServerJudgement};

/// Seconds between looks; the last one goes on.
const PAUSES: [u64; 9] = [2, 3, 5, 8, 13, 20, 30, 45, 60];
/// The longest pause for the sake of a resolver that remembers.
const LONGEST: u64 = 300;

pub(super) fn plain(round: usize) -> Duration {
    Duration::from_secs(
        PAUSES
            .get(round)
            .copied()
            .unwrap_or(PAUSES[PAUSES.len() - 1]),
    )
}

/// Longer and longer; where only resolvers are behind, as long as what they say may be remembered:
/// an absence (RFC 2308 5) or another value (its TTL).
pub(super) fn by_records(round: usize, checks: &[RecordCheck]) -> Duration {
    after(
        round,
        &checks
            .iter()
            .map(|check| check.judgement.standings.as_slice())
            .collect::<Vec<_>>(),
    )
}

/// The same from what each server says of each record.
fn after(round: usize, records: &[&[ServerJudgement]]) -> Duration {
    let seconds = plain(round).as_secs();
    let behind = || records.iter().copied().flatten().filter(|one| lags(one));
    let own_servers_have_it = behind().all(|one| one.server.role == ServerRole::Resolver)
        && records.iter().all(|standings| {
            standings
                .iter()
                .any(|one| one.verdict == DcvVerdict::Visible)
        });
    let remembered = behind().filter_map(|one| match one.answer {
        DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds) => seconds,
        _ => one.ttl,
    });
    match remembered.max() {
        Some(remembered) if own_servers_have_it => {
            Duration::from_secs((u64::from(remembered) + 1).clamp(seconds, LONGEST))
        }
        _ => Duration::from_secs(seconds),
    }
}

fn lags(one: &ServerJudgement) -> bool {
    one.verdict != DcvVerdict::Visible && one.answer != DnsAnswer::NoRoute
}

#[cfg(test)]
mod tests {
    use super::after;
    use crate::dcv::answer::{DnsAnswer, DnsServerId, ServerRole};
    use crate::dcv::judge::{DcvVerdict, ServerJudgement};

    fn standing(
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
            at: "_x.example.com".to_owned(),
            answer,
            ttl,
        }
    }

    #[test]
    fn a_resolver_is_asked_again_when_it_has_forgotten() {
        let right = || {
            standing(
                ServerRole::Authoritative,
                DcvVerdict::Visible,
                DnsAnswer::Cname("a.example".into()),
                Some(60),
            )
        };
        let behind = |role, verdict, answer, ttl| standing(role, verdict, answer, ttl);
        let (absent, other) = (
            DnsAnswer::NoName(Some(30)),
            DnsAnswer::Cname("b.example".into()),
        );
        for (round, standings, seconds) in [
            (
                0,
                vec![
                    right(),
                    behind(
                        ServerRole::Resolver,
                        DcvVerdict::Absent,
                        absent.clone(),
                        None,
                    ),
                ],
                31,
            ),
            (
                0,
                vec![
                    right(),
                    behind(
                        ServerRole::Resolver,
                        DcvVerdict::Different,
                        other.clone(),
                        Some(17),
                    ),
                ],
                18,
            ),
            (
                0,
                vec![
                    right(),
                    behind(
                        ServerRole::Resolver,
                        DcvVerdict::Different,
                        other.clone(),
                        Some(86_400),
                    ),
                ],
                300,
            ),
            (
                0,
                vec![
                    right(),
                    behind(
                        ServerRole::Resolver,
                        DcvVerdict::Absent,
                        DnsAnswer::NoData(Some(0)),
                        None,
                    ),
                ],
                2,
            ),
            (
                3,
                vec![
                    right(),
                    behind(
                        ServerRole::Resolver,
                        DcvVerdict::Different,
                        other.clone(),
                        Some(1),
                    ),
                ],
                8,
            ),
            // The zone's own servers change when they do.
            (
                1,
                vec![
                    right(),
                    behind(
                        ServerRole::Authoritative,
                        DcvVerdict::Absent,
                        absent.clone(),
                        None,
                    ),
                ],
                3,
            ),
            (
                0,
                vec![behind(
                    ServerRole::Resolver,
                    DcvVerdict::Absent,
                    absent,
                    None,
                )],
                2,
            ),
            (
                99,
                vec![behind(
                    ServerRole::Resolver,
                    DcvVerdict::Unreachable,
                    DnsAnswer::Timeout,
                    None,
                )],
                60,
            ),
        ] {
            assert_eq!(
                after(round, &[&standings]).as_secs(),
                seconds,
                "{standings:?}"
            );
        }
    }
}
