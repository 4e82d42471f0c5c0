//! The verbs: one file each, `Args` + `run` + `Outcome`. No command calls another, except `rehearse`, which runs them all.

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Outcome;

pub mod bundle;
pub mod completions;
pub mod csr;
pub mod dcv_check;
pub mod inspect;
pub mod install;
pub mod rehearse;
pub mod remove;
pub mod renew;
pub mod rollback;
pub mod status;
pub mod verify;

/// What the user types after `certctl`. The help of each is the doc comment of its `Args`.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "a comment here would take the place of that help")]
pub enum Command {
    Csr(csr::CsrArgs),
    #[command(alias = "dcv")]
    DcvCheck(dcv_check::DcvCheckArgs),
    Install(Box<install::InstallArgs>),
    Renew(renew::RenewArgs),
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Inspect(inspect::InspectArgs),
    Bundle(bundle::BundleArgs),
    Rollback(rollback::RollbackArgs),
    Remove(remove::RemoveArgs),
    Rehearse(rehearse::RehearseArgs),
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// Runs it, prints what came of it and says the exit code of the process. `command_line` is certctl's own, which
    /// completions are made of; it is built only then.
    #[must_use]
    pub fn run(self, context: &Context, command_line: fn() -> clap::Command) -> u8 {
        match self {
            Self::Csr(args) => conclude(context, csr::run(context, &args)),
            Self::DcvCheck(args) if args.batch.is_some() => conclude(context, dcv_check::batch::run(context, &args)),
            Self::DcvCheck(args) => conclude(context, dcv_check::run(context, &args)),
            Self::Install(args) if args.check => conclude(context, install::check::run(context, &args)),
            Self::Install(args) => conclude(context, install::run(context, &args)),
            Self::Status(args) if args.jsonl => {
                status::stream(context, &args).unwrap_or_else(|failure| context.sink.fail(&failure))
            }
            Self::Status(args) => conclude(context, status::run(context, &args)),
            Self::Renew(args) => conclude(context, renew::run(context, &args)),
            Self::Verify(args) => conclude(context, verify::run(context, &args)),
            Self::Inspect(args) => conclude(context, inspect::run(context, &args)),
            Self::Bundle(args) => conclude(context, bundle::run(context, &args)),
            Self::Rollback(args) => conclude(context, rollback::run(context, &args)),
            Self::Remove(args) => conclude(context, remove::run(context, &args)),
            Self::Rehearse(args) => conclude(context, rehearse::run(context, &args)),
            Self::Completions(args) => completions::run(context, &args, command_line()),
        }
    }
}

fn conclude<O: Outcome>(context: &Context, result: Result<O, Failure>) -> u8 {
    match result {
        Ok(outcome) => context.sink.finish(&outcome),
        Err(failure) => context.sink.fail(&failure),
    }
}
