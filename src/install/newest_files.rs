//! Which files a name means: those that are installed for it, or newer ones in the working directory.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::folder::ArgumentMeaning;
use crate::install::installed::{
    self, InstalledFiles, InstalledNames, load_live_releases, read_settings, usual_layout,
};
use crate::install::placeholder;
use crate::matching::FolderContents;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::store::disk;
use crate::store::history;
use crate::store::root::resolve_root;

/// Returns for each of `names` the files that are live for it, where it is a name and the working
/// directory has no certificate for it that expires later. One that was rolled back does not count: it
/// is installed again if its file is passed.
///
/// # Errors
/// When the directory or the installed certificates cannot be read, or only a placeholder has the
/// name.
pub(crate) fn find_newest(
    context: &Context,
    names: &[String],
) -> Result<Vec<Option<InstalledFiles>>, Failure> {
    let dns_names: Vec<Option<DnsName>> =
        names.iter().map(|name| parse_unless_path(name)).collect();
    if dns_names.iter().all(Option::is_none) {
        return Ok(names.iter().map(|_| None).collect());
    }
    let here = FolderContents::read(context)?;
    let installed = InstalledNames::new(load_live_releases(context)?);
    let search = NewestSearch {
        context,
        installed,
        expiry_dates: here.expiry_by_name(),
        here: &here,
    };
    let mut newest = Vec::new();
    for (name, dns_name) in names.iter().zip(dns_names) {
        newest.push(match dns_name {
            Some(dns_name) => search.find(name, &dns_name)?,
            None => None,
        });
    }
    Ok(newest)
}

/// Parses a name, unless the argument can only be a file. Whether the name is known is not checked.
fn parse_unless_path(name: &str) -> Option<DnsName> {
    let dns_name = DnsName::parse(name).ok()?;
    ArgumentMeaning::from_path(name)
        .is_none()
        .then_some(dns_name)
}

/// Finds the newest certificate of a name, in the working directory or installed.
struct NewestSearch<'a> {
    context: &'a Context,
    installed: InstalledNames,
    here: &'a FolderContents,
    /// When the last certificate of each name in the working directory expires.
    expiry_dates: HashMap<String, Timestamp>,
}

impl NewestSearch<'_> {
    fn find(&self, name: &str, dns_name: &DnsName) -> Result<Option<InstalledFiles>, Failure> {
        let Some(stem) = self.installed.find(name).into_iter().next() else {
            return Ok(None);
        };
        let Some(live) = installed::find_live(self.context, &stem)? else {
            if self.here.lists_name(dns_name) {
                return Ok(None);
            }
            return Err(placeholder::only_placeholder(self.context, &stem));
        };
        if self.has_newer(&stem, dns_name, live.release.leaf().not_after)? {
            return Ok(None);
        }
        let key_id = live.release.leaf().key_id;
        let requests = self.here.requests.iter();
        Ok(Some(InstalledFiles {
            requests: requests
                .filter(|request| request.value.key_id == key_id)
                .cloned()
                .collect(),
            ..live.files
        }))
    }

    /// Whether the working directory has a certificate for the name that expires after the live one
    /// and was not rolled back.
    fn has_newer(
        &self,
        stem: &str,
        dns_name: &DnsName,
        live_expiry: Timestamp,
    ) -> Result<bool, Failure> {
        let expires_here = self.expiry_dates.get(dns_name.as_str());
        if expires_here.is_none_or(|expires| *expires <= live_expiry) {
            return Ok(false);
        }
        let rolled_back = find_rolled_back(self.context, stem)?;
        let is_rolled_back = |leaf: &Certificate| {
            let replaced = rolled_back.as_ref();
            replaced.is_some_and(|replaced| replaced.fingerprint == leaf.fingerprint)
        };
        let mut named = self
            .here
            .leaves_named(dns_name, self.context.now())
            .into_iter();
        Ok(named.any(|leaf| leaf.not_after > live_expiry && !is_rolled_back(leaf)))
    }
}

/// Returns the certificate that the last rollback replaced, if nothing was installed since then and it
/// is still kept.
fn find_rolled_back(context: &Context, stem: &str) -> Result<Option<Certificate>, Failure> {
    let settings = read_settings(context, stem)?;
    let Some((replaced, _)) = history::replaced_by_rollback(&settings) else {
        return Ok(None);
    };
    let layout = usual_layout(&resolve_root(context.root.as_deref())?, stem);
    let release = disk::load_public(&layout, replaced)?;
    Ok(release.map(|release| release.leaf().clone()))
}
