//! Fetches a URL from a given address, as a CA does: without a proxy, without following redirects,
//! bounded in time and size.

use std::net::SocketAddr;

use reqwest::{Client, Url, redirect};

use super::super::activity;
use super::super::signals::InterruptSignal;
use super::many::{FetchFailure, fetch_many};
use crate::dcv::http_file::{HttpResponse, MOST_BODY};

/// Returns the response to each URL at its address, in order; `NoResponse` if no time was left for
/// it.
///
/// # Errors
/// The number of the signal that arrived.
pub(crate) fn fetch_each(
    questions: &[(String, SocketAddr)],
    interrupt: &InterruptSignal,
) -> Result<Vec<HttpResponse>, i32> {
    fetch_many(questions, interrupt, fetch)
}

impl From<FetchFailure> for HttpResponse {
    fn from(failure: FetchFailure) -> Self {
        match failure {
            FetchFailure::NoRoute => Self::NoRoute,
            FetchFailure::NoResponse(reason) => Self::NoResponse(reason),
        }
    }
}

async fn fetch(url: String, address: SocketAddr) -> Result<HttpResponse, reqwest::Error> {
    let host = Url::parse(&url)
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
