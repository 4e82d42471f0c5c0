//! Fetches small files over HTTP from URLs in untrusted certificates: bounded in size, time and
//! redirects, and only from public addresses unless the user allows others.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, Url, redirect};

pub(crate) mod api;
pub(crate) mod at;
pub(crate) mod lists;
pub(crate) mod many;
pub(crate) mod validator;

use super::activity;
use super::runtime;
use super::signals::InterruptSignal;
use crate::dcv::public_address;

/// The maximum number of bytes that are read. A CA certificate has about two thousand.
pub(crate) const MOST_BYTES: usize = 256 << 10;

/// The maximum time for one URL, including its redirects.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The maximum number of redirects that are followed.
pub(crate) const MOST_REDIRECTS: usize = 5;

/// The networks from which files may be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum NetworkReach {
    /// From public addresses alone
    Public,
    /// From this machine and its own network too, and through the proxy of the environment
    Any,
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// A signal arrived; holds its number.
    #[error("interrupted while fetching {url}")]
    Interrupted { url: String, signal: i32 },
    /// The address is not public.
    #[error("{0} is an address of this machine or of a private network")]
    Private(IpAddr),
    /// The transfer failed or was cut short.
    #[error("the transfer failed: {0}")]
    Transfer(String),
    /// The URL starts with neither `http://` nor `https://`.
    #[error("only http:// and https:// URLs are supported")]
    Scheme,
    /// The status is not 200.
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("no complete answer within {} s", .0.as_secs_f32())]
    Slow(Duration),
    #[error("the answer is larger than {} KiB", .0 >> 10)]
    TooLarge(usize),
    /// A redirect that is not followed.
    #[error("it redirects to another host, {0}")]
    OtherHost(String),
    #[error("there are more than {MOST_REDIRECTS} redirects")]
    TooManyRedirects,
    #[error("it is not a valid URL")]
    Url,
}

/// Where redirects may lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RedirectTargets {
    AnyHost,
    /// To the host of the URL alone.
    SameHost,
}

/// The bounds of a transfer.
#[derive(Clone, Copy, Debug)]
struct FetchBounds {
    reach: NetworkReach,
    /// The maximum number of bytes.
    bytes: usize,
    redirects: RedirectTargets,
    deadline: Duration,
}

/// Fetches the file at `url`.
///
/// # Errors
/// See [`HttpError`].
pub(crate) fn fetch(
    url: &str,
    reach: NetworkReach,
    deadline: Duration,
    interrupt: &InterruptSignal,
) -> Result<Vec<u8>, HttpError> {
    let bounds = FetchBounds {
        reach,
        bytes: MOST_BYTES,
        redirects: RedirectTargets::AnyHost,
        deadline,
    };
    let within = async {
        tokio::select! {
            result = fetch_in_time(url, bounds) => result,
            signal = interrupt.wait_for_signal() => Err(HttpError::Interrupted { url: url.to_owned(), signal }),
        }
    };
    runtime::block_on(within).unwrap_or_else(|error| Err(HttpError::Transfer(error.to_string())))
}

async fn fetch_in_time(url: &str, bounds: FetchBounds) -> Result<Vec<u8>, HttpError> {
    let url = Url::parse(url).map_err(|_| HttpError::Url)?;
    let deadline = bounds.deadline;
    let fetched = tokio::time::timeout(deadline, fetch_following(url, bounds)).await;
    fetched.unwrap_or(Err(HttpError::Slow(deadline)))
}

async fn fetch_following(mut url: Url, bounds: FetchBounds) -> Result<Vec<u8>, HttpError> {
    let reach = bounds.reach;
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .user_agent("certctl");
    let client = match reach {
        NetworkReach::Public => builder.no_proxy().dns_resolver(Arc::new(PublicResolver)),
        NetworkReach::Any => builder,
    };
    let client = client.build().map_err(|error| transfer_error(&error))?;
    for _ in 0..=MOST_REDIRECTS {
        check_url(&url, reach)?;
        activity::report_query(|| format!("GET {url}"));
        let response = client
            .get(url.clone())
            .send()
            .await
            .map_err(|error| transfer_error(&error))?;
        if let (NetworkReach::Public, Some(peer)) = (reach, response.remote_addr()) {
            check_public(peer.ip())?;
        }
        if !response.status().is_redirection() {
            return read_body(response, bounds.bytes).await;
        }
        url = redirect_target(&response, &url, bounds.redirects)?;
    }
    Err(HttpError::TooManyRedirects)
}

/// Returns where a redirect from `url` leads.
fn redirect_target(
    response: &Response,
    url: &Url,
    allowed: RedirectTargets,
) -> Result<Url, HttpError> {
    let to = response
        .headers()
        .get("location")
        .and_then(|to| to.to_str().ok());
    let target = to
        .and_then(|to| url.join(to).ok())
        .ok_or_else(|| HttpError::Status(response.status().as_u16()))?;
    if allowed == RedirectTargets::SameHost && target.host() != url.host() {
        let host = target.host_str().unwrap_or_default();
        return Err(HttpError::OtherHost(host.to_owned()));
    }
    Ok(target)
}

async fn read_body(mut response: Response, most: usize) -> Result<Vec<u8>, HttpError> {
    if response.status() != 200 {
        return Err(HttpError::Status(response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transfer_error(&error))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(HttpError::TooLarge(most));
        }
    }
    Ok(bytes)
}

/// Checks the scheme, and the host if it is an address, because that is not resolved.
fn check_url(url: &Url, reach: NetworkReach) -> Result<(), HttpError> {
    if !["http", "https"].contains(&url.scheme()) {
        return Err(HttpError::Scheme);
    }
    let address = url
        .host_str()
        .and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    match (reach, address) {
        (NetworkReach::Public, Some(address)) => check_public(address),
        _ => Ok(()),
    }
}

fn check_public(address: IpAddr) -> Result<(), HttpError> {
    match public_address::unreachable_reason(address) {
        None => Ok(()),
        Some(_) => Err(HttpError::Private(address)),
    }
}

/// Returns the last cause, which is the most informative one.
fn transfer_error(error: &reqwest::Error) -> HttpError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        if let Some(HttpError::Private(address)) = next.downcast_ref() {
            return HttpError::Private(*address);
        }
        cause = next;
    }
    HttpError::Transfer(cause.to_string())
}

/// Resolves only names all of whose addresses are public. The client connects to the addresses that
/// were checked.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                check_public(address.ip())?;
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests;
