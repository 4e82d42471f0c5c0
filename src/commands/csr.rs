//! `certctl csr`: makes a private key and the request for it, and shows what to publish as far as
//! that is known. It never overwrites a key.

mod args;
mod caa;
mod command_line;
mod conflict;
mod create;
mod existing;
mod key;
mod outcome;
mod refused;
mod spec;
mod template;

pub(crate) use self::args::CsrArgs;
use self::existing::{ExistingFiles, ExistingPair, RequestTarget};
use self::outcome::{CsrOutcome, RequestOnDisk};
use self::spec::CsrSpec;
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::dcv_file;
use crate::inputs::request_files::RequestPaths;
use crate::report::Outcome;

/// Makes a key and a request, or reports the ones that exist.
///
/// # Errors
/// Invalid names, files that block the new ones, files that cannot be read or written.
pub(crate) fn run(context: &Context, args: &CsrArgs) -> Result<Box<dyn Outcome>, Failure> {
    let spec = CsrSpec::new(context, args)?;
    let stem = args
        .cert_name
        .clone()
        .unwrap_or_else(|| spec.names.primary().file_stem());
    let target = RequestTarget::choose(context, args, &spec, &stem)?;
    if args.force {
        return create::create(context, args, spec, target);
    }
    match target.observation.classify() {
        ExistingFiles::Nothing => create::create(context, args, spec, target),
        ExistingFiles::Conflict(conflict) => Err(conflict.failure(context, args, &target.paths)),
        ExistingFiles::Pair(pair) => match pair.conflict(&spec, args) {
            Some(conflict) => Err(conflict.failure(context, args, &target.paths)),
            None => report_existing(context, args, &spec, target.paths, *pair),
        },
    }
}

/// Reports the key and request that exist, and stores the CA of this run for `dcv-check`.
fn report_existing(
    context: &Context,
    args: &CsrArgs,
    spec: &CsrSpec,
    paths: RequestPaths,
    pair: ExistingPair,
) -> Result<Box<dyn Outcome>, Failure> {
    let mut stored = dcv_file::read_record(&paths.record)?;
    if let Some(ca) = args.ca {
        stored.set_ca(ca);
    }
    let changed = dcv_file::write_record(&paths.record, &stored)?;
    let mut findings = caa::findings(context, args, &spec.names, stored.ca())?;
    findings.extend(pair.key.unchecked_key_finding(args));
    let on_disk = RequestOnDisk {
        paths,
        key: pair.key,
        request: pair.request,
        stored,
        findings,
    };
    let outcome = CsrOutcome::new(context, spec, on_disk);
    Ok(Box::new(CsrOutcome { changed, ..outcome }))
}
