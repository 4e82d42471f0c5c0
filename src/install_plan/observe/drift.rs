//! Compares what is installed with what the last install left: links, files, modes, owners. Reads,
//! and nothing else.

use std::path::Path;

use zeroize::Zeroizing;

use super::{PathObstacle, pointer, spot};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::plan::PathState;
use crate::store::disk;
use crate::store::drift::{FileDrift, LinkReplacement};
use crate::store::key_access::on_disk;
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, PUBLIC_MODE, ReleaseFile, ReleaseId, ReleasePointer, StableLink,
};
use crate::store::release::{KeyAccess, Release};
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// What is live, and every difference.
#[derive(Debug, Default)]
pub(crate) struct DriftObservation {
    /// What is live, as far as it can be loaded.
    pub release: Option<Release>,
    pub drifts: Vec<FileDrift>,
}

/// Looks at one pair.
///
/// # Errors
/// When something is there and cannot be read.
pub(crate) fn look(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<DriftObservation, InstallError> {
    let mut looked = DriftObservation::default();
    for link in layout.links() {
        looked.drifts.extend(at_link(layout, link)?);
    }
    let live = match pointer(layout, ReleasePointer::Live) {
        Err(InstallError::NotOurs { .. }) => None,
        other => other?,
    };
    let Some(live) = live else {
        looked
            .drifts
            .push(FileDrift::Live(layout.pointer(ReleasePointer::Live)));
        return Ok(looked);
    };
    let proven = match pointer(layout, ReleasePointer::Proven) {
        Err(InstallError::NotOurs { .. }) => None,
        other => other?,
    };
    looked.release = disk::load(layout, &live)?;
    match &looked.release {
        None => looked.drifts.push(FileDrift::File {
            path: layout.release(&live),
            how: "does not hold a pair that a server can load",
        }),
        Some(release) => looked
            .drifts
            .extend(in_release(layout, &live, release, settings)?),
    }
    for folder in [layout.folder(), layout.releases(), layout.release(&live)] {
        looked.drifts.extend(mode(&folder, FOLDER_MODE)?);
    }
    if proven.as_ref() != Some(&live) {
        looked.drifts.push(FileDrift::NotProven { live });
    }
    Ok(looked)
}

/// What is in the place of one of our links; nothing where it is as it was.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn at_link(
    layout: &LineageLayout,
    link: &StableLink,
) -> Result<Option<FileDrift>, FileError> {
    let at = match spot(layout, link)? {
        Ok(PathState::Ours) => return Ok(None),
        Ok(PathState::Absent) => LinkReplacement::Nothing,
        Ok(_) => LinkReplacement::File,
        Err(PathObstacle::Link(_, text)) => LinkReplacement::Link(text),
        Err(_) => LinkReplacement::Other,
    };
    Ok(Some(FileDrift::Link {
        link: link.clone(),
        at,
    }))
}

/// The files of the live release: all of them there, with the bytes that gave it its name, for whom
/// they were made.
fn in_release(
    layout: &LineageLayout,
    live: &ReleaseId,
    release: &Release,
    settings: &LineageSettings,
) -> Result<Vec<FileDrift>, FileError> {
    let mut drifts = Vec::new();
    if !is_named(release, live, settings) {
        let path = layout.piece(live, ReleaseFile::FullChain);
        drifts.push(FileDrift::File {
            path,
            how: "or the key beside it is not what was installed",
        });
    }
    let access = settings.access().unwrap_or_default();
    for (piece, bytes, _) in release.files() {
        let path = layout.piece(live, piece);
        let there = match files::read(&path, disk::PIECE_LIMIT) {
            Err(error) if error.is_missing() => None,
            other => Some(Zeroizing::new(other?)),
        };
        match there {
            None => drifts.push(FileDrift::File {
                path,
                how: "is not there",
            }),
            Some(there) if there.as_slice() != bytes => {
                drifts.push(FileDrift::File {
                    path,
                    how: "does not hold what was installed",
                });
            }
            Some(_) if piece.is_secret() => {
                drifts.extend(mode(&path, access.mode)?);
                drifts.extend(
                    access
                        .owner
                        .map(|was| owner(&path, was))
                        .transpose()?
                        .flatten(),
                );
            }
            Some(_) => drifts.extend(mode(&path, PUBLIC_MODE)?),
        }
    }
    Ok(drifts)
}

/// Whether the files still give the name that they have; it may take in who may read the key.
fn is_named(release: &Release, live: &ReleaseId, settings: &LineageSettings) -> bool {
    let derived: Vec<ReleaseFile> = release
        .pieces()
        .into_iter()
        .filter(|piece| !ReleaseFile::USUAL.contains(piece))
        .collect();
    let bytes = |piece| Zeroizing::new(release.bytes(piece).to_vec());
    let on_disk = release.access;
    let owners = [
        KeyAccess {
            owner: None,
            ..on_disk
        },
        on_disk,
    ];
    settings.access().into_iter().chain(owners).any(|access| {
        let (chain, key) = (bytes(ReleaseFile::FullChain), bytes(ReleaseFile::Key));
        let read = Release::taken(chain.clone(), key.clone(), access).ok();
        let Some(read) = read.or_else(|| Release::opaque(chain, key, access)) else {
            return false;
        };
        let read = match derived.as_slice() {
            [] => read,
            _ => read.holding(bytes(ReleaseFile::Combined)),
        };
        read.id == *live || read.by_access().id == *live
    })
}

fn mode(path: &Path, was: u32) -> Result<Option<FileDrift>, FileError> {
    let seen = on_disk::look(path)?.filter(|seen| seen.mode != was);
    Ok(seen.map(|seen| FileDrift::Mode {
        path: path.to_owned(),
        is: seen.mode,
        was,
    }))
}

fn owner(path: &Path, was: (u32, u32)) -> Result<Option<FileDrift>, FileError> {
    let seen = folders::look(path)?.filter(|seen| seen.owner != was);
    Ok(seen.map(|seen| FileDrift::Owner {
        path: path.to_owned(),
        is: seen.owner,
        was,
    }))
}
