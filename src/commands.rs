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
pub mod rollback;
pub mod verify;

/// What the user types after `certctl`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make key and request (CSR), and say what to publish
    Csr(csr::CsrArgs),
    /// Would the CA see the proof of control now? If not, why
    #[command(alias = "dcv")]
    DcvCheck(dcv_check::DcvCheckArgs),
    /// Put a certificate into place, test and reload the server, see it live, or put all back
    Install(install::InstallArgs),
    /// Does it all fit: key, chain, names, dates, trust
    Verify(verify::VerifyArgs),
    /// What is this file (never judges)
    Inspect(inspect::InspectArgs),
    /// Whatever the CA sent, as the verified chain file
    Bundle(bundle::BundleArgs),
    /// Back to the files before
    Rollback(rollback::RollbackArgs),
    /// The whole round on this machine alone, against a CA, a DNS server and a web server of its own
    Rehearse(rehearse::RehearseArgs),
    /// A completion script for a shell
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// Runs it, prints what came of it and says the exit code of the process.
    #[must_use]
    pub fn run(self, context: &Context) -> u8 {
        match self {
            Self::Csr(args) => conclude(context, csr::run(context, &args)),
            Self::DcvCheck(args) => conclude(context, dcv_check::run(context, &args)),
            Self::Install(args) => conclude(context, install::run(context, &args)),
            Self::Verify(args) => conclude(context, verify::run(context, &args)),
            Self::Inspect(args) => conclude(context, inspect::run(context, &args)),
            Self::Bundle(args) => conclude(context, bundle::run(context, &args)),
            Self::Rollback(args) => conclude(context, rollback::run(context, &args)),
            Self::Rehearse(args) => conclude(context, rehearse::run(context, &args)),
            Self::Completions(args) => completions::run(context, &args),
        }
    }
}

fn conclude<O: Outcome>(context: &Context, result: Result<O, Failure>) -> u8 {
    match result {
        Ok(outcome) => context.sink.finish(&outcome),
        Err(failure) => context.sink.fail(&failure),
    }
}
