//! Looks at what is there: links, releases, settings, the files that servers read. Changes nothing.

use std::path::{Path, PathBuf};

use super::apply::error::InstallError;
use super::plan::{ObservedState, PlannedServerUse};
use crate::store::disk;
use crate::store::key_access::inherit::{self, FileAccess};
use crate::store::layout::{self, DistroFamily, LineageLayout, ReleaseId, ReleasePointer, pointed};
use crate::store::release::Release;
use crate::store::settings::{LineageSettings, SETTINGS_LIMIT};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};

pub(crate) mod drift;
mod existing_files;
mod fingerprint;

pub(crate) use existing_files::PathObstacle;
pub(crate) use existing_files::{LoadEvidence, access, pair_loads, spot};
pub(crate) use fingerprint::PathFingerprints;

#[derive(Debug)]
pub(crate) struct DiskObservation {
    /// What decides the plan.
    pub observed: ObservedState,
    /// The pair in plain files, where it can be taken over.
    pub present: Option<Release>,
    /// What is at the paths that servers know and cannot be replaced.
    pub obstacles: Vec<PathObstacle>,
}

/// Which family the tree below `root` is of.
#[must_use]
pub(crate) fn family(root: &Path) -> DistroFamily {
    DistroFamily::of(|folder| folders::is_folder(&root.join(folder)))
}

/// Everything that decides a plan for `wanted`.
///
/// # Errors
/// What is there but is not what certctl makes, or cannot be read.
pub(crate) fn look(
    layout: &LineageLayout,
    wanted: &Release,
    uses: Vec<PlannedServerUse>,
    loads: LoadEvidence,
) -> Result<DiskObservation, InstallError> {
    let (live, proven) = (
        pointer(layout, ReleasePointer::Live)?,
        pointer(layout, ReleasePointer::Proven)?,
    );
    let shown = live
        .as_ref()
        .map(|live| disk::load(layout, live))
        .transpose()?
        .flatten();
    let found = existing_files::find(layout, shown, loads)?;
    let candidates = [
        live.as_ref(),
        proven.as_ref(),
        found.taken.as_ref().map(|release| &release.id),
    ];
    let (mut releases, mut lacks): (Vec<ReleaseId>, Vec<_>) = (Vec::new(), Vec::new());
    for id in candidates.into_iter().flatten() {
        if let (false, Some(release)) = (releases.contains(id), disk::load(layout, id)?) {
            let has = release.pieces();
            let missing = layout
                .links()
                .iter()
                .map(|link| link.piece)
                .filter(|piece| !has.contains(piece));
            lacks.extend(missing.map(|piece| (id.clone(), piece)));
            releases.push(id.clone());
        }
    }
    if folders::is_folder(&layout.release(&wanted.id)) {
        disk::compare(layout, wanted)?;
        releases.push(wanted.id.clone());
    }
    let observed = ObservedState {
        live,
        proven,
        releases,
        lacks,
        spots: found.spots,
        present: found.present,
        uses,
    };
    Ok(DiskObservation {
        observed,
        present: found.taken,
        obstacles: found.obstacles,
    })
}

/// Where `live` or `proven` points, if there is such a release.
///
/// # Errors
/// [`InstallError::NotOurs`] when something else is there.
pub(crate) fn pointer(
    layout: &LineageLayout,
    pointer: ReleasePointer,
) -> Result<Option<ReleaseId>, InstallError> {
    let path = layout.pointer(pointer);
    let Some(seen) = folders::look(&path)? else {
        return Ok(None);
    };
    let id = match &seen.kind {
        FileKind::Link(text) => pointed(text),
        _ => None,
    };
    let id = id.ok_or(InstallError::NotOurs { path })?;
    Ok(folders::is_folder(&layout.release(&id)).then_some(id))
}

/// The settings of a pair; none when it has none yet. Refused when others could have written them:
/// they hold commands.
///
/// # Errors
/// [`InstallError::Linked`], [`InstallError::Writable`], [`InstallError::Settings`], or the
/// system's reason.
pub(crate) fn settings(root: &Path, stem: &str) -> Result<LineageSettings, InstallError> {
    let folder = layout::base(root).join(stem);
    let path = folder.join("settings.json");
    for place in [files::parent(&folder), &folder, &path] {
        if let Some(seen) = folders::look(place)? {
            if let FileKind::Link(to) = seen.kind {
                return Err(InstallError::Linked {
                    path: place.to_owned(),
                    to,
                });
            }
            let (mode, (user, _)) = (seen.mode, seen.owner);
            if mode & 0o022 != 0 || ![0, folders::user()].contains(&user) {
                return Err(InstallError::Writable {
                    path: place.to_owned(),
                    mode,
                    user,
                });
            }
        }
    }
    match files::read(&path, SETTINGS_LIMIT) {
        Err(error) if error.is_missing() => Ok(LineageSettings::default()),
        Err(error) => Err(error.into()),
        Ok(bytes) => {
            LineageSettings::parse(&bytes).map_err(|source| InstallError::Settings { path, source })
        }
    }
}

/// The folders of the links that others may write to, who could put files of their own there.
///
/// # Errors
/// When they cannot be looked at.
pub(crate) fn loose_folders(layout: &LineageLayout) -> Result<Vec<(PathBuf, u32)>, FileError> {
    let mut loose = Vec::new();
    for link in layout.links() {
        let folder = files::parent(&link.path);
        let Some(seen) = folders::look(folder)? else {
            continue;
        };
        // With the sticky bit nobody renames another's files. Who runs certctl knows his own
        // groups.
        let own = folders::user() != 0 && seen.owner.0 == folders::user() && seen.mode & 0o002 == 0;
        let others = inherit::open(FileAccess {
            mode: seen.mode,
            owner: seen.owner,
        }) && seen.mode & 0o1000 == 0
            && !own;
        if others && loose.iter().all(|(path, _)| path != folder) {
            loose.push((folder.to_owned(), seen.mode));
        }
    }
    Ok(loose)
}
