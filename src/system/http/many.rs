//! Asks many addresses: some at once, all of them in bounded time, because the DNS may list thousands.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::runtime;
use super::super::signals::InterruptSignal;

/// The maximum wait for one address.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The maximum wait for all of them.
pub(crate) const ALL: Duration = Duration::from_secs(60);
/// How many addresses are tried at once.
const AT_ONCE: usize = 32;

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum FetchFailure {
    /// There is no route from this machine.
    NoRoute,
    NoResponse(String),
}

/// Returns what `fetch` gets for each URL at its address, in order; a failure if no time was left for
/// it.
///
/// # Errors
/// The number of the signal that arrived.
pub(super) fn fetch_many<T, F>(
    questions: &[(String, SocketAddr)],
    interrupt: &InterruptSignal,
    fetch: fn(String, SocketAddr) -> F,
) -> Result<Vec<T>, i32>
where
    T: From<FetchFailure> + Send + 'static,
    F: Future<Output = Result<T, reqwest::Error>> + Send + 'static,
{
    let all = async {
        tokio::select! {
            answers = fetch_all(questions, fetch) => Ok(answers),
            signal = interrupt.wait_for_signal() => Err(signal),
        }
    };
    runtime::block_on(all).unwrap_or_else(|error| {
        let failed = |_| T::from(FetchFailure::NoResponse(error.to_string()));
        Ok(questions.iter().map(failed).collect())
    })
}

async fn fetch_all<T, F>(
    questions: &[(String, SocketAddr)],
    fetch: fn(String, SocketAddr) -> F,
) -> Vec<T>
where
    T: From<FetchFailure> + Send + 'static,
    F: Future<Output = Result<T, reqwest::Error>> + Send + 'static,
{
    let until = Instant::now() + ALL;
    let mut answers = Vec::new();
    for some in questions.chunks(AT_ONCE) {
        if Instant::now() >= until {
            let late = format!("not tried: the other addresses took {} s", ALL.as_secs());
            let failed = |_| T::from(FetchFailure::NoResponse(late.clone()));
            answers.extend(some.iter().map(failed));
            continue;
        }
        let mut tasks = JoinSet::new();
        for (index, (url, address)) in some.iter().cloned().enumerate() {
            tasks.spawn(async move { (index, fetch_in_time(fetch(url, address)).await) });
        }
        let mut done: Vec<(usize, T)> = tasks.join_all().await;
        done.sort_by_key(|(index, _)| *index);
        answers.extend(done.into_iter().map(|(_, got)| got));
    }
    answers
}

async fn fetch_in_time<T: From<FetchFailure>>(
    answer: impl Future<Output = Result<T, reqwest::Error>>,
) -> T {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(got)) => got,
        Ok(Err(error)) => T::from(describe_failure(&error)),
        Err(_) => T::from(FetchFailure::NoResponse(format!(
            "no answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// Returns the last cause, which is the most informative one.
fn describe_failure(error: &reqwest::Error) -> FetchFailure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let kind = cause
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind);
    match kind {
        Some(std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable) => {
            FetchFailure::NoRoute
        }
        _ => FetchFailure::NoResponse(cause.to_string()),
    }
}
