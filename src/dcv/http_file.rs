//! Proof by a file on the web server: what each name has to serve, and whether what it serves would
//! satisfy the CA. A CA asks each name by itself: no climbing, no wildcards (BR 3.2.2.4.18 since
//! 2021-12-01).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::answer::{DnsAnswer, RecordKind};
use super::ca::{Ca, HttpValidation, RedirectPolicy, UniqueValue};
use super::judge::DcvVerdict;
use super::record::{self, DcvRecord};
use crate::dcv::reseller_record::GivenRecord;
use crate::pki::request::SigningRequest;

/// The file for one name, as it is told.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FileRecord {
    /// The name that serves it.
    pub name: String,
    /// Always `HTTP`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where the CA looks.
    pub url: String,
    /// What is to be there, where it can be known.
    pub body: Option<String>,
    /// Its form, where a part of it is the shop's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Whether `body` is all of it.
    pub complete: bool,
}

impl FileRecord {
    /// Takes the body for no more than its beginning: a unique value follows, which the shop shows.
    pub fn shop_decides(&mut self) {
        if let Some(body) = self.body.take() {
            self.shape = Some(format!("{body}\n<unique value>"));
            self.complete = false;
        }
    }
}

/// The file for one name, and what may be in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidationFile {
    /// As it is told.
    pub record: FileRecord,
    /// Whether the CA goes where the web server sends it.
    pub redirects: RedirectPolicy,
    content: Content,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    /// SHA-256, one of these zones, and the unique value:
    /// `None` where it is not known, an inner `None` where there is none.
    Hash {
        sha256: String,
        zones: Vec<String>,
        unique: Option<Option<String>>,
    },
    /// A random value, where it is known.
    Token(Option<String>),
}

/// What came of asking one address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HttpResponse {
    /// A response: status, where it sends to, and the beginning of its body.
    Answered {
        status: u16,
        /// The `Location` of a redirect.
        location: Option<String>,
        /// No more than `MOST_BODY` octets.
        body: Vec<u8>,
    },
    /// None within the time; the reason.
    Silent(String),
    /// This machine has no way there (IPv6 where there is none).
    NoRoute,
}

/// More of a file is not read: it has three lines.
pub(crate) const MOST_BODY: usize = 16 * 1024;

/// What is the matter with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileFlaw {
    /// Made of another request.
    AnotherRequest,
    /// Something else: its beginning.
    Content(String),
    /// A web page, where the file has plain lines.
    Page,
    /// It is somewhere else.
    Redirected(String),
    /// Another status than 200.
    Status(u16),
    /// Of this request, but its end was never compared with the shop's.
    Unchecked,
    /// Of this request, with another zone or unique value than the shop's.
    Unique(String),
}

/// The files for
/// `request`, one for each name that is no wildcard; none for a CA that takes none. `given` are the
/// shop's records that belong to this request.
#[must_use]
pub(crate) fn files(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<ValidationFile> {
    let names = request
        .dns_names
        .iter()
        .filter(|name| !name.starts_with("*."));
    names
        .filter_map(|name| file(request, &name.to_ascii_lowercase(), ca, given))
        .collect()
}

/// The files of a CA that is known, as they are told beside its record: either way is enough.
#[must_use]
pub(crate) fn told(
    request: &SigningRequest,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Vec<FileRecord> {
    let files = if ca.is_some() {
        files(request, ca, given)
    } else {
        Vec::new()
    };
    files.into_iter().map(|file| file.record).collect()
}

/// Records and files in one list, as documents have them.
#[must_use]
pub(crate) fn listed(records: &[DcvRecord], files: &[FileRecord]) -> serde_json::Value {
    let all = records.iter().map(|one| serde_json::json!(one));
    all.chain(files.iter().map(|one| serde_json::json!(one)))
        .collect()
}

/// The file for one name.
#[must_use]
pub(crate) fn file(
    request: &SigningRequest,
    name: &str,
    ca: Option<Ca>,
    given: &[GivenRecord],
) -> Option<ValidationFile> {
    let (file, redirects, content) = match ca.map(|ca| &ca.profile().http) {
        None => (
            hash_name(request),
            RedirectPolicy::Refused,
            of_request(request, ca, given),
        ),
        Some(HttpValidation::CsrHash(redirects)) => (
            hash_name(request),
            *redirects,
            of_request(request, ca, given),
        ),
        Some(HttpValidation::Named(file, redirects)) => {
            let text = given
                .iter()
                .find(|one| one.kind == RecordKind::Txt)
                .map(|one| one.value.clone());
            ((*file).to_owned(), *redirects, Content::Token(text))
        }
        Some(HttpValidation::None | HttpValidation::Unknown) => return None,
    };
    let (body, shape) = in_lines(&content);
    let url = format!("http://{name}/.well-known/pki-validation/{file}");
    let record = FileRecord {
        name: name.to_owned(),
        kind: "HTTP",
        url,
        complete: body.is_some(),
        body,
        shape,
    };
    Some(ValidationFile {
        record,
        redirects,
        content,
    })
}

/// In upper case: a path, unlike a DNS name, has one spelling.
fn hash_name(request: &SigningRequest) -> String {
    format!("{}.txt", request.md5().to_ascii_uppercase())
}

fn of_request(request: &SigningRequest, ca: Option<Ca>, given: &[GivenRecord]) -> Content {
    let sha256 = request.sha256();
    let target = record::target_labels(request);
    let shown = given
        .iter()
        .find_map(|one| one.value.strip_prefix(&target)?.strip_prefix('.'));
    if let Some(rest) = shown {
        let (unique, zone) = match rest.split_once('.') {
            Some((unique, zone)) if zone.contains('.') => (Some(unique.to_owned()), zone),
            _ => (None, rest),
        };
        return Content::Hash {
            sha256,
            zones: vec![zone.to_owned()],
            unique: Some(unique),
        };
    }
    let form = ca.and_then(Ca::csr_hash);
    let zones = form.map_or(&["sectigo.com", "comodoca.com", "ssl.com"][..], |form| {
        form.zones
    });
    let none = form.is_some_and(|form| form.unique == UniqueValue::WhenKeyIsReused);
    Content::Hash {
        sha256,
        zones: zones.iter().map(|&zone| zone.to_owned()).collect(),
        unique: none.then_some(None),
    }
}

/// The body, or its form.
fn in_lines(content: &Content) -> (Option<String>, Option<String>) {
    match content {
        Content::Token(Some(token)) => (Some(token.clone()), None),
        Content::Token(None) => (None, Some("<token>".to_owned())),
        Content::Hash {
            sha256,
            zones,
            unique,
        } => {
            let zone = zones.first().map_or("<zone>", String::as_str);
            match unique {
                Some(Some(unique)) => (Some(format!("{sha256}\n{zone}\n{unique}")), None),
                Some(None) => (Some(format!("{sha256}\n{zone}")), None),
                None if zones.len() == 1 => {
                    (None, Some(format!("{sha256}\n{zone}\n<unique value>")))
                }
                None => (None, Some(format!("{sha256}\n<zone>\n<unique value>"))),
            }
        }
    }
}

impl ValidationFile {
    /// A key that is used again has a unique value in its file, which only the CA knows.
    pub fn shop_decides(&mut self) {
        if let Content::Hash {
            unique: unique @ Some(None),
            ..
        } = &mut self.content
        {
            *unique = None;
            self.record.shop_decides();
        }
    }

    /// Whether what came would satisfy the CA; if not, why.
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
            (200, _) => self.content(body),
            (300..=399, Some(to)) => (
                DcvVerdict::WrongPlace,
                Some(FileFlaw::Redirected(to.clone())),
            ),
            _ => (DcvVerdict::Absent, Some(FileFlaw::Status(*status))),
        }
    }

    fn content(&self, body: &[u8]) -> (DcvVerdict, Option<FileFlaw>) {
        let text = String::from_utf8_lossy(body);
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        let flaw = if text.trim_start().starts_with('<') {
            Some(FileFlaw::Page)
        } else {
            match &self.content {
                Content::Hash {
                    sha256,
                    zones,
                    unique,
                } => hash_flaw(&lines, sha256, zones, unique.as_ref()),
                Content::Token(token) => token_flaw(&lines, token.as_deref()),
            }
        };
        match flaw {
            None => (DcvVerdict::Visible, None),
            Some(FileFlaw::Unchecked) => (DcvVerdict::Unchecked, Some(FileFlaw::Unchecked)),
            Some(flaw) => (DcvVerdict::Different, Some(flaw)),
        }
    }
}

fn hash_flaw(
    lines: &[&str],
    sha256: &str,
    zones: &[String],
    unique: Option<&Option<String>>,
) -> Option<FileFlaw> {
    let is_hash = |line: &str| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit());
    match lines {
        [hash, rest @ ..] if hash.eq_ignore_ascii_case(sha256) => {
            let zone = rest
                .first()
                .is_some_and(|zone| zones.iter().any(|one| one.eq_ignore_ascii_case(zone)));
            let fits = match (unique, rest) {
                (Some(Some(unique)), [_, seen]) => seen == unique,
                (Some(None), [_]) => true,
                (None, [_] | [_, _]) if zone => return Some(FileFlaw::Unchecked),
                // A unique value where none was expected: whether it is the shop's is not known.
                (Some(None), [_, _]) if zone => return Some(FileFlaw::Unchecked),
                _ => false,
            };
            (!(zone && fits)).then(|| FileFlaw::Unique(beginning(rest)))
        }
        [hash, ..] if is_hash(hash) => Some(FileFlaw::AnotherRequest),
        _ => Some(FileFlaw::Content(beginning(lines))),
    }
}

fn token_flaw(lines: &[&str], token: Option<&str>) -> Option<FileFlaw> {
    match (token, lines) {
        (Some(token), [line]) if line == &token => None,
        (None, [line]) if !line.is_empty() => Some(FileFlaw::Unchecked),
        _ => Some(FileFlaw::Content(beginning(lines))),
    }
}

/// Enough of it to know it again.
fn beginning(lines: &[&str]) -> String {
    let all = lines.join(" / ");
    match all.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &all[..end]),
        None => all,
    }
}

/// Why a file proves nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileReason {
    /// What one address serves is not it.
    Flaw {
        url: String,
        address: SocketAddr,
        /// What is the matter.
        flaw: FileFlaw,
        /// Whether the CA follows redirects.
        redirects: RedirectPolicy,
    },
    /// The name leads to no address.
    NoAddress {
        name: String,
        /// Why that is not known, where it is not.
        failed: Option<DnsAnswer>,
    },
    /// The name leads to an address that nobody outside gets to.
    Outside {
        name: String,
        address: IpAddr,
        /// Why nobody gets there.
        why: &'static str,
        /// One server alone was asked for the address, as for a test.
        rehearsed: bool,
    },
    /// An address did not answer.
    Silent {
        url: String,
        address: SocketAddr,
        reason: String,
    },
    /// No file proves a wildcard.
    Wildcard { name: String },
    /// The CA leaves a www out that does not serve the file, and says nothing.
    WwwDropsOut {
        name: String,
        /// Where the CA says so.
        source: &'static str,
    },
}

impl FileReason {
    /// The reason in what one address gave; none where all is right or nobody could be asked.
    #[must_use]
    pub fn of(
        proof: &ValidationFile,
        address: &SocketAddr,
        got: &HttpResponse,
        flaw: Option<&FileFlaw>,
    ) -> Option<Self> {
        let (url, address) = (proof.record.url.clone(), *address);
        match (got, flaw) {
            (HttpResponse::Silent(reason), _) => Some(Self::Silent {
                url,
                address,
                reason: reason.clone(),
            }),
            (_, Some(flaw)) => Some(Self::Flaw {
                url,
                address,
                flaw: flaw.clone(),
                redirects: proof.redirects,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FileFlaw, HttpResponse, ValidationFile, files};
    use crate::dcv::ca::Ca;
    use crate::dcv::judge::DcvVerdict;
    use crate::dcv::parse::parse;
    use crate::pki::request::SigningRequest;

    const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
    const SHA: &str = "46b9c075c165526983f73319a38c647bf35bf554d979c464b01d99f8839ba328";

    fn proof(ca: Option<Ca>, unique: Option<&str>) -> ValidationFile {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        let line = |unique| format!("_{}.example.com {HASH}.{unique}comodoca.com", request.md5());
        let given = unique
            .map(|unique| parse(&line(unique)).unwrap())
            .unwrap_or_default();
        files(&request, ca, &given).remove(0)
    }

    #[test]
    fn the_file_is_that_of_the_request() {
        let shop = proof(Some(Ca::Namecheap), Some("u1.")).record;
        assert_eq!(
            shop.url,
            "http://example.com/.well-known/pki-validation/6FCFE984AC87413B45A0D531D2172600.txt"
        );
        assert_eq!(
            (shop.body, shop.complete),
            (Some(format!("{SHA}\ncomodoca.com\nu1")), true)
        );
        let unknown = proof(Some(Ca::Namecheap), None).record;
        assert_eq!(
            (unknown.body, unknown.shape),
            (None, Some(format!("{SHA}\n<zone>\n<unique value>")))
        );
        assert_eq!(
            proof(Some(Ca::Sectigo), None).record.body,
            Some(format!("{SHA}\nsectigo.com"))
        );
        assert!(
            proof(Some(Ca::Digicert), None)
                .record
                .url
                .ends_with("/fileauth.txt")
        );
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        assert!(
            files(&request, Some(Ca::Private), &[]).is_empty()
                && files(&request, Some(Ca::Acm), &[]).is_empty()
        );
    }

    #[test]
    fn what_is_served_is_told_by_its_lines() {
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
            let mut told = proof(ca, given).judge(&got);
            if let Some(FileFlaw::Content(text)) = &mut told.1 {
                text.truncate(80);
            }
            assert_eq!(told, (verdict, flaw), "{body}");
        }
    }

    #[test]
    fn a_status_or_a_redirect_is_no_file() {
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
            assert_eq!(proof(None, Some("u1.")).judge(&got).0, verdict, "{status}");
        }
        assert_eq!(
            proof(None, None)
                .judge(&HttpResponse::Silent("closed".to_owned()))
                .0,
            DcvVerdict::Unreachable
        );
    }
}
