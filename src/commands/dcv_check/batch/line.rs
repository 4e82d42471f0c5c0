//! Parses a line of a list: the name of a request in the folder, a request's file, or a record (host
//! and value). The folder is read once, for the first name.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::advice::dcv_check_command;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::{expectation, parse};
use crate::failure::{Failure, FailureKind};
use crate::inputs::dcv_file;
use crate::inputs::folder::{ArgumentMeaning, FolderContents, HeldFile};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;
use crate::validation::expected::{ExpectedRecord, expected_records};
use crate::validation::key_reuse::KeyUsageHistory;
use crate::validation::select::{self, ChosenRecords, SelectedRequest};

/// Parses the lines of a list.
pub(crate) struct LineParser<'a> {
    context: &'a Context,
    ca: Option<Ca>,
    folder: OnceCell<IndexedFolder>,
}

/// The requests of the folder, by their names.
struct IndexedFolder {
    contents: FolderContents,
    by_name: HashMap<String, Vec<usize>>,
    history: KeyUsageHistory,
}

impl<'a> LineParser<'a> {
    pub(crate) fn new(context: &'a Context, ca: Option<Ca>) -> Self {
        Self {
            context,
            ca,
            folder: OnceCell::new(),
        }
    }

    /// Returns the records that a line stands for.
    ///
    /// # Errors
    /// A name or path that does not exist, or a request that needs no DNS record.
    pub(crate) fn parse(&self, line: &str) -> Result<Vec<ExpectedRecord>, Failure> {
        let has_columns = line.contains(char::is_whitespace);
        // No request file is named like a record, and looking for a file takes longer than parsing
        // the line.
        if has_columns
            && line.starts_with('_')
            && let Ok(records) = parse_records(line, self.ca)
        {
            return Ok(records);
        }
        let mut selected = match ArgumentMeaning::from_path(line) {
            Some(ArgumentMeaning::File(path)) => requests_in_file(&path, line)?,
            _ if has_columns => return parse_records(line, self.ca),
            _ => self.requests_for_name(line)?,
        };
        for one in &mut selected {
            let history = &self.folder()?.history;
            one.reuses_key = history.is_used_again(&one.request, one.path.as_deref());
            one.read_stored_record()?;
        }
        let chosen = ChosenRecords {
            selected,
            ..ChosenRecords::default()
        };
        expected_records(self.context, self.ca, &chosen)
    }

    /// Returns the pending requests for a name; if none is pending, the latest.
    fn requests_for_name(&self, line: &str) -> Result<Vec<SelectedRequest>, Failure> {
        let folder = self.folder()?;
        let name = DnsName::parse(line).map_err(|_| {
            Failure::new(
                FailureKind::Malformed,
                format!("{line:?} is neither a file nor a name nor a record"),
            )
        })?;
        let requests = folder.requests_for(&name);
        if requests.is_empty() {
            let message = format!("no request for {name} in {}", folder.contents.describe());
            let csr = self.context.command_words("csr");
            return Err(Failure::new(FailureKind::NotFound, message)
                .with_step(dcv_check_command::make_request(csr, &name)));
        }
        Ok(select::pending_or_latest(&requests, &folder.history))
    }

    /// Returns the folder, which is read on the first call.
    fn folder(&self) -> Result<&IndexedFolder, Failure> {
        if self.folder.get().is_none() {
            // Set only here and only when empty, so `set` cannot fail.
            let _ = self.folder.set(IndexedFolder::read(self.context)?);
        }
        self.folder
            .get()
            .ok_or_else(|| Failure::new(FailureKind::Internal, "the folder was not read"))
    }
}

impl IndexedFolder {
    fn read(context: &Context) -> Result<Self, Failure> {
        let contents = FolderContents::read(context)?;
        let history = KeyUsageHistory::new(context, &contents);
        Ok(Self {
            by_name: index_by_name(&contents),
            contents,
            history,
        })
    }

    /// Returns the requests for a name, the latest renewal cycle first.
    fn requests_for(&self, name: &DnsName) -> Vec<&HeldFile<SigningRequest>> {
        let indexes = self.by_name.get(&name.as_str().to_ascii_lowercase());
        indexes
            .into_iter()
            .flatten()
            .filter_map(|index| self.contents.requests.get(*index))
            .collect()
    }
}

/// Returns the indexes of the requests for each name, the latest renewal cycle first.
fn index_by_name(contents: &FolderContents) -> HashMap<String, Vec<usize>> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for index in contents.request_indices_by_renewal() {
        let Some(request) = contents.requests.get(index) else {
            continue;
        };
        for name in &request.value.dns_names {
            let indexes = by_name.entry(name.to_ascii_lowercase()).or_default();
            if indexes.last() != Some(&index) {
                indexes.push(index);
            }
        }
    }
    by_name
}

/// Parses records without a request: each must be published exactly as it is in the list.
fn parse_records(line: &str, ca: Option<Ca>) -> Result<Vec<ExpectedRecord>, Failure> {
    let records = parse::parse(line)?;
    let mut expected_records = Vec::with_capacity(records.len());
    for record in &records {
        let expected = expectation::expect_without_request(record).ok_or_else(|| {
            Failure::new(
                FailureKind::Malformed,
                format!("the host in {line:?} is not a complete name with its domain"),
            )
        })?;
        expected_records.push(ExpectedRecord {
            request: String::new(),
            ca,
            expected: Rc::new(expected),
            names: Vec::new(),
        });
    }
    Ok(expected_records)
}

fn requests_in_file(path: &Path, line: &str) -> Result<Vec<SelectedRequest>, Failure> {
    let requests = select::read_requests(path, line)?;
    Ok(requests
        .iter()
        .map(|request| SelectedRequest::in_file(path, request))
        .collect())
}

impl SelectedRequest {
    /// Reads the `.dcv` file beside the request.
    fn read_stored_record(&mut self) -> Result<(), Failure> {
        if let Some(path) = &self.path {
            self.stored = dcv_file::read_record(&dcv_file::dcv_path(path))?;
        }
        Ok(())
    }
}
