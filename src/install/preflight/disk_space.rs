//! Checks, before anything is written, that everything in the plan can be written: files can be
//! created in each folder, and each file system has enough free space for all certificates of a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use crate::audit::AuditAction;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::plan::{InstallPlan, PlanStep};
use crate::store::layout::{LineageLayout, ReleasePointer, StableLink};
use crate::store::release::Release;
use crate::system::fs::disk_space::{self, FreeSpace};
use crate::system::fs::files::{FileError, parent};
use crate::system::fs::folders;

/// "Operation not permitted": the user has the rights, but the folder is marked as immutable.
const EPERM: i32 = 1;
/// Linux file systems keep a link of fewer bytes in its inode (ext4: `EXT4_N_BLOCKS * 4`).
const SHORT_LINK: usize = 60;
/// The most bytes that a history grows by.
const ENTRY: usize = 512;

/// A file, link or folder that will be made.
struct NewFile {
    /// What the step does, as its error message says it.
    doing: &'static str,
    path: PathBuf,
    bytes: usize,
}

impl NewFile {
    fn new(doing: &'static str, path: &Path, bytes: usize) -> Self {
        Self {
            doing,
            path: path.to_owned(),
            bytes,
        }
    }
}

/// How much of a file system is used.
#[derive(Clone, Copy, Debug, Default)]
struct SpaceNeeded {
    blocks: u64,
    files: u64,
}

/// A file system, and what is reserved of it.
#[derive(Clone, Debug)]
struct ReservedSpace {
    /// What was free before the first reservation.
    free: FreeSpace,
    needed: SpaceNeeded,
}

/// The space that the plans of a run need, over all certificates.
#[derive(Debug, Default)]
pub(crate) struct SpaceReservation {
    /// Folders in which files can be created, and the file system of each, if it reports its space.
    admitting: HashMap<PathBuf, Option<u64>>,
    /// Each file system by its device.
    reserved: BTreeMap<u64, ReservedSpace>,
    /// Folders that will be created.
    new_folders: HashSet<PathBuf>,
}

impl SpaceReservation {
    /// Reserves what a plan writes.
    ///
    /// # Errors
    /// [`InstallError::DiskFull`], or the error that an attempt to write would end with.
    pub(crate) fn reserve(
        &mut self,
        situation: &PreflightState,
        plan: &InstallPlan,
    ) -> Result<(), InstallError> {
        self.reserve_files(plan.steps.iter().flat_map(|step| made_by(situation, step)))
    }

    /// Reserves what a removal writes: plain files of these sizes next to the links that they replace,
    /// and the name that `folder` gets before it is removed.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub(crate) fn reserve_removal(
        &mut self,
        files: &[(PathBuf, usize)],
        folder: &Path,
    ) -> Result<(), InstallError> {
        let mut new_files: Vec<NewFile> = files
            .iter()
            .map(|(path, bytes)| NewFile::new("write", path, *bytes))
            .collect();
        new_files.push(NewFile::new("remove", folder, 0));
        self.reserve_files(new_files.into_iter())
    }

    /// On failure the reservation is released, so later certificates see the space as free.
    fn reserve_files(
        &mut self,
        new_files: impl Iterator<Item = NewFile>,
    ) -> Result<(), InstallError> {
        let before = self.reserved.clone();
        self.try_reserve(new_files)
            .inspect_err(|_| self.reserved = before)
    }

    fn try_reserve(
        &mut self,
        new_files: impl Iterator<Item = NewFile>,
    ) -> Result<(), InstallError> {
        let mut folders = BTreeMap::new();
        for new_file in new_files {
            if let Some((device, folder)) = self.add_file(&new_file)? {
                folders.entry(device).or_insert(folder);
            }
        }
        for (device, folder) in folders {
            if let Some(reserved) = self.reserved.get(&device) {
                check_room(&reserved.free, reserved.needed, &folder)?;
            }
        }
        Ok(())
    }

    /// Adds one file. Returns its file system, and the existing folder there that it is created below.
    fn add_file(&mut self, new_file: &NewFile) -> Result<Option<(u64, PathBuf)>, InstallError> {
        let mut missing = Vec::new();
        let mut folder = parent(&new_file.path);
        while !folders::is_folder(folder) {
            let Some(above) = folder.parent() else {
                return Ok(None);
            };
            missing.push(folder);
            folder = above;
        }
        let Some(device) = self.device_of(folder, missing.last().copied(), new_file)? else {
            return Ok(None);
        };
        let mut folder_count = 0;
        for missing_folder in missing {
            if self.new_folders.insert(missing_folder.to_owned()) {
                folder_count += 1;
            }
        }
        if let Some(reserved) = self.reserved.get_mut(&device) {
            let bytes = u64::try_from(new_file.bytes).unwrap_or(u64::MAX);
            reserved.needed.blocks += bytes.div_ceil(reserved.free.block) + folder_count;
            reserved.needed.files += 1 + folder_count;
        }
        Ok(Some((device, folder.to_owned())))
    }

    /// Returns the file system of a folder in which files can be created; `missing` is the first
    /// folder that has to be created in it.
    fn device_of(
        &mut self,
        folder: &Path,
        missing: Option<&Path>,
        new_file: &NewFile,
    ) -> Result<Option<u64>, InstallError> {
        if let Some(device) = self.admitting.get(folder) {
            return Ok(*device);
        }
        disk_space::check_writable(folder)
            .map_err(|source| explain_refusal(source, folder, missing, new_file))?;
        let free = disk_space::free_space(folder);
        let device = free.map(|free| free.device);
        if let Some(free) = free {
            self.reserved
                .entry(free.device)
                .or_insert_with(|| ReservedSpace {
                    free,
                    needed: SpaceNeeded::default(),
                });
        }
        self.admitting.insert(folder.to_owned(), device);
        Ok(device)
    }
}

/// Returns why no file can be created in a folder.
fn explain_refusal(
    source: Error,
    folder: &Path,
    missing: Option<&Path>,
    new_file: &NewFile,
) -> InstallError {
    if source.kind() == ErrorKind::PermissionDenied && source.raw_os_error() != Some(EPERM) {
        return InstallError::NotWritable {
            folder: folder.to_owned(),
            user: folders::current_user(),
            source,
        };
    }
    match missing {
        Some(first) => FileError::at("create the folder", first)(source).into(),
        None => FileError::at(new_file.doing, &new_file.path)(source).into(),
    }
}

/// Checks that a file system has that many blocks and inodes left.
fn check_room(free: &FreeSpace, needed: SpaceNeeded, folder: &Path) -> Result<(), InstallError> {
    let (what, free, needed) = match (free.blocks, free.files) {
        (Some(blocks), _) if blocks < needed.blocks => (
            "bytes",
            blocks.saturating_mul(free.block),
            needed.blocks.saturating_mul(free.block),
        ),
        (_, Some(files)) if files < needed.files => ("inodes", files, needed.files),
        _ => return Ok(()),
    };
    Err(InstallError::DiskFull {
        folder: folder.to_owned(),
        what,
        free,
        needed,
    })
}

/// Returns the files and links that a step creates. A short symbolic link and a hard link need no
/// blocks, and a rollback needs no space.
fn made_by(situation: &PreflightState, step: &PlanStep) -> Vec<NewFile> {
    let layout = &situation.layout;
    match step {
        PlanStep::BackUp { path } => vec![NewFile::new("back up", path, 0)],
        PlanStep::Copy { files, .. } => new_copies(situation, files),
        PlanStep::Link { path, text } => vec![new_link(path, text)],
        PlanStep::MarkProven { .. } => vec![new_pointer(layout, ReleasePointer::Proven)],
        PlanStep::Switch { .. } => vec![new_pointer(layout, ReleasePointer::Live)],
        // A rollback goes on without its entry in the history.
        PlanStep::Record { .. } if situation.action == AuditAction::Rollback => Vec::new(),
        PlanStep::Remember { .. } | PlanStep::Record { .. } => {
            let text = situation.settings.to_json().unwrap_or_default();
            vec![NewFile::new(
                "create",
                &layout.settings(),
                text.len() + ENTRY,
            )]
        }
        PlanStep::TakeOver { .. } => {
            let taken_over = situation.disk.taken_over.as_ref();
            taken_over.map_or_else(Vec::new, |release| release_files(layout, release))
        }
        PlanStep::WriteRelease { .. } => release_files(layout, &situation.wanted),
        // A second name needs no space, and its folder is checked for the link or copy that follows.
        // Tests, reloads, probes and the steps of a rollback write nothing new.
        _ => Vec::new(),
    }
}

fn new_copies(situation: &PreflightState, files: &[StableLink]) -> Vec<NewFile> {
    let size = |file: &StableLink| situation.wanted.bytes(file.piece).len();
    files
        .iter()
        .map(|file| NewFile::new("write", &file.path, size(file)))
        .collect()
}

fn new_link(path: &Path, text: &Path) -> NewFile {
    let length = text.as_os_str().len();
    let bytes = if length < SHORT_LINK { 0 } else { length };
    NewFile::new("create the link", path, bytes)
}

fn new_pointer(layout: &LineageLayout, pointer: ReleasePointer) -> NewFile {
    NewFile::new("create the link", &layout.pointer(pointer), 0)
}

fn release_files(layout: &LineageLayout, release: &Release) -> Vec<NewFile> {
    release
        .files()
        .map(|(piece, bytes, _)| {
            NewFile::new("write", &layout.file_path(&release.id, piece), bytes.len())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{SpaceNeeded, check_room};
    use crate::system::fs::disk_space::FreeSpace;

    #[test]
    fn full_file_systems_report_what_they_lack() {
        let space = |blocks, files| FreeSpace {
            device: 1,
            block: 4096,
            blocks,
            files,
        };
        for (space, message) in [
            (space(Some(10), Some(12)), ""),
            (space(None, None), ""),
            (
                space(None, Some(0)),
                "the file system of /f has 0 free inodes; 12 are needed",
            ),
            (
                space(Some(9), Some(0)),
                "the file system of /f has 36864 free bytes; 40960 are needed",
            ),
        ] {
            let needed = SpaceNeeded {
                blocks: 10,
                files: 12,
            };
            let error = check_room(&space, needed, Path::new("/f")).err();
            assert_eq!(
                error.map(|error| error.to_string()).unwrap_or_default(),
                message,
                "{space:?}"
            );
        }
    }
}
