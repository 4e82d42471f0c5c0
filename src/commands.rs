//! The verbs: one file each, `Args` + `run` +
//! `Outcome`. No command calls another, except `rehearse`, which runs them all.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Outcome;

pub(crate) mod bundle;
pub(crate) mod completions;
pub(crate) mod csr;
pub(crate) mod dcv_check;
pub(crate) mod forget;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod rehearse;
pub(crate) mod renew;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod verify;

/// What the user types after `certctl`. The help of each is the doc comment of its `Args`.
#[derive(Debug, Subcommand)]
// No comments on the variants: they would take the place of that help.
pub(crate) enum CliCommand {
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
    Remove(forget::ForgetArgs),
    Rehearse(rehearse::RehearseArgs),
    Completions(completions::CompletionsArgs),
}

/// What makes the part of one verb in the command line.
type Part = fn(clap::Command) -> clap::Command;

/// Each verb by its name.
const PARTS: [(&str, Part); 12] = [
    ("csr", csr::CsrArgs::augment_args),
    ("dcv-check", dcv_check::DcvCheckArgs::augment_args),
    ("install", install::InstallArgs::augment_args),
    ("renew", renew::RenewArgs::augment_args),
    ("status", status::StatusArgs::augment_args),
    ("verify", verify::VerifyArgs::augment_args),
    ("inspect", inspect::InspectArgs::augment_args),
    ("bundle", bundle::BundleArgs::augment_args),
    ("rollback", rollback::RollbackArgs::augment_args),
    ("forget", forget::ForgetArgs::augment_args),
    ("rehearse", rehearse::RehearseArgs::augment_args),
    ("completions", completions::CompletionsArgs::augment_args),
];

impl CliCommand {
    /// `command_line` with those verbs that `args` name, which are made as
    /// [`Subcommand::augment_subcommands`] makes all.
    #[must_use]
    pub(crate) fn augment_named(command_line: clap::Command, args: &[OsString]) -> clap::Command {
        let named = PARTS
            .iter()
            .filter(|(name, _)| args.iter().any(|arg| arg == name));
        named.fold(command_line, |whole, (name, part)| {
            whole.subcommand(part(clap::Command::new(*name)))
        })
    }

    /// Runs it, prints what came of it and says the exit code of the process. `command_line` is
    /// certctl's own, which completions are made of; it is built only then.
    #[must_use]
    pub(crate) fn run(self, context: &Context, command_line: fn() -> clap::Command) -> u8 {
        match self {
            Self::Csr(args) => conclude(context, csr::run(context, &args)),
            Self::DcvCheck(args) if args.batch.is_some() => {
                conclude(context, dcv_check::batch::run(context, &args))
            }
            Self::DcvCheck(args) => conclude(context, dcv_check::run(context, &args)),
            Self::Install(args) if args.check => {
                conclude(context, install::check::run(context, &args))
            }
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
            Self::Remove(args) => conclude(context, forget::run(context, &args)),
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Subcommand;

    use super::{CliCommand, PARTS};

    #[test]
    fn each_verb_can_be_made_alone() {
        let whole = CliCommand::augment_subcommands(clap::Command::new("certctl"));
        assert_eq!(whole.get_subcommands().count(), PARTS.len());
        for verb in whole.get_subcommands() {
            let args = ["certctl", verb.get_name(), "x"].map(OsString::from);
            let named = CliCommand::augment_named(clap::Command::new("certctl"), &args);
            let made = |command: &clap::Command| {
                format!("{:?}", command.get_arguments().collect::<Vec<_>>())
            };
            assert_eq!(
                named.get_subcommands().map(made).collect::<Vec<_>>(),
                [made(verb)]
            );
        }
    }
}
