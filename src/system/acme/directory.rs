//! The directory of a CA (RFC 8555 7.1.1). It is read here and not by the crate, which drops the terms of
//! service, the need for an external account and the CAA identities.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::AcmeError;
use crate::acme::renewal_info::RenewalInfo;
use crate::system::http::api::{ApiClient, ApiMethod, ApiRequest, ApiUrl};

/// The directory of a CA.
#[derive(Clone, Debug)]
pub(crate) struct AcmeDirectory {
    pub url: ApiUrl,
    pub(super) new_nonce: ApiUrl,
    pub(super) new_account: ApiUrl,
    pub(super) revoke_certificate: Option<ApiUrl>,
    pub(super) change_key: Option<ApiUrl>,
    /// Where the CA says when to renew (RFC 9773); `None` if it does not.
    renewal_info: Option<ApiUrl>,
    pub terms_of_service: Option<String>,
    pub requires_external_account: bool,
    /// The profiles that the CA offers.
    pub profiles: Vec<String>,
    /// The CA in CAA records. Untrusted text.
    pub caa_identities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryDocument {
    new_nonce: String,
    new_account: String,
    #[serde(rename = "revokeCert")]
    revoke_certificate: Option<String>,
    #[serde(rename = "keyChange")]
    change_key: Option<String>,
    renewal_info: Option<String>,
    #[serde(default)]
    meta: DirectoryMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DirectoryMeta {
    terms_of_service: Option<String>,
    external_account_required: bool,
    profiles: Map<String, Value>,
    caa_identities: Vec<String>,
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
            revoke_certificate: optional_url(document.revoke_certificate.as_deref())?,
            change_key: optional_url(document.change_key.as_deref())?,
            renewal_info: optional_url(document.renewal_info.as_deref())?,
            terms_of_service: meta.terms_of_service,
            requires_external_account: meta.external_account_required,
            profiles: meta.profiles.into_iter().map(|(name, _)| name).collect(),
            caa_identities: meta.caa_identities,
        })
    }

    /// Asks when to renew a certificate; `None` if the CA does not say.
    ///
    /// # Errors
    /// See [`AcmeError`].
    pub(crate) fn renewal_info(
        &self,
        client: &ApiClient,
        certificate_id: &str,
    ) -> Result<Option<RenewalInfo>, AcmeError> {
        let Some(url) = &self.renewal_info else {
            return Ok(None);
        };
        let base = url.expose().trim_end_matches('/');
        let url = url_in_directory(&format!("{base}/{certificate_id}"))?;
        let answer = client.send(&ApiRequest::new(ApiMethod::Get, url))?;
        if !answer.is_success() {
            return Err(answer.status_error(None).into());
        }
        Ok(Some(answer.parse()?))
    }
}

fn url_in_directory(text: &str) -> Result<ApiUrl, AcmeError> {
    ApiUrl::parse(text)
        .map_err(|error| AcmeError::Protocol(format!("a URL in the directory {error}")))
}

fn optional_url(text: Option<&str>) -> Result<Option<ApiUrl>, AcmeError> {
    text.map(url_in_directory).transpose()
}
