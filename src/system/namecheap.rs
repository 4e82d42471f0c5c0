//! Sends the calls of Namecheap's API. Nothing is ever sent twice: whether a call that got no answer
//! has arrived is for the caller to find out.

use crate::namecheap::{
    ApiAccount, CertificateId, CertificateInfo, IssueRequest, ListedCertificate, NamecheapCall,
    NamecheapFault, PurchaseTerm, PurchasedCertificate, ReplyError, ResellerRecord,
    StartedCertificate, XmlElement, activate, create, edit_dcv_method, get_info, get_list,
    parse_certificate_info, parse_list, parse_purchase, parse_records, parse_started, read_reply,
    reissue, resend_approver_email,
};
use crate::secret::{SecretText, redact};
use crate::system::http::api::{ApiClient, ApiError, ApiMethod, ApiRequest, ApiUrl};

/// The media types of the answers.
const XML_TYPES: &[&str] = &["text/xml", "application/xml"];
const FORM_TYPE: &str = "application/x-www-form-urlencoded";
/// How many pages of the account's certificates are read, each with 100 of them.
const PAGE_LIMIT: u32 = 50;
/// The number of certificates on a page that is not the last one.
const FULL_PAGE: usize = 100;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamecheapError {
    /// There is no answer that can be used.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The API refuses the call.
    #[error("Namecheap refused {command}")]
    Refused {
        command: &'static str,
        faults: Vec<NamecheapFault>,
    },
}

impl From<ApiError> for NamecheapError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

/// An account, and the way to the API.
pub(crate) struct NamecheapClient {
    client: ApiClient,
    url: ApiUrl,
    account: ApiAccount,
}

impl NamecheapClient {
    #[must_use]
    pub(crate) fn new(client: ApiClient, url: ApiUrl, account: ApiAccount) -> Self {
        Self {
            client,
            url,
            account,
        }
    }

    /// Reads the state of a certificate.
    ///
    /// # Errors
    /// See [`NamecheapError`]; the same for all calls.
    pub(crate) fn info(&self, id: CertificateId) -> Result<CertificateInfo, NamecheapError> {
        self.call(&get_info(id), parse_certificate_info)
    }

    /// Lists all certificates of the account.
    pub(crate) fn list(&self) -> Result<Vec<ListedCertificate>, NamecheapError> {
        let mut listed: Vec<ListedCertificate> = Vec::new();
        for page in 1..=PAGE_LIMIT {
            let found = self.call(&get_list(page), parse_list)?;
            let is_last = found.len() < FULL_PAGE;
            let known = listed.len();
            for one in found {
                if listed.iter().all(|other| other.id != one.id) {
                    listed.push(one);
                }
            }
            // A server that repeats a page is not asked for ever.
            if is_last || listed.len() == known {
                break;
            }
        }
        Ok(listed)
    }

    /// Buys a certificate.
    pub(crate) fn create(
        &self,
        product: &str,
        term: PurchaseTerm,
    ) -> Result<PurchasedCertificate, NamecheapError> {
        self.call(&create(product, term), parse_purchase)
    }

    /// Activates a certificate that was bought.
    pub(crate) fn activate(
        &self,
        id: CertificateId,
        issue: IssueRequest<'_>,
    ) -> Result<StartedCertificate, NamecheapError> {
        self.call(&activate(id, issue), parse_started)
    }

    /// Reissues an active certificate.
    pub(crate) fn reissue(
        &self,
        id: CertificateId,
        issue: IssueRequest<'_>,
    ) -> Result<StartedCertificate, NamecheapError> {
        self.call(&reissue(id, issue), parse_started)
    }

    /// Sets the method of validation again; returns the records.
    pub(crate) fn edit_dcv_method(
        &self,
        id: CertificateId,
        names: &[String],
    ) -> Result<Vec<ResellerRecord>, NamecheapError> {
        self.call(&edit_dcv_method(id, names), parse_records)
    }

    /// Makes the CA look for the records.
    pub(crate) fn resend_approver_email(&self, id: CertificateId) -> Result<(), NamecheapError> {
        self.call(&resend_approver_email(id), |_| Ok(()))
    }

    /// Sends one call, and reads its answer.
    fn call<T>(
        &self,
        call: &NamecheapCall,
        parse: impl Fn(&XmlElement) -> Result<T, ReplyError>,
    ) -> Result<T, NamecheapError> {
        let body = call.body(&self.account);
        let mut request = ApiRequest::new(ApiMethod::Post, self.url.clone())
            .with_body(FORM_TYPE, body.as_bytes().to_vec());
        request.accepted_types = XML_TYPES;
        let answer = self.client.send(&request)?;
        if !answer.is_success() {
            return Err(answer.status_error(None).into());
        }
        let parsed = read_reply(&answer.body).and_then(|response| parse(&response));
        parsed.map_err(|error| match error {
            ReplyError::Refused(faults) => NamecheapError::Refused {
                command: call.command,
                faults: self.redacted(faults),
            },
            ReplyError::Unreadable(reason) => ApiError::Malformed {
                url: self.url.clone(),
                status: answer.status,
                reason,
            }
            .into(),
        })
    }

    /// The API may repeat a value of the call in its message.
    fn redacted(&self, faults: Vec<NamecheapFault>) -> Vec<NamecheapFault> {
        let secrets: [SecretText; 1] = [self.account.api_key.clone()];
        let faults = faults.into_iter().map(|fault| NamecheapFault {
            message: redact(&fault.message, &secrets),
            ..fault
        });
        faults.collect()
    }
}
