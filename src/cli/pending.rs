//! What is pending in the working directory, for bare `certctl`: files from the CA that can be
//! installed, else a request without a certificate. Reads a bounded number of files, does not use
//! the network and never fails.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::advice::dcv_check_command::{self, RootSource};
use crate::advice::usage::RootToTrust;
use crate::advice::{csr_command, missing_keys, usage};
use crate::context::Context;
use crate::finding::NextStep;
use crate::inputs::folder::{self, FolderArchive, FolderContents, HeldFile};
use crate::inputs::{self, dcv_file};
use crate::install::installed;
use crate::install::stored_roots::{self, root_source};
use crate::matching::PrivateRoots;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{ChainCriteria, ChainEnd, ChainPreference};
use crate::pki::key::PublicKeyId;
use crate::pki::request::SigningRequest;
use crate::pki::trust::TrustAnchors;
use crate::pki::verify;

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
    let archives = folder::read_archives(&folder, ARCHIVE_LIMIT);
    let certificates = received_certificates(&folder, &archives);
    match ready_certificate(context, &folder, &certificates, &installed) {
        Some(ready) => Some(install_step(context, &folder, &archives, ready)),
        None => check_step(context, &folder, &certificates, installed)
            .or_else(|| unfinished_step(context, &folder)),
    }
}

/// The install of a certificate for a key in the folder, if no server was verified to serve it.
fn unfinished_step(context: &Context, folder: &FolderContents) -> Option<NextStep> {
    let known = folder.key_ids();
    let live = installed::list_live_files(context).ok()?;
    let keys = installed::list_keys(context);
    let unfinished = live.into_iter().find(|one| {
        let is_here =
            |(stem, key): &(String, PublicKeyId)| *stem == one.stem && known.contains(key);
        !one.is_proven && keys.iter().any(is_here)
    })?;
    let words = [
        context.command_words("install"),
        vec![unfinished.stem.clone()],
    ]
    .concat();
    Some(usage::finish_install(
        &unfinished.stem,
        &words,
        context.root.as_deref(),
    ))
}

/// The install of a certificate; one of a company's own CA needs its root.
fn install_step(
    context: &Context,
    folder: &FolderContents,
    archives: &[FolderArchive],
    ready: &Certificate,
) -> NextStep {
    let words = context.command_words("install");
    let label = ready.label();
    let is_private = is_requested_privately(folder, ready);
    let mut root = None;
    let source = root_source(context, &ready.dns_names);
    if source == RootSource::Argument {
        root = private_root(context, folder, archives, ready);
        if root.is_none() && is_private {
            return dcv_check_command::install_with_root(&label, &words);
        }
    }
    let certificates = received_certificates(folder, archives);
    if root.is_none() && lacks_issuer(context, &certificates, ready) {
        return usage::install_with_bundle(&label, &words, context.root.as_deref());
    }
    let root = root.map(|path| match is_private {
        true => RootToTrust::File(path),
        false => RootToTrust::Doubtful(path),
    });
    usage::install_delivery(&label, &words, context.root.as_deref(), root.as_ref())
}

/// Returns whether an install would refuse the certificate because its issuer is not among
/// `certificates`.
fn lacks_issuer(context: &Context, certificates: &[Certificate], ready: &Certificate) -> bool {
    let configured = context.defaults().ok().and_then(|defaults| defaults.trust);
    let anchors = stored_roots::load_anchors(context, &ready.dns_names)
        .or_else(|| inputs::trust_anchors(configured.as_deref()).ok());
    let anchors = anchors.unwrap_or_else(TrustAnchors::mozilla);
    let criteria = ChainCriteria {
        anchors: &anchors,
        at: context.now(),
        prefer: ChainPreference::default(),
    };
    let chain = verify::assemble_chain(ready, certificates, criteria).chain;
    matches!(chain.end(), ChainEnd::Gap { .. })
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
fn received_certificates(folder: &FolderContents, archives: &[FolderArchive]) -> Vec<Certificate> {
    let plain = folder.certificates.iter().flat_map(|held| &held.value);
    let mut certificates: Vec<Certificate> = plain.cloned().collect();
    for archive in archives {
        certificates.extend(archive.certificates.iter().cloned());
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

/// Whether the request of the certificate was made for a company's own CA.
fn is_requested_privately(folder: &FolderContents, certificate: &Certificate) -> bool {
    for held in &folder.requests {
        if held.value.key_id == certificate.key_id {
            return dcv_file::is_for_private_ca(&held.path);
        }
    }
    false
}

/// The file with the root of a company's own CA that issued the certificate, if it is in the folder.
fn private_root(
    context: &Context,
    folder: &FolderContents,
    archives: &[FolderArchive],
    leaf: &Certificate,
) -> Option<PathBuf> {
    let mut roots = PrivateRoots::default();
    for held in &folder.certificates {
        roots.add_file(&held.path, held.value.iter());
    }
    for archive in archives {
        roots.add_file(&archive.path, archive.certificates.iter());
    }
    let path = roots.find(leaf, context.now())?;
    Some(path.to_owned())
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
    for held in pending {
        if dcv_file::is_for_private_ca(&held.path) {
            let install = context.command_words("install");
            let request = held.path.display().to_string();
            let root = root_source(context, &held.value.dns_names);
            return Some(dcv_check_command::send_to_private_ca(
                &request, &install, root,
            ));
        }
    }
    if let [held] = pending
        && let Some(ca) = dcv_file::ca_with_record_to_copy(&held.path)
    {
        let mut words = context.command_words("dcv-check");
        for word in ["--wait", "--record", "-"] {
            words.push(word.to_owned());
        }
        return Some(csr_command::check_shown_record(Some(ca), &words));
    }
    let names = pending
        .iter()
        .filter_map(|held| held.value.dns_names.first());
    let names: Vec<&str> = names.map(String::as_str).collect();
    (!names.is_empty()).then(|| usage::check_pending(&names, &context.command_words("dcv-check")))
}
