//! Fetches a validation file as the CA's validator does (RFC 8555 8.3): from port 80, with at most ten
//! redirects to ports 80 and 443, without a proxy, and without checking the certificate of an https
//! site: it may be the one that is about to be replaced.
//!
//! A redirect to another host is not followed, because the address to ask is fixed: the caller reports
//! it as not checked.

use std::net::SocketAddr;

use reqwest::{Client, Response, Url, redirect};

use super::super::activity;
use super::super::signals::InterruptSignal;
use super::many::{FetchFailure, fetch_many};

/// The maximum number of redirects (Boulder's limit).
pub(crate) const VALIDATOR_REDIRECTS: usize = 10;
/// The maximum number of bytes that are read.
const MOST_BODY: usize = 4096;

/// What the validator would get from one address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ValidatorAnswer {
    /// Status 200, and the beginning of the body. Untrusted text.
    File(Vec<u8>),
    Status(u16),
    /// It redirects to another host, which was not asked.
    OtherHost(String),
    /// It redirects to a URL that the validator does not follow.
    BadRedirect(String),
    TooManyRedirects,
    /// There is no route from this machine.
    NoRoute,
    NoResponse(String),
}

/// Returns what each URL answers at its address, in order.
///
/// # Errors
/// The number of the signal that arrived.
pub(crate) fn fetch_as_validator(
    questions: &[(String, SocketAddr)],
    interrupt: &InterruptSignal,
) -> Result<Vec<ValidatorAnswer>, i32> {
    fetch_many(questions, interrupt, fetch)
}

impl From<FetchFailure> for ValidatorAnswer {
    fn from(failure: FetchFailure) -> Self {
        match failure {
            FetchFailure::NoRoute => Self::NoRoute,
            FetchFailure::NoResponse(reason) => Self::NoResponse(reason),
        }
    }
}

async fn fetch(start: String, address: SocketAddr) -> Result<ValidatorAnswer, reqwest::Error> {
    let Ok(mut url) = Url::parse(&start) else {
        return Ok(ValidatorAnswer::BadRedirect(start));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let client = client_for(&host, address)?;
    for _ in 0..=VALIDATOR_REDIRECTS {
        activity::report_query(|| format!("GET {url} at {}", address.ip()));
        let response = client.get(url.clone()).send().await?;
        if !response.status().is_redirection() {
            return read_file(response).await;
        }
        url = match redirect_target(&url, &response) {
            Ok(next) => next,
            Err(answer) => return Ok(answer),
        };
    }
    Ok(ValidatorAnswer::TooManyRedirects)
}

/// A client that asks one address, whatever the DNS says. The port is that of the URL, because a
/// redirect leads to another one.
fn client_for(host: &str, address: SocketAddr) -> Result<Client, reqwest::Error> {
    let any_port = SocketAddr::new(address.ip(), 0);
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .resolve(host, any_port)
        .user_agent("certctl")
        .build()
}

/// Returns the URL that a redirect leads to, if the validator follows it to the same host.
fn redirect_target(url: &Url, response: &Response) -> Result<Url, ValidatorAnswer> {
    let status = response.status().as_u16();
    let target = response.headers().get("location");
    let target = target.and_then(|target| target.to_str().ok());
    let next = target.and_then(|target| url.join(target).ok());
    let next = next.ok_or(ValidatorAnswer::Status(status))?;
    if !is_followed(&next) {
        return Err(ValidatorAnswer::BadRedirect(next.to_string()));
    }
    if next.host_str() != url.host_str() {
        return Err(ValidatorAnswer::OtherHost(next.to_string()));
    }
    Ok(next)
}

/// Returns whether the validator follows a redirect to this URL (Let's Encrypt, "Challenge Types").
fn is_followed(url: &Url) -> bool {
    let port = url.port_or_known_default();
    ["http", "https"].contains(&url.scheme()) && [Some(80), Some(443)].contains(&port)
}

async fn read_file(mut response: Response) -> Result<ValidatorAnswer, reqwest::Error> {
    if response.status() != 200 {
        return Ok(ValidatorAnswer::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= MOST_BODY {
            body.truncate(MOST_BODY);
            break;
        }
    }
    Ok(ValidatorAnswer::File(body))
}
