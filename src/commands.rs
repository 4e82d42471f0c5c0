//! The commands: one file for each, with its arguments, `run` and outcome. No command calls another
//! one, except `rehearse`, which runs several, and `explain --check`, which runs those that look.
//! Shared are `validation_text` (by `csr` and `renew`), `deployment_args` and `method_args`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Outcome;

pub(crate) mod account;
pub(crate) mod bundle;
pub(crate) mod completions;
pub(crate) mod csr;
pub(crate) mod dcv_check;
pub(crate) mod dcv_publish;
pub(crate) mod deployment_args;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod install;
mod method_args;
pub(crate) mod order;
pub(crate) mod rehearse;
pub(crate) mod renew;
pub(crate) mod revoke;
pub(crate) mod rollback;
pub(crate) mod site;
pub(crate) mod status;
mod validation_text;
pub(crate) mod verify;

/// What the user types after `certctl`. The help of a command is the doc comment of its arguments.
#[derive(Debug, Subcommand)]
// No comments on the variants: they would replace that help.
pub(crate) enum CliCommand {
    Csr(csr::CsrArgs),
    #[command(alias = "dcv")]
    DcvCheck(dcv_check::DcvCheckArgs),
    DcvPublish(Box<dcv_publish::DcvPublishArgs>),
    Order(Box<order::OrderArgs>),
    Install(Box<install::InstallArgs>),
    Renew(renew::RenewArgs),
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Inspect(inspect::InspectArgs),
    #[command(flatten)]
    Repair(RepairCommand),
    Bundle(bundle::BundleArgs),
    Site(site::SiteArgs),
    #[command(flatten)]
    Ca(CaCommand),
    Forget(forget::ForgetArgs),
    Rehearse(rehearse::RehearseArgs),
    Completions(completions::CompletionsArgs),
}

/// The commands for a site that does not work.
#[derive(Debug, Subcommand)]
pub(crate) enum RepairCommand {
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    Rollback(rollback::RollbackArgs),
}

impl RepairCommand {
    fn run(self, context: &Context) -> u8 {
        match self {
            Self::Doctor(args) => run_command(context, &args, doctor::run),
            Self::Explain(args) => run_command(context, &args, explain::run),
            Self::Rollback(args) => run_rollback(context, &args),
        }
    }
}

/// The commands about accounts and certificates at a CA.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    Account(account::AccountArgs),
    Import(Box<import::ImportArgs>),
    Revoke(revoke::RevokeArgs),
}

impl CaCommand {
    fn run(self, context: &Context) -> u8 {
        match self {
            Self::Account(args) => run_command(context, &args, account::run),
            Self::Import(args) => conclude(context, import::run(context, &args)),
            Self::Revoke(args) => run_command(context, &args, revoke::run),
        }
    }
}

/// Adds the arguments of one command to it.
type AugmentArgs = fn(clap::Command) -> clap::Command;

/// Each command by its name.
const COMMANDS: [(&str, AugmentArgs); 20] = [
    ("csr", csr::CsrArgs::augment_args),
    ("dcv-check", dcv_check::DcvCheckArgs::augment_args),
    ("dcv-publish", dcv_publish::DcvPublishArgs::augment_args),
    ("order", order::OrderArgs::augment_args),
    ("install", install::InstallArgs::augment_args),
    ("renew", renew::RenewArgs::augment_args),
    ("status", status::StatusArgs::augment_args),
    ("verify", verify::VerifyArgs::augment_args),
    ("inspect", inspect::InspectArgs::augment_args),
    ("doctor", doctor::DoctorArgs::augment_args),
    ("explain", explain::ExplainArgs::augment_args),
    ("bundle", bundle::BundleArgs::augment_args),
    ("site", site::SiteArgs::augment_args),
    ("rollback", rollback::RollbackArgs::augment_args),
    ("account", account::AccountArgs::augment_args),
    ("import", import::ImportArgs::augment_args),
    ("revoke", revoke::RevokeArgs::augment_args),
    ("forget", forget::ForgetArgs::augment_args),
    ("rehearse", rehearse::RehearseArgs::augment_args),
    ("completions", completions::CompletionsArgs::augment_args),
];

impl CliCommand {
    /// Adds the commands that occur in `args` to `command_line`, in the same way as
    /// [`Subcommand::augment_subcommands`] adds all commands.
    #[must_use]
    pub(crate) fn augment_named(command_line: clap::Command, args: &[OsString]) -> clap::Command {
        COMMANDS
            .iter()
            .filter(|(name, _)| args.iter().any(|arg| arg == name))
            .fold(command_line, |whole, (name, augment_args)| {
                whole.subcommand(augment_args(clap::Command::new(*name)))
            })
    }

    /// Runs the command, prints its outcome and returns the exit code of the process.
    /// `command_line` builds certctl's own command line, which only `completions` needs.
    #[must_use]
    pub(crate) fn run(self, context: &Context, command_line: fn() -> clap::Command) -> u8 {
        match self {
            Self::Csr(args) => run_command(context, &args, csr::run),
            Self::DcvCheck(args) => run_dcv_check(context, &args),
            Self::DcvPublish(args) => run_dcv_publish(context, &args),
            Self::Order(args) => run_order(context, &args),
            Self::Install(args) => run_install(context, &args),
            Self::Renew(args) => run_renew(context, &args),
            Self::Status(args) => run_status(context, &args),
            Self::Verify(args) => run_verify(context, &args),
            Self::Inspect(args) => run_inspect(context, &args),
            Self::Repair(command) => command.run(context),
            Self::Bundle(args) => run_command(context, &args, bundle::run),
            Self::Site(args) => run_site(context, &args),
            Self::Ca(command) => command.run(context),
            Self::Forget(args) => run_forget(context, &args),
            Self::Rehearse(args) => run_command(context, &args, rehearse::run),
            Self::Completions(args) => completions::run(context, &args, command_line()),
        }
    }
}

fn run_dcv_publish(context: &Context, args: &dcv_publish::DcvPublishArgs) -> u8 {
    conclude(context, dcv_publish::run(context, args))
}

fn run_order(context: &Context, args: &order::OrderArgs) -> u8 {
    conclude(context, order::run(context, args))
}

fn run_inspect(context: &Context, args: &inspect::InspectArgs) -> u8 {
    conclude(context, inspect::run(context, args))
}

fn run_verify(context: &Context, args: &verify::VerifyArgs) -> u8 {
    conclude(context, verify::run(context, args))
}

fn run_site(context: &Context, args: &site::SiteArgs) -> u8 {
    conclude(context, site::run(context, args))
}

fn run_renew(context: &Context, args: &renew::RenewArgs) -> u8 {
    conclude(context, renew::run(context, args))
}

fn run_rollback(context: &Context, args: &rollback::RollbackArgs) -> u8 {
    conclude(context, rollback::run(context, args))
}

fn run_forget(context: &Context, args: &forget::ForgetArgs) -> u8 {
    conclude(context, forget::run(context, args))
}

fn run_dcv_check(context: &Context, args: &dcv_check::DcvCheckArgs) -> u8 {
    if args.batch.is_some() {
        conclude(context, dcv_check::batch::run(context, args))
    } else {
        conclude(context, dcv_check::run(context, args))
    }
}

fn run_install(context: &Context, args: &install::InstallArgs) -> u8 {
    if args.check {
        conclude(context, install::check::run(context, args))
    } else {
        conclude(context, install::run(context, args))
    }
}

fn run_status(context: &Context, args: &status::StatusArgs) -> u8 {
    if args.jsonl {
        status::stream(context, args).unwrap_or_else(|failure| context.sink.print_failure(&failure))
    } else {
        conclude(context, status::run(context, args))
    }
}

/// Runs a command, prints its outcome or failure, and returns the exit code.
fn run_command<A, O: Outcome>(
    context: &Context,
    args: &A,
    run: fn(&Context, &A) -> Result<O, Failure>,
) -> u8 {
    conclude(context, run(context, args))
}

/// Prints the outcome or the failure and returns the exit code.
fn conclude<O: Outcome>(context: &Context, result: Result<O, Failure>) -> u8 {
    match result {
        Ok(outcome) => context.sink.print_outcome(&outcome),
        Err(failure) => context.sink.print_failure(&failure),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Subcommand;

    use super::{COMMANDS, CliCommand};

    #[test]
    fn each_command_can_be_built_alone() {
        let whole = CliCommand::augment_subcommands(clap::Command::new("certctl"));
        assert_eq!(whole.get_subcommands().count(), COMMANDS.len());
        for command in whole.get_subcommands() {
            let args = ["certctl", command.get_name(), "x"].map(OsString::from);
            let named = CliCommand::augment_named(clap::Command::new("certctl"), &args);
            let built: Vec<String> = named.get_subcommands().map(arguments).collect();
            assert_eq!(built, [arguments(command)]);
        }
    }

    fn arguments(command: &clap::Command) -> String {
        let arguments: Vec<_> = command.get_arguments().collect();
        format!("{arguments:?}")
    }
}
