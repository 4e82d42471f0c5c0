//! What is pending in the working directory, for bare `certctl`: files from the CA that can be
//! installed, else a request without a certificate. Reads a bounded number of files, does not use
//! the network and never fails.

use std::collections::HashSet;

use crate::advice::{dcv_check_command, missing_keys, usage};
use crate::context::Context;
use crate::finding::NextStep;
use crate::inputs::dcv_file;
use crate::inputs::folder::{self, FolderContents, HeldFile};
use crate::install::installed;
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;

/// A folder with more files is not searched.
const FILE_LIMIT: usize = 500;

/// The maximum number of archives that are opened.
const ARCHIVE_LIMIT: usize = 10;

/// Returns the next command to run in the working directory, if something is pending there.
pub(super) fn next_step(context: &Context) -> Option<NextStep> {
    let folder = FolderContents::read_if_small(context, FILE_LIMIT).ok()??;
    if folder.requests.is_empty() && folder.keys.is_empty() {
        return check_archive(context, &folder);
    }
    let installed: HashSet<PublicKeyId> = installed::list_keys(context)
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    let certificates = received_certificates(&folder);
    match ready_certificate(context, &folder, &certificates, &installed) {
        Some(ready) => Some(usage::install_delivery(
            &ready.label(),
            &context.command_words("install"),
            context.root.as_deref(),
        )),
        None => check_step(context, &folder, &certificates, installed),
    }
}

/// For a folder without a key: the check of a packed certificate, which says what is missing.
fn check_archive(context: &Context, folder: &FolderContents) -> Option<NextStep> {
    let archives = folder::read_archives(folder, ARCHIVE_LIMIT);
    let mut leaves = archives.iter().flat_map(|archive| {
        let certificates = archive.certificates.iter();
        certificates.map(|certificate| (&archive.path, certificate))
    });
    let (path, leaf) = leaves.find(|(_, certificate)| {
        certificate.is_server_certificate() && certificate.is_in_date(context.now())
    })?;
    let mut words = context.command_words("verify");
    words.push(path.display().to_string());
    Some(usage::check_certificate_without_key(&leaf.label(), &words))
}

/// The certificates of the folder, as `install` without arguments finds them: in plain files and in
/// archives.
fn received_certificates(folder: &FolderContents) -> Vec<Certificate> {
    let plain = folder.certificates.iter().flat_map(|held| &held.value);
    let mut certificates: Vec<Certificate> = plain.cloned().collect();
    for archive in folder::read_archives(folder, ARCHIVE_LIMIT) {
        certificates.extend(archive.certificates);
    }
    certificates
}

/// A valid certificate whose key, or its request, is in the folder and is not installed.
fn ready_certificate<'a>(
    context: &Context,
    folder: &FolderContents,
    certificates: &'a [Certificate],
    installed: &HashSet<PublicKeyId>,
) -> Option<&'a Certificate> {
    let known = folder.key_ids();
    certificates.iter().find(|certificate| {
        known.contains(&certificate.key_id)
            && !installed.contains(&certificate.key_id)
            && certificate.is_server_certificate()
            && certificate.is_in_date(context.now())
    })
}

/// The check of the requests that no certificate here or installed answers, if there are any.
fn check_step(
    context: &Context,
    folder: &FolderContents,
    certificates: &[Certificate],
    installed: HashSet<PublicKeyId>,
) -> Option<NextStep> {
    let mut certified = installed;
    certified.extend(certificates.iter().map(|certificate| certificate.key_id));
    let pending = folder.requests_without_certificate(&certified);
    let keyless = pending
        .iter()
        .find(|held| folder.lacks_key(held.value.key_id));
    if let Some(held) = keyless {
        let names = &held.value.dns_names;
        let step = missing_keys::notice_missing_key(&held.path, names, &|sentence, words| {
            let words = words.iter().skip(1).map(|&word| word.to_owned());
            let csr = context.command_words("csr");
            NextStep::run_certctl(sentence, &csr.into_iter().chain(words).collect::<Vec<_>>())
        });
        return Some(step);
    }
    validation_step(context, &pending)
}

/// The check of the domain validation; a company's own CA has none, and only gets the request.
fn validation_step(context: &Context, pending: &[&HeldFile<SigningRequest>]) -> Option<NextStep> {
    let mut private = pending.iter().map(|held| &held.path);
    if let Some(path) = private.find(|path| dcv_file::is_for_private_ca(path)) {
        let install = context.command_words("install");
        let request = path.display().to_string();
        return Some(dcv_check_command::send_to_private_ca(&request, &install));
    }
    let names = pending
        .iter()
        .filter_map(|held| held.value.dns_names.first());
    let names: Vec<&str> = names.map(String::as_str).collect();
    (!names.is_empty()).then(|| usage::check_pending(&names, &context.command_words("dcv-check")))
}
