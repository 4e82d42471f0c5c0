//! `certctl csr`: makes a private key and the request for it, and shows the record for domain
//! validation as far as it is known. It never overwrites a key.

mod args;
mod caa;
mod command_line;
mod conflict;
mod create;
mod dry_run;
mod existing;
mod key;
mod outcome;
mod refused;
mod spec;
mod template;

pub(crate) use self::args::CsrArgs;
use self::dry_run::RequestPlan;
use self::existing::{ExistingFiles, ExistingRequest, RequestTarget};
use self::outcome::{CsrOutcome, RequestOnDisk};
use self::spec::CsrSpec;
pub(crate) use self::template::NAME_LIMIT;
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::Failure;
use crate::inputs::dcv_file;
use crate::inputs::request_files::RequestPaths;
use crate::inputs::request_steps::RequestStep;
use crate::report::Outcome;

/// Makes a key and a request, or reports the existing ones.
///
/// # Errors
/// When names are invalid, existing files block the new ones, or a file cannot be read or written.
pub(crate) fn run(context: &Context, args: &CsrArgs) -> Result<Box<dyn Outcome>, Failure> {
    let given_ca = args.ca;
    let args = &with_defaults(context, args)?;
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
        ExistingFiles::Request(existing) => match existing.conflict(&spec, args) {
            Some(conflict) => Err(conflict.failure(context, args, &target.paths)),
            None => {
                // A configured CA does not replace the one that the request is for.
                let known = dcv_file::read_record(&target.paths.record)?.ca();
                let args = &CsrArgs {
                    ca: given_ca.or(known).or(args.ca),
                    ..args.clone()
                };
                report_existing(context, args, &spec, target.paths, *existing)
            }
        },
    }
}

/// Adds the configured defaults.
fn with_defaults(context: &Context, args: &CsrArgs) -> Result<CsrArgs, Failure> {
    let defaults = context.defaults()?;
    let mut args = args.clone();
    args.ca = args.ca.or(defaults.ca);
    if args.resolver.is_empty() {
        args.resolver = defaults.resolvers;
    }
    Ok(args)
}

/// Reports the existing key and request, and stores the CA of this run for `dcv-check`.
fn report_existing(
    context: &Context,
    args: &CsrArgs,
    spec: &CsrSpec,
    paths: RequestPaths,
    existing: ExistingRequest,
) -> Result<Box<dyn Outcome>, Failure> {
    let mut stored = dcv_file::read_record(&paths.record)?;
    if let Some(ca) = args.ca {
        stored.set_ca(ca);
    }
    let steps = record_steps(&paths, &stored);
    let changed = !args.dry_run && dcv_file::write_record(&paths.record, &stored)?;
    let mut findings = caa::findings(context, args, &spec.names, stored.ca())?;
    findings.extend(existing.key.unchecked_key_finding(args));
    findings.extend(existing.key.doubtful_key_finding());
    let dry_run = args.dry_run.then(|| {
        let plan = RequestPlan {
            steps: &steps,
            existing: Some(&existing.request),
            stored: &stored,
            findings: &findings,
        };
        plan.summarize(args, spec)
    });
    let on_disk = RequestOnDisk {
        paths,
        key: existing.key,
        request: existing.request,
        stored,
        findings,
    };
    let outcome = CsrOutcome::new(context, spec, on_disk);
    Ok(Box::new(CsrOutcome {
        changed,
        steps,
        dry_run,
        ..outcome
    }))
}

/// Returns the step that stores the CA, if it is not stored yet.
fn record_steps(paths: &RequestPaths, stored: &StoredRecord) -> Vec<RequestStep> {
    let path = paths.record.clone();
    let step = stored
        .changed()
        .then_some(RequestStep::WriteRecord { path });
    step.into_iter().collect()
}
