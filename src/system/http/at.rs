//! Fetches a URL from a given address, as a CA does: without a proxy, without following redirects,
//! bounded in time and size.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::activity;
use super::super::runtime;
use super::super::signals::InterruptSignal;
use crate::dcv::http_file::{HttpResponse, MOST_BODY};

/// The maximum wait for one address.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The maximum wait for all of them, because the DNS may list thousands of addresses.
pub(crate) const ALL: Duration = Duration::from_secs(60);
/// How many addresses are tried at once.
const AT_ONCE: usize = 32;

/// Returns the response to each URL at its address, in order; `NoResponse` if no time was left for
/// it.
///
/// # Errors
/// The number of the signal that arrived.
pub(crate) fn fetch_each(
    questions: &[(String, SocketAddr)],
    interrupt: &InterruptSignal,
) -> Result<Vec<HttpResponse>, i32> {
    let all = async {
        tokio::select! {
            answers = fetch_all(questions) => Ok(answers),
            signal = interrupt.wait_for_signal() => Err(signal),
        }
    };
    runtime::block_on(all).unwrap_or_else(|error| {
        Ok(vec![
            HttpResponse::NoResponse(error.to_string());
            questions.len()
        ])
    })
}

async fn fetch_all(questions: &[(String, SocketAddr)]) -> Vec<HttpResponse> {
    let until = Instant::now() + ALL;
    let mut answers = Vec::new();
    for some in questions.chunks(AT_ONCE) {
        if Instant::now() >= until {
            let late = format!("not tried: the other addresses took {} s", ALL.as_secs());
            answers.extend(some.iter().map(|_| HttpResponse::NoResponse(late.clone())));
            continue;
        }
        let mut tasks = JoinSet::new();
        for (index, (url, address)) in some.iter().cloned().enumerate() {
            tasks.spawn(async move { (index, fetch_within_time(&url, address).await) });
        }
        let mut done: Vec<(usize, HttpResponse)> = tasks.join_all().await;
        done.sort_by_key(|(index, _)| *index);
        answers.extend(done.into_iter().map(|(_, got)| got));
    }
    answers
}

async fn fetch_within_time(url: &str, address: SocketAddr) -> HttpResponse {
    match tokio::time::timeout(PATIENCE, fetch(url, address)).await {
        Ok(Ok(got)) => got,
        Ok(Err(error)) => describe_failure(&error),
        Err(_) => HttpResponse::NoResponse(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn fetch(url: &str, address: SocketAddr) -> Result<HttpResponse, reqwest::Error> {
    let host = Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .resolve(&host, address)
        .user_agent("certctl")
        .build()?;
    activity::report_query(|| format!("GET {url} at {address}"));
    let mut response = client.get(url).send().await?;
    let status = response.status().as_u16();
    let location = response
        .headers()
        .get("location")
        .and_then(|to| to.to_str().ok())
        .map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= MOST_BODY {
            body.truncate(MOST_BODY);
            break;
        }
    }
    Ok(HttpResponse::Answered {
        status,
        location,
        body,
    })
}

/// Returns the last cause, which is the most informative one.
fn describe_failure(error: &reqwest::Error) -> HttpResponse {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let no_route = cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable
        )
    });
    if no_route {
        HttpResponse::NoRoute
    } else {
        HttpResponse::NoResponse(cause.to_string())
    }
}
