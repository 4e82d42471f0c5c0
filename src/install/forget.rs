//! A pair that certctl is to forget: looked at, refused while its last install is open, then made
//! plain files of.

pub(crate) mod apply;
pub(crate) mod plan;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::apply::PlainFile;
use self::plan::{ForgetObservation, ForgetRefusal, ForgetStep};
use super::{installed, placeholder, transaction};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, shell_word};
use crate::install::preflight::disk_space::SpaceReservation;
use crate::install::request::{RunMode, again};
use crate::install::servers;
use crate::install::servers::discover::ServerDiscovery;
use crate::install_plan::observe;
use crate::pki::certificate::Certificate;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, ReleasePointer};
use crate::store::release::Release;
use crate::store::root::{own, root};
use crate::store::settings::LineageSettings;
use crate::system::fs::{files, folders};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ForgetVerdict {
    Planned,
    Refused,
    /// The links are plain files, and the folder is gone.
    Removed,
}

impl ForgetVerdict {
    /// Its name in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Removed => "forgotten",
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct ForgetResult {
    pub verdict: ForgetVerdict,
    pub name: String,
    pub folder: PathBuf,
    pub release: Option<ReleaseId>,
    /// Its certificate, where it could be read.
    pub leaf: Option<Certificate>,
    /// The plain files, as they are or would be.
    pub files: Vec<PlainFile>,
    /// What was, or would be done.
    pub steps: Vec<ForgetStep>,
    pub findings: Vec<Finding>,
    /// What to do now.
    pub next: Vec<NextStep>,
}

impl ForgetResult {
    /// Whether anything on disk is other than before.
    #[must_use]
    pub(crate) fn changed(&self) -> bool {
        self.verdict == ForgetVerdict::Removed
    }
}

/// Does it, or shows it, or says why not.
///
/// # Errors
/// When files cannot be used, the lock is held, or a signal came: each path is then the link or the
/// plain file with the same bytes, and the next run takes it up.
pub(crate) fn run(
    context: &Context,
    stem: &str,
    timeout: Duration,
    mode: RunMode,
) -> Result<ForgetResult, Failure> {
    if context.interrupt.listen().is_err() {
        context
            .sink
            .detail("signals cannot be listened to; they end this at once");
    }
    let (layout, removal) = look(context, stem)?;
    if mode == RunMode::DryRun || removal.verdict == ForgetVerdict::Refused {
        return Ok(removal);
    }
    let _lock = transaction::lock(context, &layout, timeout)?;
    // Another certctl may have held the lock: everything is looked at again.
    disk::sweep(&[&layout])?;
    let (layout, removal) = look(context, stem)?;
    if removal.verdict == ForgetVerdict::Refused {
        return Ok(removal);
    }
    if let Some(live) = &removal.release {
        apply::run(&layout, live, &removal.steps, || context.interrupt.signal())
            .map_err(Failure::from)?;
    }
    Ok(ForgetResult {
        verdict: ForgetVerdict::Removed,
        ..removal
    })
}

/// What there is, and what would be done about it.
fn look(context: &Context, stem: &str) -> Result<(LineageLayout, ForgetResult), Failure> {
    let root = root(context.root.as_deref())?;
    own(&root, stem)?;
    let settings = observe::settings(&root, stem)?;
    let layout = installed::placed(context, stem, &settings)?;
    let live = observe::pointer(&layout, ReleasePointer::Live)?;
    let mut removal = ForgetResult {
        verdict: ForgetVerdict::Planned,
        name: stem.to_owned(),
        folder: layout.folder(),
        leaf: None,
        files: Vec::new(),
        steps: Vec::new(),
        findings: Vec::new(),
        next: Vec::new(),
        release: live,
    };
    if !folders::is_folder(&layout.folder()) {
        // A removal was killed after its last rename: what it left is taken away, and that is all.
        return Ok((layout, removal));
    }
    removal.judge(context, &layout, &settings)?;
    Ok((layout, removal))
}

impl ForgetResult {
    fn judge(
        &mut self,
        context: &Context,
        layout: &LineageLayout,
        settings: &LineageSettings,
    ) -> Result<(), Failure> {
        let mut spots = Vec::new();
        for link in layout.links() {
            let spot = observe::spot(layout, link)?;
            if let Err(obstacle) = &spot {
                self.findings.push(Finding::note(
                    "path-taken",
                    format!("{obstacle}: it stays as it is"),
                ));
            }
            spots.push(spot.ok());
        }
        let live = self.release.clone();
        let there = |piece: &ReleaseFile| {
            live.as_ref()
                .is_some_and(|live| folders::is_file(&layout.piece(live, *piece)))
        };
        let pieces = layout
            .links()
            .iter()
            .map(|link| link.piece)
            .filter(there)
            .collect();
        // A placeholder is never proven, and was put there on purpose.
        let kept = settings
            .placeholder
            .clone()
            .filter(|kept| live.as_ref() == Some(kept));
        let placed = kept.is_some();
        let proven = kept.map_or_else(
            || observe::pointer(layout, ReleasePointer::Proven),
            |kept| Ok(Some(kept)),
        )?;
        let strange = apply::strange(layout)?;
        let release = live
            .as_ref()
            .map(|live| disk::load(layout, live))
            .transpose()?
            .flatten();
        self.leaf = release.as_ref().map(|release| release.leaf().clone());
        if let (true, Some(release)) = (placed, &release) {
            self.findings
                .push(placeholder::told(context, release.not_after()));
        }
        let named = named(context, layout, settings, release.as_ref());
        let standing = ForgetObservation {
            live: live.clone(),
            proven,
            spots,
            pieces,
            named,
            strange,
        };
        match plan::plan(&standing, layout) {
            Ok(steps) => self.steps = steps,
            Err(refused) => {
                self.verdict = ForgetVerdict::Refused;
                let proven = standing.proven.as_ref();
                self.findings.extend(
                    refused
                        .iter()
                        .map(|refusal| finding(context, &self.name, refusal, proven)),
                );
            }
        }
        let mut sizes = Vec::new();
        for step in &self.steps {
            if let (Some(live), ForgetStep::Settle { path, piece }) = (&live, step) {
                self.files.extend(apply::plain(layout, live, path, *piece)?);
                let bytes = release
                    .as_ref()
                    .filter(|release| release.pieces().contains(piece));
                sizes.push((
                    path.clone(),
                    bytes.map_or(0, |release| release.bytes(*piece).len()),
                ));
            }
        }
        // Half of it done is worse than none.
        if !self.steps.is_empty() {
            SpaceReservation::default().take_removal(&sizes, &layout.folder())?;
        }
        Ok(())
    }
}

/// What the servers here name in the pair's folder itself, or through a link of somebody's into it:
/// where, and the file. A configuration that cannot be read says nothing.
fn named(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    release: Option<&Release>,
) -> Vec<(String, PathBuf)> {
    let names = release
        .map(|release| servers::names(&release.certificates))
        .unwrap_or_default();
    let servers = ServerDiscovery::default()
        .find(context, settings, layout.links(), &names)
        .unwrap_or_default()
        .servers;
    let mut found = Vec::new();
    for standing in servers.iter().filter_map(|looked| looked.standing.as_ref()) {
        for block in standing.config.blocks() {
            let files = block
                .pairs
                .iter()
                .flat_map(|pair| &pair.files)
                .filter_map(|(_, path)| path.file());
            let inside = files.filter(|path| {
                leads_into(path, layout) && !found.iter().any(|(_, known)| known == path)
            });
            let inside: Vec<_> = inside
                .map(|path| (block.to_string(), path.to_owned()))
                .collect();
            found.extend(inside);
        }
    }
    found
}

fn leads_into(path: &Path, layout: &LineageLayout) -> bool {
    let Ok(real) = folders::real(path) else {
        return false;
    };
    if layout.links().iter().any(|link| link.path == real) {
        return false;
    }
    let leads = match folders::look(&real) {
        Ok(Some(folders::FileStatus {
            kind: folders::FileKind::Link(text),
            ..
        })) => folders::plain(&files::parent(&real).join(text)),
        _ => real,
    };
    leads.starts_with(layout.folder())
}

/// `proven` is what there is to go back to.
fn finding(
    context: &Context,
    stem: &str,
    refusal: &ForgetRefusal,
    proven: Option<&ReleaseId>,
) -> Finding {
    match refusal {
        ForgetRefusal::NotProven(_) => {
            let finding = Finding::error("not-verified-live", refusal.to_string())
                .with(again(context, &["install", stem]));
            proven.into_iter().fold(finding, |finding, _| {
                finding.with(again(context, &["rollback", stem]))
            })
        }
        ForgetRefusal::Named { block, .. } => Finding::error(
            "still-configured",
            refusal.to_string(),
        )
        .with(NextStep::say(format!(
            "name the path in {block} that leads there, such as that of --chain-path, then reload"
        ))),
        ForgetRefusal::ShowsNothing(_) => Finding::error("path-missing", refusal.to_string())
            .with(again(context, &["install", stem, "--check"])),
        ForgetRefusal::Strange(path) => {
            let path = shell_word(&path.display().to_string());
            Finding::error("folder-not-empty", refusal.to_string()).with(NextStep::say(format!(
                "move it to where it belongs:  sudo mv -n {path} /root/"
            )))
        }
    }
}
