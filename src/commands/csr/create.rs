//! Makes a new request, with a new key or with the key of `--key`.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::args::CsrArgs;
use super::caa;
use super::dry_run::{PlannedCsr, RequestPlan};
use super::existing::RequestTarget;
use super::key::{KeyOrigin, RequestKeyFile};
use super::outcome::{CsrOutcome, RequestOnDisk};
use super::refused::CsrRefusal;
use super::spec::{CsrSpec, has_errors};
use crate::advice::csr_command;
use crate::audit::{self, AuditAction};
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::delivery::EncryptedKey;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::inputs::request_steps::RequestStep;
use crate::pki::key::PrivateKey;
use crate::pki::request::SigningRequest;
use crate::report::Outcome;
use crate::system::fs::{files, folders};

/// Writes a new request and its key, unless a CA would refuse the request. With `--force` the
/// existing files become numbered backups.
pub(super) fn create(
    context: &Context,
    args: &CsrArgs,
    spec: CsrSpec,
    target: RequestTarget,
) -> Result<Box<dyn Outcome>, Failure> {
    let mut findings = spec.findings(context, args, &target.paths.request);
    let stored = stored_record(args, &target.paths)?;
    if !has_errors(&findings) {
        findings.extend(caa::findings(context, args, &spec.names, stored.ca())?);
    }
    let steps = request_steps(args, &spec, &target, &stored);
    if has_errors(&findings) {
        let mut refusal = CsrRefusal::new(context, args, spec.names.clone(), findings);
        refusal.note_dry_run(args, &spec, &stored);
        return Ok(Box::new(refusal));
    }
    if args.dry_run {
        let plan = RequestPlan::of_new_request(&steps, &stored, &findings);
        let planned = PlannedCsr::new(context, args, &spec, &target, &plan)?;
        return Ok(Box::new(planned));
    }
    write_request(
        context,
        args,
        spec,
        target,
        NewFiles {
            steps,
            stored,
            findings,
        },
    )
}

/// What a new request consists of, besides key and request.
struct NewFiles {
    steps: Vec<RequestStep>,
    stored: StoredRecord,
    findings: Vec<Finding>,
}

/// Makes the request and writes its files.
fn write_request(
    context: &Context,
    args: &CsrArgs,
    spec: CsrSpec,
    target: RequestTarget,
    new: NewFiles,
) -> Result<Box<dyn Outcome>, Failure> {
    let NewFiles {
        steps,
        stored,
        mut findings,
    } = new;
    let generated = GeneratedRequest::new(args, &spec, &target.paths)?;
    let backups = write_files(args, &target, &generated, &stored)?;
    if generated.key_pem.is_some() {
        let key_id = generated.request.key_id.to_string();
        let failed = audit::record_key(context, AuditAction::CreateKey, &target.paths.key, key_id);
        findings.extend(failed);
    }
    findings.extend(report_owner(&target.paths));
    let on_disk = RequestOnDisk {
        key: key_file(args, &spec, &target.paths, &generated.request),
        paths: target.paths,
        request: generated.request,
        stored,
        findings,
    };
    let outcome = CsrOutcome::new(context, &spec, on_disk);
    Ok(Box::new(CsrOutcome {
        made: true,
        changed: true,
        backups,
        steps,
        ..outcome
    }))
}

/// Reports that root owns the new files in a folder of another user, who cannot read the key.
fn report_owner(paths: &RequestPaths) -> Option<Finding> {
    let status = folders::read_status(files::parent(&paths.request)).ok()??;
    let is_root = folders::current_user() == 0;
    let owner = Some(status.owner).filter(|owner| is_root && owner.uid != 0)?;
    let written = [&paths.key, &paths.request, &paths.record];
    let written: Vec<&PathBuf> = written
        .into_iter()
        .filter(|path| files::exists(path))
        .collect();
    Some(csr_command::files_of_root(owner, &written))
}

/// Lists what [`create`] writes.
fn request_steps(
    args: &CsrArgs,
    spec: &CsrSpec,
    target: &RequestTarget,
    stored: &StoredRecord,
) -> Vec<RequestStep> {
    let replaced = if args.force {
        target.replaced_paths()
    } else {
        Vec::new()
    };
    let new_key = match spec.given {
        Some(_) => None,
        None => Some(spec.algorithm()),
    };
    RequestStep::list(&target.paths, new_key, stored, &replaced)
}

/// Writes the new files and returns the numbered backups of the old ones.
fn write_files(
    args: &CsrArgs,
    target: &RequestTarget,
    generated: &GeneratedRequest,
    stored: &StoredRecord,
) -> Result<Vec<PathBuf>, Failure> {
    let replaced = if args.force {
        target.replaced_paths()
    } else {
        Vec::new()
    };
    let key_pem = generated.key_pem.as_ref().map(|pem| pem.as_str());
    let staged = StagedRequestFiles::stage(&target.paths, key_pem, &generated.request, stored)?;
    staged.move_into_place(&replaced)
}

/// Returns the stored validation record with the CA of this run; `--force` starts with an empty one.
fn stored_record(args: &CsrArgs, paths: &RequestPaths) -> Result<StoredRecord, Failure> {
    let mut stored = if args.force {
        StoredRecord::default()
    } else {
        dcv_file::read_record(&paths.record)?
    };
    if let Some(ca) = args.ca {
        stored.set_ca(ca);
    }
    Ok(stored)
}

/// A request that was just signed.
struct GeneratedRequest {
    /// The content of the new key file; none for the key of `--key`.
    key_pem: Option<Zeroizing<String>>,
    request: SigningRequest,
}

impl GeneratedRequest {
    fn new(args: &CsrArgs, spec: &CsrSpec, paths: &RequestPaths) -> Result<Self, Failure> {
        if let Some(given) = &spec.given {
            let request =
                SigningRequest::build_with_subject(&spec.names, &spec.subject, &given.key)?;
            // Verifies the signature: in a key that was made elsewhere, the public key may not belong
            // to the private one.
            let request = SigningRequest::from_der(request.der())?;
            return Ok(Self {
                key_pem: None,
                request,
            });
        }
        let key = PrivateKey::generate(spec.algorithm())?;
        let key_pem = encode_key(args, spec, paths, &key)?;
        let request = SigningRequest::build_with_subject(&spec.names, &spec.subject, &key)?;
        Ok(Self {
            key_pem: Some(key_pem),
            request,
        })
    }
}

/// Returns the new key as PEM, encrypted if `--encrypt-key` was given.
fn encode_key(
    args: &CsrArgs,
    spec: &CsrSpec,
    paths: &RequestPaths,
    key: &PrivateKey,
) -> Result<Zeroizing<String>, Failure> {
    if !args.encrypt_key {
        return Ok(key.to_pem());
    }
    let password = spec
        .reader
        .choose_password(&paths.key.display().to_string())?;
    let encrypted = EncryptedKey::encrypt(key, &password)?;
    Ok(Zeroizing::new(encrypted.to_pem()))
}

/// Describes the key file of the new request.
fn key_file(
    args: &CsrArgs,
    spec: &CsrSpec,
    paths: &RequestPaths,
    request: &SigningRequest,
) -> RequestKeyFile {
    if let Some(given) = &spec.given {
        return given.file.clone();
    }
    RequestKeyFile {
        path: paths.key.clone(),
        algorithm: request.algorithm,
        id: request.key_id,
        encrypted: args.encrypt_key,
        origin: KeyOrigin::Made,
        found_here: true,
        doubtful: None,
    }
}
