//! Looks at what is there: links, releases, settings, the files that servers read. Changes nothing.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::apply::error::InstallError;
use super::apply::{guard, store};
use super::inherit::{self, Doubt, Node};
use super::layout::{Family, Layout, Pointer, ReleaseId, Stable, pointed};
use super::plan::{Observed, Present, ServerState, Spot};
use super::release::{Access, Release, Unloadable};
use super::settings::{SETTINGS_LIMIT, Settings};
use crate::system::files::{self, FileError};
use crate::system::folders::{self, Kind, Seen};

/// What was seen.
#[derive(Debug)]
pub struct Sight {
    /// What decides the plan.
    pub observed: Observed,
    /// The pair in plain files, where it can be taken over.
    pub present: Option<Release>,
    /// What is at the two paths and cannot be replaced.
    pub obstacles: Vec<Obstacle>,
}

/// Something at a path that servers know which certctl leaves alone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Obstacle {
    /// A folder.
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    /// A link that another tool keeps.
    #[error("{} is a link to {}, which another tool keeps", .0.display(), .1.display())]
    Link(PathBuf, PathBuf),
    /// A rollback would not reach it: not our link. The path, and the pair.
    #[error("{} is not the link that certctl makes: to go back would not change what is read there", .0.display())]
    Unlinked(PathBuf, String),
    /// A FIFO, a socket or a device.
    #[error("{} is no regular file", .0.display())]
    Special(PathBuf),
}

/// Which family the tree below `root` is of.
#[must_use]
pub fn family(root: &Path) -> Family {
    Family::of(|folder| folders::is_folder(&root.join(folder)))
}

/// Whether a server was seen to load what lies at the two paths, before anything is touched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loads {
    /// Its test of a configuration that names them is fine.
    Seen,
    /// It is judged by what can be read here.
    Unknown,
}

/// Everything that decides a plan for `wanted`.
///
/// # Errors
/// What is there but is not what certctl makes, or cannot be read.
pub fn look(layout: &Layout, wanted: &Release, server: ServerState, loads: Loads) -> Result<Sight, InstallError> {
    let (live, proven) = (pointer(layout, Pointer::Live)?, pointer(layout, Pointer::Proven)?);
    let mut obstacles = Vec::new();
    let mut spot = |stable| -> Result<Spot, FileError> {
        Ok(self::spot(layout, stable)?.unwrap_or_else(|obstacle| {
            obstacles.push(obstacle);
            Spot::Absent
        }))
    };
    let (chain, key) = (spot(Stable::Chain)?, spot(Stable::Key)?);
    let (present, taken) = if [chain, key].contains(&Spot::File) && obstacles.is_empty() {
        present(layout, loads)?
    } else {
        (Present::Nothing, None)
    };
    let candidates = [live.as_ref(), proven.as_ref(), taken.as_ref().map(|release| &release.id)];
    let mut releases: Vec<ReleaseId> = Vec::new();
    for id in candidates.into_iter().flatten() {
        if !releases.contains(id) && store::load(layout, id)?.is_some() {
            releases.push(id.clone());
        }
    }
    if folders::is_folder(&layout.release(&wanted.id)) {
        store::compare(layout, wanted)?;
        releases.push(wanted.id.clone());
    }
    let mixed = taken.as_ref().is_some_and(|release| release.mixed);
    let observed = Observed { live, proven, releases, chain, key, present, mixed, server };
    Ok(Sight { observed, present: taken, obstacles })
}

/// Where `live` or `proven` points, if there is such a release.
///
/// # Errors
/// [`InstallError::NotOurs`] when something else is there.
pub fn pointer(layout: &Layout, pointer: Pointer) -> Result<Option<ReleaseId>, InstallError> {
    let path = layout.pointer(pointer);
    let Some(seen) = folders::look(&path)? else { return Ok(None) };
    let id = match &seen.kind {
        Kind::Link(text) => pointed(text),
        _ => None,
    };
    let id = id.ok_or(InstallError::NotOurs { path })?;
    Ok(folders::is_folder(&layout.release(&id)).then_some(id))
}

/// What lies at a path that servers know; what cannot be replaced there is the inner error.
///
/// # Errors
/// When it cannot be looked at.
pub fn spot(layout: &Layout, stable: Stable) -> Result<Result<Spot, Obstacle>, FileError> {
    let path = layout.stable(stable);
    let Some(seen) = folders::look(path)? else { return Ok(Ok(Spot::Absent)) };
    Ok(match seen.kind {
        Kind::File => Ok(Spot::File),
        Kind::Folder => Err(Obstacle::Folder(path.to_owned())),
        Kind::Other => Err(Obstacle::Special(path.to_owned())),
        Kind::Link(text) => {
            let target = layout.pointer(Pointer::Live).join(stable.piece().file_name());
            let says = files::parent(path).join(&text);
            let ours = text == layout.link_text(stable) || folders::plain(&says) == target;
            if ours { Ok(Spot::Ours) } else { Err(Obstacle::Link(path.to_owned(), text)) }
        }
    })
}

/// The pair that a server reads at the two paths, whatever is plain file or link of them.
fn present(layout: &Layout, loads: Loads) -> Result<(Present, Option<Release>), FileError> {
    let read = |path: &Path| match files::read(path, store::PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(|bytes| Some(Zeroizing::new(bytes))),
    };
    let (Some(chain), Some(key)) = (read(&layout.chain_path)?, read(&layout.key_path)?) else {
        return Ok((Present::Partial, None));
    };
    let access = match guard::look(&layout.key_path)? {
        Some(seen) if seen.kind == Kind::File => inherited(layout, &seen)?.0,
        _ => Access::default(),
    };
    let opaque = || Release::opaque(chain.clone(), key.clone(), access).filter(|_| loads == Loads::Seen);
    let release = Release::taken(chain.clone(), key.clone(), access).or_else(|why| opaque().ok_or(why));
    Ok(match release {
        Ok(release) => {
            let release = store::named(layout, release)?;
            (Present::Whole(release.id.clone()), Some(release))
        }
        Err(Unloadable::Locked) => (Present::Partial, None),
        Err(error) => (Present::Broken(error.to_string()), None),
    })
}

/// Who may read the new key: as the plain file that it replaces, else as remembered, else only who runs certctl. And what
/// is worth telling of that file.
///
/// # Errors
/// When the path cannot be looked at.
pub fn access(layout: &Layout, settings: &Settings) -> Result<(Access, Vec<Doubt>), FileError> {
    match guard::look(&layout.key_path)?.filter(|seen| seen.kind == Kind::File) {
        Some(seen) => inherited(layout, &seen),
        None => Ok((settings.access().unwrap_or_default(), Vec::new())),
    }
}

/// As far as the key's folders go inside of the tree.
fn inherited(layout: &Layout, key: &Seen) -> Result<(Access, Vec<Doubt>), FileError> {
    let above = guard::above(layout, &layout.key_path)?;
    Ok(inherit::inherit(guard::node(key), &above, folders::user()))
}

/// The settings of a pair; none when it has none yet. Refused when others could have written them: they hold commands.
///
/// # Errors
/// [`InstallError::Writable`], [`InstallError::Settings`], or the system's reason.
pub fn settings(root: &Path, stem: &str) -> Result<Settings, InstallError> {
    let folder = super::layout::base(root).join(stem);
    let path = folder.join("settings.json");
    for place in [files::parent(&folder), &folder, &path] {
        if let Some(seen) = folders::look(place)? {
            let (mode, (user, _)) = (seen.mode, seen.owner);
            if mode & 0o022 != 0 || ![0, folders::user()].contains(&user) {
                return Err(InstallError::Writable { path: place.to_owned(), mode, user });
            }
        }
    }
    match files::read(&path, SETTINGS_LIMIT) {
        Err(error) if error.is_missing() => Ok(Settings::default()),
        Err(error) => Err(error.into()),
        Ok(bytes) => Settings::parse(&bytes).map_err(|source| InstallError::Settings { path, source }),
    }
}

/// The folders of the two paths that others may write to, who could put files of their own there.
///
/// # Errors
/// When they cannot be looked at.
pub fn loose_folders(layout: &Layout) -> Result<Vec<(PathBuf, u32)>, FileError> {
    let mut loose = Vec::new();
    for stable in Stable::BOTH {
        let folder = files::parent(layout.stable(stable));
        let Some(seen) = folders::look(folder)? else { continue };
        // With the sticky bit nobody renames another's files. Who runs certctl knows his own groups.
        let own = folders::user() != 0 && seen.owner.0 == folders::user() && seen.mode & 0o002 == 0;
        let others = inherit::open(Node { mode: seen.mode, owner: seen.owner }) && seen.mode & 0o1000 == 0 && !own;
        if others && loose.iter().all(|(path, _)| path != folder) {
            loose.push((folder.to_owned(), seen.mode));
        }
    }
    Ok(loose)
}

/// Whether a server can load what lies at the two paths now. An encrypted key counts: it may have the passphrase.
///
/// # Errors
/// When the files are there and cannot be read.
pub fn pair_loads(layout: &Layout) -> Result<bool, FileError> {
    let read = |path: &Path| match files::read(path, store::PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    };
    let (Some(chain), Some(key)) = (read(&layout.chain_path)?, read(&layout.key_path)?) else { return Ok(false) };
    let taken = Release::taken(Zeroizing::new(chain), Zeroizing::new(key), Access::default());
    Ok(matches!(taken, Ok(_) | Err(Unloadable::Locked)))
}
