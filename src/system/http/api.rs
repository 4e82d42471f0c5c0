//! Requests to the APIs of DNS providers and CAs: over https, or over http to this machine. Redirects
//! are not followed, every request has a deadline, an answer has at most [`MOST_ANSWER`] bytes, and its
//! status and content type are checked before anything parses it. Requests use the proxy that
//! `HTTPS_PROXY` and `NO_PROXY` name, except to this machine.
//!
//! Neither errors nor `-v` nor `{:?}` show header values, bodies or the query of a URL: they may
//! contain secrets.

mod answer;
mod error;
mod retry_after;
mod url;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, redirect};
use rustls::{ClientConfig, RootCertStore};

pub(crate) use self::answer::{ApiAnswer, JSON_TYPES};
pub(crate) use self::error::{ApiError, MOST_ANSWER};
pub(crate) use self::retry_after::LONGEST_RETRY;
pub(crate) use self::url::{ApiUrl, ApiUrlError};
use super::super::signals::InterruptSignal;
use super::super::{activity, clock, roots, runtime};
use crate::pki::trust::TrustAnchors;
use crate::secret::SecretText;

/// The maximum time for one request and its answer.
pub(crate) const API_DEADLINE: Duration = Duration::from_secs(30);
/// How certctl identifies itself, which some CAs require.
const USER_AGENT: &str = concat!("certctl/", env!("CARGO_PKG_VERSION"));

/// What a request does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ApiMethod {
    Delete,
    Get,
    Head,
    Post,
}

impl ApiMethod {
    fn method(self) -> Method {
        match self {
            Self::Delete => Method::DELETE,
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Post => Method::POST,
        }
    }
}

/// The body of a request. Not shown, because it may contain a secret.
#[derive(Clone)]
pub(crate) struct ApiBody {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for ApiBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.content_type, self.bytes.len())
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    pub method: ApiMethod,
    pub url: ApiUrl,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, SecretText)>,
    pub body: Option<ApiBody>,
    /// The media types that are parsed; an answer with another one is an error.
    pub accepted_types: &'static [&'static str],
}

impl ApiRequest {
    /// Creates a request without headers and body that expects JSON.
    #[must_use]
    pub(crate) fn new(method: ApiMethod, url: ApiUrl) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
            accepted_types: JSON_TYPES,
        }
    }

    /// Adds a header; its value is not shown anywhere.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: SecretText) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets the body.
    #[must_use]
    pub(crate) fn with_body(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        self.body = Some(ApiBody {
            content_type,
            bytes,
        });
        self
    }

    fn header_map(&self) -> Result<HeaderMap, ApiError> {
        let mut map = HeaderMap::new();
        map.insert(ACCEPT, plain_value(&self.accepted_types.join(", "))?);
        for (name, secret) in &self.headers {
            let mut value = plain_value(secret.expose())?;
            value.set_sensitive(true);
            map.insert(HeaderName::from_static(name), value);
        }
        if let Some(body) = &self.body {
            map.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type));
        }
        Ok(map)
    }
}

/// The error does not contain the value.
fn plain_value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|_| ApiError::HeaderValue)
}

/// Sends requests, which share their connections.
#[derive(Clone)]
pub(crate) struct ApiClient {
    /// For other machines; may use a proxy.
    remote: Client,
    /// For this machine, without a proxy.
    local: Client,
    deadline: Duration,
    interrupt: InterruptSignal,
}

impl ApiClient {
    /// Creates a client that trusts Mozilla's list, this system's roots, and the anchors of `--trust`.
    ///
    /// # Errors
    /// [`ApiError::Client`].
    pub(crate) fn new(
        anchors: Option<&TrustAnchors>,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ApiError> {
        let config = tls_config(anchors)?;
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .referer(false)
                .user_agent(USER_AGENT)
                .tls_backend_preconfigured(config.clone())
        };
        let loopback = [
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
        ];
        let local = builder()
            .no_proxy()
            .resolve_to_addrs("localhost", &loopback)
            .build();
        let failed = |error: reqwest::Error| ApiError::Client(error::last_cause(&error));
        Ok(Self {
            remote: builder().build().map_err(failed)?,
            local: local.map_err(failed)?,
            deadline: API_DEADLINE,
            interrupt: interrupt.clone(),
        })
    }

    /// Returns the same client with another deadline for each request.
    #[cfg(test)]
    pub(crate) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sends a request. An answer with any status is returned if its content type is accepted, or if
    /// it has no body.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) fn send(&self, request: &ApiRequest) -> Result<ApiAnswer, ApiError> {
        runtime::block_on(self.exchange(request))
            .unwrap_or_else(|error| Err(ApiError::Client(error.to_string())))
    }

    /// The same for asynchronous callers.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn exchange(&self, request: &ApiRequest) -> Result<ApiAnswer, ApiError> {
        let url = &request.url;
        tokio::select! {
            result = tokio::time::timeout(self.deadline, self.attempt(request)) => {
                result.unwrap_or_else(|_| Err(ApiError::Slow {
                    url: url.clone(),
                    limit: self.deadline,
                }))
            }
            signal = self.interrupt.wait_for_signal() => Err(ApiError::Interrupted {
                url: url.clone(),
                signal,
            }),
        }
    }

    async fn attempt(&self, request: &ApiRequest) -> Result<ApiAnswer, ApiError> {
        let url = &request.url;
        let client = if url.is_loopback() {
            &self.local
        } else {
            &self.remote
        };
        let method = request.method.method();
        activity::report_query(|| format!("{method} {url}"));
        let mut sent = client
            .request(method, url.as_url().clone())
            .headers(request.header_map()?);
        if let Some(body) = &request.body {
            sent = sent.body(body.bytes.clone());
        }
        let response = sent.send().await;
        let response = response.map_err(|error| ApiError::of_transfer(url, &error))?;
        read_answer(request, response).await
    }
}

/// Checks status and content type, and reads the body.
async fn read_answer(request: &ApiRequest, mut response: Response) -> Result<ApiAnswer, ApiError> {
    let url = &request.url;
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(LOCATION);
        let target = target.and_then(|target| target.to_str().ok());
        return Err(ApiError::Redirect {
            url: url.clone(),
            status: status.as_u16(),
            target: target.and_then(|target| url.join(target)),
        });
    }
    let mut answer = ApiAnswer::new(
        url.clone(),
        status.as_u16(),
        response.headers().clone(),
        clock::now(),
    );
    // Before the body: what is not accepted is not read.
    answer.check_type(request.accepted_types)?;
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| ApiError::of_transfer(url, &error))?;
        let Some(chunk) = chunk else {
            return Ok(answer);
        };
        answer.body.extend_from_slice(&chunk);
        if answer.body.len() > MOST_ANSWER {
            return Err(ApiError::TooLarge { url: url.clone() });
        }
    }
}

fn tls_config(anchors: Option<&TrustAnchors>) -> Result<ClientConfig, ApiError> {
    let mut store = RootCertStore::empty();
    store
        .roots
        .extend_from_slice(TrustAnchors::mozilla().anchors());
    // Without a system store, Mozilla's list is enough.
    for root in roots::system_roots().unwrap_or_default() {
        let _ = store.add(root.as_slice().into());
    }
    if let Some(anchors) = anchors {
        store.roots.extend_from_slice(anchors.anchors());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ApiError::Client(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests;
