//! The HTTP client of the crate instant-acme.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::Timestamp;

use crate::system::http::api::{ApiAnswer, ApiClient, ApiMethod, ApiRequest, ApiUrl};

/// The content types of a CA: JSON, problems, and chains (RFC 8555 7.4.2).
pub(super) const ACME_TYPES: &[&str] = &[
    "application/json",
    "application/problem+json",
    "application/pem-certificate-chain",
];
/// The content type of a signed message.
pub(super) const JOSE_TYPE: &str = "application/jose+json";

/// Sends the crate's requests, and keeps what the last answer asked for.
#[derive(Clone)]
pub(super) struct AcmeTransport {
    client: ApiClient,
    retry_at: Arc<Mutex<Option<Timestamp>>>,
}

impl AcmeTransport {
    pub(super) fn new(client: ApiClient) -> Self {
        Self {
            client,
            retry_at: Arc::default(),
        }
    }

    /// When the last answer asked to come back.
    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        *self.retry_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, retry_at: Option<Timestamp>) {
        let mut kept = self.retry_at.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = retry_at;
    }

    async fn send(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let url = ApiUrl::parse(&head.uri.to_string());
        let url = url.map_err(|error| Error::Other(Box::new(error)))?;
        let mut sent = ApiRequest::new(method_of(&head.method)?, url);
        sent.accepted_types = ACME_TYPES;
        if head.headers.contains_key(CONTENT_TYPE) {
            sent = sent.with_body(JOSE_TYPE, body.to_bytes().to_vec());
        }
        self.keep(None);
        let answer = self.client.exchange(&sent).await;
        let answer = answer.map_err(|error| Error::Other(Box::new(error)))?;
        self.keep(answer.retry_at());
        response_of(answer)
    }
}

impl HttpClient for AcmeTransport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().send(request))
    }
}

fn method_of(method: &Method) -> Result<ApiMethod, Error> {
    match *method {
        Method::GET => Ok(ApiMethod::Get),
        Method::HEAD => Ok(ApiMethod::Head),
        Method::POST => Ok(ApiMethod::Post),
        _ => Err(Error::Str("a method of RFC 8555")),
    }
}

/// The crate adds the wait to the current time, which ends the process if the sum is too large: it
/// gets the bounded one.
fn response_of(answer: ApiAnswer) -> Result<BytesResponse, Error> {
    let wait = answer.retry_after();
    let mut headers = answer.headers().clone();
    headers.remove(RETRY_AFTER);
    if let Some(wait) = wait {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    let mut response = Response::builder()
        .status(answer.status)
        .body(reqwest::Body::from(answer.body))?;
    *response.headers_mut() = headers;
    Ok(BytesResponse::from(response))
}
