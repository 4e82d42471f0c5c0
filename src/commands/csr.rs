//! `certctl csr`: a key and the request for it, never a key overwritten, and what to publish as far
//! as it can be known.

mod args;
mod caa;
mod command_line;
mod existing;
mod key;
mod outcome;
mod refused;
mod spec;
mod template;

use std::path::PathBuf;

use zeroize::Zeroizing;

pub(crate) use self::args::CsrArgs;
use self::existing::{ExistingFiles, in_the_way};
use self::key::{KeyOrigin, RequestKeyFile};
use self::outcome::CsrOutcome;
use self::refused::CsrRefusal;
use self::spec::CsrSpec;
use crate::advice;
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::http_file::{self, FileRecord};
use crate::delivery::EncryptedKey;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inputs::InputReader;
use crate::inputs::dcv_file as kept_file;
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::request::SigningRequest;
use crate::report::Outcome;

/// Makes key and request, or says again what is there.
///
/// # Errors
/// Names that are none, files in the way, files that cannot be read or written.
pub(crate) fn run(context: &Context, args: &CsrArgs) -> Result<Box<dyn Outcome>, Failure> {
    let wanted = CsrSpec::new(context, args)?;
    let stem = args
        .cert_name
        .clone()
        .unwrap_or_else(|| wanted.names.primary().file_stem());
    let (paths, existing) = existing::settle(context, args, &wanted, &stem)?;
    match existing {
        _ if args.force => make(context, args, wanted, paths),
        ExistingFiles::Nothing => make(context, args, wanted, paths),
        ExistingFiles::Pair(key, request) if wanted.is_for(&request) => {
            if wanted
                .key_type
                .is_some_and(|wanted| wanted != key.algorithm)
            {
                return Err(in_the_way(
                    context,
                    args,
                    &paths,
                    &ExistingFiles::OtherKind(key.algorithm),
                ));
            }
            if wanted.differs_in_subject(&request) {
                return Err(in_the_way(
                    context,
                    args,
                    &paths,
                    &ExistingFiles::OtherSubject(request.subject),
                ));
            }
            if args.encrypt_key && !key.encrypted {
                return Err(in_the_way(context, args, &paths, &ExistingFiles::NotLocked));
            }
            found(context, args, wanted, paths, *key, *request)
        }
        other => Err(in_the_way(context, args, &paths, &other)),
    }
}

/// A new pair, unless a CA would refuse it; what is at its paths is moved aside.
fn make(
    context: &Context,
    args: &CsrArgs,
    wanted: CsrSpec,
    paths: RequestPaths,
) -> Result<Box<dyn Outcome>, Failure> {
    let (mut findings, mut refused) = wanted.findings(context, args, &paths.request);
    let mut kept = if args.force {
        StoredRecord::default()
    } else {
        kept_file::read(&paths.record)?
    };
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    if !refused {
        findings.extend(told(context, args, &wanted, &kept)?);
        refused = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
    }
    if refused {
        return Ok(Box::new(CsrRefusal::new(
            context,
            args,
            wanted.names,
            findings,
        )));
    }
    let (made, request) = match &wanted.given {
        // The halves of a key that was made elsewhere may not belong together.
        Some(given) => {
            let request = SigningRequest::ask(&wanted.names, &wanted.subject, &given.key)?;
            (None, SigningRequest::from_der(request.der())?)
        }
        None => {
            let key = PrivateKey::generate(wanted.key_type.unwrap_or(KeyAlgorithm::EcdsaP256))?;
            (
                Some(key_text(context, args, &paths, &key)?),
                SigningRequest::ask(&wanted.names, &wanted.subject, &key)?,
            )
        }
    };
    let old = if args.force {
        existing::old(&wanted, &paths)?
    } else {
        Vec::new()
    };
    let key = match &wanted.given {
        Some(given) => given.file.clone(),
        None => {
            let (path, algorithm, id) = (paths.key.clone(), request.algorithm, request.key_id);
            RequestKeyFile {
                path,
                algorithm,
                id,
                encrypted: args.encrypt_key,
                origin: KeyOrigin::Made,
                found_here: true,
            }
        }
    };
    let backups = StagedRequestFiles::stage(
        &paths,
        made.as_ref().map(|text| text.as_str()),
        &request,
        &kept,
    )?
    .put(&old)?;
    let outcome = outcome(context, wanted, paths, key, request, (&kept, findings));
    Ok(Box::new(CsrOutcome {
        made: true,
        changed: true,
        backups,
        ..outcome
    }))
}

/// What CAA records say, where it was asked for.
fn told(
    context: &Context,
    args: &CsrArgs,
    wanted: &CsrSpec,
    kept: &StoredRecord,
) -> Result<Vec<Finding>, Failure> {
    let found = caa::findings(context, args, &wanted.names, kept.ca())?;
    Ok(found
        .into_iter()
        .map(|finding| spec::allowed(finding, &args.allow))
        .collect())
}

/// What the file of a new key holds.
fn key_text(
    context: &Context,
    args: &CsrArgs,
    paths: &RequestPaths,
    key: &PrivateKey,
) -> Result<Zeroizing<String>, Failure> {
    if !args.encrypt_key {
        return Ok(key.to_pem());
    }
    let passphrase =
        InputReader::new(context, &args.reading)?.choose(&paths.key.display().to_string())?;
    Ok(Zeroizing::new(
        EncryptedKey::seal(key, &passphrase)?.to_pem(),
    ))
}

/// The pair that is there; a CA named now is kept for `dcv-check`.
fn found(
    context: &Context,
    args: &CsrArgs,
    wanted: CsrSpec,
    paths: RequestPaths,
    key: RequestKeyFile,
    request: SigningRequest,
) -> Result<Box<dyn Outcome>, Failure> {
    let mut kept = kept_file::read(&paths.record)?;
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let changed = kept_file::write(&paths.record, &kept)?;
    let mut findings = told(context, args, &wanted, &kept)?;
    findings.extend(key.not_opened(args));
    let outcome = outcome(context, wanted, paths, key, request, (&kept, findings));
    Ok(Box::new(CsrOutcome { changed, ..outcome }))
}

/// What there is to say of a key and its request.
fn outcome(
    context: &Context,
    wanted: CsrSpec,
    paths: RequestPaths,
    key: RequestKeyFile,
    request: SigningRequest,
    (kept, mut findings): (&StoredRecord, Vec<Finding>),
) -> CsrOutcome {
    let ca = kept.ca();
    let given: Vec<_> = kept
        .records()
        .into_iter()
        .filter(|record| expectation::belongs(record, &request))
        .collect();
    let mut expected = expectation::expectations(&request, ca, &given);
    // Beside another request lies the key of that one.
    let reused = key.origin == KeyOrigin::Named || key.path != paths.key;
    if reused {
        expected
            .iter_mut()
            .for_each(|one| one.shop_decides(&request));
    }
    let mut files = http_file::told(&request, ca, &given);
    if reused && given.is_empty() {
        files.iter_mut().for_each(FileRecord::shop_decides);
    }
    findings.extend(key::installed(context, &wanted.names, key.id));
    findings.extend(
        ca.filter(|_| given.is_empty())
            .and_then(advice::dcv::not_confirmed),
    );
    CsrOutcome {
        made: false,
        changed: false,
        names: wanted.names,
        from: wanted.from,
        key,
        request_path: paths.request,
        record_path: paths.record,
        records: expected.into_iter().map(|one| one.record).collect(),
        files,
        request,
        ca,
        backups: Vec::<PathBuf>::new(),
        findings,
        check: context.again("dcv-check"),
        install: context.again("install"),
    }
}
