//! The key and the request of an order, in the working directory: those that `csr` or an interrupted
//! run has made for the same names, else new ones. No file is overwritten.
//!
//! The names of the files are those of `csr` and `renew`: `example.com.key`, then `example.com-2.key`. A
//! request with a chain beside it has been fulfilled, and is not used again.

use std::path::{Path, PathBuf};

use super::obtained::list_obtained;
use super::order_ca::OrderCa;
use super::spec::{CertificatePlace, KeyChoice, MOST_RENEWALS, OrderFiles, OrderSpec, OrderTiming};
use crate::acme::ca_table::AcmeChoice;
use crate::advice::{order as advice, renew_command};
use crate::audit::{self, AuditAction};
use crate::context::Context;
use crate::csr_lint::{self, EarlierContent, LintedRequest};
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::FoundKeyFile;
use crate::inputs::folder::read_file;
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::install::installed;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::system::fs::files;

/// Reports what the CA would refuse. A CA that is not in the table has its own rules.
pub(super) fn lint_request(spec: &OrderSpec, algorithm: KeyAlgorithm) -> Vec<Finding> {
    let subject = SubjectName::default().or_named(&spec.names);
    let faults = csr_lint::find_faults(&LintedRequest {
        names: &spec.names,
        subject: &subject,
        algorithm,
        reused_key: None,
        earlier_content: EarlierContent::default(),
        ca: match spec.ca {
            OrderCa::Acme(AcmeChoice::Known(_)) => None,
            OrderCa::Acme(AcmeChoice::Url(_)) => Some(Ca::Private),
            OrderCa::Namecheap => Some(Ca::Namecheap),
        },
    });
    let faults = faults.iter();
    let severe = faults.filter(|fault| fault.rule.severity == Severity::Error);
    severe
        .map(|fault| Finding::error(fault.rule.code, fault.to_string()))
        .collect()
}

/// Returns the files of the request; creates key and request unless they exist.
pub(super) fn prepare_files(
    context: &Context,
    spec: &OrderSpec,
    algorithm: KeyAlgorithm,
) -> Result<OrderFiles, Failure> {
    let reused = match spec.key {
        KeyChoice::New => None,
        KeyChoice::Reused => Some(earlier_key(context, spec)?),
    };
    for number in 1..MOST_RENEWALS {
        let files = OrderFiles::numbered(context, &spec.name, number);
        if files::exists(&files.chain) {
            continue;
        }
        if !files.have_request() {
            match &reused {
                Some(key) => create_files(context, spec, &files, key)?,
                None => create_files(context, spec, &files, &PrivateKey::generate(algorithm)?)?,
            }
        } else if !fits(spec, &files, reused.as_ref()) {
            continue;
        }
        return files.absolute();
    }
    Err(advice::too_many_files(&spec.name))
}

/// The key of the certificate that is renewed.
fn earlier_key(context: &Context, spec: &OrderSpec) -> Result<PrivateKey, Failure> {
    let OrderTiming::Renewal(renewed) = &spec.timing else {
        return installed_key(context, &spec.name);
    };
    if renewed.place == CertificatePlace::Installed {
        return installed_key(context, &spec.name);
    }
    let mut obtained = list_obtained(context, spec).into_iter();
    let found = obtained.find(|one| one.leaf.sha256() == renewed.sha256);
    let found = found.ok_or_else(|| renew_command::no_key_to_reuse(&spec.name))?;
    let file = FoundKeyFile::read(&found.files.key)?;
    match file.into_key(&found.files.key, found.leaf.key_id) {
        Some(Ok(key)) => Ok(key.into_held().value),
        Some(Err(_)) | None => Err(renew_command::no_key_to_reuse(&spec.name)),
    }
}

/// The key of the installed certificate.
fn installed_key(context: &Context, name: &str) -> Result<PrivateKey, Failure> {
    let live = installed::find_live(context, name)?;
    let live = live.ok_or_else(|| renew_command::no_key_to_reuse(name))?;
    let path = live.files.key_path.as_ref();
    let path = path.ok_or_else(|| renew_command::no_key_to_reuse(name))?;
    let file = FoundKeyFile::read_installed(path)?;
    match file.into_key(path, live.release.leaf().key_id) {
        Some(Ok(key)) => Ok(key.into_held().value),
        Some(Err(_)) | None => Err(renew_command::no_key_to_reuse(name)),
    }
}

/// Makes a request, and writes it after its key.
fn create_files(
    context: &Context,
    spec: &OrderSpec,
    files: &OrderFiles,
    key: &PrivateKey,
) -> Result<(), Failure> {
    let subject = SubjectName::default().or_named(&spec.names);
    let request = SigningRequest::build_with_subject(&spec.names, &subject, key)?;
    let pem = key.to_pem();
    let stored = StoredRecord::default();
    let paths = RequestPaths {
        key: files.key.clone(),
        request: files.request.clone(),
        record: files.request.with_extension("dcv"),
    };
    let staged = StagedRequestFiles::stage(&paths, Some(&pem), &request, &stored)?;
    staged.move_into_place(&[])?;
    let key_id = request.key_id.to_string();
    // The key exists whether or not the system's log has it.
    let _ = audit::record_key(context, AuditAction::CreateKey, &files.key, key_id);
    Ok(())
}

/// Returns whether key and request are for the same names and belong together.
fn fits(spec: &OrderSpec, files: &OrderFiles, reused: Option<&PrivateKey>) -> bool {
    let Ok(request) = read_request(&files.request) else {
        return false;
    };
    let names = request.alt_names();
    let is_same = names.is_some_and(|names| names.same_set(&spec.names));
    let key = FoundKeyFile::read(&files.key);
    let key = key.map(|key| key.into_key(&files.key, request.key_id));
    let is_wanted_key = reused.is_none_or(|key| key.id() == request.key_id);
    is_same && is_wanted_key && matches!(key, Ok(Some(Ok(_))))
}

/// Reads the request of an order.
pub(super) fn read_request(path: &Path) -> Result<SigningRequest, Failure> {
    let delivery = read_file(path)?;
    let mut requests = delivery.requests.into_iter().map(|found| found.value);
    let request = requests.next();
    request.ok_or_else(|| advice::request_missing(&PathBuf::from(path)))
}
