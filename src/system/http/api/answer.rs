//! The answer of an API.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::retry_after::parse_retry_after;
use super::url::ApiUrl;

/// The media types of JSON (RFC 8259, RFC 9457).
pub(crate) const JSON_TYPES: &[&str] = &["application/json", "application/problem+json"];

/// An answer whose content type is accepted, with any status except a redirect. Untrusted text.
pub(crate) struct ApiAnswer {
    pub url: ApiUrl,
    pub status: u16,
    headers: HeaderMap,
    /// When it arrived.
    pub at: Timestamp,
    pub body: Vec<u8>,
}

impl ApiAnswer {
    pub(super) fn new(url: ApiUrl, status: u16, headers: HeaderMap, at: Timestamp) -> Self {
        Self {
            url,
            status,
            headers,
            at,
            body: Vec::new(),
        }
    }

    /// Returns whether the status is 2xx.
    #[must_use]
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns a header; the name in lower case.
    #[must_use]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns all headers.
    #[must_use]
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the media type without its parameters, in lower case.
    #[must_use]
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.header(CONTENT_TYPE.as_str())?;
        let media_type = value.split(';').next().unwrap_or_default();
        Some(media_type.trim().to_ascii_lowercase())
    }

    /// Returns how long the server asks to wait, at most a day.
    #[must_use]
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(self.header(RETRY_AFTER.as_str())?, self.at)
    }

    /// Returns when the server asks to be asked again.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        self.at.checked_add(self.retry_after()?).ok()
    }

    /// Refuses an answer with a body of another type: an error page of a proxy says nothing about the
    /// API.
    pub(super) fn check_type(&self, accepted: &[&str]) -> Result<(), ApiError> {
        let media_type = self.media_type();
        let is_accepted = media_type
            .as_deref()
            .is_some_and(|one| accepted.contains(&one));
        let is_empty = self.header(CONTENT_LENGTH.as_str()) == Some("0") || self.status == 204;
        if is_accepted || (is_empty && self.is_success()) {
            return Ok(());
        }
        if !self.is_success() {
            return Err(self.status_error(None));
        }
        if media_type.is_none() {
            // A body without a type fails when it is parsed.
            return Ok(());
        }
        Err(ApiError::ContentType {
            url: self.url.clone(),
            status: self.status,
            media_type: media_type.unwrap_or_default(),
        })
    }

    /// Returns the error for this status, with what the API says about it.
    #[must_use]
    pub(crate) fn status_error(&self, explanation: Option<String>) -> ApiError {
        ApiError::Status {
            url: self.url.clone(),
            status: self.status,
            explanation,
            retry_at: self.retry_at(),
        }
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// [`ApiError::Malformed`], without a part of the body.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| ApiError::Malformed {
            url: self.url.clone(),
            status: self.status,
            reason: reason_in_words(&error, self.body.len()),
        })
    }
}

/// The library's own words may quote a value.
fn reason_in_words(error: &serde_json::Error, length: usize) -> String {
    use serde_json::error::Category;
    let reason = match error.classify() {
        _ if length == 0 => return "it is empty".to_owned(),
        Category::Eof => "it ends too early",
        Category::Data => "it does not have the documented fields",
        Category::Io | Category::Syntax => "it is not JSON",
    };
    format!(
        "{reason} (line {}, column {})",
        error.line(),
        error.column()
    )
}

impl fmt::Debug for ApiAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.body.len();
        write!(f, "{} from {} ({length} bytes)", self.status, self.url)
    }
}
