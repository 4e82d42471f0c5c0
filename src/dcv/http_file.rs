//! HTTP validation: the file that each name has to serve, and whether the served file would satisfy
//! the CA. A file validates exactly one name: neither the names below it nor wildcards (BR
//! 3.2.2.4.18 since 2021-12-01).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::answer::{DnsAnswer, RecordKind};
use super::ca::{Ca, HttpValidation, RedirectPolicy, UniqueValue};
use super::judge::DcvVerdict;
use super::record::{self, DcvRecord};
use crate::dcv::reseller_record::GivenRecord;
use crate::pki::request::SigningRequest;

/// The file for one name, as reports describe it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FileRecord {
    /// The name that serves it.
    pub name: String,
    /// Always `HTTP`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The URL that the CA fetches.
    pub url: String,
    /// The content, if it is known.
    pub body: Option<String>,
    /// The form of the content, if only the reseller knows a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Whether `body` is the whole content.
    pub complete: bool,
}

impl FileRecord {
    /// Treats the body as the beginning only: a unique value follows, which the reseller knows.
    pub fn require_unique_value(&mut self) {
        if let Some(body) = self.body.take() {
            self.shape = Some(format!("{body}\n<unique value>"));
            self.complete = false;
        }
    }
}

/// The file for one name, and what may be in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidationFile {
    /// The description of the file.
    pub record: FileRecord,
    /// Whether the CA follows redirects.
    pub redirects: RedirectPolicy,
    content: Content,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    /// SHA-256, one of these zones, and the unique value.
    Hash {
        sha256: String,
        zones: Vec<String>,
        unique: ExpectedUnique,
    },
    /// A random value, if it is known.
    Token(Option<String>),
}

/// The unique value that the file should have.
#[derive(Clone, Debug, Eq, PartialEq)]
enum ExpectedUnique {
    /// Only the reseller knows it.
    Unknown,
    /// The file has none.
    Absent,
    Known(String),
}

/// The result of a request to one address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HttpResponse {
    /// A response: status, redirect target, and the beginning of its body.
    Answered {
        status: u16,
        /// The `Location` of a redirect.
        location: Option<String>,
        /// At most `MOST_BODY` bytes.
        body: Vec<u8>,
    },
    /// No response within the time limit; holds the reason.
    NoResponse(String),
    /// This machine has no route to the address (often IPv6).
    NoRoute,
}

/// The maximum number of bytes read from a file, which has three lines.
pub(crate) const MOST_BODY: usize = 16 * 1024;

/// What is wrong with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileFlaw {
    /// It is derived from another request.
    AnotherRequest,
    /// It has other content; holds the beginning.
    Content(String),
    /// It is a web page, not plain lines.
    Page,
    /// The server redirects to another URL.
    Redirected(String),
    /// The status is not 200.
    Status(u16),
    /// It is derived from this request, but there is no reseller's record to compare its end with.
    Unchecked,
    /// It is derived from this request, but has another zone or unique value than expected.
    Unique(String),
}

/// Returns the files for `request`, one for each name that is not a wildcard; none for a CA that
/// does not offer HTTP validation. `given` are the reseller's records that belong to this request.
#[must_use]
pub(crate) fn validation_files(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<ValidationFile> {
    let names = request
        .dns_names
        .iter()
        .filter(|name| !name.starts_with("*."));
    names
        .filter_map(|name| validation_file(request, &name.to_ascii_lowercase(), ca, given))
        .collect()
}

/// Returns the files for a known CA, which are reported beside its records: either method suffices.
#[must_use]
pub(crate) fn files_of_known_ca(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<FileRecord> {
    let files = if ca.is_some() {
        validation_files(request, ca, given)
    } else {
        Vec::new()
    };
    files.into_iter().map(|file| file.record).collect()
}

/// Returns records and files in one list, as in JSON documents.
#[must_use]
pub(crate) fn list_records_and_files(
    records: &[DcvRecord],
    files: &[FileRecord],
) -> serde_json::Value {
    let all = records.iter().map(|one| serde_json::json!(one));
    all.chain(files.iter().map(|one| serde_json::json!(one)))
        .collect()
}

/// Returns the file for one name; `None` if the CA does not offer HTTP validation.
#[must_use]
pub(crate) fn validation_file(
    request: &SigningRequest,
    name: &str,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Option<ValidationFile> {
    let (file, redirects, content) = match ca.map(|ca| &ca.profile().http) {
        None => (
            hash_file_name(request),
            RedirectPolicy::Refused,
            hash_content(request, ca, given),
        ),
        Some(HttpValidation::CsrHash(redirects)) => (
            hash_file_name(request),
            *redirects,
            hash_content(request, ca, given),
        ),
        Some(HttpValidation::Named(file, redirects)) => {
            ((*file).to_owned(), *redirects, token_content(given))
        }
        Some(HttpValidation::None | HttpValidation::Unknown) => return None,
    };
    let body = content.body();
    let record = FileRecord {
        name: name.to_owned(),
        kind: "HTTP",
        url: format!("http://{name}/.well-known/pki-validation/{file}"),
        complete: body.is_some(),
        shape: body.is_none().then(|| content.shape()),
        body,
    };
    Some(ValidationFile {
        record,
        redirects,
        content,
    })
}

/// Returns the file name in upper case: a path, unlike a DNS name, is case-sensitive.
fn hash_file_name(request: &SigningRequest) -> String {
    format!("{}.txt", request.md5().to_ascii_uppercase())
}

fn token_content(given: &[GivenRecord]) -> Content {
    let text = given.iter().find(|one| one.kind == RecordKind::Txt);
    Content::Token(text.map(|one| one.value.clone()))
}

fn hash_content(request: &SigningRequest, ca: Option<Ca>, given: &[GivenRecord]) -> Content {
    let sha256 = request.sha256();
    let target = record::target_labels(request);
    let after_target = given
        .iter()
        .find_map(|one| one.value.strip_prefix(&target)?.strip_prefix('.'));
    if let Some(rest) = after_target {
        return content_by_target(sha256, rest);
    }
    let form = ca.and_then(Ca::csr_hash);
    let zones = match form {
        Some(form) => form.zones,
        None => &["sectigo.com", "comodoca.com", "ssl.com"],
    };
    let unique = match form {
        Some(form) if form.unique == UniqueValue::WhenKeyIsReused => ExpectedUnique::Absent,
        _ => ExpectedUnique::Unknown,
    };
    Content::Hash {
        sha256,
        zones: zones.iter().map(|&zone| zone.to_owned()).collect(),
        unique,
    }
}

/// The content that matches a reseller's CNAME; `rest` follows the hashes in its target.
fn content_by_target(sha256: String, rest: &str) -> Content {
    let (unique, zone) = match rest.split_once('.') {
        Some((unique, zone)) if zone.contains('.') => {
            (ExpectedUnique::Known(unique.to_owned()), zone)
        }
        _ => (ExpectedUnique::Absent, rest),
    };
    Content::Hash {
        sha256,
        zones: vec![zone.to_owned()],
        unique,
    }
}

impl Content {
    /// Returns the whole content, if it is known.
    fn body(&self) -> Option<String> {
        match self {
            Self::Token(token) => token.clone(),
            Self::Hash {
                sha256,
                zones,
                unique,
            } => {
                let zone = first_zone(zones);
                match unique {
                    ExpectedUnique::Known(unique) => Some(format!("{sha256}\n{zone}\n{unique}")),
                    ExpectedUnique::Absent => Some(format!("{sha256}\n{zone}")),
                    ExpectedUnique::Unknown => None,
                }
            }
        }
    }

    /// Returns the form of content that is not known.
    fn shape(&self) -> String {
        match self {
            Self::Token(_) => "<token>".to_owned(),
            Self::Hash { sha256, zones, .. } if zones.len() == 1 => {
                format!("{sha256}\n{}\n<unique value>", first_zone(zones))
            }
            Self::Hash { sha256, .. } => format!("{sha256}\n<zone>\n<unique value>"),
        }
    }
}

fn first_zone(zones: &[String]) -> &str {
    zones.first().map_or("<zone>", String::as_str)
}

impl ValidationFile {
    /// Treats the unique value as unknown: the file for a reused key has one, which only the CA
    /// knows.
    pub fn require_unique_value(&mut self) {
        if let Content::Hash { unique, .. } = &mut self.content
            && *unique == ExpectedUnique::Absent
        {
            *unique = ExpectedUnique::Unknown;
            self.record.require_unique_value();
        }
    }

    /// Returns whether the response would satisfy the CA; if not, why.
    #[must_use]
    pub fn judge(&self, got: &HttpResponse) -> (DcvVerdict, Option<FileFlaw>) {
        let HttpResponse::Answered {
            status,
            location,
            body,
        } = got
        else {
            return (DcvVerdict::Unreachable, None);
        };
        match (status, location) {
            (200, _) => self.judge_body(body),
            (300..=399, Some(to)) => (
                DcvVerdict::WrongPlace,
                Some(FileFlaw::Redirected(to.clone())),
            ),
            _ => (DcvVerdict::Absent, Some(FileFlaw::Status(*status))),
        }
    }

    fn judge_body(&self, body: &[u8]) -> (DcvVerdict, Option<FileFlaw>) {
        match self.body_flaw(body) {
            None => (DcvVerdict::Visible, None),
            Some(FileFlaw::Unchecked) => (DcvVerdict::Unchecked, Some(FileFlaw::Unchecked)),
            Some(flaw) => (DcvVerdict::Different, Some(flaw)),
        }
    }

    fn body_flaw(&self, body: &[u8]) -> Option<FileFlaw> {
        let text = String::from_utf8_lossy(body);
        if text.trim_start().starts_with('<') {
            return Some(FileFlaw::Page);
        }
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        match &self.content {
            Content::Hash {
                sha256,
                zones,
                unique,
            } => match lines.as_slice() {
                [hash, rest @ ..] if hash.eq_ignore_ascii_case(sha256) => {
                    flaw_after_hash(rest, zones, unique)
                }
                [hash, ..] if is_sha256(hash) => Some(FileFlaw::AnotherRequest),
                _ => Some(FileFlaw::Content(beginning(&lines))),
            },
            Content::Token(token) => token_flaw(&lines, token.as_deref()),
        }
    }
}

fn is_sha256(line: &str) -> bool {
    line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What is wrong with the lines that follow the right hash: the zone and the unique value.
fn flaw_after_hash(lines: &[&str], zones: &[String], unique: &ExpectedUnique) -> Option<FileFlaw> {
    let is_known_zone = lines
        .first()
        .is_some_and(|line| zones.iter().any(|zone| zone.eq_ignore_ascii_case(line)));
    if !is_known_zone {
        return Some(FileFlaw::Unique(beginning(lines)));
    }
    match (unique, lines) {
        (ExpectedUnique::Known(unique), [_, found]) if found == unique => None,
        (ExpectedUnique::Absent, [_]) => None,
        (ExpectedUnique::Unknown, [_] | [_, _]) => Some(FileFlaw::Unchecked),
        // A unique value where none was expected: there is no reseller's record to compare it with.
        (ExpectedUnique::Absent, [_, _]) => Some(FileFlaw::Unchecked),
        _ => Some(FileFlaw::Unique(beginning(lines))),
    }
}

fn token_flaw(lines: &[&str], token: Option<&str>) -> Option<FileFlaw> {
    match (token, lines) {
        (Some(token), [line]) if line == &token => None,
        (None, [line]) if !line.is_empty() => Some(FileFlaw::Unchecked),
        _ => Some(FileFlaw::Content(beginning(lines))),
    }
}

/// Returns the first characters, enough to recognize the text.
fn beginning(lines: &[&str]) -> String {
    let all = lines.join(" / ");
    match all.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &all[..end]),
        None => all,
    }
}

/// Why a file validates nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileReason {
    /// One address serves another file.
    WrongFile {
        url: String,
        address: SocketAddr,
        /// What is wrong with it.
        flaw: FileFlaw,
        /// Whether the CA follows redirects.
        redirects: RedirectPolicy,
    },
    /// The name has no address.
    NoAddress {
        name: String,
        /// The answer of a failed lookup; `None` if there is no address.
        failed: Option<DnsAnswer>,
    },
    /// The name has an address that is not reachable from the public internet.
    AddressNotPublic {
        name: String,
        address: IpAddr,
        /// Why it is not reachable.
        why: &'static str,
        /// Whether only one given server was queried for the address, as in a test.
        rehearsed: bool,
    },
    /// An address did not answer.
    NoResponse {
        url: String,
        address: SocketAddr,
        reason: String,
    },
    /// No file validates a wildcard.
    Wildcard { name: String },
    /// The CA silently omits the www name if that does not serve the file.
    WwwWillBeDropped {
        name: String,
        /// Where the CA documents that.
        source: &'static str,
    },
}

impl FileReason {
    /// Returns the reason for one address; `None` if the file is right or the address is
    /// unreachable from this machine.
    #[must_use]
    pub fn from_response(
        file: &ValidationFile,
        address: &SocketAddr,
        got: &HttpResponse,
        flaw: Option<&FileFlaw>,
    ) -> Option<Self> {
        let url = file.record.url.clone();
        let address = *address;
        match (got, flaw) {
            (HttpResponse::NoResponse(reason), _) => Some(Self::NoResponse {
                url,
                address,
                reason: reason.clone(),
            }),
            (_, Some(flaw)) => Some(Self::WrongFile {
                url,
                address,
                flaw: flaw.clone(),
                redirects: file.redirects,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FileFlaw, HttpResponse, ValidationFile, validation_files};
    use crate::dcv::ca::Ca;
    use crate::dcv::judge::DcvVerdict;
    use crate::dcv::parse::parse;
    use crate::pki::request::SigningRequest;

    const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
    const SHA: &str = "46b9c075c165526983f73319a38c647bf35bf554d979c464b01d99f8839ba328";

    fn first_file(ca: Option<Ca>, unique: Option<&str>) -> ValidationFile {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        let line = |unique| format!("_{}.example.com {HASH}.{unique}comodoca.com", request.md5());
        let given = unique
            .map(|unique| parse(&line(unique)).unwrap())
            .unwrap_or_default();
        validation_files(&request, ca, &given).remove(0)
    }

    #[test]
    fn the_file_is_derived_from_the_request() {
        let reseller = first_file(Some(Ca::Namecheap), Some("u1.")).record;
        assert_eq!(
            reseller.url,
            "http://example.com/.well-known/pki-validation/6FCFE984AC87413B45A0D531D2172600.txt"
        );
        assert_eq!(
            (reseller.body, reseller.complete),
            (Some(format!("{SHA}\ncomodoca.com\nu1")), true)
        );
        let unknown = first_file(Some(Ca::Namecheap), None).record;
        assert_eq!(
            (unknown.body, unknown.shape),
            (None, Some(format!("{SHA}\n<zone>\n<unique value>")))
        );
        assert_eq!(
            first_file(Some(Ca::Sectigo), None).record.body,
            Some(format!("{SHA}\nsectigo.com"))
        );
        assert!(
            first_file(Some(Ca::Digicert), None)
                .record
                .url
                .ends_with("/fileauth.txt")
        );
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        assert!(
            validation_files(&request, Some(Ca::Private), &[]).is_empty()
                && validation_files(&request, Some(Ca::Acm), &[]).is_empty()
        );
    }

    #[test]
    fn files_are_judged_line_by_line() {
        let unique = |text: &str| Some(FileFlaw::Unique(text.to_owned()));
        let content = |text: &str| Some(FileFlaw::Content(text.to_owned()));
        let other = "0".repeat(64);
        let upper = SHA.to_uppercase();
        for (ca, given, body, verdict, flaw) in [
            (
                None,
                Some("u1."),
                format!("{SHA}\ncomodoca.com\nu1\n"),
                DcvVerdict::Visible,
                None,
            ),
            (
                None,
                Some("u1."),
                format!("{upper}\r\nCOMODOCA.com \r\nu1"),
                DcvVerdict::Visible,
                None,
            ),
            (
                None,
                Some("u1."),
                format!("{SHA} comodoca.com u1"),
                DcvVerdict::Different,
                content(&format!("{SHA} comodoca.com u1")[..80]),
            ),
            (
                None,
                Some("u1."),
                format!("{SHA}\ncomodoca.com"),
                DcvVerdict::Different,
                unique("comodoca.com"),
            ),
            (
                None,
                Some("u1."),
                format!("{SHA}\ncomodoca.com\nu2"),
                DcvVerdict::Different,
                unique("comodoca.com / u2"),
            ),
            (
                None,
                Some("u1."),
                format!("{SHA}\nsectigo.com\nu1"),
                DcvVerdict::Different,
                unique("sectigo.com / u1"),
            ),
            (
                None,
                Some("u1."),
                format!("{SHA}\ncomodoca.com\nu1\nx"),
                DcvVerdict::Different,
                unique("comodoca.com / u1 / x"),
            ),
            (
                None,
                Some("u1."),
                format!("{other}\ncomodoca.com\nu1"),
                DcvVerdict::Different,
                Some(FileFlaw::AnotherRequest),
            ),
            (
                None,
                Some("u1."),
                "<!doctype html>".to_owned(),
                DcvVerdict::Different,
                Some(FileFlaw::Page),
            ),
            (
                None,
                Some("u1."),
                String::new(),
                DcvVerdict::Different,
                content(""),
            ),
            (
                None,
                None,
                format!("{SHA}\ncomodoca.com\nu1"),
                DcvVerdict::Unchecked,
                Some(FileFlaw::Unchecked),
            ),
            (
                Some(Ca::Sectigo),
                None,
                format!("{SHA}\nsectigo.com"),
                DcvVerdict::Visible,
                None,
            ),
            (
                Some(Ca::Sectigo),
                None,
                format!("{SHA}\nsectigo.com\nu1"),
                DcvVerdict::Unchecked,
                Some(FileFlaw::Unchecked),
            ),
            (
                Some(Ca::Sectigo),
                None,
                format!("{SHA}\nssl.com"),
                DcvVerdict::Different,
                unique("ssl.com"),
            ),
            (
                Some(Ca::Digicert),
                None,
                "abc".to_owned(),
                DcvVerdict::Unchecked,
                Some(FileFlaw::Unchecked),
            ),
        ] {
            let got = HttpResponse::Answered {
                status: 200,
                location: None,
                body: body.clone().into_bytes(),
            };
            let mut judged = first_file(ca, given).judge(&got);
            if let Some(FileFlaw::Content(text)) = &mut judged.1 {
                text.truncate(80);
            }
            assert_eq!(judged, (verdict, flaw), "{body}");
        }
    }

    #[test]
    fn error_statuses_and_redirects_are_not_files() {
        let to = Some("https://example.com/x".to_owned());
        for (status, location, verdict) in [
            (404, None, DcvVerdict::Absent),
            (403, None, DcvVerdict::Absent),
            (301, to.clone(), DcvVerdict::WrongPlace),
            (302, None, DcvVerdict::Absent),
            (204, None, DcvVerdict::Absent),
        ] {
            let got = HttpResponse::Answered {
                status,
                location,
                body: Vec::new(),
            };
            assert_eq!(
                first_file(None, Some("u1.")).judge(&got).0,
                verdict,
                "{status}"
            );
        }
        assert_eq!(
            first_file(None, None)
                .judge(&HttpResponse::NoResponse("closed".to_owned()))
                .0,
            DcvVerdict::Unreachable
        );
    }
}
