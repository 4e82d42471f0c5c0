//! How long to wait before the next look.

use std::time::Duration;

use super::super::outcome::Check;
use crate::dcv::answer::{Answer, Role};
use crate::dcv::judge::{Standing, Verdict};

/// Seconds between looks; the last one goes on.
const PAUSES: [u64; 9] = [2, 3, 5, 8, 13, 20, 30, 45, 60];
/// The longest pause for the sake of a resolver that remembers.
const LONGEST: u64 = 300;

/// Longer and longer; where only resolvers are behind, as long as they say that they remember (RFC 2308 5).
pub(super) fn pause(round: usize, checks: &[Check]) -> Duration {
    let seconds = PAUSES.get(round).copied().unwrap_or(PAUSES[PAUSES.len() - 1]);
    let behind = || checks.iter().flat_map(|check| &check.judgement.standings).filter(|one| lags(one));
    let own_servers_have_it = behind().all(|one| one.server.role == Role::Resolver)
        && checks.iter().all(|check| check.judgement.standings.iter().any(|one| one.verdict == Verdict::Visible));
    let remembered = behind().filter_map(|one| match one.answer {
        Answer::NoName(seconds) | Answer::NoData(seconds) => seconds,
        _ => None,
    });
    match remembered.max() {
        Some(remembered) if own_servers_have_it => {
            Duration::from_secs((u64::from(remembered) + 1).clamp(seconds, LONGEST))
        }
        _ => Duration::from_secs(seconds),
    }
}

fn lags(one: &Standing) -> bool {
    one.verdict != Verdict::Visible && one.answer != Answer::NoRoute
}
