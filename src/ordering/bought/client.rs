//! The account at the reseller, from the credentials.

use crate::configuration::{
    ConfigurationError, ConfigurationFolders, Credentials, find_credentials,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::namecheap::{API_URL, ApiAccount, credentials_table};
use crate::ordering::spec::OrderSpec;
use crate::secret::SecretText;
use crate::system::http::api::{ApiClient, ApiUrl};
use crate::system::namecheap::NamecheapClient;

/// Returns the client; nothing is contacted. The URL of the sandbox is `api_url` in the credentials.
///
/// # Errors
/// When a value is missing or malformed.
pub(super) fn open_client(context: &Context, spec: &OrderSpec) -> Result<NamecheapClient, Failure> {
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let credentials = find_credentials(&folders, &credentials_table())?;
    credentials.require_all()?;
    let url = api_url(&credentials)?;
    let value = |key: &str| credentials.require(key).map(|found| found.value.trimmed());
    let api_user = value("api_user")?.expose().to_owned();
    let user_name = credentials.get("username");
    let account = ApiAccount {
        user_name: match user_name {
            Some(found) => found.value.trimmed().expose().to_owned(),
            None => api_user.clone(),
        },
        api_user,
        api_key: checked_key(&credentials)?,
        client_ip: value("client_ip")?.expose().to_owned(),
    };
    let anchors = spec.trust.as_deref();
    let anchors = anchors.map(|trust| crate::inputs::trust_anchors(Some(trust)));
    let client = ApiClient::new(anchors.transpose()?.as_ref(), &context.interrupt)?;
    Ok(NamecheapClient::new(client, url, account))
}

fn checked_key(credentials: &Credentials) -> Result<SecretText, ConfigurationError> {
    Ok(credentials.require("api_key")?.value.trimmed())
}

fn api_url(credentials: &Credentials) -> Result<ApiUrl, ConfigurationError> {
    let Some(found) = credentials.get("api_url") else {
        return parse_url(API_URL, String::new());
    };
    parse_url(found.value.expose(), found.source.to_string())
}

fn parse_url(text: &str, origin: String) -> Result<ApiUrl, ConfigurationError> {
    ApiUrl::parse(text).map_err(|reason| ConfigurationError::WrongValue {
        origin,
        key: "api_url".to_owned(),
        reason: reason.to_string(),
    })
}
