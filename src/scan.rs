//! What is here and what is served, gathered: the pairs that certctl installed, files, folders and
//! hosts that are named, the working directory, what the configurations of servers name, other
//! tools' folders. It looks and asks and judges nothing: see `inventory`. What cannot be looked at
//! is a finding, and the rest goes on.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::inputs::folder::FolderContents;
use crate::inputs::{self, HostArgument};
use crate::inventory::{self, ItemLocation, ItemOrigin, RenewBefore, StatusPolicy, StatusRow};
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;
use crate::probe::StartTls;
use crate::system::fs;

mod files;
mod hosts;
mod installed;
mod installed_certificate;
mod other_tools;
mod request_folders;
mod results;
mod web_servers;

pub(crate) use files::{unread, walk};
pub(crate) use results::ScanResults;
use web_servers::ScannedServers;

/// What is looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ScanScope {
    /// What a server shows.
    Host(HostArgument),
    /// What is known here under a name.
    Name(DnsName),
    /// A file or a folder.
    Path(PathBuf),
}

impl ScanScope {
    /// An existing path is a file or a folder; else a name that is known here or installed; else a
    /// host.
    ///
    /// # Errors
    /// What is none of these.
    pub(crate) fn resolve(
        context: &Context,
        text: &str,
        known: &[String],
    ) -> Result<Self, Failure> {
        let path = PathBuf::from(text);
        if fs::files::occupied(&path) {
            return Ok(Self::Path(path));
        }
        if let Some(name) = DnsName::parse(text)
            .ok()
            .filter(|name| known.iter().any(|one| one == name.as_str()))
        {
            return Ok(Self::Name(name));
        }
        let file = text.contains('/')
            || Path::new(text)
                .extension()
                .is_some_and(|end| FILES.iter().any(|one| end == *one));
        match HostArgument::parse(text, 443).filter(|_| !file) {
            Some(host) => Ok(Self::Host(host)),
            None => Err(Failure::new(
                FailureKind::NotFound,
                format!("no such file, name or host: {text}"),
            )
            .with(NextStep::say(format!(
                "see what is here:  {}",
                NextStep::run(&context.again("status")).text
            )))),
        }
    }
}

/// What is done with the files and hosts that are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamedInputs {
    /// They are looked at, and kept for the rows.
    Kept,
    /// Somebody else goes through them, one by one.
    Left,
}

impl ScanScope {
    /// All hosts among them.
    fn hosts(sought: &[Self]) -> Vec<HostArgument> {
        sought.iter().filter_map(Self::host).cloned().collect()
    }

    fn host(&self) -> Option<&HostArgument> {
        match self {
            Self::Host(host) => Some(host),
            Self::Name(_) | Self::Path(_) => None,
        }
    }

    /// The file or folder.
    #[must_use]
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Host(_) | Self::Name(_) => None,
        }
    }
}

/// What no host's name ends in.
const FILES: [&str; 12] = [
    "cer", "cert", "conf", "crl", "crt", "csr", "der", "key", "p7b", "pem", "pfx", "zip",
];

impl ScanResults {
    /// Looks at what is `sought`, and at what certctl installed, which it may belong to; where
    /// nothing is sought, at all usual places. Hosts that are sought are asked by `starttls`, or by
    /// what their port implies.
    ///
    /// # Errors
    /// When certctl's own folder cannot be read at all.
    pub(crate) fn look(
        context: &Context,
        sought: &[ScanScope],
        starttls: Option<StartTls>,
        named: NamedInputs,
    ) -> Result<Self, Failure> {
        let mut survey = Self::default();
        let mut servers = ScannedServers::default();
        // Where only files and hosts are named, what is installed is only what they may belong to.
        let usual = sought.is_empty() || sought.iter().any(|one| matches!(one, ScanScope::Name(_)));
        let rounds = survey.installed(context, usual.then_some(&mut servers))?;
        if usual {
            survey.rounds(context, rounds);
            survey.servers_here(context, &mut servers);
            survey.others(context);
            survey.here(context);
        }
        survey.ask(servers.into_asks());
        if named == NamedInputs::Kept {
            sought
                .iter()
                .filter_map(ScanScope::path)
                .for_each(|path| survey.path(path, &ItemOrigin::Given));
            survey.hosts(context, &ScanScope::hosts(sought), starttls);
        }
        survey.tell_closed();
        Ok(survey)
    }

    /// Looks at what certctl installed and at the working directory alone: nobody is asked.
    ///
    /// # Errors
    /// When certctl's own folder cannot be read at all.
    pub(crate) fn own(context: &Context) -> Result<Self, Failure> {
        let mut survey = Self::default();
        let _ = survey.installed(context, None)?;
        survey.here(context);
        Ok(survey)
    }

    /// The rows; of what is `sought` those alone that have to do with it.
    #[must_use]
    pub(crate) fn rows(
        &mut self,
        context: &Context,
        sought: &[ScanScope],
        before: RenewBefore,
    ) -> Vec<StatusRow> {
        let items = std::mem::take(&mut self.items);
        self.findings.extend(
            inventory::crls::remarks(&items, context.now())
                .iter()
                .map(Finding::from),
        );
        let mut anchors = vec![TrustAnchors::mozilla()];
        if items
            .iter()
            .any(|item| item.place.is_live() || matches!(item.place, ItemLocation::Address { .. }))
        {
            anchors.extend(inputs::anchors(Some("system")).ok());
        }
        let measure = StatusPolicy {
            now: context.now(),
            before,
            anchors: &anchors,
            terms: &self.terms,
            own_anchors: &self.own_anchors,
            questions: &self.questions,
            uncovered: &self.uncovered,
        };
        let mut rows = inventory::rows(items, &measure);
        let wanted = Wanted::of(sought);
        rows.retain(|row| sought.is_empty() || wanted.concerns(row));
        rows
    }
}

/// Every name that a request or a certificate here or installed carries.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn names(context: &Context) -> Result<Vec<String>, Failure> {
    let mut names = FolderContents::read(context)?.names();
    names.extend(installed::names(context)?);
    Ok(names)
}

/// What is sought, found by what rows have: both may be thousands.
struct Wanted<'a> {
    hosts: HashSet<&'a str>,
    names: HashSet<&'a str>,
    paths: HashSet<&'a Path>,
}

impl<'a> Wanted<'a> {
    fn of(sought: &'a [ScanScope]) -> Self {
        let names = sought.iter().filter_map(|one| {
            if let ScanScope::Name(name) = one {
                Some(name.as_str())
            } else {
                None
            }
        });
        Self {
            hosts: sought
                .iter()
                .filter_map(ScanScope::host)
                .map(|host| host.name.as_str())
                .collect(),
            names: names.collect(),
            paths: sought.iter().filter_map(ScanScope::path).collect(),
        }
    }

    fn concerns(&self, row: &StatusRow) -> bool {
        let places = row
            .places
            .iter()
            .chain(&row.requests)
            .chain(row.keys.iter().map(|(place, _)| place));
        let mut places = places.map(|place| match place {
            ItemLocation::Address { name, .. } => self.hosts.contains(name.as_str()),
            ItemLocation::File { path, .. } => {
                !self.paths.is_empty() && path.ancestors().any(|one| self.paths.contains(one))
            }
        });
        let named = |name: &String| self.names.contains(name.to_ascii_lowercase().as_str());
        places.any(|found| found) || !self.names.is_empty() && row.names.iter().any(named)
    }
}
