//! One URL asked for at one address, as a CA does: no proxy, no redirect followed, within a time
//! and a size.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::runtime;
use super::super::signals::InterruptSignal;
use crate::dcv::http_file::{HttpResponse, MOST_BODY};

/// No address is waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// All of them together are not waited for longer: DNS may name thousands of addresses.
const ALL: Duration = Duration::from_secs(60);
/// Addresses asked at once.
const AT_ONCE: usize = 32;

/// What each URL gives at its address, in order; those for which no time is left are silent.
///
/// # Errors
/// The number of the signal that came.
pub(crate) fn look(
    questions: &[(String, SocketAddr)],
    interrupt: &InterruptSignal,
) -> Result<Vec<HttpResponse>, i32> {
    let all = async {
        tokio::select! {
            answers = ask_all(questions) => Ok(answers),
            signal = interrupt.came() => Err(signal),
        }
    };
    runtime::block_on(all).unwrap_or_else(|error| {
        Ok(vec![
            HttpResponse::Silent(error.to_string());
            questions.len()
        ])
    })
}

async fn ask_all(questions: &[(String, SocketAddr)]) -> Vec<HttpResponse> {
    let until = Instant::now() + ALL;
    let mut answers = Vec::new();
    for some in questions.chunks(AT_ONCE) {
        if Instant::now() >= until {
            let late = format!("not asked: the others took {} s", ALL.as_secs());
            answers.extend(some.iter().map(|_| HttpResponse::Silent(late.clone())));
            continue;
        }
        let mut tasks = JoinSet::new();
        for (index, (url, address)) in some.iter().cloned().enumerate() {
            tasks.spawn(async move { (index, get(&url, address).await) });
        }
        let mut done: Vec<(usize, HttpResponse)> = tasks.join_all().await;
        done.sort_by_key(|(index, _)| *index);
        answers.extend(done.into_iter().map(|(_, got)| got));
    }
    answers
}

async fn get(url: &str, address: SocketAddr) -> HttpResponse {
    match tokio::time::timeout(PATIENCE, response(url, address)).await {
        Ok(Ok(got)) => got,
        Ok(Err(error)) => failed(&error),
        Err(_) => HttpResponse::Silent(format!("nothing within {} s", PATIENCE.as_secs())),
    }
}

async fn response(url: &str, address: SocketAddr) -> Result<HttpResponse, reqwest::Error> {
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

/// The last cause is the one that says something.
fn failed(error: &reqwest::Error) -> HttpResponse {
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
        HttpResponse::Silent(cause.to_string())
    }
}
