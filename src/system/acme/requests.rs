//! Signed requests that the crate cannot send as certctl needs them: the account is created with a key
//! that is on the disk already, and so is its next key; a certificate can be revoked with its own
//! key (RFC 8555 7.3, 7.6).

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::directory::AcmeDirectory;
use super::error::{AcmeError, AcmeProblem};
use super::transport::{ACME_TYPES, JOSE_TYPE};
use crate::acme::registration::ExternalAccount;
use crate::acme::revocation_reason::RevocationReason;
use crate::acme::signer::{MessageSender, MessageSigner};
use crate::system::http::api::{ApiAnswer, ApiClient, ApiError, ApiMethod, ApiRequest, ApiUrl};

/// How often a message is sent again with a new nonce (RFC 8555 6.5).
pub(crate) const NONCE_TRIES: usize = 5;
/// How many orders of a list are read, the last ones first.
const LISTED_ORDERS: usize = 20;
/// How many pages of a list are read.
const LISTED_PAGES: usize = 10;

/// What a new account agrees to.
#[derive(Clone, Debug)]
pub(crate) struct NewAccountTerms {
    /// `mailto:` URLs.
    pub contact: Vec<String>,
    pub external: Option<ExternalAccount>,
}

/// A certificate, and why it is to be revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationRequest<'a> {
    pub der: &'a [u8],
    pub reason: RevocationReason,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemDocument {
    r#type: String,
    detail: String,
}

/// What the CA says about an account (RFC 8555 7.1.2). Untrusted text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountState {
    /// `valid`, `deactivated` or `revoked`.
    pub status: String,
    pub contact: Vec<String>,
    /// The URL of the list of its orders, which few CAs offer.
    orders: Option<String>,
}

/// The orders of an account (RFC 8555 7.1.2.1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct OrderList {
    orders: Vec<String>,
}

/// What matters of an order (RFC 8555 7.1.3).
#[derive(Default, Deserialize)]
#[serde(default)]
struct ListedOrder {
    status: String,
    identifiers: Vec<OrderIdentifier>,
}

#[derive(Deserialize)]
struct OrderIdentifier {
    value: String,
}

impl ListedOrder {
    /// Whether the order is for exactly these names, and the CA has not issued for it.
    fn is_open_for(&self, names: &[String]) -> bool {
        let mut own = BTreeSet::new();
        for identifier in &self.identifiers {
            own.insert(&identifier.value);
        }
        let wanted = BTreeSet::from_iter(names);
        let is_open = ["pending", "ready"].contains(&self.status.as_str());
        is_open && own == wanted
    }
}

/// An account, and the key that signs for it.
#[derive(Clone, Copy)]
pub(crate) struct SigningAccount<'a> {
    pub url: &'a str,
    pub signer: &'a MessageSigner<'a>,
}

/// One signed request.
struct SignedRequest<'a> {
    signer: &'a MessageSigner<'a>,
    sender: MessageSender<'a>,
    url: &'a ApiUrl,
    /// Nothing for a request that only reads.
    payload: Option<&'a Value>,
}

impl AcmeDirectory {
    /// Creates an account for a key, or returns the URL of the one that the key has already.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn create_account(
        &self,
        client: &ApiClient,
        signer: &MessageSigner<'_>,
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
        signer: &MessageSigner<'_>,
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
        signer: &MessageSigner<'_>,
        payload: &Value,
    ) -> Result<String, AcmeError> {
        let request = SignedRequest {
            signer,
            sender: MessageSender::Key,
            url: &self.new_account,
            payload: Some(payload),
        };
        let answer = self.send_signed(client, &request)?;
        let location = answer.header("location").map(str::to_owned);
        location.ok_or_else(|| AcmeError::Protocol("newAccount without Location".to_owned()))
    }

    /// Returns what the CA says about an account.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn read_account(
        &self,
        client: &ApiClient,
        account: SigningAccount<'_>,
    ) -> Result<AccountState, AcmeError> {
        self.read_as(client, account, account.url)
    }

    /// Returns the URL of an order for exactly these names that is not finished, if the CA lists the
    /// orders of an account.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn find_open_order(
        &self,
        client: &ApiClient,
        account: SigningAccount<'_>,
        names: &[String],
    ) -> Result<Option<String>, AcmeError> {
        let mut page = self.read_account(client, account)?.orders;
        let mut urls = Vec::new();
        for _ in 0..LISTED_PAGES {
            let Some(url) = page else { break };
            let answer = self.send_as(client, account, &url)?;
            page = next_page(&answer);
            urls.extend(answer.parse::<OrderList>()?.orders);
        }
        for url in urls.into_iter().rev().take(LISTED_ORDERS) {
            let order: ListedOrder = self.read_as(client, account, &url)?;
            if order.is_open_for(names) {
                return Ok(Some(url));
            }
        }
        Ok(None)
    }

    /// Reads a resource of an account (RFC 8555 6.3).
    fn read_as<T: DeserializeOwned>(
        &self,
        client: &ApiClient,
        account: SigningAccount<'_>,
        url: &str,
    ) -> Result<T, AcmeError> {
        Ok(self.send_as(client, account, url)?.parse()?)
    }

    fn send_as(
        &self,
        client: &ApiClient,
        account: SigningAccount<'_>,
        url: &str,
    ) -> Result<ApiAnswer, AcmeError> {
        let url = ApiUrl::parse(url);
        let url = url.map_err(|error| AcmeError::Protocol(format!("a URL {error}")))?;
        let request = SignedRequest {
            signer: account.signer,
            sender: MessageSender::Account(account.url),
            url: &url,
            payload: None,
        };
        self.send_signed(client, &request)
    }

    /// Replaces the key of an account (RFC 8555 7.3.5).
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn change_key(
        &self,
        client: &ApiClient,
        account: SigningAccount<'_>,
        new: &MessageSigner<'_>,
    ) -> Result<(), AcmeError> {
        let url = self.change_key.as_ref();
        let url = url.ok_or(AcmeError::Unsupported("keyChange"))?;
        let payload = new.replace_key(account.signer, account.url, url.expose())?;
        let request = SignedRequest {
            signer: account.signer,
            sender: MessageSender::Account(account.url),
            url,
            payload: Some(&payload),
        };
        self.send_signed(client, &request).map(|_| ())
    }

    /// Revokes a certificate (RFC 8555 7.6).
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn revoke(
        &self,
        client: &ApiClient,
        signer: &MessageSigner<'_>,
        sender: MessageSender<'_>,
        revocation: RevocationRequest<'_>,
    ) -> Result<(), AcmeError> {
        let url = self.revoke_certificate.as_ref();
        let url = url.ok_or(AcmeError::Unsupported("revokeCert"))?;
        let certificate = BASE64_URL_SAFE_NO_PAD.encode(revocation.der);
        let mut payload = json!({"certificate": certificate});
        if let Some(reason) = revocation.reason.number() {
            payload["reason"] = json!(reason);
        }
        let request = SignedRequest {
            signer,
            sender,
            url,
            payload: Some(&payload),
        };
        self.send_signed(client, &request).map(|_| ())
    }

    /// Sends a request, again with a new nonce where the CA asks for that.
    fn send_signed(
        &self,
        client: &ApiClient,
        request: &SignedRequest<'_>,
    ) -> Result<ApiAnswer, AcmeError> {
        let mut nonce = self.new_nonce(client)?;
        let mut tries = 1;
        loop {
            let answer = client.send(&request.message(&nonce)?)?;
            if answer.is_success() {
                return Ok(answer);
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

impl SignedRequest<'_> {
    fn message(&self, nonce: &str) -> Result<ApiRequest, AcmeError> {
        let url = self.url.expose();
        let message = self.signer.sign(self.sender, self.payload, url, nonce)?;
        let mut request = ApiRequest::new(ApiMethod::Post, self.url.clone())
            .with_body(JOSE_TYPE, message.to_string().into_bytes());
        request.accepted_types = ACME_TYPES;
        Ok(request)
    }
}

/// The next page of a list (RFC 8288).
fn next_page(answer: &ApiAnswer) -> Option<String> {
    for link in answer.headers().get_all("link") {
        let Ok(link) = link.to_str() else {
            continue;
        };
        if link.contains("rel=\"next\"") {
            let (_, rest) = link.split_once('<')?;
            let (url, _) = rest.split_once('>')?;
            return Some(url.to_owned());
        }
    }
    None
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
