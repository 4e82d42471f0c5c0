//! What is pending in the working directory, for bare `certctl`: files from the CA that can be
//! installed, else a request without a certificate. Reads a bounded number of files, does not use
//! the network and never fails.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::advice::usage;
use crate::context::Context;
use crate::finding::NextStep;
use crate::inputs::folder::{self, FolderContents};
use crate::install::installed;
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::system::fs::files;

/// A folder with more files is not searched.
const FILE_LIMIT: usize = 500;

/// The most archives that are opened.
const ARCHIVE_LIMIT: usize = 10;

/// Files from the CA that belong to a key here.
struct ReadyDelivery {
    /// The archive; none for certificates in plain files, which `install` finds by itself.
    archive: Option<PathBuf>,
    /// A name of the certificate.
    name: String,
}

/// The next command to run in the working directory, if something is pending there.
pub(super) fn next_step(context: &Context) -> Option<NextStep> {
    let folder = FolderContents::read_if_small(context, FILE_LIMIT).ok()??;
    if folder.requests.is_empty() && folder.keys.is_empty() {
        return None;
    }
    let installed: HashSet<PublicKeyId> = installed::list_keys(context)
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    let archives = read_archives(context);
    match ready_delivery(context, &folder, &archives, &installed) {
        Some(ready) => Some(ready.install_step(context)),
        None => check_step(context, &folder, &archives, installed),
    }
}

impl ReadyDelivery {
    fn install_step(self, context: &Context) -> NextStep {
        let mut words = context.command_words("install");
        words.extend(self.archive.map(|path| path.display().to_string()));
        usage::install_delivery(&self.name, &words, context.root.as_deref())
    }
}

/// The check of the requests that no certificate here or installed answers, if there are any.
fn check_step(
    context: &Context,
    folder: &FolderContents,
    archives: &[Archive],
    installed: HashSet<PublicKeyId>,
) -> Option<NextStep> {
    let mut certified = installed;
    let plain = folder.certificates.iter().flat_map(|held| &held.value);
    let archived = archives.iter().flat_map(|archive| &archive.certificates);
    certified.extend(plain.chain(archived).map(|certificate| certificate.key_id));
    let pending = folder.requests_without_certificate(&certified);
    let names: Vec<&str> = pending
        .iter()
        .filter_map(|held| held.value.dns_names.first())
        .map(String::as_str)
        .collect();
    (!names.is_empty()).then(|| usage::check_pending(&names, &context.command_words("dcv-check")))
}

/// A zip or PKCS#7 file, which `install` reads only if it is named.
struct Archive {
    path: PathBuf,
    certificates: Vec<Certificate>,
}

fn read_archives(context: &Context) -> Vec<Archive> {
    let listing = files::list(&context.directory, FILE_LIMIT);
    let paths = listing.map(|listing| listing.paths).unwrap_or_default();
    let named = paths.iter().filter(|path| {
        let extension = path.extension().unwrap_or_default();
        let extension = extension.to_string_lossy().to_ascii_lowercase();
        ["p7b", "p7s", "zip"].contains(&extension.as_str())
    });
    let mut archives = Vec::new();
    for path in named.take(ARCHIVE_LIMIT) {
        let path = context.path_of(path.file_name().unwrap_or_default());
        if let Some(found) = folder::read_small_file(&path) {
            let certificates = found.clone_certificates();
            archives.push(Archive { path, certificates });
        }
    }
    archives
}

/// A valid certificate in the folder whose key, or its request, is there too and is not installed.
fn ready_delivery(
    context: &Context,
    folder: &FolderContents,
    archives: &[Archive],
    installed: &HashSet<PublicKeyId>,
) -> Option<ReadyDelivery> {
    let keys = folder.keys.iter().map(|held| held.value.id());
    let requests = folder.requests.iter().map(|held| held.value.key_id);
    let known: HashSet<PublicKeyId> = keys.chain(requests).collect();
    let is_ready = |certificate: &&Certificate| {
        known.contains(&certificate.key_id)
            && !installed.contains(&certificate.key_id)
            && certificate.is_server_certificate()
            && certificate.is_in_date(context.now())
    };
    let mut plain = folder.certificates.iter().flat_map(|held| &held.value);
    if let Some(certificate) = plain.find(is_ready) {
        return Some(ReadyDelivery {
            archive: None,
            name: certificate.label(),
        });
    }
    archives.iter().find_map(|archive| {
        let certificate = archive.certificates.iter().find(is_ready)?;
        Some(ReadyDelivery {
            archive: Some(archive.path.clone()),
            name: certificate.label(),
        })
    })
}
