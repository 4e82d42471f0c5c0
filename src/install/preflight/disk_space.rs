//! Whether what is planned can be written, asked before anything is: each folder takes new names,
//! and each file system has room for all of it, over all pairs of a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::install::preflight::PreflightState;
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::plan::{InstallPlan, PlanStep};
use crate::store::layout::ReleasePointer;
use crate::store::release::Release;
use crate::system::fs::disk_space::{self, FreeSpace};
use crate::system::fs::files::{FileError, parent};
use crate::system::fs::folders;

/// "Operation not permitted": not for want of rights, but for what is marked as unchangeable.
const EPERM: i32 = 1;
/// Linux file systems keep a link of fewer bytes in its inode (ext4: `EXT4_N_BLOCKS * 4`).
const SHORT_LINK: usize = 60;
/// What a history grows by, at most.
const ENTRY: usize = 512;

/// Something that will be made.
struct Made {
    /// As the step would say it.
    doing: &'static str,
    path: PathBuf,
    bytes: usize,
}

/// What was planned so far.
#[derive(Debug, Default)]
pub(crate) struct SpaceReservation {
    /// Folders that take new names, and the file system of each, where it says what it has.
    admitting: HashMap<PathBuf, Option<u64>>,
    /// Each file system as it was before the first pair, and the blocks and files that are taken of
    /// it.
    taken: BTreeMap<u64, (FreeSpace, u64, u64)>,
    /// Folders that will have been made.
    made: HashSet<PathBuf>,
}

impl SpaceReservation {
    /// Adds what a plan writes.
    ///
    /// # Errors
    /// What cannot be written: the reason that the attempt would end with, or
    /// [`InstallError::NoRoom`].
    pub(crate) fn take(
        &mut self,
        situation: &PreflightState,
        plan: &InstallPlan,
    ) -> Result<(), InstallError> {
        self.take_all(plan.steps.iter().flat_map(|step| made_by(situation, step)))
    }

    /// Adds what a removal writes: plain files of these sizes beside what they replace, and the
    /// name that `folder` gets before it goes.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_removal(
        &mut self,
        files: &[(PathBuf, usize)],
        folder: &Path,
    ) -> Result<(), InstallError> {
        let files = files.iter().map(|(path, bytes)| Made {
            doing: "write",
            path: path.clone(),
            bytes: *bytes,
        });
        self.take_all(files.chain([Made {
            doing: "remove",
            path: folder.to_owned(),
            bytes: 0,
        }]))
    }

    /// What there is no room for takes none of it from those that come after.
    fn take_all(&mut self, all: impl Iterator<Item = Made>) -> Result<(), InstallError> {
        let before = self.taken.clone();
        self.try_all(all).inspect_err(|_| self.taken = before)
    }

    fn try_all(&mut self, all: impl Iterator<Item = Made>) -> Result<(), InstallError> {
        let mut asked = BTreeMap::new();
        for made in all {
            if let Some((device, folder)) = self.take_one(&made)? {
                asked.entry(device).or_insert(folder);
            }
        }
        let of = |(device, folder): (u64, PathBuf)| Some((self.taken.get(&device)?, folder));
        asked
            .into_iter()
            .filter_map(of)
            .try_for_each(|((space, blocks, files), folder)| {
                fits(space, (*blocks, *files), &folder)
            })
    }

    /// Adds one; on which file system, and the folder there that it goes below.
    fn take_one(&mut self, made: &Made) -> Result<Option<(u64, PathBuf)>, InstallError> {
        let mut missing = Vec::new();
        let mut folder = parent(&made.path);
        while !folders::is_folder(folder) {
            let Some(above) = folder.parent() else {
                return Ok(None);
            };
            missing.push(folder);
            folder = above;
        }
        let Some(device) = self.device(folder, missing.last().copied(), made)? else {
            return Ok(None);
        };
        let new = missing
            .into_iter()
            .filter(|&folder| self.made.insert(folder.to_owned()))
            .count();
        let (new, bytes) = (
            u64::try_from(new).unwrap_or(u64::MAX),
            u64::try_from(made.bytes).unwrap_or(u64::MAX),
        );
        if let Some((space, blocks, files)) = self.taken.get_mut(&device) {
            *blocks += bytes.div_ceil(space.block) + new;
            *files += 1 + new;
        }
        Ok(Some((device, folder.to_owned())))
    }

    /// The file system of a folder that takes new names.
    fn device(
        &mut self,
        folder: &Path,
        missing: Option<&Path>,
        made: &Made,
    ) -> Result<Option<u64>, InstallError> {
        if let Some(device) = self.admitting.get(folder) {
            return Ok(*device);
        }
        disk_space::admits(folder).map_err(|source| {
            if source.kind() == ErrorKind::PermissionDenied && source.raw_os_error() != Some(EPERM)
            {
                return InstallError::Denied {
                    folder: folder.to_owned(),
                    user: folders::user(),
                    source,
                };
            }
            let (doing, path) = missing.map_or((made.doing, &*made.path), |first| {
                ("make the folder", first)
            });
            FileError::at(doing, path)(source).into()
        })?;
        let space = disk_space::of(folder);
        if let Some(space) = space {
            self.taken.entry(space.device).or_insert((space, 0, 0));
        }
        let device = space.map(|space| space.device);
        self.admitting.insert(folder.to_owned(), device);
        Ok(device)
    }
}

/// Whether a file system has that many blocks and files left.
fn fits(space: &FreeSpace, (blocks, files): (u64, u64), folder: &Path) -> Result<(), InstallError> {
    let no_room = |what, free: u64, needed: u64| InstallError::NoRoom {
        folder: folder.to_owned(),
        what,
        free,
        needed,
    };
    match (space.blocks, space.files) {
        (Some(free), _) if free < blocks => Err(no_room(
            "bytes",
            free.saturating_mul(space.block),
            blocks.saturating_mul(space.block),
        )),
        (_, Some(free)) if free < files => Err(no_room("files", free, files)),
        _ => Ok(()),
    }
}

/// What a step makes. A short link and a second name of a file are kept with the names: a way back
/// needs no room.
fn made_by(situation: &PreflightState, step: &PlanStep) -> Vec<Made> {
    let layout = &situation.layout;
    let one = |doing, path: &Path, bytes| {
        vec![Made {
            doing,
            path: path.to_owned(),
            bytes,
        }]
    };
    let pointer = |pointer| one("make the link", &layout.pointer(pointer), 0);
    let files = |release: &Release| {
        let path = |piece| layout.piece(&release.id, piece);
        let file = |(piece, bytes, _): (_, &[u8], _)| Made {
            doing: "write",
            path: path(piece),
            bytes: bytes.len(),
        };
        release.files().map(file).collect()
    };
    match step {
        PlanStep::BackUp { path } => one("back up", path, 0),
        PlanStep::Link { path, text } => {
            let text = text.as_os_str().len();
            one(
                "make the link",
                path,
                if text < SHORT_LINK { 0 } else { text },
            )
        }
        PlanStep::MarkProven { .. } => pointer(ReleasePointer::Proven),
        PlanStep::Switch { .. } => pointer(ReleasePointer::Live),
        PlanStep::Remember { .. } | PlanStep::Record { .. } => {
            let text = situation.settings.to_json().unwrap_or_default();
            one("create", &layout.settings(), text.len() + ENTRY)
        }
        PlanStep::TakeOver { .. } => situation
            .sight
            .present
            .as_ref()
            .map(files)
            .unwrap_or_default(),
        PlanStep::WriteRelease { .. } => files(&situation.wanted),
        // What a way back makes takes what was there before, and what is taken away takes nothing.
        PlanStep::Restore { .. }
        | PlanStep::Unlink { .. }
        | PlanStep::Unpoint { .. }
        | PlanStep::Prune => Vec::new(),
        PlanStep::Prove { .. } | PlanStep::Reload { .. } | PlanStep::TestServer { .. } => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::fits;
    use crate::system::fs::disk_space::FreeSpace;

    #[test]
    fn a_file_system_has_room_or_says_what_it_lacks() {
        let space = |blocks, files| FreeSpace {
            device: 1,
            block: 4096,
            blocks,
            files,
        };
        for (space, said) in [
            (space(Some(10), Some(12)), ""),
            (space(None, None), ""),
            (
                space(None, Some(0)),
                "/f has room for 0 more files; 12 are needed",
            ),
            (
                space(Some(9), Some(0)),
                "/f has room for 36864 more bytes; 40960 are needed",
            ),
        ] {
            let error = fits(&space, (10, 12), Path::new("/f")).err();
            assert_eq!(
                error.map(|error| error.to_string()).unwrap_or_default(),
                said,
                "{space:?}"
            );
        }
    }
}
