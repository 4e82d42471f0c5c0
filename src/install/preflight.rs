//! Everything that a changeover is decided by: paths, settings, what is there, the servers. Looked
//! at twice: before the lock for what can be refused early, and under it where something has
//! changed since.

pub(crate) mod disk_space;
pub(crate) mod key_readers;
pub(crate) mod overrides;

use std::path::Path;

use super::{installed, placeholder};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity, shell_word};
use crate::install::request::{InstallGoal, InstallRequest, again};
use crate::install::rollback;
use crate::install::servers::discover::ServerDiscovery;
use crate::install::servers::{self, SearchPaths, ServerUse, ServingState};
use crate::install_plan::apply::{self, ProbeAnswer};
use crate::install_plan::observe::{
    self, DiskObservation, LoadEvidence, PathFingerprints, PathObstacle,
};
use crate::install_plan::plan::{
    self, InstallPlan, PathState, ServedEvidence, ServerState, SettingsChange, TargetRelease,
};
use crate::store::disk;
use crate::store::key_access::inherit::InheritanceDoubt;
use crate::store::key_access::on_disk;
use crate::store::layout::{LineageLayout, ReleasePointer, StableLink};
use crate::store::release::{KeyAccess, Release};
use crate::store::root::{own, real, root};
use crate::store::settings::LineageSettings;
use crate::system::fs::files;

/// What was looked at.
#[derive(Debug)]
pub(crate) struct PreflightState {
    pub layout: LineageLayout,
    /// What is remembered, and what the command line says.
    pub settings: LineageSettings,
    /// What was remembered before this run.
    pub settings_before: LineageSettings,
    /// The release to come to.
    pub wanted: Release,
    pub sight: DiskObservation,
    pub serving: ServingState,
    /// Whether all this still holds.
    pub marks: PathFingerprints,
}

/// What was looked at of one pair before the servers are asked how they are.
struct Placed<'a, 'b> {
    order: &'a InstallRequest<'b>,
    layout: LineageLayout,
    settings: LineageSettings,
    settings_before: LineageSettings,
    /// The release of a rollback.
    target: Option<Release>,
    serving: ServingState,
    marks: PathFingerprints,
}

/// Looks at all pairs, and at each server once. What cannot be used of one is its failure alone.
///
/// # Errors
/// What keeps all from being looked at.
pub(crate) fn look(
    context: &Context,
    orders: &[InstallRequest<'_>],
) -> Result<Vec<Result<PreflightState, Failure>>, Failure> {
    let root = root(context.root.as_deref())?;
    let mut fleet = ServerDiscovery::default();
    let mut all: Vec<Result<Placed<'_, '_>, Failure>> = orders
        .iter()
        .map(|order| Placed::look(context, &root, &mut fleet, order))
        .collect();
    let placed = all.iter_mut().filter_map(|placed| placed.as_mut().ok());
    let mut pairs: Vec<_> = placed
        .map(|placed| (&placed.layout, &mut placed.serving))
        .collect();
    servers::health::judge(&mut pairs)?;
    let mut all: Vec<Result<PreflightState, Failure>> = all
        .into_iter()
        .map(|placed| placed.and_then(|placed| placed.finish(context)))
        .collect();
    ask_what_is_served(all.iter_mut().filter_map(|one| one.as_mut().ok()));
    Ok(all)
}

/// Where everything is in its place, the servers are asked whether they serve it: then there is
/// nothing to do.
fn ask_what_is_served<'a>(all: impl Iterator<Item = &'a mut PreflightState>) {
    let at_rest = |situation: &&mut PreflightState| {
        let (id, observed) = (Some(&situation.wanted.id), &situation.sight.observed);
        let serves = observed.any(|state| matches!(state, ServerState::Serves(..)));
        observed.live.as_ref() == id && observed.proven.as_ref() == id && serves
    };
    let mut resting: Vec<&mut PreflightState> = all.filter(at_rest).collect();
    let groups: Vec<_> = resting
        .iter()
        .map(|one| (&one.serving.targets[..], &one.wanted.certificates[..]))
        .collect();
    let answers = apply::ask_groups(&groups);
    for (situation, probes) in resting.iter_mut().zip(answers) {
        let agrees = probes.iter().all(ProbeAnswer::agrees);
        situation.serving.probes = probes;
        for one in situation.sight.observed.uses.iter_mut().filter(|_| agrees) {
            if let ServerState::Serves(_, served) = &mut one.state {
                *served = ServedEvidence::AsWanted;
            }
        }
    }
}

impl<'a, 'b> Placed<'a, 'b> {
    fn look(
        context: &Context,
        root: &Path,
        fleet: &mut ServerDiscovery,
        order: &'a InstallRequest<'b>,
    ) -> Result<Self, Failure> {
        own(root, &order.stem)?;
        let (chain, key) = observe::family(root).stable_paths(&order.stem);
        let staged = context.root.as_ref().map(|_| root);
        let usual = LineageLayout::new(staged, &order.stem, real(root, &chain)?, real(root, &key)?);
        let mut marks = PathFingerprints::default();
        marks.note([
            usual.settings(),
            usual.pointer(ReleasePointer::Live),
            usual.pointer(ReleasePointer::Proven),
        ])?;
        let settings_before = observe::settings(root, &order.stem)?;
        let settings = settings_before.clone().overridden_by(order.flags.clone());
        let target = match order.goal {
            InstallGoal::Install(_) | InstallGoal::Placeholder(_) => None,
            InstallGoal::Back(to) => Some(rollback::release(context, &usual, &settings, to)?),
        };
        let certificates = match (order.goal, &target) {
            (InstallGoal::Install(pair), _) => pair.chain().chain().certificates(),
            (InstallGoal::Placeholder(pair), _) => std::slice::from_ref(pair.certificate()),
            (InstallGoal::Back(_), Some(release)) => &release.certificates[..],
            (InstallGoal::Back(_), None) => &[],
        };
        let ground = SearchPaths {
            root,
            usual: &usual,
            flags: &order.flags,
            settings: &settings,
        };
        let (layout, serving) = servers::place(context, fleet, ground, certificates)?;
        Ok(Self {
            order,
            layout,
            settings,
            settings_before,
            target,
            serving,
            marks,
        })
    }

    fn finish(self, context: &Context) -> Result<PreflightState, Failure> {
        let Self {
            order,
            layout,
            mut settings,
            settings_before,
            target,
            mut serving,
            mut marks,
        } = self;
        marks.note(layout.links().iter().map(|link| link.path.clone()))?;
        if let InstallGoal::Back(_) | InstallGoal::Placeholder(_) = order.goal {
            // The files before are wanted for a reason, and a placeholder for nobody's eyes: told,
            // not held.
            let told = std::mem::take(&mut serving.lost).into_iter();
            serving.findings.extend(told.map(|finding| Finding {
                severity: Severity::Warning,
                ..finding
            }));
        }
        serving.findings.extend(
            target
                .iter()
                .flat_map(|release| rollback::dated(release, context.now())),
        );
        overrides::apply(&mut serving, &order.allow);
        let (access, (key, doubts)) = observe::access(&layout, &settings)?;
        let (access, doubts) = overridden((access, doubts), &order.flags);
        let doubts: Vec<Finding> = doubts
            .into_iter()
            .map(|doubt| doubt_finding(key, doubt, access.mode))
            .collect();
        let wanted = release_of(context, order, &layout, (access, &settings_before), target)?;
        let mut sight = observe::look(&layout, &wanted, serving.states(), loads(&serving))?;
        if let InstallGoal::Back(_) = order.goal {
            let spots = layout.links().iter().zip(&sight.observed.spots);
            let unlinked = spots
                .filter(|(_, spot)| **spot != PathState::Ours)
                .map(|(link, _)| link.path.clone());
            let install = again(context, &["install", &order.stem]).text;
            sight
                .obstacles
                .extend(unlinked.map(|path| PathObstacle::Unlinked(path, install.clone())));
        }
        if let InstallGoal::Placeholder(_) = order.goal {
            sight.obstacles.extend(placeholder::in_the_way(
                context,
                &layout,
                (&sight.observed, &settings_before),
            ));
            settings.placeholder = Some(wanted.id.clone());
        }
        let mut settings = settings.lasting(&settings_before);
        remember(&mut settings, &layout, &serving);
        settings.former = installed::former(&layout, &settings_before)?;
        settings.remember_access(wanted.access);
        let mut situation = PreflightState {
            layout,
            settings,
            settings_before,
            wanted,
            sight,
            serving,
            marks,
        };
        for (folder, mode) in observe::loose_folders(&situation.layout)? {
            situation
                .serving
                .findings
                .push(loose_finding(&folder, mode));
        }
        situation.serving.findings.extend(
            on_disk::remarks(&situation.layout)?
                .iter()
                .map(Finding::from),
        );
        if situation
            .sight
            .present
            .as_ref()
            .is_some_and(|taken| taken.mixed)
        {
            situation
                .serving
                .findings
                .push(mixed_finding(&situation.layout));
        }
        situation.serving.findings.extend(doubts);
        situation.serving.findings.extend(key_readers::kept_out(
            &situation.layout,
            access,
            &order.flags,
        )?);
        Ok(situation)
    }
}

/// The paths as they were spelled, from inside of the tree.
fn remember(settings: &mut LineageSettings, layout: &LineageLayout, serving: &ServingState) {
    let (chain, key) = serving.chain_and_key();
    settings.chain_path = Some(layout.inside(chain));
    settings.key_path = Some(layout.inside(key));
    let further = serving.spelled[2..]
        .iter()
        .map(|link| StableLink::new(layout.inside(&link.path), link.piece));
    settings.links = further
        .filter(|link| link.path.to_str().is_some())
        .collect();
}

impl PreflightState {
    /// What forbids to go on; nothing was touched then.
    #[must_use]
    pub(crate) fn refusal(&self) -> Option<Vec<Finding>> {
        let mut refused: Vec<Finding> = self.sight.obstacles.iter().map(Finding::from).collect();
        refused.extend(self.serving.refusals.iter().cloned());
        refused.extend(self.serving.lost.iter().cloned());
        (!refused.is_empty()).then_some(refused)
    }

    /// What would be done.
    #[must_use]
    pub(crate) fn plan(&self, goal: InstallGoal<'_>) -> InstallPlan {
        let remembered = match (goal, self.settings == self.settings_before) {
            (InstallGoal::Back(_), _) | (_, true) => SettingsChange::Already,
            (_, false) => SettingsChange::Otherwise,
        };
        let wanted = TargetRelease {
            id: self.wanted.id.clone(),
            pieces: self.wanted.pieces(),
            remembered,
        };
        let plan = match goal {
            InstallGoal::Install(_) => plan::install,
            InstallGoal::Placeholder(_) => plan::placeholder,
            InstallGoal::Back(_) => plan::rollback,
        };
        plan(&wanted, &self.sight.observed, &self.layout)
    }
}

/// The release that is wanted, for whoever reads it: a new one, or `target`.
fn release_of(
    context: &Context,
    order: &InstallRequest<'_>,
    layout: &LineageLayout,
    (access, settings): (KeyAccess, &LineageSettings),
    target: Option<Release>,
) -> Result<Release, Failure> {
    let release = match (order.goal, target) {
        (InstallGoal::Install(pair), _) => disk::named(
            layout,
            Release::new(pair, access).deriving(&layout.derived()),
        )?,
        (InstallGoal::Placeholder(pair), _) => {
            let before = placeholder::present(layout, settings, context.now())?;
            before
                .map_or_else(|| placeholder::release(pair, access), Ok)?
                .read_by(access)
        }
        (InstallGoal::Back(_), Some(release)) => release,
        (InstallGoal::Back(_), None) => {
            return Err(rollback::nothing_before(context, layout, settings));
        }
    };
    Ok(release.deriving(&layout.derived()))
}

/// A server with a profile that runs and whose test is fine before anything is touched has loaded
/// what it names.
fn loads(serving: &ServingState) -> LoadEvidence {
    let loaded = |one: &ServerUse| {
        one.looked.standing.is_some() && matches!(one.state, ServerState::Serves(..))
    };
    if serving.uses.iter().any(loaded) {
        LoadEvidence::Seen
    } else {
        LoadEvidence::Unknown
    }
}

/// Who may read the key, where the command line says so: then what was there before is no matter.
fn overridden(
    (access, doubts): (KeyAccess, Vec<InheritanceDoubt>),
    flags: &LineageSettings,
) -> (KeyAccess, Vec<InheritanceDoubt>) {
    let mode = flags.access().map_or(access.mode, |asked| asked.mode);
    let owner = flags.key_owner.or(access.owner);
    let stands = |doubt: &InheritanceDoubt| match doubt {
        InheritanceDoubt::Group(_) | InheritanceDoubt::Others(_) => flags.key_mode.is_none(),
        InheritanceDoubt::Owner(_) | InheritanceDoubt::Stranger(_) => flags.key_owner.is_none(),
    };
    (
        KeyAccess { mode, owner },
        doubts.into_iter().filter(stands).collect(),
    )
}

fn loose_finding(folder: &Path, mode: u32) -> Finding {
    let path = shell_word(&folder.display().to_string());
    let (who, bits) = if mode & 0o002 != 0 {
        ("anybody", "go-w")
    } else {
        ("its group", "g-w")
    };
    Finding::warning(
        "folder-writable",
        format!("{who} may write to {} (mode {mode:04o})", folder.display()),
    )
    .with(NextStep::say(format!("sudo chmod {bits} {path}")))
}

fn doubt_finding(key: &Path, doubt: InheritanceDoubt, after: u32) -> Finding {
    let path = key.display();
    let tightened = |before: u32, why: &str| {
        let message = format!(
            "{path} had mode {:04o}; the new key has {after:04o}: {why}",
            before & 0o7777
        );
        Finding::note("key-mode-tightened", message)
    };
    match doubt {
        InheritanceDoubt::Group(before) => tightened(before, "its folders keep that group out"),
        InheritanceDoubt::Others(before) => tightened(before, "not for everybody"),
        InheritanceDoubt::Owner(user) => Finding::warning(
            "key-wrong-owner",
            format!("{path} belongs to user {user}, and so does the new key"),
        ),
        InheritanceDoubt::Stranger(user) => {
            let folder = files::parent(key);
            let message = format!(
                "{path} belongs to user {user}, and {} is not root's alone: the new key is only \
                    for who runs certctl",
                folder.display()
            );
            let path = shell_word(&folder.display().to_string());
            Finding::warning("key-wrong-owner", message).with(NextStep::say(format!(
                "sudo chown root:root {path} && sudo chmod go-w {path}"
            )))
        }
    }
}

fn mixed_finding(layout: &LineageLayout) -> Finding {
    let path = layout.chain_path().display();
    Finding::note(
        "key-in-chain",
        format!(
            "{path} holds a private key beside the certificates: it is kept as a numbered backup, \
                and only the certificates are taken over"
        ),
    )
}
