//! `dcv-check --method http`: fetches the validation file from every address of every name.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::method::{MethodCheck, MethodLine, MethodOutcome, MethodResult};
use crate::advice::dcv_check_command;
use crate::dcv::answer::{DnsAnswer, RecordKind};
use crate::dcv::ca::Ca;
use crate::dcv::expectation;
use crate::dcv::http_file::{self, FileFlaw, FileReason, HttpResponse, ValidationFile};
use crate::dcv::judge::DcvVerdict;
use crate::dcv::public_address;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::pki::request::SigningRequest;
use crate::system::dns;
use crate::system::http;
use crate::validation::select::{ChosenRecords, SelectedRequest};

/// The port that CAs fetch the file from.
const PORT: u16 = 80;

/// One name whose file is checked.
struct FileToCheck {
    /// The path of the request as it is printed.
    request: String,
    file: ValidationFile,
    origin: NameOrigin,
    ca: Option<Ca>,
    /// Whether a single given resolver answers for all addresses, as in a test.
    is_rehearsal: bool,
}

/// Why a name is checked.
#[derive(Clone, Copy, Eq, PartialEq)]
enum NameOrigin {
    Requested,
    /// The `www.` name that some CAs add to a certificate for one name.
    AddedByCa,
}

/// The DNS answers for a name (A, then AAAA) and the HTTP response of each address.
struct FetchedFile {
    answers: Vec<DnsAnswer>,
    responses: Vec<(SocketAddr, HttpResponse)>,
}

/// Checks all files once.
pub(super) fn check_files(check: &MethodCheck<'_>) -> Result<MethodOutcome, Failure> {
    let files = files_to_check(check);
    let mut findings = wildcard_findings(check.chosen);
    if files.is_empty() && findings.is_empty() {
        let message = "the CA of this request does not offer validation by a file";
        return Err(Failure::new(FailureKind::NotFound, message)
            .with_step(dcv_check_command::check_again(check.wait_command)));
    }
    let fetched = fetch_files(check, &files)?;
    let mut results = Vec::new();
    for (file, fetched) in files.iter().zip(&fetched) {
        let judged = JudgedFile::judge(file, fetched);
        for finding in judged.findings() {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        if file.origin == NameOrigin::Requested {
            results.push(judged.result());
        }
    }
    findings.splice(0..0, check.chosen.first_findings());
    let repeat_command = repeat_command(check.wait_command, &files, &findings);
    let install_command = check.context.command_words("install");
    Ok(MethodOutcome {
        results,
        findings,
        changed: !check.chosen.written.is_empty(),
        next_if_visible: dcv_check_command::install_after_file_check(
            title_of_ca(&files),
            &install_command,
        ),
        next_otherwise: dcv_check_command::check_again(&repeat_command),
    })
}

fn title_of_ca(files: &[FileToCheck]) -> &'static str {
    let ca = files.iter().find_map(|file| file.ca);
    ca.map_or("the CA", Ca::title)
}

/// The words of the command line that repeats the check.
fn repeat_command(
    wait_command: &[String],
    files: &[FileToCheck],
    findings: &[Finding],
) -> Vec<String> {
    let mut words = wait_command.to_vec();
    // Without the reseller's lines the next check could not compare the content either.
    if files.iter().any(|one| !one.file.record.complete) {
        words.extend(["--record".to_owned(), "-".to_owned()]);
    }
    let has_wildcard = findings
        .iter()
        .any(|finding| finding.code == "wildcard-not-by-file");
    if has_wildcard {
        // Only a DNS record can validate a wildcard.
        words.retain(|word| !matches!(word.as_str(), "--method" | "http"));
    }
    words
}

fn files_to_check(check: &MethodCheck<'_>) -> Vec<FileToCheck> {
    let mut files = Vec::new();
    for selected in &check.chosen.selected {
        files.extend(files_of_request(check, selected));
    }
    files
}

/// The findings about wildcards, which no file can validate.
fn wildcard_findings(chosen: &ChosenRecords) -> Vec<Finding> {
    let mut findings = Vec::new();
    for selected in &chosen.selected {
        for name in &selected.request.dns_names {
            if name.starts_with("*.") {
                let reason = FileReason::Wildcard { name: name.clone() };
                findings.push(Finding::from(&reason));
            }
        }
    }
    findings
}

fn files_of_request(check: &MethodCheck<'_>, selected: &SelectedRequest) -> Vec<FileToCheck> {
    let request = &selected.request;
    let ca = selected.ca(check.ca);
    let given: Vec<_> = selected
        .stored
        .records()
        .into_iter()
        .filter(|record| expectation::belongs_to_request(record, request))
        .collect();
    let mut with_origin: Vec<(ValidationFile, NameOrigin)> =
        http_file::validation_files(request, ca, &given)
            .into_iter()
            .map(|file| (file, NameOrigin::Requested))
            .collect();
    if let Some(www) = added_www_name(request, ca) {
        let file = http_file::validation_file(request, &www, ca, &given);
        with_origin.extend(file.map(|file| (file, NameOrigin::AddedByCa)));
    }
    let mut files = Vec::with_capacity(with_origin.len());
    for (mut file, origin) in with_origin {
        if selected.reuses_key && given.is_empty() {
            file.require_unique_value();
        }
        files.push(FileToCheck {
            request: selected.shown.clone(),
            file,
            origin,
            ca,
            is_rehearsal: check.resolvers.excludes_other_servers(),
        });
    }
    files
}

/// Some CAs add `www.` to a certificate for one name if that host serves the file too.
fn added_www_name(request: &SigningRequest, ca: Option<Ca>) -> Option<String> {
    let [only] = request.dns_names.as_slice() else {
        return None;
    };
    ca.and_then(www_will_be_dropped)?;
    if only.starts_with("www.") || only.starts_with("*.") {
        return None;
    }
    Some(format!("www.{only}"))
}

/// Looks up the addresses of all names, then fetches all files.
fn fetch_files(
    check: &MethodCheck<'_>,
    files: &[FileToCheck],
) -> Result<Vec<FetchedFile>, Failure> {
    let interrupt = &check.context.interrupt;
    let queries = address_queries(files);
    let answers = dns::look_up(&queries, check.resolvers, interrupt)?;
    let mut requests: Vec<(String, SocketAddr)> = Vec::new();
    for (one, answers) in files.iter().zip(answers.chunks(2)) {
        let url = &one.file.record.url;
        for address in addresses(answers) {
            requests.push((url.clone(), address));
        }
    }
    let responses = http::at::fetch_each(&requests, interrupt).map_err(interrupted)?;
    let mut responses = responses.into_iter();
    let mut fetched = Vec::with_capacity(files.len());
    for answers in answers.chunks(2) {
        fetched.push(FetchedFile {
            answers: answers.to_vec(),
            responses: addresses(answers).zip(responses.by_ref()).collect(),
        });
    }
    Ok(fetched)
}

fn address_queries(files: &[FileToCheck]) -> Vec<(String, RecordKind)> {
    let mut queries = Vec::with_capacity(2 * files.len());
    for one in files {
        let name = &one.file.record.name;
        queries.push((name.clone(), RecordKind::A));
        queries.push((name.clone(), RecordKind::Aaaa));
    }
    queries
}

fn interrupted(signal: i32) -> Failure {
    Failure::new(
        FailureKind::Interrupted(signal),
        "interrupted while fetching the files",
    )
}

fn addresses(answers: &[DnsAnswer]) -> impl Iterator<Item = SocketAddr> {
    let found = answers.iter().filter_map(|answer| match answer {
        DnsAnswer::Addresses(addresses) => Some(addresses),
        _ => None,
    });
    found
        .flatten()
        .map(|address| SocketAddr::new(*address, PORT))
}

/// The response of one address, judged.
struct JudgedResponse<'a> {
    address: SocketAddr,
    response: &'a HttpResponse,
    verdict: DcvVerdict,
    flaw: Option<FileFlaw>,
}

/// The responses of all addresses of one name, judged.
struct JudgedFile<'a> {
    file: &'a FileToCheck,
    responses: Vec<JudgedResponse<'a>>,
    /// The DNS answer that leaves addresses unknown.
    failed: Option<&'a DnsAnswer>,
    verdict: DcvVerdict,
}

impl<'a> JudgedFile<'a> {
    fn judge(file: &'a FileToCheck, fetched: &'a FetchedFile) -> Self {
        let mut responses = Vec::with_capacity(fetched.responses.len());
        for (address, response) in &fetched.responses {
            let (verdict, flaw) = file.file.judge(response);
            responses.push(JudgedResponse {
                address: *address,
                response,
                verdict,
                flaw,
            });
        }
        let failed = fetched
            .answers
            .iter()
            .find(|answer| !answer.is_answer() || **answer == DnsAnswer::Bogus);
        let verdict = worst_verdict(&responses, failed);
        Self {
            file,
            responses,
            failed,
            verdict,
        }
    }

    /// The findings that say why the file does not validate the name, or may not.
    fn findings(&self) -> Vec<Finding> {
        let mut reasons: Vec<FileReason> = Vec::new();
        if self.file.origin == NameOrigin::Requested {
            reasons.extend(self.response_reasons());
            if self.responses.is_empty() {
                reasons.push(FileReason::NoAddress {
                    name: self.name().to_owned(),
                    failed: self.failed.cloned(),
                });
            }
            reasons.extend(self.private_address_reason());
        }
        reasons.extend(self.dropped_www_reason());
        reasons.iter().map(Finding::from).collect()
    }

    fn response_reasons(&self) -> impl Iterator<Item = FileReason> {
        self.responses
            .iter()
            .filter_map(|one| {
                let file = &self.file.file;
                FileReason::from_response(file, &one.address, one.response, one.flaw.as_ref())
            })
            .filter(|reason| self.matters(reason))
    }

    /// Whether to report a reason. No CA can reach a private address, so a missing answer
    /// from there is not a fault.
    fn matters(&self, reason: &FileReason) -> bool {
        match reason {
            FileReason::NoResponse { address, .. } => {
                self.file.is_rehearsal || public_address::unreachable_reason(address.ip()).is_none()
            }
            _ => true,
        }
    }

    /// The reason about the first address that is not reachable from the public internet.
    fn private_address_reason(&self) -> Option<FileReason> {
        for one in &self.responses {
            let address = one.address.ip();
            if let Some(why) = public_address::unreachable_reason(address) {
                return Some(FileReason::AddressNotPublic {
                    name: self.name().to_owned(),
                    address,
                    why,
                    rehearsed: self.file.is_rehearsal,
                });
            }
        }
        None
    }

    fn dropped_www_reason(&self) -> Option<FileReason> {
        if !self.name().starts_with("www.") || self.verdict == DcvVerdict::Visible {
            return None;
        }
        let source = www_will_be_dropped(self.file.ca.unwrap_or(Ca::Sectigo))?;
        Some(FileReason::WwwWillBeDropped {
            name: self.name().to_owned(),
            source,
        })
    }

    fn name(&self) -> &str {
        &self.file.file.record.name
    }

    fn result(&self) -> MethodResult {
        let mut rows = Vec::with_capacity(self.responses.len());
        for one in &self.responses {
            let status = status_in_words(one.response, one.verdict);
            rows.push((one.address.to_string(), status));
        }
        MethodResult {
            verdict: self.verdict,
            answered: self.is_answered(),
            record: self.record_json(),
            name: self.name().to_owned(),
            lines: self.lines(),
            rows,
        }
    }

    /// Whether an address answered, or the DNS answered that there is no address.
    fn is_answered(&self) -> bool {
        let has_response = self
            .responses
            .iter()
            .any(|one| matches!(one.response, HttpResponse::Answered { .. }));
        has_response || (self.responses.is_empty() && self.failed.is_none())
    }

    fn record_json(&self) -> Value {
        let mut servers = Vec::with_capacity(self.responses.len());
        for one in &self.responses {
            servers.push(server_json(one));
        }
        let mut record = json!(self.file.file.record);
        record["request"] = json!(self.file.request);
        record["verdict"] = json!(self.verdict.word());
        record["servers"] = json!(servers);
        record
    }

    /// The URL; with the content that the CA expects, unless it is visible.
    fn lines(&self) -> Vec<MethodLine> {
        let record = &self.file.file.record;
        let content = record.body.as_ref().or(record.shape.as_ref());
        match content.filter(|_| self.verdict != DcvVerdict::Visible) {
            None => vec![MethodLine::Fact(record.url.clone())],
            Some(content) => {
                let introduction = format!("expected content of {}:", record.url);
                let mut lines = vec![MethodLine::Fact(introduction)];
                for line in content.lines() {
                    lines.push(MethodLine::Content(line.to_owned()));
                }
                lines
            }
        }
    }
}

/// The worst verdict of all addresses; `failed` is a DNS answer that leaves addresses unknown.
fn worst_verdict(responses: &[JudgedResponse<'_>], failed: Option<&DnsAnswer>) -> DcvVerdict {
    let worst = responses
        .iter()
        .filter(|one| *one.response != HttpResponse::NoRoute)
        .map(|one| one.verdict)
        .max();
    match (worst, failed) {
        (Some(verdict), None) => verdict,
        (Some(verdict), Some(_)) => verdict.max(DcvVerdict::Unreachable),
        (None, Some(_)) => DcvVerdict::Unreachable,
        (None, None) if !responses.is_empty() => DcvVerdict::Unreachable,
        (None, None) => DcvVerdict::Absent,
    }
}

/// Returns the CA's document that says that it omits a `www.` name without a file.
fn www_will_be_dropped(ca: Ca) -> Option<&'static str> {
    ca.profile().www_will_be_dropped
}

fn server_json(judged: &JudgedResponse<'_>) -> Value {
    let address = judged.address.to_string();
    let mut server = json!({
        "address": address,
        "role": "web",
        "verdict": judged.verdict.word(),
    });
    match judged.response {
        HttpResponse::Answered {
            status, location, ..
        } => {
            server["answer"] = json!(status.to_string());
            server["location"] = json!(location);
        }
        HttpResponse::NoResponse(reason) => {
            server["answer"] = json!("silent");
            server["reason"] = json!(reason);
        }
        HttpResponse::NoRoute => server["answer"] = json!("unreachable-from-here"),
    }
    server
}

fn status_in_words(response: &HttpResponse, verdict: DcvVerdict) -> String {
    match response {
        HttpResponse::Answered { status: 200, .. } => match verdict {
            DcvVerdict::Visible => "visible".to_owned(),
            DcvVerdict::Unchecked => "found, but its last line was not checked".to_owned(),
            _ => "other content".to_owned(),
        },
        HttpResponse::Answered {
            status,
            location: Some(to),
            ..
        } => format!("HTTP status {status}, redirect to {to}"),
        HttpResponse::Answered { status, .. } => format!("HTTP status {status}"),
        HttpResponse::NoResponse(reason) => format!("no answer ({reason})"),
        HttpResponse::NoRoute => {
            "not queried, because it is unreachable from this machine".to_owned()
        }
    }
}
