//! `certctl rollback`: restores the previous certificate, or the one of a date. Servers are tested
//! and reloaded, and the certificate is verified live, as in an install.

use std::time::Duration;

use serde_json::{Value, json};

use crate::advice::install_command;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::NextStep;
use crate::install::outcome::TransactionOutcome;
use crate::install::request::{InstallGoal, InstallRequest, RunMode, refuse_at_option};
use crate::install::transaction;
use crate::install::{installed, public_facts, rollback_argument};
use crate::install_plan::allow;
use crate::probe::ProbePatience;
use crate::report::{Label, Outcome, TextOutput};
use crate::store::layout::ReleaseId;
use crate::store::settings::LineageSettings;
use crate::system::clock;
use crate::wording::day;

/// Restore the previous certificate
///
/// Examples:
///   sudo certctl rollback example.com
///   sudo certctl rollback example.com --to 2027-05-11
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct RollbackArgs {
    /// Name of the installed certificate; optional if only one is installed
    pub name: Option<String>,
    /// Restore the version with this id, or the one that was live at this date or time [default: the
    /// version before the live one]
    #[arg(long, value_name = "DATE|ID")]
    pub to: Option<String>,
    /// Restore a certificate even if it has the finding with this code
    #[arg(long, value_name = "expired|revoked", value_parser = allow::parse_rollback_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// How long to wait for another certctl to finish [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The outcome of `rollback`.
#[derive(Debug)]
pub(crate) struct RollbackOutcome {
    transaction: TransactionOutcome,
    /// The date or the id of `--to`.
    to: Option<String>,
    /// Restores the version that was live before.
    undo: Option<NextStep>,
}

/// Restores the release of `--to`; without it, the proven release if the live one is not proven,
/// else the entry before the live one in the history.
///
/// # Errors
/// When there is no such certificate or no earlier release, files cannot be used, the lock is held
/// by another certctl, or a signal arrives.
pub(crate) fn run(context: &Context, args: &RollbackArgs) -> Result<RollbackOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    refuse_at_option(context, mode)?;
    let stem = find_stem(context, args.name.as_deref())?;
    let release = args
        .to
        .as_deref()
        .map(|text| rollback_argument::find_release_by_text(context, &stem, text))
        .transpose()?;
    let request = InstallRequest {
        stem,
        goal: InstallGoal::Rollback(release.as_ref()),
        flags: LineageSettings::default(),
        allow: args.allow.clone(),
        lock_timeout: args.lock_timeout.unwrap_or(transaction::LOCK_TIMEOUT),
        patience: ProbePatience::default(),
        mode,
        approved: None,
    };
    restore(context, args, &request).map_err(|failure| {
        let stem = &request.stem;
        let failure = public_facts::add_live_facts(context, stem, failure);
        public_facts::add_rollback_facts(context, stem, release.as_ref(), failure)
    })
}

/// Finds the certificate to roll back: by its folder, because the live version may be damaged, else
/// by a name that it covers.
fn find_stem(context: &Context, name: Option<&str>) -> Result<String, Failure> {
    let by_folder = match name {
        Some(name) => installed::find_folder(context, name)?,
        None => None,
    };
    match by_folder {
        Some(stem) => Ok(stem),
        None => installed::find_named(context, "rollback", name),
    }
}

/// Runs the transaction, and notes how to undo it.
fn restore(
    context: &Context,
    args: &RollbackArgs,
    request: &InstallRequest<'_>,
) -> Result<RollbackOutcome, Failure> {
    let live = installed::find_live_id(context, &request.stem).ok();
    let live = live.flatten().map(|(_, id)| id);
    let transaction = transaction::run(context, request)?;
    let undo = live.and_then(|live| undo_step(context, &transaction, &live));
    Ok(RollbackOutcome {
        transaction,
        to: args.to.clone(),
        undo,
    })
}

/// The step that restores the version `live` again, which the rollback replaced.
fn undo_step(
    context: &Context,
    transaction: &TransactionOutcome,
    live: &ReleaseId,
) -> Option<NextStep> {
    let is_done = matches!(transaction.verdict.exit_code(), 0 | 7);
    let is_replaced = transaction.changed && transaction.release != live.as_str();
    let root = context.root.as_deref();
    let step = || install_command::restore_replaced(root, &transaction.name, live.as_str());
    (is_done && is_replaced).then(step)
}

impl Outcome for RollbackOutcome {
    fn json(&self) -> Value {
        let mut document = self.transaction.json("certctl.rollback/1");
        document["undo"] = json!(Vec::from_iter(&self.undo));
        document
    }

    fn human(&self, text: &mut TextOutput) {
        let leaf = &self.transaction.leaf;
        let names = leaf.dns_names.join(", ");
        let version = &self.transaction.release;
        let mut line = format!(
            "version to restore: {names}, expires {} ({version}",
            day(leaf.not_after)
        );
        match &self.to {
            Some(to) if !to.eq_ignore_ascii_case(version) => {
                line.push_str(&format!(", live on {to})"));
            }
            _ => line.push(')'),
        }
        text.add(Label::Found, line);
        self.transaction.human(&[], text);
        if let Some(undo) = &self.undo {
            text.add_step(Label::Undo, undo);
        }
    }

    fn exit_code(&self) -> u8 {
        self.transaction.verdict.exit_code()
    }
}
