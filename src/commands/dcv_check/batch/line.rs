//! What a line of a list means: a name known here, a request's file, or a record (host and value).
//! The folder is read once, when the first name is looked up.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::commands::dcv_check::expected::{Pending, pending};
use crate::commands::dcv_check::key_reuse::Used;
use crate::commands::dcv_check::select::{self, Chosen, Selected};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::{expectation, parse};
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::inputs::dcv_file as kept_file;
use crate::inputs::folder::{Argument, Directory};
use crate::pki::name::DnsName;
use crate::pki::request::SigningRequest;

/// How lines are understood.
pub(crate) struct List<'a> {
    context: &'a Context,
    ca: Option<Ca>,
    here: OnceCell<Here>,
}

/// The requests of the folder by the names that they ask for.
struct Here {
    directory: Directory,
    by_name: HashMap<String, Vec<usize>>,
    used: Used,
}

impl<'a> List<'a> {
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
    pub(crate) fn read(&self, line: &str) -> Result<Vec<Pending>, Failure> {
        let columns = line.contains(char::is_whitespace);
        // No request's file is called like a record, and to look for one takes longer than to read
        // the line.
        if columns
            && line.starts_with('_')
            && let Ok(records) = records(line, self.ca)
        {
            return Ok(records);
        }
        let mut selected = match Argument::of_path(line) {
            Some(Argument::File(path)) => file(&path, line)?,
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
        let none = Chosen {
            selected,
            strays: Vec::new(),
            kept: Vec::new(),
            matched: Vec::new(),
        };
        pending(self.context, self.ca, &none)
    }

    /// The requests for a name that wait for a certificate; where none does, the latest.
    fn named(&self, line: &str) -> Result<Vec<Selected>, Failure> {
        let here = self.here()?;
        let name = DnsName::parse(line).map_err(|_| {
            Failure::new(
                Kind::Malformed,
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
            return Err(Failure::new(Kind::NotFound, message).with(Next::run(
                &[self.context.again("csr"), vec![name.to_string()]].concat(),
            )));
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
            let directory = Directory::read(self.context)?;
            let used = Used::of(self.context, &directory);
            // Set only here and only when empty, so `set` cannot fail.
            let _ = self.here.set(Here {
                by_name: by_name(&directory),
                directory,
                used,
            });
        }
        self.here
            .get()
            .ok_or_else(|| Failure::new(Kind::Internal, "no folder"))
    }
}

/// The places of the requests for each name, the latest round first.
fn by_name(directory: &Directory) -> HashMap<String, Vec<usize>> {
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
fn records(line: &str, ca: Option<Ca>) -> Result<Vec<Pending>, Failure> {
    let shown = parse::parse(line)?;
    let whole = |record| {
        let expected = expectation::alone(record).ok_or_else(|| {
            Failure::new(
                Kind::Malformed,
                format!("the host in {line:?} is not a whole name, with its domain"),
            )
        })?;
        Ok(Pending {
            request: String::new(),
            ca,
            expected: Rc::new(expected),
            names: Vec::new(),
        })
    };
    shown.iter().map(whole).collect()
}

fn file(path: &Path, line: &str) -> Result<Vec<Selected>, Failure> {
    let requests = select::requests(path, line)?;
    Ok(requests
        .iter()
        .map(|request| select::held(path, request))
        .collect())
}

impl Selected {
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
