//! Why the CA did not do what was asked.

use jiff::Timestamp;

use crate::acme::signer::MessageError;
use crate::system::http::api::ApiError;

/// A problem that the CA reports (RFC 8555 6.7). Untrusted text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", self.in_words())]
pub(crate) struct AcmeProblem {
    /// The last part of its type, such as `rateLimited`.
    pub kind: String,
    pub detail: String,
    /// The HTTP status of the answer, if the CA repeats it.
    pub status: Option<u16>,
    /// The problem of each name, `NAME: DETAIL`.
    pub parts: Vec<String>,
    /// When the CA asks to be asked again.
    pub retry_at: Option<Timestamp>,
}

impl AcmeProblem {
    fn in_words(&self) -> String {
        match (self.detail.as_str(), self.kind.as_str()) {
            ("", kind) => kind.to_owned(),
            (detail, "") => detail.to_owned(),
            (detail, kind) => format!("{detail} ({kind})"),
        }
    }
}

/// What instant-acme 0.8.5 says if the CA has not repeated what the order replaces.
const REPLACES_MISMATCH: &str = "replaces field mismatch";

/// Why the CA did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcmeError {
    /// There is no answer that can be used.
    #[error(transparent)]
    Api(Box<ApiError>),
    #[error("the CA refused the request")]
    Refused(#[source] AcmeProblem),
    /// The CA offers no renewal information, or has not repeated what the order replaces.
    #[error("the CA does not say what the order replaces")]
    Replacement,
    /// The answer is not what RFC 8555 describes.
    #[error("the CA's answer does not follow RFC 8555: {0}")]
    Protocol(String),
    /// The CA's directory lacks this resource.
    #[error("the CA does not offer {0}")]
    Unsupported(&'static str),
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl From<ApiError> for AcmeError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl AcmeError {
    /// Converts an error of the crate; `retry_at` is what the last answer asked for.
    pub(super) fn of_crate(error: instant_acme::Error, retry_at: Option<Timestamp>) -> Self {
        match error {
            instant_acme::Error::Api(problem) => {
                Self::Refused(AcmeProblem::of_crate(&problem, retry_at))
            }
            instant_acme::Error::Other(other) => match other.downcast::<ApiError>() {
                Ok(error) => Self::Api(error),
                // The crate has no kind of error of its own for this one.
                Err(other) if other.to_string().starts_with(REPLACES_MISMATCH) => Self::Replacement,
                Err(other) => Self::Protocol(other.to_string()),
            },
            // The parser's own words may quote a value.
            instant_acme::Error::Json(error) => Self::Protocol(format!(
                "an answer does not have the documented fields (line {}, column {})",
                error.line(),
                error.column()
            )),
            instant_acme::Error::Unsupported(_) => Self::Replacement,
            other => Self::Protocol(other.to_string()),
        }
    }

    /// Returns whether the same order without the certificate that it replaces may succeed: the CA does
    /// not support that, or another order has replaced the certificate (RFC 9773 5).
    #[must_use]
    pub(super) fn is_about_replacement(&self) -> bool {
        matches!(self, Self::Replacement) || self.has_type("alreadyReplaced")
    }

    /// Returns whether the CA says that there is no such object (HTTP 404). No type of problem in RFC 8555
    /// means that, and `malformed` means many other things.
    #[must_use]
    pub(crate) fn is_missing_object(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.status == Some(404),
            Self::Api(error) => matches!(**error, ApiError::Status { status: 404, .. }),
            Self::Protocol(_) | Self::Unsupported(_) | Self::Message(_) | Self::Replacement => {
                false
            }
        }
    }

    /// Returns whether the CA says that this key may not do this.
    #[must_use]
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.has_type("unauthorized")
    }

    /// Returns whether the CA says that the certificate is revoked already (RFC 8555 7.6).
    #[must_use]
    pub(crate) fn is_already_revoked(&self) -> bool {
        self.has_type("alreadyRevoked")
    }

    fn has_type(&self, kind: &str) -> bool {
        matches!(self, Self::Refused(problem) if problem.kind == kind)
    }
}

impl AcmeProblem {
    /// Returns whether the CA did not see a TXT record of dns-01. No type of problem says that alone
    /// (RFC 8555 6.7): boulder and pebble use `dns` and `unauthorized`, and name the record type.
    #[must_use]
    pub(crate) fn is_missing_record(&self) -> bool {
        let details = std::iter::once(&self.detail).chain(&self.parts);
        let names_record = details.into_iter().any(|detail| detail.contains("TXT"));
        names_record && ["dns", "unauthorized"].contains(&self.kind.as_str())
    }

    pub(super) fn of_crate(problem: &instant_acme::Problem, retry_at: Option<Timestamp>) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let mut parts = Vec::new();
        for part in &problem.subproblems {
            let name = part
                .identifier
                .as_ref()
                .map(|one| one.authorized(false).to_string());
            let detail = part.detail.clone().unwrap_or_default();
            parts.push(format!("{}: {detail}", name.unwrap_or_default()));
        }
        Self {
            kind: kind.rsplit(':').next().unwrap_or_default().to_owned(),
            detail: problem.detail.clone().unwrap_or_default(),
            status: problem.status,
            parts,
            retry_at,
        }
    }
}
