//! The previous certificate with the request that it answers, that request's folder, and the CA.

use std::path::Path;
use std::rc::Rc;

use super::folders::{RequestFolder, RequestFolders, requested_names};
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
use crate::store::settings::{LineageSettings, ROOT_REQUESTS};
use crate::system::fs::folders as disk;

/// The certificate to renew, and where it came from.
pub(super) struct PreviousCertificate<'a> {
    pub leaf: &'a Certificate,
    pub settings: LineageSettings,
    /// The request that it answers.
    pub request: Option<HeldFile<SigningRequest>>,
    /// The `.dcv` file of that request.
    pub stored: StoredRecord,
}

/// Returns the context for the folder of the next request: `-C`, else the folder of the last
/// request, else the working directory.
pub(super) fn in_request_folder(
    context: &Context,
    settings: &LineageSettings,
    findings: &mut Vec<Finding>,
) -> Context {
    if let Some(folder) = &settings.folder
        && context.has_usual_directory()
        && !is_working_directory(folder)
        && !replaces_home(folder, settings)
    {
        if disk::is_folder(folder) {
            return context.in_folder(folder.clone());
        }
        let message = format!(
            "the folder of the last request, {}, does not exist: the current folder is used instead",
            folder.display()
        );
        findings.push(Finding::warning("folder-missing", message));
    }
    context.in_folder(context.directory.clone())
}

/// Returns whether `folder` is stored in place of the home of a user who works in the current
/// folder: other users than root cannot use it, and root continues with the request that is here.
fn replaces_home(folder: &Path, settings: &LineageSettings) -> bool {
    if folder != Path::new(ROOT_REQUESTS) {
        return false;
    }
    if disk::current_user() != 0 {
        return true;
    }
    let Some(stem) = &settings.request else {
        return false;
    };
    let request = format!("{stem}.csr");
    disk::is_file(Path::new(&request))
}

/// Returns whether `folder` is the working directory: its paths are printed without the folder.
fn is_working_directory(folder: &Path) -> bool {
    let Ok(absolute) = disk::absolute(Path::new(".")) else {
        return false;
    };
    let real = disk::resolve_links(&absolute);
    real.is_ok_and(|path| path == folder) || absolute == folder
}

/// Finds the request that the certificate answers and its `.dcv` file: in `folder`, else in the
/// folder where the request was made.
pub(super) fn find_previous<'a>(
    context: &Context,
    leaf: &'a Certificate,
    settings: LineageSettings,
    folder: &Rc<RequestFolder>,
    folders: &mut RequestFolders,
) -> Result<PreviousCertificate<'a>, Failure> {
    let mut request = answered_request(leaf.key_id, &settings, folder);
    if request.is_none()
        && let Some(origin) = settings.folder.as_deref()
        && disk::is_folder(origin)
    {
        // This folder is not from the command line, so an unreadable one is not an error.
        request = folders
            .read(context, origin)
            .ok()
            .and_then(|origin| answered_request(leaf.key_id, &settings, &origin));
    }
    let stored = match &request {
        Some(held) => dcv_file::read_record(&dcv_file::dcv_path(&held.path))?,
        None => StoredRecord::default(),
    };
    Ok(PreviousCertificate {
        leaf,
        settings,
        request,
        stored,
    })
}

/// Returns the stored request if it has this key, else the first one with this key.
fn answered_request(
    id: PublicKeyId,
    settings: &LineageSettings,
    folder: &RequestFolder,
) -> Option<HeldFile<SigningRequest>> {
    let stored = settings.request.as_deref();
    let stored_request = folder.with_key(id).find(|held| {
        let stem = held.path.file_stem();
        let stem = stem.and_then(|stem| stem.to_str());
        stored.is_some() && stem == stored
    });
    stored_request
        .or_else(|| {
            folder
                .with_key(id)
                .min_by_key(|held| file_names::split_renewal_path(&held.path).1)
        })
        .cloned()
}

impl PreviousCertificate<'_> {
    pub(super) fn ca(&self) -> Option<Ca> {
        let settings_ca = self.settings.ca.as_deref();
        self.stored
            .ca()
            .or_else(|| settings_ca.and_then(Ca::by_name))
    }

    /// Returns the names of its request, else those of the certificate.
    pub(super) fn names(&self) -> Result<AltNames, Failure> {
        let texts = match &self.request {
            Some(held) => requested_names(&held.value).collect(),
            None => self.certificate_names(),
        };
        Ok(AltNames::parse(&texts)?)
    }

    pub(super) fn certificate_names(&self) -> Vec<String> {
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

    /// Returns the algorithm of the next key: the same, with RSA sizes rounded up to a supported one.
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
