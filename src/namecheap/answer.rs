//! The answers of the API as types. All texts are untrusted.

use super::call::CertificateId;
use super::status::CertificateStatus;
use super::xml::{self, XmlElement, XmlError};

/// The longest text of the API that is kept for people, in characters.
const MESSAGE_LIMIT: usize = 300;
/// The most records in one answer.
const RECORD_LIMIT: usize = 250;

/// An error that the API reports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NamecheapFault {
    /// The attribute `Number`: digits.
    pub number: String,
    pub message: String,
}

/// Why an answer cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ReplyError {
    /// It is none of this API.
    #[error("{0}")]
    Unreadable(String),
    /// The API refuses the call.
    #[error("{}", in_words(.0))]
    Refused(Vec<NamecheapFault>),
}

fn in_words(faults: &[NamecheapFault]) -> String {
    let texts = faults.iter();
    let texts = texts.map(|fault| format!("{} (error {})", fault.message, fault.number));
    Vec::from_iter(texts).join("; ")
}

impl From<XmlError> for ReplyError {
    fn from(error: XmlError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What is known about a certificate (`ssl.getInfo`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CertificateInfo {
    pub status: CertificateStatus,
    /// The API's own words about the state.
    pub description: String,
    pub product: String,
    /// The certificate that a reissue has created.
    pub replaced_by: Option<CertificateId>,
    /// The request as PEM, once it is activated.
    pub request: Option<String>,
    /// The certificate and its intermediates as PEM, the leaf first; empty until it is issued.
    pub chain: Vec<String>,
}

/// A certificate in the list of the account (`ssl.getList`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListedCertificate {
    pub id: CertificateId,
    pub host_name: String,
    pub product: String,
    pub status: CertificateStatus,
}

/// What a purchase has created (`ssl.create`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PurchasedCertificate {
    pub id: CertificateId,
    /// As the API writes it, without a currency.
    pub charged: String,
    /// The name of the product, which the API may have replaced.
    pub product: String,
}

/// A record that validates a domain, as the API returns it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ResellerRecord {
    /// The domain as the API names it; empty if it does not.
    pub domain: String,
    pub host: String,
    pub target: String,
}

/// What `ssl.activate` and `ssl.reissue` return.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StartedCertificate {
    /// The id from now on: a new one after a reissue.
    pub id: CertificateId,
    pub records: Vec<ResellerRecord>,
}

/// Reads an answer, and returns its `CommandResponse`.
///
/// # Errors
/// See [`ReplyError`].
pub(crate) fn read_reply(body: &[u8]) -> Result<XmlElement, ReplyError> {
    let root = xml::parse(&String::from_utf8_lossy(body))?;
    if !root.is_named("ApiResponse") {
        return Err(unreadable("it is not an answer of the API"));
    }
    let mut faults = Vec::new();
    for error in root
        .find("Errors")
        .map(|all| all.find_all("Error"))
        .unwrap_or_default()
    {
        let number = error.attribute("Number").unwrap_or_default();
        faults.push(NamecheapFault {
            number: number
                .chars()
                .filter(char::is_ascii_digit)
                .take(10)
                .collect(),
            message: shortened(&error.text),
        });
    }
    let status = root.attribute("Status").unwrap_or_default();
    if !status.eq_ignore_ascii_case("OK") && faults.is_empty() {
        faults.push(NamecheapFault {
            number: String::new(),
            message: format!("the API answered with the status {}", shortened(status)),
        });
    }
    if !faults.is_empty() {
        return Err(ReplyError::Refused(faults));
    }
    let response = root.find("CommandResponse").cloned();
    response.ok_or_else(|| unreadable("it has no CommandResponse"))
}

/// Reads the answer of `ssl.getInfo`.
///
/// # Errors
/// When a part is missing.
pub(crate) fn parse_certificate_info(response: &XmlElement) -> Result<CertificateInfo, ReplyError> {
    let info = find_result(response, "SSLGetInfoResult")?;
    let text = |name: &str| shortened(info.attribute(name).unwrap_or_default());
    let status = info.attribute("Status");
    let status = status.ok_or_else(|| unreadable("it has no status of the certificate"))?;
    let mut chain = Vec::new();
    if let Some(certificates) = info.find("Certificates") {
        // The leaf is directly in it; each intermediate is a `Certificate` inside of another one.
        for certificate in certificates.find_all("Certificate") {
            if !certificate.text.is_empty() {
                chain.push(certificate.text.clone());
            }
        }
    }
    Ok(CertificateInfo {
        status: CertificateStatus::parse(status),
        description: text("StatusDescription"),
        product: text("Type"),
        replaced_by: info.attribute("ReplacedBy").and_then(|id| id.parse().ok()),
        request: info
            .find("CSR")
            .map(|csr| csr.text.clone())
            .filter(|text| !text.is_empty()),
        chain,
    })
}

/// Reads the answer of `ssl.getList`.
///
/// # Errors
/// When it is none.
pub(crate) fn parse_list(response: &XmlElement) -> Result<Vec<ListedCertificate>, ReplyError> {
    let list = find_result(response, "SSLListResult")?;
    let mut listed = Vec::new();
    for one in list.find_all("SSL") {
        let text = |name: &str| shortened(one.attribute(name).unwrap_or_default());
        listed.push(ListedCertificate {
            id: id_of(one, "CertificateID")?,
            host_name: text("HostName"),
            product: text("SSLType"),
            status: CertificateStatus::parse(one.attribute("Status").unwrap_or_default()),
        });
    }
    Ok(listed)
}

/// Reads the answer of `ssl.create`.
///
/// # Errors
/// When a part is missing, or the purchase failed.
pub(crate) fn parse_purchase(response: &XmlElement) -> Result<PurchasedCertificate, ReplyError> {
    let result = find_result(response, "SSLCreateResult")?;
    check_success(result)?;
    let certificate = find_result(result, "SSLCertificate")?;
    Ok(PurchasedCertificate {
        id: id_of(certificate, "CertificateID")?,
        charged: shortened(result.attribute("ChargedAmount").unwrap_or_default()),
        product: shortened(certificate.attribute("SSLType").unwrap_or_default()),
    })
}

/// Reads the answer of `ssl.activate` or `ssl.reissue`. The documentation of the latter shows the
/// element of the former.
///
/// # Errors
/// When a part is missing, or the call failed.
pub(crate) fn parse_started(response: &XmlElement) -> Result<StartedCertificate, ReplyError> {
    let result = find_result(response, "SSLReissueResult");
    let result = result.or_else(|_| find_result(response, "SSLActivateResult"))?;
    check_success(result)?;
    Ok(StartedCertificate {
        id: id_of(result, "ID")?,
        records: records_in(result),
    })
}

/// Reads the records in the answer of `ssl.editDCVMethod`.
///
/// # Errors
/// When it is none, or the call failed.
pub(crate) fn parse_records(response: &XmlElement) -> Result<Vec<ResellerRecord>, ReplyError> {
    let result = find_result(response, "SSLEditDCVMethodResult")?;
    check_success(result)?;
    Ok(records_in(result))
}

/// The records are in one `DNS` element for each domain, or directly in `DNSDCValidation`.
fn records_in(result: &XmlElement) -> Vec<ResellerRecord> {
    let mut records = Vec::new();
    for validation in result.find_all("DNSDCValidation") {
        let mut elements = validation.find_all("DNS");
        if elements.is_empty() {
            elements.push(validation);
        }
        for element in elements.into_iter().take(RECORD_LIMIT) {
            let text = |name: &str| element.find(name).map(|found| found.text.clone());
            if let (Some(host), Some(target)) = (text("HostName"), text("Target")) {
                records.push(ResellerRecord {
                    domain: element.attribute("domain").unwrap_or_default().to_owned(),
                    host,
                    target,
                });
            }
        }
    }
    records
}

fn find_result<'a>(parent: &'a XmlElement, name: &str) -> Result<&'a XmlElement, ReplyError> {
    let found = parent.find(name);
    found.ok_or_else(|| unreadable(&format!("it has no {name}")))
}

/// Status `OK` alone says that the call was understood.
fn check_success(result: &XmlElement) -> Result<(), ReplyError> {
    match result.attribute("IsSuccess") {
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(()),
        _ => Err(ReplyError::Refused(vec![NamecheapFault {
            number: String::new(),
            message: "the API did not report success".to_owned(),
        }])),
    }
}

fn id_of(element: &XmlElement, name: &str) -> Result<CertificateId, ReplyError> {
    let id = element.attribute(name).and_then(|text| text.parse().ok());
    id.ok_or_else(|| unreadable("it has no id of a certificate"))
}

fn unreadable(reason: &str) -> ReplyError {
    ReplyError::Unreadable(reason.to_owned())
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(MESSAGE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        CertificateStatus, ReplyError, ResellerRecord, parse_certificate_info, parse_list,
        parse_purchase, parse_records, parse_started, read_reply,
    };

    fn reply(response: &str) -> super::XmlElement {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><ApiResponse Status=\"OK\" \
             xmlns=\"http://api.namecheap.com/xml.response\"><Errors /><Warnings />\
             <CommandResponse>{response}</CommandResponse><GMTTimeDifference>--5:00\
             </GMTTimeDifference></ApiResponse>"
        );
        read_reply(body.as_bytes()).unwrap()
    }

    #[test]
    fn the_documented_sample_of_get_info_is_read() {
        // Two attributes without a space between them.
        let sample = "<SSLGetInfoResult Status=\"active\" StatusDescription=\"Certificate is \
            Active.\" Type=\"positivessl\" IssuedOn=\"1/20/2014\" Expires=\"1/20/2015\" \
            ActivationExpireDate=\"\" OrderId=\"10439081\"ReplacedBy=\"747253\" SANSCount=\"0\">\
            <CertificateDetails><CSR>\n<![CDATA[\nREQUEST\n]]>\n</CSR><Certificates \
            CertificateReturned=\"true\" ReturnType=\"Individual\"><Certificate>\n<![CDATA[\nLEAF\n\
            ]]></Certificate><CaCertificates><Certificate Type=\"INTERMEDIATE\"><Certificate>\
            <![CDATA[ONE]]></Certificate></Certificate><Certificate Type=\"INTERMEDIATE\">\n\
            <Certificate>\n<![CDATA[TWO]]></Certificate></Certificate></CaCertificates>\
            </Certificates></CertificateDetails></SSLGetInfoResult>";
        let info = parse_certificate_info(&reply(sample)).unwrap();
        assert_eq!(info.status, CertificateStatus::Active);
        assert_eq!(info.description, "Certificate is Active.");
        assert_eq!(info.product, "positivessl");
        assert_eq!(info.replaced_by, "747253".parse().ok());
        assert_eq!(info.request.as_deref(), Some("REQUEST"));
        assert_eq!(info.chain, ["LEAF", "ONE", "TWO"]);
    }

    #[test]
    fn a_certificate_that_is_not_activated_has_neither_request_nor_chain() {
        let text =
            "<sslgetinforesult status=\"NEWPURCHASE\" Type=\"PositiveSSL\" ReplacedBy=\"\"/>";
        let info = parse_certificate_info(&reply(text)).unwrap();
        assert_eq!(info.status, CertificateStatus::NewPurchase);
        assert_eq!((info.replaced_by, info.request), (None, None));
        assert!(info.chain.is_empty());
    }

    #[test]
    fn records_are_read_in_both_forms() {
        let expected = |domain: &str| ResellerRecord {
            domain: domain.to_owned(),
            host: "_A.d.example".to_owned(),
            target: "b.c.u.comodoca.com".to_owned(),
        };
        let started = "<SSLActivateResult ID=\"953413\" IsSuccess=\"true\"><HttpDCValidation \
            ValueAvailable=\"true\"><DNS domain=\"d.example\"><FileName><![CDATA[A.txt]]>\
            </FileName></DNS></HttpDCValidation><DNSDCValidation ValueAvailable=\"true\"><DNS \
            domain=\"d.example\"><HostName><![CDATA[_A.d.example]]></HostName><Target>\
            <![CDATA[b.c.u.comodoca.com]]></Target></DNS></DNSDCValidation></SSLActivateResult>";
        let started = parse_started(&reply(started)).unwrap();
        assert_eq!(started.id.to_string(), "953413");
        assert_eq!(started.records, [expected("d.example")]);
        let edited = "<SSLEditDCVMethodResult ID=\"953413\" IsSuccess=\"True\"><DNSDCValidation \
            ValueAvailable=\"true\"><hostname>_A.d.example</hostname><target>b.c.u.comodoca.com\
            </target></DNSDCValidation></SSLEditDCVMethodResult>";
        assert_eq!(parse_records(&reply(edited)).unwrap(), [expected("")]);
    }

    #[test]
    fn purchases_and_lists_are_read() {
        let text = "<SSLCreateResult IsSuccess=\"true\" OrderId=\"1\" TransactionId=\"2\" \
            ChargedAmount=\"9.0000\"><SSLCertificate CertificateID=\"12\" SSLType=\"Standard SSL\" \
            Years=\"1\" Status=\"NewPurchase\"/></SSLCreateResult>";
        let bought = parse_purchase(&reply(text)).unwrap();
        assert_eq!(bought.id.to_string(), "12");
        assert_eq!(
            (bought.charged.as_str(), bought.product.as_str()),
            ("9.0000", "Standard SSL")
        );
        let text = "<SSLListResult><SSL CertificateID=\"12\" HostName=\"d.example\" \
            SSLType=\"PositiveSSL\" Status=\"active\"/><SSL CertificateID=\"13\" HostName=\"\" \
            Status=\"NewPurchase\"/></SSLListResult>";
        let listed = parse_list(&reply(text)).unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].host_name, "d.example");
        assert!(listed[1].status.is_unused());
    }

    #[test]
    fn errors_are_found_whatever_the_status_of_the_call() {
        for text in [
            "<ApiResponse Status=\"ERROR\"><Errors><Error Number=\"1011150\">Invalid request IP\
             </Error></Errors></ApiResponse>",
            "<ApiResponse Status=\"OK\"><Errors><Error Number=\"1011150\">Invalid request IP\
             </Error></Errors><CommandResponse/></ApiResponse>",
        ] {
            let Err(ReplyError::Refused(faults)) = read_reply(text.as_bytes()) else {
                panic!("{text}");
            };
            assert_eq!(faults[0].number, "1011150");
            assert_eq!(faults[0].message, "Invalid request IP");
        }
        let silent = read_reply(b"<ApiResponse Status=\"ERROR\"/>");
        assert!(matches!(silent, Err(ReplyError::Refused(_))), "{silent:?}");
        for text in [
            "<html>busy</html>",
            "",
            "<ApiResponse Status=\"OK\"/>",
            "<ApiResponse",
        ] {
            let answer = read_reply(text.as_bytes());
            assert!(matches!(answer, Err(ReplyError::Unreadable(_))), "{text}");
        }
        for text in [
            "<SSLActivateResult ID=\"1\" IsSuccess=\"false\"/>",
            "<SSLActivateResult ID=\"1\"/>",
            "<SSLActivateResult IsSuccess=\"true\"/>",
            "<Other/>",
        ] {
            assert!(parse_started(&reply(text)).is_err(), "{text}");
            assert!(parse_purchase(&reply(text)).is_err(), "{text}");
            assert!(parse_records(&reply(text)).is_err(), "{text}");
        }
    }
}
