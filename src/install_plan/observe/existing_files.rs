//! What lies at the paths that servers know: nothing, our links, plain files; and what pairs plain
//! files make.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::install_plan::plan::{PathState, ServedBefore};
use crate::store::disk;
use crate::store::key_access::inherit::{self, InheritanceDoubt};
use crate::store::key_access::on_disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleasePointer, StableLink};
use crate::store::release::{KeyAccess, Release, UnloadableReason};
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind, FileStatus};

/// Something at a path that servers know which certctl leaves alone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PathObstacle {
    /// Another pair than the one that is taken over or live, in two files: they cannot change
    /// together.
    #[error("{} and what belongs to it are another pair than that of {}", .0.display(), .1.display())]
    Another(PathBuf, PathBuf),
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    /// A link that another tool keeps.
    #[error("{} is a link to {}, which another tool keeps", .0.display(), .1.display())]
    Link(PathBuf, PathBuf),
    /// A placeholder would replace it. The path, and the install that may.
    #[error("{} is there already: a placeholder replaces nothing", .0.display())]
    Present(PathBuf, String),
    /// A rollback would not reach it: not our link. The path, and the install that makes it one.
    #[error("{} is not the link that certctl makes: to go back would not change what is read there", .0.display())]
    Unlinked(PathBuf, String),
    /// A FIFO, a socket or a device.
    #[error("{} is no regular file", .0.display())]
    Special(PathBuf),
}

/// Whether a server was seen to load what lies at its paths, before anything is touched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LoadEvidence {
    /// Its test of a configuration that names them is fine.
    Seen,
    /// It is judged by what can be read here.
    Unknown,
}

/// What lies at the links of a layout.
#[derive(Debug)]
pub(crate) struct ExistingAtPaths {
    pub spots: Vec<PathState>,
    /// What plain files make.
    pub present: ServedBefore,
    /// The pair in plain files, where it is taken over.
    pub taken: Option<Release>,
    /// What cannot be replaced.
    pub obstacles: Vec<PathObstacle>,
}

/// What a server makes of the files of one pair.
enum Judged {
    Broken(String),
    Partial,
    Whole(Box<Release>),
}

/// Looks at every link; `live` is what our links show.
///
/// # Errors
/// When something is there and cannot be read.
pub(crate) fn find(
    layout: &LineageLayout,
    live: Option<Release>,
    loads: LoadEvidence,
) -> Result<ExistingAtPaths, FileError> {
    let mut found = ExistingAtPaths {
        spots: Vec::new(),
        present: ServedBefore::Nothing,
        taken: None,
        obstacles: Vec::new(),
    };
    for link in layout.links() {
        let spot = spot(layout, link)?.unwrap_or_else(|obstacle| {
            found.obstacles.push(obstacle);
            PathState::Absent
        });
        found.spots.push(spot);
    }
    if found.obstacles.is_empty() && found.spots.contains(&PathState::File) {
        found.judge(layout, live, loads)?;
    }
    Ok(found)
}

impl ExistingAtPaths {
    /// A pair that is all our links stands for what is there; else the first that fits is taken
    /// over.
    fn judge(
        &mut self,
        layout: &LineageLayout,
        live: Option<Release>,
        loads: LoadEvidence,
    ) -> Result<(), FileError> {
        let all = layout.pairs();
        let is = |pair: &[usize], wanted| pair.iter().all(|&index| self.spots[index] == wanted);
        let linked = all.iter().find(|pair| is(pair, PathState::Ours));
        let base = linked.and_then(|pair| Some((pair[0], live?)));
        let mut taken: Option<(usize, Release)> = None;
        let mut others = Vec::new();
        for pair in &all {
            if self.plain(pair).is_empty() {
                continue;
            }
            match judge(layout, pair, loads)? {
                Judged::Whole(release) if base.is_none() && taken.is_none() => {
                    self.hold(layout, pair, &release)?;
                    taken = Some((pair[0], *release));
                }
                judged => others.push((pair, judged)),
            }
        }
        for (pair, judged) in others {
            match (judged, base.as_ref().or(taken.as_ref())) {
                (Judged::Whole(own), Some((first, shown))) => {
                    self.stand(layout, pair, &own, (*first, shown))?
                }
                (Judged::Broken(why), None) => self.present = ServedBefore::Broken(why),
                (Judged::Partial, None) if self.present == ServedBefore::Nothing => {
                    self.present = ServedBefore::Partial
                }
                _ => {}
            }
        }
        if let Some((_, release)) = taken {
            self.present = ServedBefore::Whole(release.id.clone());
            self.taken = Some(release);
        }
        Ok(())
    }

    /// Those of a pair that are plain files.
    fn plain(&self, pair: &[usize]) -> Vec<usize> {
        pair.iter()
            .copied()
            .filter(|&index| self.spots[index] == PathState::File)
            .collect()
    }

    /// Files that `release` has byte for byte need no backup.
    fn hold(
        &mut self,
        layout: &LineageLayout,
        pair: &[usize],
        release: &Release,
    ) -> Result<(), FileError> {
        for index in self.plain(pair) {
            let link = &layout.links()[index];
            if read(&link.path)?.is_some_and(|bytes| bytes.as_slice() == release.bytes(link.piece))
            {
                self.spots[index] = PathState::Held;
            }
        }
        Ok(())
    }

    /// A pair beside the one that is live or taken over: the same, or one that comes back when the
    /// install fails. In two files only with the same key, or they would not fit while one of them
    /// is replaced.
    fn stand(
        &mut self,
        layout: &LineageLayout,
        pair: &[usize],
        own: &Release,
        (first, shown): (usize, &Release),
    ) -> Result<(), FileError> {
        if pair.len() > 1 && own.leaf().key_id != shown.leaf().key_id {
            let path = |index: usize| layout.links()[index].path.clone();
            self.obstacles
                .push(PathObstacle::Another(path(pair[0]), path(first)));
            return Ok(());
        }
        self.hold(layout, pair, shown)?;
        for index in self.plain(pair) {
            self.spots[index] = PathState::Own;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    match files::read(path, disk::PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(|bytes| Some(Zeroizing::new(bytes))),
    }
}

/// The bytes of a pair, whatever is plain file or link of it.
enum Bytes {
    Apart {
        chain: Zeroizing<Vec<u8>>,
        key: Zeroizing<Vec<u8>>,
    },
    Combined(Zeroizing<Vec<u8>>),
}

fn bytes_of(layout: &LineageLayout, pair: &[usize]) -> Result<Option<Bytes>, FileError> {
    let (mut chain, mut key) = (Zeroizing::new(Vec::new()), None);
    for &index in pair {
        let link = &layout.links()[index];
        let Some(bytes) = read(&link.path)? else {
            return Ok(None);
        };
        match link.piece {
            ReleaseFile::Combined => return Ok(Some(Bytes::Combined(bytes))),
            ReleaseFile::Key => key = Some(bytes),
            // Alone as it is; of two each begins on a line of its own.
            _ if chain.is_empty() => chain = bytes,
            _ => {
                let joined = [chain.trim_ascii_end(), b"\n".as_slice(), bytes.as_slice()].concat();
                chain = Zeroizing::new(joined);
            }
        }
    }
    Ok(key.map(|key| Bytes::Apart { chain, key }))
}

fn judge(layout: &LineageLayout, pair: &[usize], loads: LoadEvidence) -> Result<Judged, FileError> {
    let Some(bytes) = bytes_of(layout, pair)? else {
        return Ok(Judged::Partial);
    };
    let secret = pair
        .iter()
        .map(|&index| &layout.links()[index])
        .find(|link| link.piece.is_secret());
    let access = match secret.map(plain_file).transpose()?.flatten() {
        Some((path, seen)) => inherited(layout, path, &seen)?.0,
        None => KeyAccess::default(),
    };
    let derived = layout.derived();
    let release = match bytes {
        Bytes::Combined(combined) => Release::taken_combined(combined, access),
        Bytes::Apart { chain, key } => {
            let opaque = || {
                Release::opaque(chain.clone(), key.clone(), access)
                    .filter(|_| loads == LoadEvidence::Seen)
            };
            let release = Release::taken(chain.clone(), key.clone(), access)
                .or_else(|why| opaque().ok_or(why));
            release.map(|release| release.deriving(&derived))
        }
    };
    Ok(match release {
        Ok(release) => Judged::Whole(Box::new(disk::named(layout, release)?)),
        Err(UnloadableReason::Locked) => Judged::Partial,
        Err(error) => Judged::Broken(error.to_string()),
    })
}

/// What lies at a path that servers know; what cannot be replaced there is the inner error.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn spot(
    layout: &LineageLayout,
    link: &StableLink,
) -> Result<Result<PathState, PathObstacle>, FileError> {
    let path = &link.path;
    let Some(seen) = folders::look(path)? else {
        return Ok(Ok(PathState::Absent));
    };
    Ok(match seen.kind {
        FileKind::File => Ok(PathState::File),
        FileKind::Folder => Err(PathObstacle::Folder(path.clone())),
        FileKind::Other => Err(PathObstacle::Special(path.clone())),
        FileKind::Link(text) => {
            let target = layout
                .pointer(ReleasePointer::Live)
                .join(link.piece.file_name());
            let says = files::parent(path).join(&text);
            let ours = text == layout.link_text(link) || folders::plain(&says) == target;
            if ours {
                Ok(PathState::Ours)
            } else {
                Err(PathObstacle::Link(path.clone(), text))
            }
        }
    })
}

fn plain_file(link: &StableLink) -> Result<Option<(&Path, FileStatus)>, FileError> {
    let seen = on_disk::look(&link.path)?.filter(|seen| seen.kind == FileKind::File);
    Ok(seen.map(|seen| (link.path.as_path(), seen)))
}

/// What is worth telling of the plain file whose reader the new key's are: the path, and what.
pub(crate) type InheritanceDoubts<'a> = (&'a Path, Vec<InheritanceDoubt>);

/// Who may read the new key: as the plain file that it replaces, else as remembered, else only who
/// runs certctl. And what is worth telling of that file.
///
/// # Errors
/// When the path cannot be looked at.
pub(crate) fn access<'a>(
    layout: &'a LineageLayout,
    settings: &LineageSettings,
) -> Result<(KeyAccess, InheritanceDoubts<'a>), FileError> {
    for link in layout.links().iter().filter(|link| link.piece.is_secret()) {
        if let Some((path, seen)) = plain_file(link)? {
            let (access, doubts) = inherited(layout, path, &seen)?;
            return Ok((access, (path, doubts)));
        }
    }
    Ok((
        settings.access().unwrap_or_default(),
        (layout.key_path(), Vec::new()),
    ))
}

/// As far as the key's folders go inside of the tree.
fn inherited(
    layout: &LineageLayout,
    path: &Path,
    key: &FileStatus,
) -> Result<(KeyAccess, Vec<InheritanceDoubt>), FileError> {
    let above = on_disk::above(layout, path)?;
    Ok(inherit::inherit(
        on_disk::node(key),
        &above,
        folders::user(),
    ))
}

/// Whether a server can load what lies at its paths now, all of it. An encrypted key counts: it may
/// have the passphrase.
///
/// # Errors
/// When the files are there and cannot be read.
pub(crate) fn pair_loads(layout: &LineageLayout) -> Result<bool, FileError> {
    for pair in layout.pairs() {
        let taken = match bytes_of(layout, &pair)? {
            None => return Ok(false),
            Some(Bytes::Combined(combined)) => {
                Release::taken_combined(combined, KeyAccess::default())
            }
            Some(Bytes::Apart { chain, key }) => Release::taken(chain, key, KeyAccess::default()),
        };
        if !matches!(taken, Ok(_) | Err(UnloadableReason::Locked)) {
            return Ok(false);
        }
    }
    Ok(true)
}
