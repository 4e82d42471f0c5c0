//! The key and the request of an order, in the working directory: those that `csr` or an interrupted
//! run has made for the same names, else new ones. No file is overwritten.
//!
//! The names of the files are those of `csr` and `renew`: `example.com.key`, then `example.com-2.key`. A
//! request with a chain beside it has been fulfilled, and is not used again.

use std::path::{Path, PathBuf};

use super::spec::{OrderFiles, OrderSpec};
use crate::acme::ca_table::AcmeChoice;
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
use crate::matching::file_names;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::system::fs::{files, folders};

/// The highest number of a renewal whose files are searched.
const MOST_RENEWALS: u32 = 10_000;

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
            AcmeChoice::Known(_) => None,
            AcmeChoice::Url(_) => Some(Ca::Private),
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
    for number in 1..MOST_RENEWALS {
        let stem = match number {
            1 => spec.name.clone(),
            number => file_names::renewal_stem(&spec.name, number),
        };
        let paths = RequestPaths::new(context, &stem);
        let chain = context.path_of(format!("{stem}.fullchain.pem"));
        if files::exists(&chain) {
            continue;
        }
        let exists = files::exists(&paths.key) || files::exists(&paths.request);
        if !exists {
            create_files(context, spec, &paths, algorithm)?;
        } else if !fits(spec, &paths) {
            continue;
        }
        return Ok(OrderFiles {
            key: folders::absolute(&paths.key)?,
            request: folders::absolute(&paths.request)?,
            chain: folders::absolute(&chain)?,
        });
    }
    Err(crate::advice::order::too_many_files(&spec.name))
}

/// Makes a key and a request, and writes the key first.
fn create_files(
    context: &Context,
    spec: &OrderSpec,
    paths: &RequestPaths,
    algorithm: KeyAlgorithm,
) -> Result<(), Failure> {
    let key = PrivateKey::generate(algorithm)?;
    let subject = SubjectName::default().or_named(&spec.names);
    let request = SigningRequest::build_with_subject(&spec.names, &subject, &key)?;
    let pem = key.to_pem();
    let stored = StoredRecord::default();
    let staged = StagedRequestFiles::stage(paths, Some(&pem), &request, &stored)?;
    staged.move_into_place(&[])?;
    let key_id = request.key_id.to_string();
    // The key exists whether or not the system's log has it.
    let _ = audit::record_key(context, AuditAction::CreateKey, &paths.key, key_id);
    Ok(())
}

/// Returns whether key and request are for the same names and belong together.
fn fits(spec: &OrderSpec, paths: &RequestPaths) -> bool {
    let Ok(request) = read_request(&paths.request) else {
        return false;
    };
    let names = request.alt_names();
    let is_same = names.is_some_and(|names| names.same_set(&spec.names));
    let key = FoundKeyFile::read(&paths.key);
    let key = key.map(|key| key.into_key(&paths.key, request.key_id));
    is_same && matches!(key, Ok(Some(Ok(_))))
}

/// Reads the request of an order.
pub(super) fn read_request(path: &Path) -> Result<SigningRequest, Failure> {
    let delivery = read_file(path)?;
    let mut requests = delivery.requests.into_iter().map(|found| found.value);
    let request = requests.next();
    request.ok_or_else(|| crate::advice::order::request_missing(&PathBuf::from(path)))
}
