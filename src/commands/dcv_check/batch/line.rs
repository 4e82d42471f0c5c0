//! What a line of a list means: a name known here, a request's file, or a record (host and value).
//! The folder is read once, when the first name is looked up.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::commands::dcv_check::expected::{ExpectedRecord, pending};
use crate::commands::dcv_check::key_reuse::KeyUsageHistory;
use crate::commands::dcv_check::select::{self, ChosenRecords, SelectedRequest};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::{expectation, parse};
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::inputs::dcv_file as kept_file;
use crate::inputs::folder::{ArgumentMeaning, FolderContents};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// How lines are understood.
pub(crate) struct LineParser<'a> {
    context: &'a Context,
    ca: Option<Ca>,
    here: OnceCell<Here>,
}

/// The requests of the folder by the names that they ask for.
struct Here {
    directory: FolderContents,
    by_name: HashMap<String, Vec<usize>>,
    used: KeyUsageHistory,
}

impl<'a> LineParser<'a> {
    pub(crate) fn new(context: &'a Context, ca: Option<Ca>) -> Self {
        Self {
            context,
            ca,
            here: OnceCell::new(),
        }
    }

    /// The records that a line asks for.
    ///
    /// # Errors
    /// Nothing of that name or path, or nothing to look for in the DNS.
    pub(crate) fn read(&self, line: &str) -> Result<Vec<ExpectedRecord>, Failure> {
        let columns = line.contains(char::is_whitespace);
        // No request's file is called like a record, and to look for one takes longer than to read
        // the line.
        if columns
            && line.starts_with('_')
            && let Ok(records) = records(line, self.ca)
        {
            return Ok(records);
        }
        let mut selected = match ArgumentMeaning::of_path(line) {
            Some(ArgumentMeaning::File(path)) => file(&path, line)?,
            _ if columns => return records(line, self.ca),
            _ => self.named(line)?,
        };
        for one in &mut selected {
            one.reuses_key = self
                .here()?
                .used
                .is_used_again(&one.request, one.path.as_deref());
            one.read_kept()?;
        }
        let none = ChosenRecords {
            selected,
            strays: Vec::new(),
            kept: Vec::new(),
            matched: Vec::new(),
        };
        pending(self.context, self.ca, &none)
    }

    /// The requests for a name that wait for a certificate; where none does, the latest.
    fn named(&self, line: &str) -> Result<Vec<SelectedRequest>, Failure> {
        let here = self.here()?;
        let name = DnsName::parse(line).map_err(|_| {
            Failure::new(
                FailureKind::Malformed,
                format!("{line:?} is no file, no name and no record"),
            )
        })?;
        let found = here
            .by_name
            .get(&name.as_str().to_ascii_lowercase())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let found: Vec<_> = found
            .iter()
            .filter_map(|at| here.directory.requests.get(*at))
            .collect();
        if found.is_empty() {
            let message = format!("no request for {name} in {}", here.directory.in_words());
            return Err(
                Failure::new(FailureKind::NotFound, message).with(NextStep::run(
                    &[self.context.again("csr"), vec![name.to_string()]].concat(),
                )),
            );
        }
        let waits = |request: &SigningRequest| here.used.is_pending(request);
        let waiting: Vec<_> = found
            .iter()
            .copied()
            .filter(|one| waits(&one.value))
            .collect();
        let found = if waiting.is_empty() {
            found.into_iter().take(1).collect()
        } else {
            waiting
        };
        Ok(found
            .into_iter()
            .map(|held| select::held(&held.path, &held.value))
            .collect())
    }

    fn here(&self) -> Result<&Here, Failure> {
        if self.here.get().is_none() {
            let directory = FolderContents::read(self.context)?;
            let used = KeyUsageHistory::of(self.context, &directory);
            // Set only here and only when empty, so `set` cannot fail.
            let _ = self.here.set(Here {
                by_name: by_name(&directory),
                directory,
                used,
            });
        }
        self.here
            .get()
            .ok_or_else(|| Failure::new(FailureKind::Internal, "no folder"))
    }
}

/// The places of the requests for each name, the latest round first.
fn by_name(directory: &FolderContents) -> HashMap<String, Vec<usize>> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for at in directory.requests_in_order() {
        for name in directory
            .requests
            .get(at)
            .into_iter()
            .flat_map(|held| &held.value.dns_names)
        {
            let places = by_name.entry(name.to_ascii_lowercase()).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
    by_name
}

/// Records that no request is known for: each is to be there as it stands in the list.
fn records(line: &str, ca: Option<Ca>) -> Result<Vec<ExpectedRecord>, Failure> {
    let shown = parse::parse(line)?;
    let whole = |record| {
        let expected = expectation::alone(record).ok_or_else(|| {
            Failure::new(
                FailureKind::Malformed,
                format!("the host in {line:?} is not a whole name, with its domain"),
            )
        })?;
        Ok(ExpectedRecord {
            request: String::new(),
            ca,
            expected: Rc::new(expected),
            names: Vec::new(),
        })
    };
    shown.iter().map(whole).collect()
}

fn file(path: &Path, line: &str) -> Result<Vec<SelectedRequest>, Failure> {
    let requests = select::requests(path, line)?;
    Ok(requests
        .iter()
        .map(|request| select::held(path, request))
        .collect())
}

impl SelectedRequest {
    /// Reads the `.dcv` beside the request.
    fn read_kept(&mut self) -> Result<(), Failure> {
        if let Some(path) = self
            .path
            .as_deref()
            .map(|path: &Path| kept_file::beside(path))
        {
            self.kept = kept_file::read(&path)?;
        }
        Ok(())
    }
}
