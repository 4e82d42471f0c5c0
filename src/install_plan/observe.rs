//! Observes what is on disk before an install: links, releases, settings, the files that servers
//! read. Changes nothing.

use std::path::{Path, PathBuf};

use super::apply::error::InstallError;
use super::apply::new_paths::NewPaths;
use super::plan::{ObservedState, PathState, PlannedServerUse};
use crate::pki::certificate::Certificate;
use crate::store::deployed::DeployedCertificate;
use crate::store::disk::{self, kept_files, kept_files::KeptFile};
use crate::store::key_access::inherit::{self, FileAccess};
use crate::store::key_access::on_disk;
use crate::store::layout::{
    self, DistroFamily, LineageLayout, ReleaseFile, ReleaseId, ReleasePointer, parse_pointer_text,
};
use crate::store::release::Release;
use crate::store::settings::{LineageSettings, SETTINGS_LIMIT};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};

pub(crate) mod drift;
mod existing_files;
mod fingerprint;

pub(crate) use existing_files::{
    LoadEvidence, PathContent, PathObstacle, check_path, deployed_files_load, read_key_access,
};
pub(crate) use fingerprint::PathFingerprints;

#[derive(Debug)]
pub(crate) struct DiskObservation {
    /// The state that decides the plan.
    pub observed: ObservedState,
    /// What servers read at the deployed paths: the live release, or plain files that are taken over.
    pub deployed: Option<DeployedCertificate>,
    /// The certificate in plain files, where it can be taken over.
    pub taken_over: Option<Release>,
    /// The leaf that servers read now: of the plain files, else of the live release.
    pub served_leaf: Option<Certificate>,
    /// What does not exist yet.
    pub new_paths: NewPaths,
    /// What occupies a deployed path and cannot be replaced.
    pub obstacles: Vec<PathObstacle>,
    /// What is wrong with the wanted release on disk, which is written again.
    pub damage: Option<String>,
}

/// The distribution family of the tree below `root`.
#[must_use]
pub(crate) fn detect_distro_family(root: &Path) -> DistroFamily {
    DistroFamily::detect(|folder| folders::is_folder(&root.join(folder)))
}

/// Reads everything that decides a plan for `wanted`.
///
/// # Errors
/// When something in the tree is not what certctl makes, or cannot be read.
pub(crate) fn observe_disk(
    layout: &LineageLayout,
    wanted: &Release,
    uses: Vec<PlannedServerUse>,
    loads: LoadEvidence,
) -> Result<DiskObservation, InstallError> {
    let live = read_pointer(layout, ReleasePointer::Live)?;
    let proven = read_pointer(layout, ReleasePointer::Proven)?;
    let live_release = load_if_any(layout, live.as_ref())?;
    let live_certificate = describe_deployed(live_release.as_ref(), layout);
    let existing = existing_files::find(layout, live_release, loads)?;
    let deployed = describe_deployed(existing.taken_over.as_ref(), layout).or(live_certificate);
    let taken_over = existing.taken_over.as_ref().map(|release| &release.id);
    let candidates = [live.as_ref(), proven.as_ref(), taken_over];
    let loadable = LoadableReleases::find(layout, &candidates, wanted)?;
    let observed = ObservedState {
        kept: find_kept_behind_links(layout, proven.as_ref(), &existing.states)?,
        live,
        proven,
        releases: loadable.ids,
        missing_files: loadable.missing,
        path_states: existing.states,
        served_before: existing.served,
        added_paths: Vec::new(),
        server_uses: uses,
    };
    Ok(DiskObservation {
        observed,
        deployed,
        served_leaf: existing.served_leaf,
        taken_over: existing.taken_over,
        new_paths: NewPaths::observe(layout)?,
        obstacles: existing.obstacles,
        damage: loadable.damage,
    })
}

fn load_if_any(
    layout: &LineageLayout,
    id: Option<&ReleaseId>,
) -> Result<Option<Release>, InstallError> {
    match id {
        Some(id) => Ok(disk::load(layout, id)?),
        None => Ok(None),
    }
}

/// The paths of certctl's links and copies whose plain files a killed run has kept: those with the bytes of the
/// release that a rollback restores.
fn find_kept_behind_links(
    layout: &LineageLayout,
    proven: Option<&ReleaseId>,
    states: &[PathState],
) -> Result<Vec<PathBuf>, InstallError> {
    let mut kept = Vec::new();
    for (link, state) in layout.links().iter().zip(states) {
        if state.is_ours() && kept_files::classify(layout, link, proven)? == KeptFile::Unfinished {
            kept.push(link.path.clone());
        }
    }
    Ok(kept)
}

fn describe_deployed(
    release: Option<&Release>,
    layout: &LineageLayout,
) -> Option<DeployedCertificate> {
    release.map(|release| DeployedCertificate::new(release, layout))
}

/// Releases on disk that a server can load.
#[derive(Debug, Default)]
struct LoadableReleases {
    ids: Vec<ReleaseId>,
    /// Files that a link of the layout needs and a release lacks.
    missing: Vec<(ReleaseId, ReleaseFile)>,
    /// What is wrong with the wanted release.
    damage: Option<String>,
}

impl LoadableReleases {
    /// Finds those among `candidates`, and the wanted release if it exists.
    fn find(
        layout: &LineageLayout,
        candidates: &[Option<&ReleaseId>],
        wanted: &Release,
    ) -> Result<Self, InstallError> {
        let mut loadable = Self::default();
        for id in candidates.iter().flatten() {
            loadable.add(layout, id)?;
        }
        if folders::is_folder(&layout.release(&wanted.id)) {
            match disk::compare(layout, wanted) {
                Ok(()) => loadable.ids.push(wanted.id.clone()),
                // It is written again.
                Err(damage) if damage.is_repairable(wanted) => {
                    loadable.ids.retain(|id| *id != wanted.id);
                    loadable.damage = Some(damage.in_words());
                }
                Err(damage) => return Err(damage.into()),
            }
        }
        Ok(loadable)
    }

    fn add(&mut self, layout: &LineageLayout, id: &ReleaseId) -> Result<(), InstallError> {
        let Some(release) = disk::load(layout, id)? else {
            return Ok(());
        };
        if self.ids.contains(id) {
            return Ok(());
        }
        let present = release.pieces();
        for link in layout.links() {
            if !present.contains(&link.piece) {
                self.missing.push((id.clone(), link.piece));
            }
        }
        self.ids.push(id.clone());
        Ok(())
    }
}

/// The release that `live` or `proven` points to, if it exists.
///
/// # Errors
/// [`InstallError::NotOurs`] when the path is not a link of certctl's.
pub(crate) fn read_pointer(
    layout: &LineageLayout,
    pointer: ReleasePointer,
) -> Result<Option<ReleaseId>, InstallError> {
    let path = layout.pointer(pointer);
    let Some(status) = folders::read_status(&path)? else {
        return Ok(None);
    };
    let id = match &status.kind {
        FileKind::Link(text) => parse_pointer_text(text),
        _ => None,
    };
    let id = id.ok_or(InstallError::NotOurs { path })?;
    Ok(folders::is_folder(&layout.release(&id)).then_some(id))
}

/// Reads the settings of a lineage; defaults when it has none yet. Settings that other users could
/// have written are refused, because they contain commands.
///
/// # Errors
/// [`InstallError::ReplacedByLink`], [`InstallError::WritableByOthers`],
/// [`InstallError::Settings`], or the system's reason.
pub(crate) fn read_settings(root: &Path, stem: &str) -> Result<LineageSettings, InstallError> {
    let folder = layout::base(root).join(stem);
    let path = folder.join("settings.json");
    for owned in [files::parent(&folder), &folder, &path] {
        refuse_foreign_writers(owned)?;
    }
    match files::read(&path, SETTINGS_LIMIT) {
        Err(error) if error.is_missing() => Ok(LineageSettings::default()),
        Err(error) => Err(error.into()),
        Ok(bytes) => {
            let mut settings = LineageSettings::parse(&bytes)
                .map_err(|source| InstallError::Settings { path, source })?;
            resolve_kept_anchors(root, stem, &mut settings);
            Ok(settings)
        }
    }
}

/// The trust anchors in the certificate's folder are stored with their path inside the tree.
fn resolve_kept_anchors(root: &Path, stem: &str, settings: &mut LineageSettings) {
    let inside = layout::trust_file(Path::new("/"), stem);
    if let Some(trust) = &mut settings.trust
        && Path::new(trust) == inside
    {
        let path = layout::trust_file(root, stem);
        *trust = path.display().to_string();
    }
}

/// Refuses a path that is a link, that other users may write to, or that belongs to one of them.
fn refuse_foreign_writers(path: &Path) -> Result<(), InstallError> {
    let Some(status) = folders::read_status(path)? else {
        return Ok(());
    };
    if let FileKind::Link(to) = status.kind {
        return Err(InstallError::ReplacedByLink {
            path: path.to_owned(),
            to,
        });
    }
    let mode = status.mode;
    let user = status.owner.uid;
    if mode.has_any(0o022) || ![0, folders::current_user()].contains(&user) {
        return Err(InstallError::WritableByOthers {
            path: path.to_owned(),
            mode,
            user,
        });
    }
    Ok(())
}

/// The folders of the links that other users may write to and so could replace the links in, each
/// with its mode and owner.
///
/// # Errors
/// When a folder's status cannot be read.
pub(crate) fn find_loose_folders(
    layout: &LineageLayout,
) -> Result<Vec<(PathBuf, FileAccess)>, FileError> {
    let mut loose = Vec::new();
    for link in layout.links() {
        let folder = files::parent(&link.path);
        let Some(status) = folders::read_status(folder)? else {
            continue;
        };
        // The sticky bit stops users from renaming the files of others. A user who runs certctl
        // without root is trusted to know the members of their own groups.
        let is_trusted_owner = folders::current_user() != 0
            && status.owner.uid == folders::current_user()
            && !status.mode.has_any(0o002);
        let is_sticky = status.mode.has_any(0o1000);
        let is_open = inherit::is_writable_by_others(FileAccess {
            mode: status.mode,
            owner: status.owner,
        });
        let is_loose = is_open && !is_sticky && !is_trusted_owner;
        if is_loose && loose.iter().all(|(path, _)| path != folder) {
            loose.push((folder.to_owned(), on_disk::file_access(&status)));
        }
    }
    Ok(loose)
}
