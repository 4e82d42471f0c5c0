//! Where a rollback goes: the files before, or those of the history that were asked for.

use jiff::Timestamp;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::install::request::again;
use crate::install_plan::observe;
use crate::store::disk;
use crate::store::history::{self, PastRelease, RollbackArgument};
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::store::release::Release;
use crate::store::root::root;
use crate::store::settings::LineageSettings;

/// As many are shown of those that can be gone back to.
const SHOWN: usize = 10;

/// The release of the pair's history that `text` means: an id or a date.
///
/// # Errors
/// When it is neither, when the history has no such entry, or when its files are not kept any more;
/// what there is to go back to is listed.
pub(crate) fn meant(context: &Context, stem: &str, text: &str) -> Result<ReleaseId, Failure> {
    let settings = super::installed::settings(context, stem)?;
    let layout = super::installed::layout(&root(context.root.as_deref())?, stem);
    let listed = |failure| list(context, &layout, &settings, failure);
    let Some(meant) = RollbackArgument::parse(text) else {
        let message = format!("{text:?} is neither a date nor the eight digits of an id");
        return Err(listed(Failure::new(FailureKind::Usage, message)));
    };
    let Some(id) = history::find(&settings.history, &meant) else {
        let message = match &meant {
            // As it was typed: a day stands for its end.
            RollbackArgument::At(_) => format!("nothing of {stem} was installed by {text}"),
            RollbackArgument::Release(id) => format!("{stem} has never been served with {id}"),
        };
        return Err(listed(Failure::new(FailureKind::NotFound, message)));
    };
    if disk::load(&layout, &id)?.is_none() {
        let message = format!("the files {id} of {stem} are not kept any more");
        let failure = Failure::new(FailureKind::NotFound, message);
        return Err(listed(failure.because(
            "the 3 newest are kept, and what is live or was live before it",
        )));
    }
    Ok(id)
}

/// What there is to go back to, each with its command line.
fn list(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    failure: Failure,
) -> Failure {
    let kept = kept(layout, settings);
    if kept.is_empty() {
        return failure.with(NextStep::say(format!(
            "see what lies there:  ls -l {}",
            word(layout)
        )));
    }
    tell(context, layout, &kept, failure)
}

/// Whatever was live once and is still there, the newest first.
fn kept(layout: &LineageLayout, settings: &LineageSettings) -> Vec<(PastRelease, Release)> {
    let past = history::past(&settings.history).into_iter();
    let loaded = past.filter_map(|past| {
        let release = disk::load(layout, &past.release).ok().flatten()?;
        Some((past, release))
    });
    loaded.take(SHOWN).collect()
}

fn tell(
    context: &Context,
    layout: &LineageLayout,
    kept: &[(PastRelease, Release)],
    failure: Failure,
) -> Failure {
    let live = observe::pointer(layout, ReleasePointer::Live)
        .ok()
        .flatten();
    kept.iter().fold(failure, |failure, (past, release)| {
        let since = past
            .since
            .map_or_else(|| "from before certctl".to_owned(), |at| format!("of {at}"));
        let now = if live.as_ref() == Some(&past.release) {
            " (live now)"
        } else {
            ""
        };
        let ends = release.not_after().strftime("%Y-%m-%d");
        failure
            .because(format!(
                "there is {}, {since}: ends {ends}{now}",
                past.release
            ))
            .with(again(
                context,
                &["rollback", layout.stem(), "--to", past.release.as_str()],
            ))
    })
}

/// The release that a rollback goes to: the one that is asked for; else `proven` when `live` is not
/// proven, else the one before in the history.
///
/// # Errors
/// When there is none, or its files cannot be loaded.
pub(crate) fn release(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    to: Option<&ReleaseId>,
) -> Result<Release, Failure> {
    let live =
        observe::pointer(layout, ReleasePointer::Live)?.ok_or_else(|| not_installed(layout))?;
    let proven = observe::pointer(layout, ReleasePointer::Proven)?;
    let target = match (to, proven) {
        (Some(to), _) => Some(to.clone()),
        (None, Some(proven)) if proven != live => Some(proven),
        (None, None) => None,
        (None, Some(_)) => settings.before(&live).cloned(),
    };
    let target = target.ok_or_else(|| nothing_before(context, layout, settings))?;
    disk::load(layout, &target)?.ok_or_else(|| {
        let message = format!(
            "the files before, {}, are not there or cannot be loaded",
            layout.release(&target).display()
        );
        Failure::new(FailureKind::NotFound, message)
            .with(NextStep::say(format!("ls -l {}", word(layout))))
    })
}

/// Whoever goes back has a reason to: that the certificate is not valid now is told, and holds
/// nobody.
#[must_use]
pub(crate) fn dated(release: &Release, now: Timestamp) -> Vec<Finding> {
    let install = || NextStep::say("browsers want one that is valid:  sudo certctl install FILE");
    let ended = release
        .certificates
        .iter()
        .filter(|one| one.not_after < now)
        .map(|one| {
            Finding::warning(
                "expired",
                format!("{} ended {}", one.label(), one.not_after),
            )
            .with(install())
        });
    let early = release
        .certificates
        .iter()
        .filter(|one| one.not_before > now)
        .map(|one| {
            Finding::warning(
                "not-yet-valid",
                format!("{} is valid from {} only", one.label(), one.not_before),
            )
            .with(install())
        });
    ended.chain(early).collect()
}

/// That there is nothing before what is live; what else is kept is listed.
#[must_use]
pub(crate) fn nothing_before(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Failure {
    let stem = layout.stem();
    let live = observe::pointer(layout, ReleasePointer::Live)
        .ok()
        .flatten();
    let mut others = kept(layout, settings);
    others.retain(|(past, _)| Some(&past.release) != live.as_ref());
    if !others.is_empty() {
        let message = format!("nothing of {stem} was installed before what is live now");
        return tell(
            context,
            layout,
            &others,
            Failure::new(FailureKind::NotFound, message),
        );
    }
    Failure::new(
        FailureKind::NotFound,
        format!("there are no files of {stem} to go back to"),
    )
    .because("no earlier install of it ended well here")
    .with(NextStep::say(format!(
        "install the files that should be served:  {}",
        again(context, &["install", "FILE"]).text
    )))
}

fn not_installed(layout: &LineageLayout) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("{} is not installed here", layout.stem()),
    )
    .with(NextStep::say(format!(
        "ls {}",
        shell_word(&layout.base().display().to_string())
    )))
}

fn word(layout: &LineageLayout) -> String {
    shell_word(&layout.releases().display().to_string())
}
