//! The state of the disk before a transaction, read once in a fixed order.

use std::path::{Path, PathBuf};

use super::key_readers::KeyReaders;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Severity;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::{ServerUse, ServingState};
use crate::install::{installed, placeholder, rollback};
use crate::install_plan::observe::{self, DiskObservation, LoadEvidence};
use crate::install_plan::plan::ServerState;
use crate::store::disk;
use crate::store::key_access::inherit::{FileAccess, InheritanceDoubt};
use crate::store::key_access::on_disk::{self, AccessRemark};
use crate::store::layout::{LineageLayout, StableLink};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;
use crate::webserver::control::ControlledServer;

/// What determines the paths to read.
#[derive(Clone, Copy)]
pub(super) struct ObservationInput<'a, 'b> {
    pub request: &'a InstallRequest<'b>,
    pub layout: &'a LineageLayout,
    pub settings: &'a LineageSettings,
    pub settings_before: &'a LineageSettings,
    pub serving: &'a ServingState,
}

/// The input of the checks of a transaction.
#[derive(Debug)]
pub(super) struct PreflightObservation {
    pub layout: LineageLayout,
    pub settings_before: LineageSettings,
    /// The plain key file that is replaced, or where the key is read.
    pub key_path: PathBuf,
    /// Who may read the new key.
    pub access: KeyAccess,
    /// How that differs from the readers of the file that is replaced.
    pub doubts: Vec<InheritanceDoubt>,
    /// The release to install.
    pub wanted: Release,
    pub disk: DiskObservation,
    /// Links of earlier installs, at paths that the layout does not have any more.
    pub former_links: Vec<StableLink>,
    /// Folders that other users can write to.
    pub loose_folders: Vec<(PathBuf, FileAccess)>,
    pub access_remarks: Vec<AccessRemark>,
    /// Who can read the key at its path.
    pub readers: KeyReaders,
    /// Whether every server that is known reads its key as root.
    pub is_read_by_root: bool,
}

impl PreflightObservation {
    /// Reads everything; `target` is the release of a rollback.
    pub(super) fn read(
        context: &Context,
        input: ObservationInput<'_, '_>,
        target: Option<Release>,
    ) -> Result<Self, Failure> {
        let layout = input.layout;
        let flags = &input.request.flags;
        let (inherited, (key_path, doubts)) = observe::read_key_access(layout, input.settings)?;
        let access = override_access(inherited, flags);
        let wanted = wanted_release(context, input, access, target)?;
        let states = input.serving.states();
        let mut disk =
            observe::observe_disk(layout, &wanted, states, load_evidence(input.serving))?;
        disk.observed.added_paths = installed::added_paths(layout, input.settings_before);
        Ok(Self {
            layout: layout.clone(),
            settings_before: input.settings_before.clone(),
            key_path: Path::to_owned(key_path),
            access,
            doubts: override_doubts(doubts, flags),
            wanted,
            disk,
            former_links: installed::former_links(layout, input.settings_before)?,
            loose_folders: observe::find_loose_folders(layout)?,
            access_remarks: on_disk::list_remarks(layout)?,
            readers: KeyReaders::read(layout, access, unreachable_severity(input.serving))?,
            is_read_by_root: is_read_by_root(input.serving),
        })
    }
}

/// A service that certctl controls with given commands fails without its key. Otherwise root may read
/// it for its owner, as a server does that starts as root.
fn unreachable_severity(serving: &ServingState) -> Severity {
    let has_commands = |server_use: &ServerUse| {
        matches!(server_use.observed.server, ControlledServer::Command { .. })
    };
    if serving.uses.iter().any(has_commands) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// The masters of nginx, Apache and HAProxy read their keys as root; what other servers do is not
/// known.
fn is_read_by_root(serving: &ServingState) -> bool {
    let mut uses = serving.uses.iter();
    !serving.uses.is_empty() && uses.all(|server_use| server_use.observed.software().is_some())
}

/// Returns who may read the key: command-line values take precedence over inherited ones.
fn override_access(inherited: KeyAccess, flags: &LineageSettings) -> KeyAccess {
    KeyAccess {
        mode: flags
            .key_access()
            .map_or(inherited.mode, |access| access.mode),
        owner: flags.key_owner.or(inherited.owner),
    }
}

/// Returns the doubts about inherited values that the command line does not replace.
fn override_doubts(
    mut doubts: Vec<InheritanceDoubt>,
    flags: &LineageSettings,
) -> Vec<InheritanceDoubt> {
    doubts.retain(|doubt| match doubt {
        InheritanceDoubt::Group(_) | InheritanceDoubt::Others(_) => flags.key_mode.is_none(),
        InheritanceDoubt::Owner(_) | InheritanceDoubt::Stranger(_) => flags.key_owner.is_none(),
    });
    doubts
}

/// Returns the release to install: a new one, the live placeholder, or `target`.
fn wanted_release(
    context: &Context,
    input: ObservationInput<'_, '_>,
    access: KeyAccess,
    target: Option<Release>,
) -> Result<Release, Failure> {
    let layout = input.layout;
    let derived = layout.extra_files();
    let order = disk::read_combined_order(layout)?;
    let release = match input.request.goal {
        InstallGoal::Install(certified) => {
            let release = Release::new(certified, access).with_extra_files(&derived, order);
            disk::choose_release_name(layout, release)?
        }
        InstallGoal::Placeholder(certificate) => {
            let live = placeholder::load_live(layout, input.settings_before, context.now())?;
            let release = match live {
                Some(release) => release,
                None => placeholder::make_release(certificate, access)?,
            };
            release.with_access(access)
        }
        InstallGoal::Rollback(_) => target
            .ok_or_else(|| rollback::nothing_before(context, layout, input.settings_before))?,
    };
    Ok(release.with_extra_files(&derived, order))
}

/// A running server with a profile, whose test succeeds before anything is changed, has loaded the
/// files that its configuration references.
fn load_evidence(serving: &ServingState) -> LoadEvidence {
    let has_loaded = |server_use: &ServerUse| {
        server_use.observed.observation.is_some()
            && matches!(server_use.state, ServerState::Serves(..))
    };
    if serving.uses.iter().any(has_loaded) {
        LoadEvidence::Tested
    } else {
        LoadEvidence::Untested
    }
}
