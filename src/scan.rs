//! Scans what is on this machine and what is served: installed certificates, the files, folders and
//! hosts on the command line, the working directory, the certificates in server configurations, and
//! other tools' folders. `inventory` judges the results. If something cannot be scanned, that
//! becomes a finding, and the scan continues.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::folder::FolderContents;
use crate::inputs::{self, HostArgument, KeyFileInspector};
use crate::install::installed::list_installed;
use crate::inventory::{
    self, InventoryItem, ItemContent, ItemLocation, ItemOrigin, RenewBefore, StatusPolicy,
    StatusRow,
};
use crate::matching::key_trust::DoubtfulKeyFile;
use crate::pki::name::DnsName;
use crate::pki::trust::TrustAnchors;
use crate::probe::StartTls;
use crate::system::fs;

mod files;
pub(crate) mod hosts;
mod installed;
mod installed_certificate;
pub(crate) mod newer;
mod other_tools;
mod request_folders;
mod results;
pub(crate) mod revocation;
mod web_servers;

pub(crate) use files::{NAMED_LIMIT, unreadable_severity, walk};
pub(crate) use results::ScanResults;
use web_servers::ScannedServers;

/// An argument of `status`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ScanScope {
    /// A server to probe.
    Host(HostArgument),
    /// The certificates and requests for a name.
    Name(DnsName),
    /// A file or a folder.
    Path(PathBuf),
}

impl ScanScope {
    /// Resolves an argument: one of the known names; else an existing path is a file or a folder;
    /// else a host. A slash or the suffix of a certificate forces an existing path.
    ///
    /// # Errors
    /// When the argument is none of these.
    pub(crate) fn resolve(
        context: &Context,
        text: &str,
        known_names: &[String],
    ) -> Result<Self, Failure> {
        let path = PathBuf::from(text);
        if Self::may_be_name(text)
            && let Ok(name) = DnsName::parse(text)
            && known_names.iter().any(|known| known == name.as_str())
        {
            return Ok(Self::Name(name));
        }
        if fs::files::may_exist(&path) {
            return Ok(Self::Path(path));
        }
        match HostArgument::parse(text, 443) {
            Some(host) if !looks_like_file(text) => Ok(Self::Host(host)),
            _ => {
                let message = format!("no such file, name or host: {text}");
                let status_command = context.command_words("status");
                Err(Failure::new(FailureKind::NotFound, message)
                    .with_step(advice::scan::list_everything(&status_command)))
            }
        }
    }
}

impl ScanScope {
    /// Returns whether an argument is spelled like a name, and no file with the suffix of a
    /// certificate has that spelling.
    #[must_use]
    pub(crate) fn may_be_name(text: &str) -> bool {
        let is_forced_path = looks_like_file(text) && fs::files::exists(Path::new(text));
        !is_forced_path && DnsName::parse(text).is_ok()
    }
}

fn looks_like_file(text: &str) -> bool {
    if text.contains('/') {
        return true;
    }
    match Path::new(text).extension() {
        Some(extension) => FILES.iter().any(|known| extension == *known),
        None => false,
    }
}

/// Whether a scan includes the files and hosts on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamedInputs {
    /// They are scanned for the rows.
    Included,
    /// The caller scans them one by one.
    Excluded,
}

impl ScanScope {
    fn hosts(scopes: &[Self]) -> Vec<HostArgument> {
        scopes.iter().filter_map(Self::host).cloned().collect()
    }

    fn host(&self) -> Option<&HostArgument> {
        match self {
            Self::Host(host) => Some(host),
            Self::Name(_) | Self::Path(_) => None,
        }
    }

    fn name(&self) -> Option<&DnsName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Host(_) | Self::Path(_) => None,
        }
    }

    /// Returns the file or folder, if it is one.
    #[must_use]
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Host(_) | Self::Name(_) => None,
        }
    }
}

/// Extensions of file names that no host name ends in.
const FILES: [&str; 12] = [
    "cer", "cert", "conf", "crl", "crt", "csr", "der", "key", "p7b", "pem", "pfx", "zip",
];

impl ScanResults {
    /// Scans the scopes, and the installed certificates that they may be related to; without
    /// scopes, all usual places. Hosts are probed with `starttls`, or with the protocol that their
    /// port implies.
    ///
    /// # Errors
    /// When certctl's own folder cannot be read at all.
    pub(crate) fn scan(
        context: &Context,
        scopes: &[ScanScope],
        starttls: Option<StartTls>,
        named: NamedInputs,
    ) -> Result<Self, Failure> {
        let mut results = Self::default();
        let mut servers = ScannedServers::default();
        // With only files and hosts, other usual places are not related to the scopes.
        let has_name = scopes.iter().any(|scope| scope.name().is_some());
        let scans_usual_places = scopes.is_empty() || has_name;
        let scanned_servers = scans_usual_places.then_some(&mut servers);
        let request_stems = results.scan_installed(context, scanned_servers)?;
        if scans_usual_places {
            results.scan_request_folders(context, request_stems);
            results.scan_configured_servers(context, &mut servers);
            results.scan_other_tools(context);
            results.scan_working_directory(context);
        }
        results.probe_servers(servers.into_targets());
        if named == NamedInputs::Included {
            for path in scopes.iter().filter_map(ScanScope::path) {
                results.scan_path(path, &ItemOrigin::Given);
            }
            results.probe_hosts(context, &ScanScope::hosts(scopes), starttls);
        }
        results.report_unreadable_keys();
        Ok(results)
    }

    /// Scans only the installed certificates and the working directory; probes no server.
    ///
    /// # Errors
    /// When certctl's own folder cannot be read at all.
    pub(crate) fn scan_own(context: &Context) -> Result<Self, Failure> {
        let mut results = Self::default();
        let _ = results.scan_installed(context, None)?;
        results.scan_working_directory(context);
        Ok(results)
    }

    /// Judges the items; returns the rows that are related to the scopes.
    #[must_use]
    pub(crate) fn rows(
        &mut self,
        context: &Context,
        scopes: &[ScanScope],
        before: RenewBefore,
    ) -> Vec<StatusRow> {
        let items = std::mem::take(&mut self.items);
        self.collect_private_roots(&items);
        let remarks = inventory::crls::remarks(&items, context.now());
        self.findings.extend(remarks.iter().map(Finding::from));
        let mut anchors = vec![TrustAnchors::mozilla()];
        if items.iter().any(is_served) {
            anchors.extend(inputs::trust_anchors(Some("system")).ok());
        }
        let configured = configured_anchors(context);
        anchors.extend(configured.clone());
        let refused_keys = refused_keys(&items);
        let policy = StatusPolicy {
            now: context.now(),
            renew_before: before,
            anchors: &anchors,
            configured_anchors: configured.as_ref(),
            terms: &self.terms,
            own_anchors: &self.own_anchors,
            server_probes: &self.server_probes,
            uncovered: &self.uncovered,
            refused_keys: &refused_keys,
        };
        let mut rows = inventory::rows(items, &policy);
        if !scopes.is_empty() {
            let filter = ScopeFilter::new(scopes);
            rows.retain(|row| filter.includes(row));
        }
        rows
    }
}

/// Loads the trust anchors of the configuration, if it names some that can be read.
fn configured_anchors(context: &Context) -> Option<TrustAnchors> {
    let trust = context.defaults().ok()?.trust?;
    inputs::trust_anchors(Some(&trust)).ok()
}

/// Returns the keys that `install` would not use without `--key`. A deployed key belongs to the
/// user of its server.
fn refused_keys(items: &[InventoryItem]) -> HashMap<PathBuf, DoubtfulKeyFile> {
    let inspector = KeyFileInspector::default();
    let mut refused = HashMap::new();
    for item in items.iter().filter(|item| !item.location.is_live()) {
        let id = match &item.content {
            ItemContent::Key(key) => Some(key.id),
            ItemContent::LockedKey { .. } => None,
            _ => continue,
        };
        if let ItemLocation::File { path, .. } = &item.location
            && let Some(file) = inspector.refuse_found(path, id)
        {
            refused.insert(path.clone(), file);
        }
    }
    refused
}

fn is_served(item: &InventoryItem) -> bool {
    item.location.is_live() || matches!(item.location, ItemLocation::Address { .. })
}

/// Returns every name in the requests and certificates of the working directory and in the
/// installed certificates, and the names under which these are installed.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn known_names(context: &Context) -> Result<Vec<String>, Failure> {
    let mut names = FolderContents::read(context)?.names();
    names.extend(installed::installed_names(context)?);
    names.extend(list_installed(context)?);
    Ok(names)
}

/// The scopes as sets, because there may be thousands of scopes and of rows.
struct ScopeFilter<'a> {
    hosts: HashSet<&'a str>,
    names: HashSet<&'a str>,
    paths: HashSet<&'a Path>,
}

impl<'a> ScopeFilter<'a> {
    fn new(scopes: &'a [ScanScope]) -> Self {
        let hosts = scopes.iter().filter_map(ScanScope::host);
        let names = scopes.iter().filter_map(ScanScope::name);
        Self {
            hosts: hosts.map(|host| host.name.as_str()).collect(),
            names: names.map(DnsName::as_str).collect(),
            paths: scopes.iter().filter_map(ScanScope::path).collect(),
        }
    }

    fn includes(&self, row: &StatusRow) -> bool {
        let keys = row.keys.iter().map(|(place, _)| place);
        let mut places = row.locations.iter().chain(&row.requests).chain(keys);
        places.any(|place| self.includes_place(place)) || self.includes_name(row)
    }

    fn includes_place(&self, place: &ItemLocation) -> bool {
        match place {
            ItemLocation::Address { name, .. } => self.hosts.contains(name.as_str()),
            ItemLocation::File { path, .. } => {
                let has_paths = !self.paths.is_empty();
                has_paths && path.ancestors().any(|one| self.paths.contains(one))
            }
        }
    }

    fn includes_name(&self, row: &StatusRow) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let mut names = row.names.iter().chain(&row.installed_as);
        names.any(|name| {
            let name = name.to_ascii_lowercase();
            self.names.contains(name.as_str())
        })
    }
}
