//! The directory of a CA (RFC 8555 7.1.1), and the creation of an account. Both are read here and not
//! by the crate, which drops the terms of service and the need for an external account.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{AcmeError, AcmeProblem};
use super::transport::{ACME_TYPES, JOSE_TYPE};
use crate::acme::registration::{AccountSigner, ExternalAccount};
use crate::system::http::api::{ApiAnswer, ApiClient, ApiError, ApiMethod, ApiRequest, ApiUrl};

/// How often a message is sent again with a new nonce (RFC 8555 6.5).
const NONCE_TRIES: usize = 5;

/// The directory of a CA.
#[derive(Clone, Debug)]
pub(crate) struct AcmeDirectory {
    pub url: ApiUrl,
    new_nonce: ApiUrl,
    new_account: ApiUrl,
    pub terms_of_service: Option<String>,
    pub requires_external_account: bool,
    /// The profiles that the CA offers.
    pub profiles: Vec<String>,
}

/// What a new account agrees to.
#[derive(Clone, Debug)]
pub(crate) struct NewAccountTerms {
    /// `mailto:` URLs.
    pub contact: Vec<String>,
    pub external: Option<ExternalAccount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryDocument {
    new_nonce: String,
    new_account: String,
    #[serde(default)]
    meta: DirectoryMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DirectoryMeta {
    terms_of_service: Option<String>,
    external_account_required: bool,
    profiles: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemDocument {
    r#type: String,
    detail: String,
}

impl AcmeDirectory {
    /// Reads the directory.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn read(client: &ApiClient, url: &ApiUrl) -> Result<Self, AcmeError> {
        let answer = client.send(&ApiRequest::new(ApiMethod::Get, url.clone()))?;
        if !answer.is_success() {
            return Err(answer.status_error(None).into());
        }
        let document: DirectoryDocument = answer.parse()?;
        let meta = document.meta;
        Ok(Self {
            url: url.clone(),
            new_nonce: url_in_directory(&document.new_nonce)?,
            new_account: url_in_directory(&document.new_account)?,
            terms_of_service: meta.terms_of_service,
            requires_external_account: meta.external_account_required,
            profiles: meta.profiles.into_iter().map(|(name, _)| name).collect(),
        })
    }

    /// Creates an account for a key, or returns the URL of the one that the key has already.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn create_account(
        &self,
        client: &ApiClient,
        signer: &AccountSigner,
        terms: &NewAccountTerms,
    ) -> Result<String, AcmeError> {
        let mut payload = json!({"termsOfServiceAgreed": true});
        if !terms.contact.is_empty() {
            payload["contact"] = json!(terms.contact);
        }
        if let Some(external) = &terms.external {
            let binding = signer.bind(external, self.new_account.expose())?;
            payload["externalAccountBinding"] = binding;
        }
        self.send_new_account(client, signer, &payload)
    }

    /// Returns the URL of the account that a key has already; `None` if it has none. After a lost
    /// answer, this finds the account without a second external account binding.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn find_account(
        &self,
        client: &ApiClient,
        signer: &AccountSigner,
    ) -> Result<Option<String>, AcmeError> {
        let payload = json!({"onlyReturnExisting": true});
        match self.send_new_account(client, signer, &payload) {
            Ok(url) => Ok(Some(url)),
            Err(AcmeError::Refused(problem)) if problem.kind == "accountDoesNotExist" => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn send_new_account(
        &self,
        client: &ApiClient,
        signer: &AccountSigner,
        payload: &Value,
    ) -> Result<String, AcmeError> {
        let url = &self.new_account;
        let mut nonce = self.new_nonce(client)?;
        let mut tries = 1;
        loop {
            let message = signer.sign(payload, url.expose(), &nonce)?;
            let mut request = ApiRequest::new(ApiMethod::Post, url.clone())
                .with_body(JOSE_TYPE, message.to_string().into_bytes());
            request.accepted_types = ACME_TYPES;
            let answer = client.send(&request)?;
            if answer.is_success() {
                let location = answer.header("location").map(str::to_owned);
                let missing = || AcmeError::Protocol("newAccount without Location".to_owned());
                return location.ok_or_else(missing);
            }
            let problem = problem_of(&answer)?;
            if problem.kind != "badNonce" || tries == NONCE_TRIES {
                return Err(AcmeError::Refused(problem));
            }
            tries += 1;
            nonce = match answer.header("replay-nonce") {
                Some(next) => next.to_owned(),
                None => self.new_nonce(client)?,
            };
        }
    }

    fn new_nonce(&self, client: &ApiClient) -> Result<String, AcmeError> {
        let answer = client.send(&ApiRequest::new(ApiMethod::Head, self.new_nonce.clone()))?;
        let nonce = answer.header("replay-nonce").map(str::to_owned);
        nonce.ok_or_else(|| AcmeError::Protocol("newNonce without Replay-Nonce".to_owned()))
    }
}

fn url_in_directory(text: &str) -> Result<ApiUrl, AcmeError> {
    ApiUrl::parse(text)
        .map_err(|error| AcmeError::Protocol(format!("a URL in the directory {error}")))
}

fn problem_of(answer: &ApiAnswer) -> Result<AcmeProblem, ApiError> {
    let document: ProblemDocument = answer.parse()?;
    Ok(AcmeProblem {
        kind: document
            .r#type
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
        detail: document.detail,
        status: Some(answer.status),
        parts: Vec::new(),
        retry_at: answer.retry_at(),
    })
}
