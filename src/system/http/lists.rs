//! Fetches certificate revocation lists (CRLs): some at once, all of them in bounded time, and no
//! redirect to another host.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{DEADLINE, FetchBounds, HttpError, NetworkReach, RedirectTargets, fetch_in_time};
use crate::system::runtime;
use crate::system::signals::InterruptSignal;

/// The maximum size of a list.
pub(crate) const MOST_LIST_BYTES: usize = 10 << 20;
/// The maximum wait for all of them.
const ALL: Duration = Duration::from_secs(60);
/// How many are fetched at once: each may need the maximum size.
const AT_ONCE: usize = 8;

/// Returns what `read` makes of the file at each URL, in order.
///
/// # Errors
/// The number of the signal that arrived.
pub(crate) fn fetch_lists<T: Send + 'static>(
    urls: &[String],
    reach: NetworkReach,
    interrupt: &InterruptSignal,
    read: fn(Result<Vec<u8>, HttpError>) -> T,
) -> Result<Vec<T>, i32> {
    let bounds = FetchBounds {
        reach,
        bytes: MOST_LIST_BYTES,
        redirects: RedirectTargets::SameHost,
        deadline: DEADLINE,
    };
    let all = async {
        tokio::select! {
            lists = fetch_all(urls, bounds, read) => Ok(lists),
            signal = interrupt.wait_for_signal() => Err(signal),
        }
    };
    runtime::block_on(all).unwrap_or_else(|error| {
        let failed = |_| read(Err(HttpError::Transfer(error.to_string())));
        Ok(urls.iter().map(failed).collect())
    })
}

async fn fetch_all<T: Send + 'static>(
    urls: &[String],
    bounds: FetchBounds,
    read: fn(Result<Vec<u8>, HttpError>) -> T,
) -> Vec<T> {
    let until = Instant::now() + ALL;
    let mut lists = Vec::new();
    for some in urls.chunks(AT_ONCE) {
        if Instant::now() >= until {
            lists.extend(some.iter().map(|_| read(Err(HttpError::Slow(ALL)))));
            continue;
        }
        let mut tasks = JoinSet::new();
        for (index, url) in some.iter().cloned().enumerate() {
            tasks.spawn(async move { (index, read(fetch_in_time(&url, bounds).await)) });
        }
        let mut done = tasks.join_all().await;
        done.sort_by_key(|(index, _)| *index);
        lists.extend(done.into_iter().map(|(_, list)| list));
    }
    lists
}
