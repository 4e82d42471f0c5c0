//! `certctl rollback`: restores the previous certificate, or the one of a date. Servers are tested
//! and reloaded, and the certificate is verified live, as in an install.

use std::time::Duration;

use serde_json::Value;

use crate::context::Context;
use crate::failure::Failure;
use crate::install::outcome::TransactionOutcome;
use crate::install::request::{InstallGoal, InstallRequest, RunMode, refuse_at_option};
use crate::install::transaction;
use crate::install::{installed, public_facts, rollback_argument};
use crate::install_plan::allow;
use crate::probe::ProbePatience;
use crate::report::{Label, Outcome, TextOutput};
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
    #[arg(long, value_name = "expired", value_parser = allow::parse_rollback_code, value_delimiter = ',')]
    pub allow: Vec<&'static str>,
    /// How long to wait for another certctl to finish [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// How long to wait for the lock without `--lock-timeout`.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// The outcome of `rollback`.
#[derive(Debug)]
pub(crate) struct RollbackOutcome(TransactionOutcome);

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
        lock_timeout: args.lock_timeout.unwrap_or(LOCK_TIMEOUT),
        patience: ProbePatience::default(),
        mode,
        approved: None,
    };
    transaction::run(context, &request)
        .map(RollbackOutcome)
        .map_err(|failure| {
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

impl Outcome for RollbackOutcome {
    fn json(&self) -> Value {
        self.0.json("certctl.rollback/1")
    }

    fn human(&self, text: &mut TextOutput) {
        let leaf = &self.0.leaf;
        let names = leaf.dns_names.join(", ");
        let line = format!(
            "version to restore: {names}, expires {}",
            day(leaf.not_after)
        );
        text.add(Label::Found, line);
        self.0.human(&[], text);
    }

    fn exit_code(&self) -> u8 {
        self.0.verdict.exit_code()
    }
}
