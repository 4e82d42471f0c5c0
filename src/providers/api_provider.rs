//! What the providers with an HTTP API have in common: the client, waiting when a provider limits the
//! rate of requests, and errors whose texts contain no credentials.

use std::time::Duration;

use super::provider::{ProviderError, ProviderFault};
use crate::configuration::credentials::FoundCredential;
use crate::configuration::{ConfigurationError, Credentials};
use crate::publishing::profile::ProviderProfile;
use crate::secret::{SecretText, redact};
use crate::system::clock;
use crate::system::http::api::{ApiAnswer, ApiClient, ApiError, ApiRequest, ApiUrl};
use crate::system::signals::InterruptSignal;

/// The pauses before a request that was refused because of the rate is sent again.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// The longest pause that a provider may ask for; after a longer one, the user decides.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest text of a provider that is shown, in characters.
const MESSAGE_LIMIT: usize = 300;

/// A connection to the API of one provider.
pub(super) struct ProviderApi {
    profile: &'static ProviderProfile,
    client: ApiClient,
    url: ApiUrl,
    /// What must not appear in a message.
    secrets: Vec<SecretText>,
    interrupt: InterruptSignal,
}

/// How an answer is judged.
pub(super) enum AnswerJudgement {
    Success,
    /// The request was refused because of the rate, or may be repeated for another reason.
    Repeat(ProviderFault),
    Failure(ProviderFault),
}

impl ProviderApi {
    /// Creates the client for the URL that is configured, or else that of the provider.
    pub(super) fn open(
        profile: &'static ProviderProfile,
        credentials: &Credentials,
        usual_url: &str,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        let configured = credentials.get("api_url");
        let text = configured.map_or(usual_url, |found| found.value.expose());
        let url = ApiUrl::parse(text).map_err(|reason| ConfigurationError::WrongValue {
            origin: configured.map_or_else(String::new, origin_of),
            key: "api_url".to_owned(),
            reason: reason.to_string(),
        })?;
        Ok(Self {
            profile,
            client: ApiClient::new(None, interrupt)?,
            url,
            secrets: credentials.secrets(),
            interrupt: interrupt.clone(),
        })
    }

    pub(super) fn url(&self) -> &ApiUrl {
        &self.url
    }

    /// Sends the request that `request` makes, and again while the provider limits the rate. Each
    /// attempt is a new request, because a signature is valid once.
    pub(super) fn send(
        &self,
        request: impl Fn() -> ApiRequest,
        judge: impl Fn(&ApiAnswer) -> AnswerJudgement,
    ) -> Result<ApiAnswer, ProviderError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let (fault, asked_for) = match self.client.send(&request()) {
                Ok(answer) => match judge(&answer) {
                    AnswerJudgement::Success => return Ok(answer),
                    AnswerJudgement::Failure(fault) => return Err(self.refused(fault)),
                    AnswerJudgement::Repeat(fault) => (self.refused(fault), answer.retry_after()),
                },
                // An answer without the API's own error, such as that of a load balancer.
                Err(error @ ApiError::Status { status: 429, .. }) => (error.into(), None),
                Err(error) => return Err(error.into()),
            };
            let Some(pause) = pauses.next() else {
                return Err(fault);
            };
            let pause = asked_for.unwrap_or(pause);
            if pause > LONGEST_PAUSE || clock::sleep_until_signal(pause, &self.interrupt).is_some()
            {
                return Err(fault);
            }
        }
    }

    /// The error for an answer that reports a failure.
    fn refused(&self, fault: ProviderFault) -> ProviderError {
        let message = redact(&fault.message, &self.secrets);
        let fault = ProviderFault {
            message: message.chars().take(MESSAGE_LIMIT).collect(),
            code: redact(&fault.code, &self.secrets),
            ..fault
        };
        ProviderError::Refused {
            provider: self.profile,
            fault: Box::new(fault),
        }
    }

    /// The error for an answer that does not fit the question.
    pub(super) fn unexpected(&self, answer: &ApiAnswer, reason: &str) -> ProviderError {
        ApiError::Malformed {
            url: answer.url.clone(),
            status: answer.status,
            reason: reason.to_owned(),
        }
        .into()
    }
}

fn origin_of(found: &FoundCredential) -> String {
    found.source.to_string()
}
