//! Compares the installed links, files, modes and owners with what the last install wrote. Only
//! reads.

use std::path::Path;

use zeroize::Zeroizing;

use super::{PathContent, PathObstacle, check_path, read_pointer};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::plan::PathState;
use crate::permissions::Mode;
use crate::store::disk::{self, copies, copies::CopyState};
use crate::store::drift::{FileDrift, LinkReplacement};
use crate::store::key_access::on_disk;
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, PUBLIC_MODE, ReleaseFile, ReleaseId, ReleasePointer, StableLink,
};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// The live release, and every difference from what was installed.
#[derive(Debug, Default)]
pub(crate) struct DriftObservation {
    /// The live release, where a server can load it.
    pub release: Option<Release>,
    pub drifts: Vec<FileDrift>,
}

/// Compares one lineage with what was installed.
///
/// # Errors
/// When something exists and cannot be read.
pub(crate) fn find_drifts(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<DriftObservation, InstallError> {
    let mut drifts = Vec::new();
    for link in layout.links() {
        drifts.extend(check_link(layout, link)?);
    }
    let Some(live) = own_pointer(layout, ReleasePointer::Live)? else {
        drifts.push(FileDrift::Live(layout.pointer(ReleasePointer::Live)));
        return Ok(DriftObservation {
            release: None,
            drifts,
        });
    };
    let proven = own_pointer(layout, ReleasePointer::Proven)?;
    let release = disk::load(layout, &live)?;
    match &release {
        None => drifts.push(FileDrift::File {
            path: layout.release(&live),
            how: "does not contain a certificate and a matching key that a server can load",
        }),
        Some(release) => drifts.extend(release_drifts(layout, &live, release, settings)?),
    }
    for folder in [layout.folder(), layout.releases(), layout.release(&live)] {
        drifts.extend(mode_drift(&folder, FOLDER_MODE)?);
    }
    if proven.as_ref() != Some(&live) {
        drifts.push(FileDrift::NotProven { live });
    }
    Ok(DriftObservation { release, drifts })
}

/// Compares what every user may read with what was installed. Paths in folders that the user may not
/// enter are skipped.
///
/// # Errors
/// When something exists and cannot be read for another reason.
pub(crate) fn find_public_drifts(layout: &LineageLayout) -> Result<Vec<FileDrift>, InstallError> {
    let mut drifts = Vec::new();
    for link in layout.links() {
        match check_link(layout, link) {
            Err(error) if error.is_denied() => {}
            drift => drifts.extend(drift?),
        }
    }
    let Some(live) = own_pointer(layout, ReleasePointer::Live)? else {
        drifts.push(FileDrift::Live(layout.pointer(ReleasePointer::Live)));
        return Ok(drifts);
    };
    if disk::load_public(layout, &live)?.is_none() {
        drifts.push(FileDrift::File {
            path: layout.file_path(&live, ReleaseFile::FullChain),
            how: "does not contain a certificate that a server can load",
        });
    }
    for folder in [layout.folder(), layout.releases(), layout.release(&live)] {
        drifts.extend(mode_drift(&folder, FOLDER_MODE)?);
    }
    if own_pointer(layout, ReleasePointer::Proven)?.as_ref() != Some(&live) {
        drifts.push(FileDrift::NotProven { live });
    }
    Ok(drifts)
}

/// The release that a pointer names; `None` where the pointer is not certctl's link.
fn own_pointer(
    layout: &LineageLayout,
    name: ReleasePointer,
) -> Result<Option<ReleaseId>, InstallError> {
    match read_pointer(layout, name) {
        Err(InstallError::NotOurs { .. }) => Ok(None),
        other => other,
    }
}

/// What has replaced one of certctl's links; `None` where the link is unchanged.
///
/// # Errors
/// When the path's status cannot be read.
pub(crate) fn check_link(
    layout: &LineageLayout,
    link: &StableLink,
) -> Result<Option<FileDrift>, FileError> {
    let at = match check_path(layout, link)? {
        PathContent::Replaceable(PathState::OutdatedCopy) => {
            return check_copy_access(layout, link).map(Some);
        }
        PathContent::Replaceable(state) if state.shows_live(layout.deploy_mode()) => {
            return Ok(None);
        }
        PathContent::Replaceable(PathState::OurLink) => {
            LinkReplacement::Link(layout.link_text(link))
        }
        PathContent::Replaceable(PathState::Absent) => LinkReplacement::Nothing,
        PathContent::Replaceable(_) => LinkReplacement::File,
        PathContent::Obstacle(
            PathObstacle::Link(_, text) | PathObstacle::OtherLineage { target: text, .. },
        ) => LinkReplacement::Link(text),
        PathContent::Obstacle(_) => LinkReplacement::Other,
    };
    Ok(Some(FileDrift::Link {
        link: link.clone(),
        at,
    }))
}

/// How a copy differs from the file of the live release.
fn check_copy_access(layout: &LineageLayout, link: &StableLink) -> Result<FileDrift, FileError> {
    let path = link.path.clone();
    let file = layout
        .pointer(ReleasePointer::Live)
        .join(link.piece.file_name());
    if copies::compare(layout, link)? == CopyState::OtherAccess
        && let (Some(is), Some(was)) = (copies::read_access(&path)?, copies::read_access(&file)?)
    {
        return Ok(if is.mode == was.mode {
            let is = is.owner;
            let was = was.owner;
            FileDrift::Owner { path, is, was }
        } else {
            let is = is.mode;
            let was = was.mode;
            FileDrift::Mode { path, is, was }
        });
    }
    Ok(FileDrift::Link {
        link: link.clone(),
        at: LinkReplacement::File,
    })
}

/// Lists differences in the files of the live release: missing files, content that does not match
/// the id, other modes and owners.
fn release_drifts(
    layout: &LineageLayout,
    live: &ReleaseId,
    release: &Release,
    settings: &LineageSettings,
) -> Result<Vec<FileDrift>, FileError> {
    let mut drifts = Vec::new();
    if !matches_id(release, live, settings) {
        let path = layout.file_path(live, ReleaseFile::FullChain);
        drifts.push(FileDrift::File {
            path,
            how: "or the key next to it was changed after the install",
        });
    }
    let access = settings.key_access().unwrap_or_default();
    for (piece, expected, _) in release.files() {
        let path = layout.file_path(live, piece);
        match content_drift(&path, expected)? {
            Some(drift) => drifts.push(drift),
            None if piece.is_secret() => drifts.extend(key_access_drifts(&path, access)?),
            None => drifts.extend(mode_drift(&path, PUBLIC_MODE)?),
        }
    }
    Ok(drifts)
}

fn content_drift(path: &Path, expected: &[u8]) -> Result<Option<FileDrift>, FileError> {
    let how = match files::read(path, disk::PIECE_LIMIT).map(Zeroizing::new) {
        Ok(bytes) if bytes.as_slice() == expected => return Ok(None),
        Ok(_) => "was changed after the install",
        Err(error) if error.is_missing() => "is missing",
        Err(error) => return Err(error),
    };
    Ok(Some(FileDrift::File {
        path: path.to_owned(),
        how,
    }))
}

fn key_access_drifts(path: &Path, installed: KeyAccess) -> Result<Vec<FileDrift>, FileError> {
    let mut drifts = Vec::new();
    drifts.extend(mode_drift(path, installed.mode)?);
    if let Some(owner) = installed.owner {
        let status = folders::read_status(path)?.filter(|status| status.owner != owner);
        drifts.extend(status.map(|status| FileDrift::Owner {
            path: path.to_owned(),
            is: status.owner,
            was: owner,
        }));
    }
    Ok(drifts)
}

/// Whether the files still hash to the release id, which may include who may read the key.
fn matches_id(release: &Release, live: &ReleaseId, settings: &LineageSettings) -> bool {
    let derived: Vec<ReleaseFile> = release
        .pieces()
        .into_iter()
        .filter(|piece| !ReleaseFile::USUAL.contains(piece))
        .collect();
    let on_disk = release.access;
    let without_owner = KeyAccess {
        owner: None,
        ..on_disk
    };
    let candidates = settings
        .key_access()
        .into_iter()
        .chain([without_owner, on_disk]);
    for access in candidates {
        let chain = Zeroizing::new(release.bytes(ReleaseFile::FullChain).to_vec());
        let key = Zeroizing::new(release.bytes(ReleaseFile::Key).to_vec());
        let read = match key.is_empty() {
            true => Release::take_over_chain(chain.clone()).ok(),
            false => Release::take_over(chain.clone(), key.clone(), access).ok(),
        };
        let Some(mut read) = read.or_else(|| Release::take_over_opaque(chain, key, access)) else {
            continue;
        };
        if !derived.is_empty() {
            let combined = release.bytes(ReleaseFile::Combined).to_vec();
            read = read.with_combined_file(Zeroizing::new(combined));
        }
        if read.id == *live || read.with_access_in_id().id == *live {
            return true;
        }
    }
    false
}

fn mode_drift(path: &Path, was: Mode) -> Result<Option<FileDrift>, FileError> {
    let status = on_disk::read_status(path)?.filter(|status| status.mode != was);
    Ok(status.map(|status| FileDrift::Mode {
        path: path.to_owned(),
        is: status.mode,
        was,
    }))
}
