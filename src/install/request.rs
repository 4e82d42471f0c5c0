//! What is asked of a changeover.

use std::time::Duration;

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::install::placeholder::certificate::Placeholder;
use crate::pki::certified_key::CertifiedKey;
use crate::probe::Patience;
use crate::store::layout::ReleaseId;
use crate::store::settings::Settings;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    /// The pair's name in /etc/ssl.
    pub stem: String,
    pub goal: Goal<'a>,
    /// What the command line says; it overrides what is remembered.
    pub flags: Settings,
    /// Codes of findings that hold nobody: `--allow`.
    pub allow: Vec<&'static str>,
    /// How long to wait for another certctl.
    pub lock_timeout: Duration,
    /// How long the server is asked before it is judged.
    pub patience: Patience,
    /// Whether anything is changed.
    pub mode: Mode,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal<'a> {
    /// To this release of the history; none: the files before.
    Back(Option<&'a ReleaseId>),
    Install(&'a CertifiedKey),
    /// To this one, where there is none yet.
    Placeholder(&'a Placeholder),
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// Only what would be done.
    DryRun,
    Run,
}

/// What is installed here is judged by now: `--at` is for what changes nothing here.
///
/// # Errors
/// With `--at`, where neither `--root` nor `mode` makes it harmless.
pub(crate) fn judged_by_now(context: &Context, mode: Mode) -> Result<(), Failure> {
    if context.at.is_none() || context.root.is_some() || mode == Mode::DryRun {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Usage,
        "--at is for --root and --dry-run: what is installed here is judged by now",
    )
    .with(Next::say("leave --at out, or add --dry-run")))
}

/// The same command again, where this one ran: as root, or in the same tree.
#[must_use]
pub(crate) fn again(context: &Context, words: &[&str]) -> Next {
    let mut argv: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    match &context.root {
        Some(root) => {
            argv.extend(["--root".to_owned(), root.display().to_string()]);
            Next::run(&argv)
        }
        None => {
            let run = Next::run(&argv);
            Next {
                text: format!("sudo {}", run.text),
                ..run
            }
        }
    }
}
