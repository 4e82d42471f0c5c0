//! `certctl csr`: a key and the request for it, never a key overwritten, and what to publish as far as it can be known.

mod args;
mod existing;
mod line;
mod made;
mod outcome;
mod refused;
mod wanted;

use std::path::Path;

pub use self::args::{CsrArgs, KeyType};
use self::existing::{Existing, in_the_way};
use self::made::Made;
pub use self::outcome::CsrOutcome;
use self::refused::Refused;
use self::wanted::Wanted;
use crate::context::Context;
use crate::dcv::expect;
use crate::dcv::kept::Kept;
use crate::directory::kept as kept_file;
use crate::directory::pair::{Fresh, Paths};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::request::SigningRequest;

/// Makes key and request, or says again what is there.
///
/// # Errors
/// Names that are none, files in the way, files that cannot be written.
pub fn run(context: &Context, args: &CsrArgs) -> Result<CsrOutcome, Failure> {
    let wanted = Wanted::new(args)?;
    let stem = args.cert_name.clone().unwrap_or_else(|| wanted.names.primary().file_stem());
    let (paths, existing) = existing::settle(context, &wanted, &stem)?;
    match existing {
        _ if args.force => make(context, args, wanted, paths),
        Existing::Nothing => make(context, args, wanted, paths),
        Existing::Pair(key, request) if wanted.is_for(&request) => {
            if wanted.key_type.is_some_and(|wanted| wanted != key.algorithm()) {
                return Err(in_the_way(context, args, &paths, &Existing::OtherKey(key.algorithm())));
            }
            if wanted.differs_in_subject(&request) {
                return Err(in_the_way(context, args, &paths, &Existing::OtherSubject(request.subject)));
            }
            found(context, args, wanted, paths, &key, *request)
        }
        other => Err(in_the_way(context, args, &paths, &other)),
    }
}

/// A new pair, unless a CA would refuse it; what is at its paths is moved aside.
fn make(context: &Context, args: &CsrArgs, wanted: Wanted, paths: Paths) -> Result<CsrOutcome, Failure> {
    let (findings, refused) = wanted.findings(context, args);
    if refused {
        return Ok(CsrOutcome::Refused(Refused::new(context, args, wanted.names, findings)));
    }
    let old: &[&Path] = if args.force { &[&paths.key, &paths.request, &paths.record] } else { &[] };
    let mut kept = if args.force { Kept::default() } else { kept_file::read(&paths.record)? };
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let key = PrivateKey::generate(wanted.key_type.unwrap_or(KeyAlgorithm::EcdsaP256))?;
    let request = SigningRequest::ask(&wanted.names, &wanted.subject, &key)?;
    let backups = Fresh::stage(&paths, Some(&key), &request, &kept)?.put(old)?;
    let made = outcome(context, wanted, paths, &key, request, (&kept, findings));
    Ok(CsrOutcome::Made(Box::new(Made { made: true, changed: true, backups, ..made })))
}

/// The pair that is there; a CA named now is kept for `dcv-check`.
fn found(
    context: &Context,
    args: &CsrArgs,
    wanted: Wanted,
    paths: Paths,
    key: &PrivateKey,
    request: SigningRequest,
) -> Result<CsrOutcome, Failure> {
    let mut kept = kept_file::read(&paths.record)?;
    args.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let changed = kept_file::write(&paths.record, &kept)?;
    let made = outcome(context, wanted, paths, key, request, (&kept, Vec::new()));
    Ok(CsrOutcome::Made(Box::new(Made { changed, ..made })))
}

/// What there is to say of a key and its request.
fn outcome(
    context: &Context,
    wanted: Wanted,
    paths: Paths,
    key: &PrivateKey,
    request: SigningRequest,
    (kept, findings): (&Kept, Vec<Finding>),
) -> Made {
    let ca = kept.ca();
    let given: Vec<_> = kept.records().into_iter().filter(|record| expect::belongs(record, &request)).collect();
    let expected = expect::expectations(&request, ca, &given);
    Made {
        made: false,
        changed: false,
        names: wanted.names,
        key_path: paths.key,
        algorithm: key.algorithm(),
        key_id: key.id(),
        request_path: paths.request,
        record_path: paths.record,
        records: expected.into_iter().map(|one| one.record).collect(),
        request,
        ca,
        backups: Vec::new(),
        findings,
        check: context.again("dcv-check"),
        install: context.again("install"),
    }
}
