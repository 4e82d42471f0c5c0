//! Which requests are meant: those named, those that a record given belongs to, else every pending
//! one here.

use std::path::{Path, PathBuf};

use crate::commands::dcv_check::key_reuse::KeyUsageHistory;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::parse;
use crate::dcv::record;
use crate::dcv::reseller_record::GivenRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::inputs::dcv_file as kept_file;
use crate::inputs::folder::{self, ArgumentMeaning, FolderContents};
use crate::matching::folder_in_words;
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::system::fs::files;

/// The most that is read of a pasted record.
const RECORD_LIMIT: u64 = 64 * 1024;

/// A request and what is kept of its record.
#[derive(Clone, Debug)]
pub(super) struct SelectedRequest {
    /// Its file, as people read it.
    pub(super) shown: String,
    pub(super) path: Option<PathBuf>,
    pub(super) request: SigningRequest,
    /// Whether its key was used before: the CA's record has a unique value then.
    pub(super) reuses_key: bool,
    /// The records given for it now.
    given: Vec<GivenRecord>,
    /// These and those of earlier.
    pub(super) kept: StoredRecord,
}

/// What the command line says.
pub(super) struct DcvSelection<'a> {
    pub(super) names: &'a [String],
    pub(super) records: &'a [String],
    pub(super) ca: Option<Ca>,
    /// The words of the command line to say it again, without a record.
    pub(super) again: &'a [String],
}

/// What is to be checked.
#[derive(Debug)]
pub(super) struct ChosenRecords {
    pub(super) selected: Vec<SelectedRequest>,
    /// What is wrong with records given that belong to none of the requests.
    pub(super) strays: Vec<Finding>,
    /// The files that a record given was kept in.
    pub(super) kept: Vec<PathBuf>,
    /// The requests that a record given belongs to.
    pub(super) matched: Vec<String>,
}

pub(super) fn choose(context: &Context, args: &DcvSelection<'_>) -> Result<ChosenRecords, Failure> {
    let given = given(context, args)?;
    let here = FolderContents::read(context)?;
    let used = KeyUsageHistory::of(context, &here);
    let mut candidates = if args.names.is_empty() {
        all(&here)
    } else {
        named(context, args.names, &here, &used)?
    };
    let mut chosen = ChosenRecords {
        selected: Vec::new(),
        strays: Vec::new(),
        kept: Vec::new(),
        matched: Vec::new(),
    };
    for record in &given {
        match pick(record, &candidates, &used)? {
            Ok(at) => {
                let one = &mut candidates[at];
                one.given
                    .push(record.anchored(&record::domains(&one.request)));
                chosen.matched.push(one.shown.clone());
            }
            Err(stray) => chosen.strays.push(stray),
        }
    }
    let matched = |one: &SelectedRequest| chosen.matched.contains(&one.shown);
    let mut wanted: Vec<SelectedRequest> = match (chosen.matched.is_empty(), args.names.is_empty())
    {
        (false, true) => candidates.into_iter().filter(matched).collect(),
        (_, false) => candidates,
        (true, true) => candidates
            .into_iter()
            .filter(|one| used.is_pending(&one.request))
            .collect(),
    };
    if wanted.is_empty() {
        return Err(nothing_pending(
            context,
            args.again,
            !here.requests.is_empty(),
        ));
    }
    for one in &mut wanted {
        one.reuses_key = used.is_used_again(&one.request, one.path.as_deref());
        chosen.kept.extend(keep(one, args.ca)?);
    }
    chosen.selected = wanted;
    Ok(chosen)
}

/// The shop's records from the command line or stdin.
fn given(context: &Context, args: &DcvSelection<'_>) -> Result<Vec<GivenRecord>, Failure> {
    let read = |text: &str| {
        let again = [args.again, &["--record".to_owned(), "-".to_owned()]].concat();
        parse::parse(text).map_err(|error| Failure::from(error).with(NextStep::run(&again)))
    };
    let mut given: Vec<GivenRecord> = Vec::new();
    for text in args.records {
        let records = if text == "-" {
            if files::stdin_is_terminal() {
                context.sink.event("paste the shop's record, then Ctrl-D:");
            }
            read(&String::from_utf8_lossy(&files::read_stdin(RECORD_LIMIT)?))?
        } else {
            read(text)?
        };
        given.extend(records);
    }
    Ok(given)
}

/// Reads the `.dcv` beside a request; where records were given for it, they and the CA are taken in
/// and written: then its path.
fn keep(one: &mut SelectedRequest, ca: Option<Ca>) -> Result<Option<PathBuf>, Failure> {
    let path = one.path.as_deref().map(kept_file::beside);
    if let Some(path) = &path {
        one.kept = kept_file::read(path)?;
    }
    one.given.iter().for_each(|record| one.kept.add(record));
    if let (false, Some(ca)) = (one.given.is_empty(), ca) {
        one.kept.set_ca(ca);
    }
    match path {
        Some(path) => Ok(kept_file::write(&path, &one.kept)?.then_some(path)),
        None => Ok(None),
    }
}

/// Which request a record belongs to: the one that it was made from; where it is made of none, the
/// one that asks for its domain, and of several the one that still waits for its certificate.
fn pick(
    record: &GivenRecord,
    candidates: &[SelectedRequest],
    used: &KeyUsageHistory,
) -> Result<Result<usize, Finding>, Failure> {
    if let Some(md5) = record.md5() {
        let made_from = candidates.iter().position(|one| one.request.md5() == md5);
        return Ok(made_from.map_or_else(
            || Err(stray(md5, candidates)),
            |at| {
                let one = &candidates[at];
                if expectation::belongs(record, &one.request) {
                    Ok(at)
                } else {
                    Err(mixed(record, one))
                }
            },
        ));
    }
    let fitting = |at: &usize| expectation::is_for(record, &candidates[*at].request);
    let fitting: Vec<usize> = (0..candidates.len()).filter(fitting).collect();
    let waiting: Vec<usize> = fitting
        .iter()
        .copied()
        .filter(|at| used.is_pending(&candidates[*at].request))
        .collect();
    match (fitting.as_slice(), waiting.as_slice()) {
        ([], _) => Ok(Err(of_no_domain(record, candidates))),
        ([one], _) | (_, [one]) => Ok(Ok(*one)),
        (several, _) => {
            let names: Vec<&str> = several
                .iter()
                .map(|at| candidates[*at].shown.as_str())
                .collect();
            let message = format!(
                "the record given fits several requests: {}",
                names.join(", ")
            );
            Err(Failure::new(FailureKind::Ambiguous, message)
                .with(NextStep::say("name the request in front of --record")))
        }
    }
}

/// A record that is for none of the names asked for.
fn of_no_domain(record: &GivenRecord, candidates: &[SelectedRequest]) -> Finding {
    let names: Vec<&str> = candidates
        .iter()
        .flat_map(|one| &one.request.dns_names)
        .map(String::as_str)
        .take(5)
        .collect();
    Finding::error(
        "record-for-another-domain",
        format!(
            "the record given proves none of the names asked for ({}): {}",
            names.join(", "),
            record.zone_line()
        ),
    )
    .with(NextStep::say(
        "copy the record of this order at the shop, with its whole host",
    ))
}

fn stray(md5: &str, candidates: &[SelectedRequest]) -> Finding {
    let here: Vec<String> = candidates
        .iter()
        .take(5)
        .map(|one| format!("{} is {}", one.shown, one.request.md5()))
        .collect();
    Finding::error(
        "record-from-another-request",
        format!(
            "the record given was made from another request: its MD5 is {md5}; {}",
            here.join(", ")
        ),
    )
    .with(NextStep::say(
        "copy the record of this order at the shop (a reissue needs a new record); if \
        it is of this order, another CSR was pasted there",
    ))
}

fn mixed(record: &GivenRecord, one: &SelectedRequest) -> Finding {
    Finding::error(
        "record-from-another-request",
        format!(
            "the host given belongs to {}, its value to another request: {}",
            one.shown, record.value
        ),
    )
    .with(NextStep::say(format!(
        "the value for this request starts with {}",
        record::target_labels(&one.request)
    )))
}

/// The request of a file; what is kept beside it is read once it is known to be wanted.
pub(super) fn held(path: &Path, request: &SigningRequest) -> SelectedRequest {
    SelectedRequest {
        shown: path.display().to_string(),
        path: Some(path.to_owned()),
        request: request.clone(),
        reuses_key: false,
        given: Vec::new(),
        kept: StoredRecord::default(),
    }
}

/// Every request here, each once.
fn all(here: &FolderContents) -> Vec<SelectedRequest> {
    let mut all = Vec::new();
    for one in &here.requests {
        add(&mut all, held(&one.path, &one.value));
    }
    all
}

fn add(all: &mut Vec<SelectedRequest>, one: SelectedRequest) {
    if !all
        .iter()
        .any(|other| other.request.der() == one.request.der())
    {
        all.push(one);
    }
}

fn named(
    context: &Context,
    words: &[String],
    here: &FolderContents,
    used: &KeyUsageHistory,
) -> Result<Vec<SelectedRequest>, Failure> {
    let mut all: Vec<SelectedRequest> = Vec::new();
    for word in words {
        match ArgumentMeaning::resolve(word, here)? {
            ArgumentMeaning::Name(name) => by_name(context, &name, here, used)?
                .into_iter()
                .for_each(|one| add(&mut all, one)),
            ArgumentMeaning::File(path) => {
                requests(&path, word)?
                    .iter()
                    .for_each(|request| add(&mut all, held(&path, request)));
            }
            ArgumentMeaning::Stdin => {
                for request in requests(Path::new("-"), "stdin")? {
                    let shown = "the request on stdin".to_owned();
                    let (reuses_key, given, kept) = (false, Vec::new(), StoredRecord::default());
                    add(
                        &mut all,
                        SelectedRequest {
                            shown,
                            path: None,
                            request,
                            reuses_key,
                            given,
                            kept,
                        },
                    );
                }
            }
        }
    }
    Ok(all)
}

pub(super) fn requests(path: &Path, shown: &str) -> Result<Vec<SigningRequest>, Failure> {
    let delivery = folder::read_file(path)?;
    if delivery.requests.is_empty() {
        return Err(Failure::new(
            FailureKind::Malformed,
            format!("{shown} holds no certificate request (CSR)"),
        )
        .with(NextStep::say(format!(
            "certctl inspect {}",
            shell_word(shown)
        ))));
    }
    Ok(delivery
        .requests
        .into_iter()
        .map(|found| found.value)
        .collect())
}

/// The requests for a name: those that wait for a certificate; where none does, the latest.
fn by_name(
    context: &Context,
    name: &DnsName,
    here: &FolderContents,
    used: &KeyUsageHistory,
) -> Result<Vec<SelectedRequest>, Failure> {
    let named = here.requests_named(name);
    let pending: Vec<_> = named
        .iter()
        .filter(|one| used.is_pending(&one.value))
        .collect();
    if named.is_empty() {
        let message = format!("no request for {name} in {}", here.path.display());
        return Err(
            Failure::new(FailureKind::NotFound, message).with(NextStep::run(
                &[context.again("csr"), vec![name.to_string()]].concat(),
            )),
        );
    }
    let found = if pending.is_empty() {
        named.iter().take(1).collect()
    } else {
        pending
    };
    Ok(found
        .into_iter()
        .map(|one| held(&one.path, &one.value))
        .collect())
}

fn nothing_pending(context: &Context, again: &[String], some_are_done: bool) -> Failure {
    let folder = folder_in_words(&context.directory);
    let (message, look, words) = if some_are_done {
        let message = format!("no request in {folder} waits for a certificate: all have one");
        (message, "to look all the same:  ", again.to_owned())
    } else {
        (
            format!("no request (CSR) in {folder}"),
            "",
            context.again("csr"),
        )
    };
    let line = NextStep::run(&words).text;
    Failure::new(FailureKind::NotFound, message).with(NextStep::say(format!("{look}{line} NAME")))
}
