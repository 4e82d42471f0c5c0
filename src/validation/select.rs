//! Selects the requests to check: those on the command line, those that a given record belongs to,
//! or else every pending one in the folder.

mod findings;

use std::path::{Path, PathBuf};

use self::findings::{of_another_request, of_no_domain, of_two_requests, requests_without_key};
use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::expectation;
use crate::dcv::parse;
use crate::dcv::record;
use crate::dcv::reseller_record::GivenRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::inputs::folder::{self, ArgumentMeaning, FolderContents, HeldFile};
use crate::install::other_folders::add_other_folders;
use crate::matching::describe_folder;
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::system::fs::stdin;
use crate::validation::key_reuse::KeyUsageHistory;
pub(crate) use crate::validation::selected_request::SelectedRequest;

/// Limit for the size of a pasted record, in bytes.
const RECORD_LIMIT: u64 = 64 * 1024;

/// The arguments that select requests.
pub(crate) struct DcvSelection<'a> {
    pub names: &'a [String],
    pub records: &'a [String],
    pub ca: Option<Ca>,
    /// The words of the command line that waits, without a record.
    pub wait_command: &'a [String],
    pub storage: RecordStorage,
}

/// What becomes of a record on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecordStorage {
    BesideRequest,
    /// A dry run writes nothing.
    Nowhere,
}

/// The requests to check, and how the records on the command line were assigned.
#[derive(Debug, Default)]
pub(crate) struct ChosenRecords {
    pub selected: Vec<SelectedRequest>,
    /// The findings about records that belong to none of the requests.
    pub strays: Vec<Finding>,
    /// The findings about pending requests whose key is not in the folder.
    pub keyless: Vec<Finding>,
    /// The `.dcv` files that were written, or would be.
    pub written: Vec<PathBuf>,
    /// The requests that a record on the command line belongs to.
    pub matched: Vec<String>,
}

/// The request that a record on the command line belongs to.
enum RecordMatch {
    /// The candidate with this index.
    Request(usize),
    /// No candidate; the finding says why.
    Stray(Finding),
}

/// Why there is no request to check.
enum MissingRequests {
    /// The folder has no request.
    NoRequest,
    /// Every request has a certificate; holds a name of one of them.
    AllIssued(String),
}

/// Returns the requests that the arguments select, and stores records on the command line beside
/// them.
pub(crate) fn choose_records(
    context: &Context,
    selection: &DcvSelection<'_>,
) -> Result<ChosenRecords, Failure> {
    let given = given_records(context, selection)?;
    assign_records(context, selection, &given)
}

/// Assigns the given records to the requests that the arguments select, and stores them beside these.
pub(crate) fn assign_records(
    context: &Context,
    selection: &DcvSelection<'_>,
    given: &[GivenRecord],
) -> Result<ChosenRecords, Failure> {
    let folder = FolderContents::read(context)?;
    let history = KeyUsageHistory::new(context, &folder);
    let mut candidates = if selection.names.is_empty() {
        all_requests(&folder)
    } else {
        named_requests(context, selection.names, &folder, &history)?
    };
    let mut chosen = ChosenRecords::default();
    for record in given {
        match match_record(record, &candidates, &history, selection)? {
            RecordMatch::Request(index) => chosen.assign(record, &mut candidates[index]),
            RecordMatch::Stray(finding) => chosen.strays.push(finding),
        }
    }
    if selection.names.is_empty() {
        retain_unnamed(&mut candidates, &chosen.matched, &history);
    }
    if candidates.is_empty() {
        let failure = nothing_pending(context, selection.wait_command, &folder);
        return Err(folder.explain_unusable(failure));
    }
    chosen.keyless = requests_without_key(context, &folder, &candidates, &history);
    let unusable = unusable_requests(selection, &folder);
    chosen.keyless.extend(unusable);
    chosen.written = store_all(context, &mut candidates, &history, selection)?;
    chosen.selected = candidates;
    Ok(chosen)
}

/// Returns a finding for each request of the folder that no CA accepts, if all requests are checked.
fn unusable_requests(selection: &DcvSelection<'_>, folder: &FolderContents) -> Vec<Finding> {
    if !selection.names.is_empty() {
        return Vec::new();
    }
    let unusable = folder.unusable_requests.iter();
    unusable.map(Finding::from).collect()
}

/// Adds what is known about each request, and stores the given records; returns the files that were
/// written.
fn store_all(
    context: &Context,
    candidates: &mut [SelectedRequest],
    history: &KeyUsageHistory,
    selection: &DcvSelection<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    let default_ca = context.defaults()?.ca;
    let mut written = Vec::new();
    for candidate in candidates {
        let path = candidate.path.as_deref();
        candidate.reuses_key = history.is_used_again(&candidate.request, path);
        candidate.default_ca = default_ca;
        written.extend(store_records(candidate, selection)?);
    }
    Ok(written)
}

impl ChosenRecords {
    /// The findings about the requests and the given records, which come before those about the
    /// validation.
    pub(crate) fn first_findings(&self) -> Vec<Finding> {
        let mut findings = self.keyless.clone();
        findings.extend_from_slice(&self.strays);
        findings
    }

    fn assign(&mut self, record: &GivenRecord, candidate: &mut SelectedRequest) {
        let domains = record::domains_to_validate(&candidate.request);
        candidate.given.push(record.anchored(&domains));
        self.matched.push(candidate.shown.clone());
    }
}

/// Without names on the command line: keeps the requests that a record belongs to or, without such
/// records, the pending ones.
fn retain_unnamed(
    candidates: &mut Vec<SelectedRequest>,
    matched: &[String],
    history: &KeyUsageHistory,
) {
    if matched.is_empty() {
        candidates.retain(|one| history.is_pending(&one.request));
    } else {
        candidates.retain(|one| matched.contains(&one.shown));
    }
}

/// The reseller's records from the command line or stdin.
pub(crate) fn given_records(
    context: &Context,
    selection: &DcvSelection<'_>,
) -> Result<Vec<GivenRecord>, Failure> {
    let mut given: Vec<GivenRecord> = Vec::new();
    for text in selection.records {
        let records = if text == "-" {
            if stdin::stdin_is_terminal() {
                context
                    .sink
                    .show_progress("paste the record that the CA shows, then press Ctrl-D:");
            }
            let pasted = stdin::read_stdin(RECORD_LIMIT)?;
            parse_record(&String::from_utf8_lossy(&pasted), selection)?
        } else {
            parse_record(text, selection)?
        };
        given.extend(records);
    }
    Ok(given)
}

fn parse_record(text: &str, selection: &DcvSelection<'_>) -> Result<Vec<GivenRecord>, Failure> {
    parse::parse(text).map_err(|error| {
        let next = dcv_check_command::check_again_with_record(selection.wait_command);
        Failure::from(error).with_step(next)
    })
}

/// Reads the `.dcv` file beside a request. If records were given for the request, adds them and the
/// CA and writes the file. Returns the path if the file was written, or would be.
fn store_records(
    selected: &mut SelectedRequest,
    selection: &DcvSelection<'_>,
) -> Result<Option<PathBuf>, Failure> {
    let path = selected.path.as_deref().map(dcv_file::dcv_path);
    if let Some(path) = &path {
        selected.stored = dcv_file::read_record(path)?;
    }
    for record in &selected.given {
        selected.stored.add(record);
    }
    if !selected.given.is_empty()
        && let Some(ca) = selection.ca
    {
        selected.stored.set_ca(ca);
    }
    let Some(path) = path.filter(|_| selected.stored.changed()) else {
        return Ok(None);
    };
    if selection.storage == RecordStorage::BesideRequest {
        dcv_file::write_record(&path, &selected.stored)?;
    }
    Ok(Some(path))
}

/// Finds the request that a record belongs to: the one whose hash it has; without a hash, the one
/// that has its domain, and of several the one that is still pending.
///
/// # Errors
/// `Ambiguous` if several requests remain.
fn match_record(
    record: &GivenRecord,
    candidates: &[SelectedRequest],
    history: &KeyUsageHistory,
    selection: &DcvSelection<'_>,
) -> Result<RecordMatch, Failure> {
    match record.md5() {
        Some(md5) => Ok(match_by_hash(record, md5, candidates)),
        None => match_by_domain(record, candidates, history, selection),
    }
}

fn match_by_hash(record: &GivenRecord, md5: &str, candidates: &[SelectedRequest]) -> RecordMatch {
    let index = candidates.iter().position(|one| one.request.md5() == md5);
    let Some(index) = index else {
        return RecordMatch::Stray(of_another_request(md5, candidates));
    };
    let candidate = &candidates[index];
    if !expectation::belongs_to_request(record, &candidate.request) {
        return RecordMatch::Stray(of_two_requests(record, candidate));
    }
    // An order for other domains may have been placed with the same CSR.
    if !expectation::is_at_request_name(record, &candidate.request) {
        return RecordMatch::Stray(of_no_domain(record, &candidates[index..=index]));
    }
    RecordMatch::Request(index)
}

fn match_by_domain(
    record: &GivenRecord,
    candidates: &[SelectedRequest],
    history: &KeyUsageHistory,
    selection: &DcvSelection<'_>,
) -> Result<RecordMatch, Failure> {
    let mut fitting = Vec::new();
    let mut pending = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if expectation::is_for_request_name(record, &candidate.request) {
            fitting.push(index);
            if history.is_pending(&candidate.request) {
                pending.push(index);
            }
        }
    }
    match (fitting.as_slice(), pending.as_slice()) {
        ([], _) => Ok(RecordMatch::Stray(of_no_domain(record, candidates))),
        ([only], _) => Ok(RecordMatch::Request(*only)),
        (_, [only]) => Ok(RecordMatch::Request(*only)),
        (several, _) => {
            let files: Vec<&str> = several
                .iter()
                .map(|index| candidates[*index].shown.as_str())
                .collect();
            Err(fits_several_requests(&files, selection))
        }
    }
}

/// For a record that fits several requests; `files` are theirs.
fn fits_several_requests(files: &[&str], selection: &DcvSelection<'_>) -> Failure {
    const MOST_STEPS: usize = 5;
    let message = format!("the record fits several requests: {}", files.join(", "));
    let mut failure = Failure::new(FailureKind::Ambiguous, message);
    for file in files.iter().take(MOST_STEPS) {
        let words = words_with_request(selection, file);
        failure = failure.with_step(dcv_check_command::check_named_request(file, &words));
    }
    failure
}

/// The words of the command line that waits for the request in `file` alone.
fn words_with_request(selection: &DcvSelection<'_>, file: &str) -> Vec<String> {
    let mut words = selection.wait_command.to_vec();
    words.retain(|word| !selection.names.contains(word));
    words.push(file.to_owned());
    words
}

/// Returns every request in the folder, without duplicates.
fn all_requests(folder: &FolderContents) -> Vec<SelectedRequest> {
    let mut all = Vec::new();
    for held in &folder.requests {
        add_new(&mut all, SelectedRequest::in_file(&held.path, &held.value));
    }
    all
}

/// Adds a request unless it is in the list already.
fn add_new(all: &mut Vec<SelectedRequest>, new: SelectedRequest) {
    let is_known = all
        .iter()
        .any(|other| other.request.der() == new.request.der());
    if !is_known {
        all.push(new);
    }
}

/// Returns the requests that the names, files or `-` on the command line stand for.
fn named_requests(
    context: &Context,
    words: &[String],
    folder: &FolderContents,
    history: &KeyUsageHistory,
) -> Result<Vec<SelectedRequest>, Failure> {
    let mut all: Vec<SelectedRequest> = Vec::new();
    for word in words {
        let found = match ArgumentMeaning::resolve(word, folder)? {
            ArgumentMeaning::Name(name) => requests_for_name(context, &name, folder, history)?,
            ArgumentMeaning::File(path) => read_requests(&path, word)?
                .iter()
                .map(|request| SelectedRequest::in_file(&path, request))
                .collect(),
            ArgumentMeaning::Stdin => read_requests(Path::new("-"), "stdin")?
                .into_iter()
                .map(SelectedRequest::on_stdin)
                .collect(),
        };
        for request in found {
            add_new(&mut all, request);
        }
    }
    Ok(all)
}

/// Reads the requests in the file at `path`; `shown` is its name in messages.
///
/// # Errors
/// `Malformed` for a file without a request.
pub(crate) fn read_requests(path: &Path, shown: &str) -> Result<Vec<SigningRequest>, Failure> {
    let delivery = folder::read_file(path)?;
    if delivery.requests.is_empty() && !delivery.unproven_requests.is_empty() {
        return Err(delivery.ignored.as_slice().into());
    }
    if delivery.requests.is_empty() {
        let message = format!("{shown} does not contain a certificate request (CSR)");
        let failure = Failure::new(FailureKind::Malformed, message);
        return Err(if path == Path::new("-") {
            failure
        } else {
            failure.with_step(dcv_check_command::inspect_file(path))
        });
    }
    Ok(delivery
        .requests
        .into_iter()
        .map(|found| found.value)
        .collect())
}

/// Returns the pending requests for a name; if none is pending, the latest.
fn requests_for_name(
    context: &Context,
    name: &DnsName,
    folder: &FolderContents,
    history: &KeyUsageHistory,
) -> Result<Vec<SelectedRequest>, Failure> {
    let requests = folder.requests_named(name);
    if requests.is_empty() {
        let message = format!("no request for {name} in {}", folder.path.display());
        let csr = context.command_words("csr");
        return Err(Failure::new(FailureKind::NotFound, message)
            .with_step(dcv_check_command::make_request(csr, name)));
    }
    Ok(pending_or_latest(&requests, history))
}

/// Returns the pending ones of `requests`, which start with the latest; if none is pending, the
/// latest.
pub(crate) fn pending_or_latest(
    requests: &[&HeldFile<SigningRequest>],
    history: &KeyUsageHistory,
) -> Vec<SelectedRequest> {
    let mut chosen: Vec<_> = requests
        .iter()
        .filter(|held| history.is_pending(&held.value))
        .collect();
    if chosen.is_empty() {
        chosen.extend(requests.first());
    }
    chosen
        .into_iter()
        .map(|held| SelectedRequest::in_file(&held.path, &held.value))
        .collect()
}

/// Says why `folder` has no request to check.
fn missing_requests(folder: &FolderContents) -> MissingRequests {
    let mut names = folder
        .requests
        .iter()
        .flat_map(|held| &held.value.dns_names);
    match names.next() {
        Some(name) => MissingRequests::AllIssued(name.clone()),
        None => MissingRequests::NoRequest,
    }
}

fn nothing_pending(
    context: &Context,
    wait_command: &[String],
    contents: &FolderContents,
) -> Failure {
    let folder = describe_folder(&context.directory);
    let missing = missing_requests(contents);
    let (message, next) = match &missing {
        MissingRequests::NoRequest => (
            format!("no request (CSR) in {folder}"),
            dcv_check_command::make_first_request(&context.command_words("csr")),
        ),
        MissingRequests::AllIssued(name) => (
            format!("all requests in {folder} have their certificate already"),
            dcv_check_command::check_finished_request(wait_command, name),
        ),
    };
    let failure = Failure::new(FailureKind::NotFound, message).with_step(next);
    match missing {
        MissingRequests::NoRequest => add_other_folders(context, "dcv-check", failure),
        MissingRequests::AllIssued(_) => failure,
    }
}
