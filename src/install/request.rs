//! The request of an install or a rollback.

use std::time::Duration;

use crate::advice::{rerun, site_command};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::pki::installable::InstallableCertificate;
use crate::probe::ProbePatience;
use crate::store::layout::ReleaseId;
use crate::store::settings::LineageSettings;

/// An install, a rollback or a placeholder, for one certificate.
#[derive(Clone, Debug)]
pub(crate) struct InstallRequest<'a> {
    /// The name of the certificate in /etc/ssl.
    pub stem: String,
    pub goal: InstallGoal<'a>,
    /// The options of the command line; they take precedence over the saved ones.
    pub flags: LineageSettings,
    /// Finding codes demoted to warnings by `--allow`.
    pub allow: Vec<&'static str>,
    /// How long to wait for another certctl.
    pub lock_timeout: Duration,
    /// How long the server is probed before it is judged.
    pub patience: ProbePatience,
    /// Whether anything is changed.
    pub mode: RunMode,
    /// The id of the plan that was approved: another plan is not run.
    pub approved: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum InstallGoal<'a> {
    /// Rolls back to this release of the history; none: to the previous one.
    Rollback(Option<&'a ReleaseId>),
    Install(&'a InstallableCertificate),
    /// Installs a placeholder, where nothing is installed yet.
    Placeholder(&'a PlaceholderCertificate),
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RunMode {
    /// Compares what is installed with what is served.
    Check,
    /// Only reports what would be done.
    DryRun,
    Run,
}

/// Refuses `--at` for a command that changes this machine, which has to evaluate dates as of now.
///
/// # Errors
/// With `--at`, unless `--root` or a dry run makes it harmless.
pub(crate) fn refuse_at_option(context: &Context, mode: RunMode) -> Result<(), Failure> {
    if context.at.is_none() || context.root.is_some() || mode == RunMode::DryRun {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Usage,
        "`--at` is allowed only with `--root` or `--dry-run`: dates on this machine are evaluated as of now",
    )
    .with_step(rerun::omit_at_or_dry_run()))
}

/// Refuses `--root` for a command about the servers of this machine; `work` says what it does with
/// them. Its answer would mix this machine and the tree.
///
/// # Errors
/// With `--root`.
pub(crate) fn refuse_root_option(
    context: &Context,
    command: &str,
    work: &str,
) -> Result<(), Failure> {
    if context.root.is_none() {
        return Ok(());
    }
    let message = format!("`{command}` {work}, so it has no `--root`");
    Err(Failure::new(FailureKind::Usage, message).with_step(site_command::run_on_machine()))
}
