//! A certificate, and what is known of where it came from: its request, that request's folder, the
//! CA.

use std::path::Path;
use std::rc::Rc;

use super::folders::{RequestFolder, RequestFolders};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::inputs::folder::HeldFile;
use crate::matching::file_names;
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::store::settings::LineageSettings;
use crate::system::fs::folders as disk;

/// A certificate, and what is known of where it came from.
pub(super) struct PreviousCertificate<'a> {
    pub(super) leaf: &'a Certificate,
    pub(super) settings: LineageSettings,
    /// The request that it answers.
    pub(super) request: Option<HeldFile<SigningRequest>>,
    pub(super) kept: StoredRecord,
}

/// The run as it would be in the folder of the request: what `-C` says, else where the last request
/// came from, else here.
pub(super) fn place(
    context: &Context,
    settings: &LineageSettings,
    findings: &mut Vec<Finding>,
) -> Context {
    let here = || context.in_folder(context.directory.clone());
    match &settings.folder {
        Some(folder) if context.directory == Path::new(".") && !is_here(folder) => {
            if disk::is_folder(folder) {
                return context.in_folder(folder.clone());
            }
            let message = format!(
                "{}, where the last request was made, is not there: this folder is used",
                folder.display()
            );
            findings.push(Finding::warning("folder-missing", message));
            here()
        }
        _ => here(),
    }
}

/// Paths in the folder where the user stands are spelled without it.
fn is_here(folder: &Path) -> bool {
    disk::absolute(Path::new("."))
        .and_then(|here| disk::real(&here))
        .is_ok_and(|here| here == folder)
        || disk::absolute(Path::new(".")).is_ok_and(|here| here == folder)
}

/// The request that the certificate answers, and what is kept beside it: in `folder`, else where it
/// was made.
pub(super) fn past<'a>(
    context: &Context,
    leaf: &'a Certificate,
    settings: LineageSettings,
    folder: &Rc<RequestFolder>,
    folders: &mut RequestFolders,
) -> Result<PreviousCertificate<'a>, Failure> {
    let mut request = answered(leaf.key_id, &settings, folder);
    if let (None, Some(made)) = (
        &request,
        settings
            .folder
            .as_deref()
            .filter(|made| disk::is_folder(made)),
    ) {
        // Another folder than that of -C may be nobody's business any more.
        request = folders
            .read(context, made)
            .ok()
            .and_then(|made| answered(leaf.key_id, &settings, &made));
    }
    let kept = match &request {
        Some(held) => dcv_file::read(&dcv_file::beside(&held.path))?,
        None => StoredRecord::default(),
    };
    Ok(PreviousCertificate {
        leaf,
        settings,
        request,
        kept,
    })
}

/// Of several with its key the one that is remembered, else the first round.
fn answered(
    id: PublicKeyId,
    settings: &LineageSettings,
    folder: &RequestFolder,
) -> Option<HeldFile<SigningRequest>> {
    let remembered = |held: &&HeldFile<SigningRequest>| {
        let stem = held.path.file_stem().and_then(|stem| stem.to_str());
        settings.request.is_some() && stem == settings.request.as_deref()
    };
    let first = || {
        folder
            .with_key(id)
            .min_by_key(|held| file_names::lineage(&held.path).1)
    };
    folder.with_key(id).find(remembered).or_else(first).cloned()
}

impl PreviousCertificate<'_> {
    pub(super) fn ca(&self) -> Option<Ca> {
        self.kept
            .ca()
            .or_else(|| self.settings.ca.as_deref().and_then(Ca::by_name))
    }

    /// What its request asked for, else what the certificate has.
    pub(super) fn names(&self) -> Result<AltNames, Failure> {
        let texts = match &self.request {
            Some(held) => asked_in_order(&held.value),
            None => self.listed(),
        };
        Ok(AltNames::parse(&texts)?)
    }

    pub(super) fn listed(&self) -> Vec<String> {
        let addresses = self.leaf.ip_addresses.iter().map(ToString::to_string);
        self.leaf
            .dns_names
            .iter()
            .cloned()
            .chain(addresses)
            .collect()
    }

    pub(super) fn subject(&self, names: &AltNames) -> SubjectName {
        let subject = match &self.request {
            Some(held) => SubjectName::from_der(held.value.subject_der()),
            None => SubjectName::from_der(self.leaf.subject_der()),
        };
        subject.unwrap_or_default().or_named(names)
    }

    /// The same kind of key; of RSA the next size that is made.
    pub(super) fn algorithm(&self) -> KeyAlgorithm {
        match self.leaf.algorithm {
            KeyAlgorithm::Rsa(..=2048) => KeyAlgorithm::Rsa(2048),
            KeyAlgorithm::Rsa(..=3072) => KeyAlgorithm::Rsa(3072),
            KeyAlgorithm::Rsa(_) => KeyAlgorithm::Rsa(4096),
            KeyAlgorithm::Unknown => KeyAlgorithm::EcdsaP256,
            other => other,
        }
    }
}

pub(super) fn asked_in_order(request: &SigningRequest) -> Vec<String> {
    let addresses = request.ip_addresses.iter().map(ToString::to_string);
    request
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .chain(request.mailboxes.iter().cloned())
        .collect()
}
