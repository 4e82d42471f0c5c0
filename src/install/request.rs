//! What is asked of a changeover.

use std::time::Duration;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::pki::certified_key::CertifiedKey;
use crate::probe::ProbePatience;
use crate::store::layout::ReleaseId;
use crate::store::settings::LineageSettings;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct InstallRequest<'a> {
    /// The pair's name in /etc/ssl.
    pub stem: String,
    pub goal: InstallGoal<'a>,
    /// What the command line says; it overrides what is remembered.
    pub flags: LineageSettings,
    /// Codes of findings that hold nobody: `--allow`.
    pub allow: Vec<&'static str>,
    /// How long to wait for another certctl.
    pub lock_timeout: Duration,
    /// How long the server is asked before it is judged.
    pub patience: ProbePatience,
    /// Whether anything is changed.
    pub mode: RunMode,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum InstallGoal<'a> {
    /// To this release of the history; none: the files before.
    Back(Option<&'a ReleaseId>),
    Install(&'a CertifiedKey),
    /// To this one, where there is none yet.
    Placeholder(&'a PlaceholderCertificate),
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RunMode {
    /// Only what would be done.
    DryRun,
    Run,
}

/// What is installed here is judged by now: `--at` is for what changes nothing here.
///
/// # Errors
/// With `--at`, where neither `--root` nor `mode` makes it harmless.
pub(crate) fn judged_by_now(context: &Context, mode: RunMode) -> Result<(), Failure> {
    if context.at.is_none() || context.root.is_some() || mode == RunMode::DryRun {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Usage,
        "--at is for --root and --dry-run: what is installed here is judged by now",
    )
    .with(NextStep::say("leave --at out, or add --dry-run")))
}

/// The same command again, where this one ran: as root, or in the same tree.
#[must_use]
pub(crate) fn again(context: &Context, words: &[&str]) -> NextStep {
    let mut argv: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    match &context.root {
        Some(root) => {
            argv.extend(["--root".to_owned(), root.display().to_string()]);
            NextStep::run(&argv)
        }
        None => {
            let run = NextStep::run(&argv);
            NextStep {
                text: format!("sudo {}", run.text),
                ..run
            }
        }
    }
}
