//! The calls of the API as values. All of them are sent by POST, with the parameters in the body: a URL
//! is written to logs.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::account::ApiAccount;
use crate::wording::percent_encode;

/// The number of certificates on one page of `ssl.getList`; the API allows no more.
const PAGE_SIZE: u32 = 100;
/// The format of the certificate: PEM files, and no PKCS#7.
const SERVER_TYPE: &str = "nginx";
/// The word for validation by a CNAME in `ssl.activate` and `ssl.reissue`.
const CNAME_OF_ACTIVATION: &str = "CNAMECSRHASH";
/// The same in `ssl.editDCVMethod`.
const CNAME_OF_EDIT: &str = "CNAME_CSR_HASH";

/// The number of a certificate in the account.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct CertificateId(u64);

/// The text is no number of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the number that the account lists for a certificate, such as 953413")]
pub(crate) struct CertificateIdError;

impl FromStr for CertificateId {
    type Err = CertificateIdError;

    fn from_str(text: &str) -> Result<Self, CertificateIdError> {
        let number: u64 = text.trim().parse().map_err(|_| CertificateIdError)?;
        if number == 0 || text.trim().starts_with('+') {
            return Err(CertificateIdError);
        }
        Ok(Self(number))
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// For how many years a certificate is bought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PurchaseTerm(u8);

impl PurchaseTerm {
    #[must_use]
    pub(crate) fn years(self) -> u8 {
        self.0
    }
}

impl FromStr for PurchaseTerm {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.parse() {
            Ok(years) if (1..=5).contains(&years) => Ok(Self(years)),
            _ => Err("a number of years from 1 to 5"),
        }
    }
}

/// One call without the values of the account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NamecheapCall {
    pub command: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl NamecheapCall {
    fn new(command: &'static str) -> Self {
        Self {
            command,
            parameters: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// Returns the body of the request (application/x-www-form-urlencoded). It contains the key.
    #[must_use]
    pub(crate) fn body(&self, account: &ApiAccount) -> Zeroizing<String> {
        let global = [
            ("ApiUser", account.api_user.as_str()),
            ("ApiKey", account.api_key.expose()),
            ("UserName", account.user_name.as_str()),
            ("ClientIp", account.client_ip.as_str()),
            ("Command", self.command),
        ];
        let own = self.parameters.iter();
        let own = own.map(|(name, value)| (*name, value.as_str()));
        let mut body = Zeroizing::new(String::new());
        for (name, value) in global.into_iter().chain(own) {
            if !body.is_empty() {
                body.push('&');
            }
            body.push_str(name);
            body.push('=');
            body.push_str(&Zeroizing::new(percent_encode(value)));
        }
        body
    }
}

/// What `ssl.activate` and `ssl.reissue` need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssueRequest<'a> {
    /// As PEM.
    pub request: &'a str,
    /// The mail address of the administrator, to which Namecheap writes.
    pub email: &'a str,
    /// The names besides the first one that are part of a certificate for several domains.
    pub further_names: &'a [String],
}

/// Buys a certificate. It costs money, so that it must never be sent again.
#[must_use]
pub(crate) fn create(product: &str, term: PurchaseTerm) -> NamecheapCall {
    NamecheapCall::new("namecheap.ssl.create")
        .with("Type", product)
        .with("Years", term.years())
}

/// Activates a certificate for the names of a request; the API accepts it once.
#[must_use]
pub(crate) fn activate(id: CertificateId, issue: IssueRequest<'_>) -> NamecheapCall {
    with_request("namecheap.ssl.activate", id, issue)
}

/// Reissues an active certificate; the new one has another id.
#[must_use]
pub(crate) fn reissue(id: CertificateId, issue: IssueRequest<'_>) -> NamecheapCall {
    with_request("namecheap.ssl.reissue", id, issue)
}

fn with_request(
    command: &'static str,
    id: CertificateId,
    issue: IssueRequest<'_>,
) -> NamecheapCall {
    let call = NamecheapCall::new(command)
        .with("CertificateID", id)
        .with("csr", issue.request)
        .with("AdminEmailAddress", issue.email)
        .with("WebServerType", SERVER_TYPE)
        .with("DNSDCValidation", "true");
    if issue.further_names.is_empty() {
        return call;
    }
    let methods = vec![CNAME_OF_ACTIVATION; issue.further_names.len()];
    call.with("DNSNames", issue.further_names.join(","))
        .with("DNSApproverEmails", methods.join(","))
}

/// Sets the method of validation again, which makes the CA look for the records, and returns them.
/// `names` are those of a certificate for several domains, the first one included.
#[must_use]
pub(crate) fn edit_dcv_method(id: CertificateId, names: &[String]) -> NamecheapCall {
    let call = NamecheapCall::new("namecheap.ssl.editDCVMethod").with("CertificateID", id);
    if names.len() < 2 {
        return call.with("DCVMethod", CNAME_OF_EDIT);
    }
    let methods = vec![CNAME_OF_EDIT; names.len()];
    call.with("DNSNames", names.join(","))
        .with("DCVMethods", methods.join(","))
}

/// Makes the CA look for the records.
#[must_use]
pub(crate) fn resend_approver_email(id: CertificateId) -> NamecheapCall {
    NamecheapCall::new("namecheap.ssl.resendApproverEmail").with("CertificateID", id)
}

/// Reads the state of a certificate, and the certificate itself once it is issued.
#[must_use]
pub(crate) fn get_info(id: CertificateId) -> NamecheapCall {
    NamecheapCall::new("namecheap.ssl.getInfo")
        .with("CertificateID", id)
        .with("Returncertificate", "true")
        .with("Returntype", "Individual")
}

/// Lists the certificates of the account; pages are counted from 1.
#[must_use]
pub(crate) fn get_list(page: u32) -> NamecheapCall {
    NamecheapCall::new("namecheap.ssl.getList")
        .with("ListType", "ALL")
        .with("Page", page)
        .with("PageSize", PAGE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::{
        ApiAccount, CertificateId, IssueRequest, PurchaseTerm, activate, create, edit_dcv_method,
        get_list,
    };
    use crate::secret::SecretText;

    fn account() -> ApiAccount {
        ApiAccount {
            api_user: "me & you".to_owned(),
            api_key: SecretText::new("k+/=".to_owned()),
            user_name: "me".to_owned(),
            client_ip: "203.0.113.7".to_owned(),
        }
    }

    #[test]
    fn parameters_are_encoded_in_the_body() {
        let id: CertificateId = "953413".parse().unwrap();
        let issue = IssueRequest {
            request: "-----BEGIN\nA+/=\n",
            email: "a@b.example",
            further_names: &[],
        };
        let body = activate(id, issue).body(&account());
        assert_eq!(
            *body,
            "ApiUser=me%20%26%20you&ApiKey=k%2B%2F%3D&UserName=me&ClientIp=203.0.113.7&\
             Command=namecheap.ssl.activate&CertificateID=953413&csr=-----BEGIN%0AA%2B%2F%3D%0A&\
             AdminEmailAddress=a%40b.example&WebServerType=nginx&DNSDCValidation=true"
        );
    }

    #[test]
    fn each_further_name_has_its_method() {
        let id: CertificateId = "1".parse().unwrap();
        let names = ["a.example".to_owned(), "b.example".to_owned()];
        let issue = IssueRequest {
            request: "x",
            email: "y",
            further_names: &names[1..],
        };
        let body = activate(id, issue).body(&account());
        assert!(
            body.ends_with("&DNSNames=b.example&DNSApproverEmails=CNAMECSRHASH"),
            "{body:?}"
        );
        let body = edit_dcv_method(id, &names).body(&account());
        assert!(
            body.ends_with(
                "DNSNames=a.example%2Cb.example&DCVMethods=CNAME_CSR_HASH%2CCNAME_CSR_HASH"
            ),
            "{body:?}"
        );
        let body = edit_dcv_method(id, &names[..1]).body(&account());
        assert!(body.ends_with("&DCVMethod=CNAME_CSR_HASH"), "{body:?}");
        let term: PurchaseTerm = "2".parse().unwrap();
        let body = create("EV SSL", term).body(&account());
        assert!(body.ends_with("Type=EV%20SSL&Years=2"), "{body:?}");
        let body = get_list(2).body(&account());
        assert!(
            body.ends_with("&ListType=ALL&Page=2&PageSize=100"),
            "{body:?}"
        );
    }

    #[test]
    fn only_numbers_are_ids_and_only_offered_terms_are_terms() {
        for (text, is_id) in [
            ("953413", true),
            (" 1 ", true),
            ("0", false),
            ("-1", false),
            ("+1", false),
            ("1a", false),
            ("", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(text.parse::<CertificateId>().is_ok(), is_id, "{text}");
        }
        for (text, is_term) in [
            ("0", false),
            ("1", true),
            ("5", true),
            ("6", false),
            ("x", false),
        ] {
            assert_eq!(text.parse::<PurchaseTerm>().is_ok(), is_term, "{text}");
        }
    }
}
