//! Advice on requests to the APIs of DNS providers and CAs.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::system::http::api::{ApiError, ApiUrl};
use crate::wording::date_and_time;

/// "Too Many Requests" (RFC 6585 4) and "Service Unavailable" (RFC 9110 15.6.4).
const BUSY: [u16; 2] = [429, 503];

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let kind = match &error {
            ApiError::Client(_) => FailureKind::Internal,
            ApiError::HeaderValue => FailureKind::Malformed,
            ApiError::Interrupted { signal, .. } => FailureKind::Interrupted(*signal),
            ApiError::TooLarge { .. } => FailureKind::Hostile,
            _ => FailureKind::Network,
        };
        let failure = Self::from_error(kind, &error).with_retry_at(error.retry_at());
        match step_of(&error) {
            Some(step) => failure.with_step(step),
            None => failure,
        }
    }
}

fn step_of(error: &ApiError) -> Option<NextStep> {
    Some(match error {
        ApiError::Certificate { url, .. } => NextStep::run_certctl(
            "See which certificate answers there; if it belongs to your own CA, add that CA to \
                this system's roots",
            &["inspect", &url.address()],
        ),
        ApiError::Client(_) | ApiError::Interrupted { .. } => return None,
        ApiError::Connect { url, proxy, .. } => check_connection(url, *proxy),
        ApiError::HeaderValue => NextStep::run_certctl(
            "See where the credentials are, and remove the line break from the value",
            &["explain", "credentials"],
        ),
        ApiError::Status {
            status,
            retry_at: Some(at),
            ..
        } if BUSY.contains(status) => {
            NextStep::say(format!("Repeat the command after {}", date_and_time(*at)))
        }
        ApiError::ContentType { url, .. }
        | ApiError::Malformed { url, .. }
        | ApiError::Redirect { url, .. }
        | ApiError::Status { url, .. }
        | ApiError::TooLarge { url } => see_answer(url),
        ApiError::Slow { url, .. } | ApiError::Transfer { url, .. } => check_connection(url, None),
    })
}

fn check_connection(url: &ApiUrl, proxy: Option<&str>) -> NextStep {
    if let Some(variable) = proxy {
        return NextStep::say(format!(
            "Check the proxy that the environment variable {variable} names"
        ));
    }
    if url.is_loopback() {
        return NextStep::run_shell(
            "Check whether a server listens there",
            format!("ss -ltn 'sport = :{}'", url.port()),
        );
    }
    NextStep::run_certctl(
        "Check whether this machine can reach the server",
        &["inspect", &url.address()],
    )
}

fn see_answer(url: &ApiUrl) -> NextStep {
    NextStep::say(format!(
        "Check the URL, and repeat the command: if {} is a proxy or a load balancer, its own page may \
            have been the answer",
        url.host()
    ))
}
