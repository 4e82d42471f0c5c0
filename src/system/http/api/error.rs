//! Why a request to an API got no answer that can be used.

use std::error::Error;
use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::url::ApiUrl;
use crate::system::environment;

/// The maximum number of bytes of an answer.
pub(crate) const MOST_ANSWER: usize = 1 << 20;

/// Why there is no answer. Contains no header, no body and no query of a URL.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The certificate of the server is not trusted, is expired or has other names.
    #[error("{} has no certificate that certctl can trust", url.address())]
    Certificate {
        url: ApiUrl,
        #[source]
        source: rustls::Error,
    },
    /// The client could not be created.
    #[error("cannot create the HTTP client: {0}")]
    Client(String),
    #[error("cannot connect to {}{}", url.address(), proxy_in_words(*proxy))]
    Connect {
        url: ApiUrl,
        /// The variable that names the proxy.
        proxy: Option<&'static str>,
        #[source]
        source: ConnectionError,
    },
    /// Something else than the API answered.
    #[error("{url} answered with {media_type} (status {status}), which is not the API's answer")]
    ContentType {
        url: ApiUrl,
        status: u16,
        media_type: String,
    },
    /// A secret that is sent in a header contains a line break or other control character.
    #[error("a value for the API contains a line break or a control character")]
    HeaderValue,
    /// A signal arrived; holds its number.
    #[error("interrupted while waiting for {url}")]
    Interrupted { url: ApiUrl, signal: i32 },
    #[error("the answer of {url} (status {status}) cannot be used: {reason}")]
    Malformed {
        url: ApiUrl,
        status: u16,
        reason: String,
    },
    /// Redirects are not followed: the new place would receive the credentials.
    #[error("{url} redirects (status {status}){}, which certctl does not follow", target_in_words(target.as_ref()))]
    Redirect {
        url: ApiUrl,
        status: u16,
        target: Option<ApiUrl>,
    },
    #[error("{url} gave no complete answer within {} s", limit.as_secs_f32())]
    Slow { url: ApiUrl, limit: Duration },
    /// The status is an error.
    #[error("{url} answered with status {status}{}", explanation.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        url: ApiUrl,
        status: u16,
        /// What the API says about it. Untrusted text.
        explanation: Option<String>,
        /// When the server asks to be asked again, at most a day later.
        retry_at: Option<Timestamp>,
    },
    #[error("the answer of {url} is larger than {} KiB", MOST_ANSWER >> 10)]
    TooLarge { url: ApiUrl },
    #[error("the transfer from {url} failed: {reason}")]
    Transfer { url: ApiUrl, reason: String },
}

/// Why there is no connection, in the words of the system.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectionError(String);

/// The variables that name the proxy for https (curl's names).
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

impl ApiError {
    pub(super) fn of_transfer(url: &ApiUrl, error: &reqwest::Error) -> Self {
        let url = url.clone();
        if let Some(source) = find_tls_error(error)
            && matches!(source, rustls::Error::InvalidCertificate(_))
        {
            return Self::Certificate { url, source };
        }
        let reason = last_cause(error);
        if !error.is_connect() {
            return Self::Transfer { url, reason };
        }
        let mut variables = PROXY_VARIABLES.into_iter();
        let proxy = variables
            .find(|name| environment::variable(name).is_some_and(|value| !value.is_empty()));
        Self::Connect {
            proxy: proxy.filter(|_| !url.is_loopback()),
            url,
            source: ConnectionError(reason),
        }
    }

    /// Returns when the server asks to be asked again.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Status { retry_at, .. } => *retry_at,
            _ => None,
        }
    }

    /// Returns whether the server certainly did not receive the request.
    #[must_use]
    pub(crate) fn was_not_sent(&self) -> bool {
        matches!(
            self,
            Self::Certificate { .. } | Self::Client(_) | Self::Connect { .. } | Self::HeaderValue
        )
    }
}

fn find_tls_error(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(one) = cause {
        if let Some(found) = one.downcast_ref::<rustls::Error>() {
            return Some(found.clone());
        }
        // The source of an I/O error is that of the error inside of it.
        let inside = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match inside {
            Some(inside) => Some(inside),
            None => one.source(),
        };
    }
    None
}

/// Returns the last cause, which is the most informative one, and never contains the URL.
pub(super) fn last_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the HTTP library gives no reason".to_owned(),
        None => cause.to_string(),
    }
}

fn proxy_in_words(variable: Option<&'static str>) -> String {
    variable
        .map(|variable| format!(" through the proxy that {variable} names"))
        .unwrap_or_default()
}

fn target_in_words(target: Option<&ApiUrl>) -> String {
    target
        .map(|target| format!(" to {target}"))
        .unwrap_or_default()
}
