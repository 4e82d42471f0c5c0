//! Lists the entries of a folder, and removes folders. It does not use std's `read_dir`, which
//! fails if a signal arrives while the folder is opened, and panics if closing it fails (on a
//! failing disk).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode as AccessBits, OFlags, openat, statat, unlinkat};
use rustix::io::{Errno, retry_on_intr};

use super::tree;
use crate::permissions::Mode;

/// One name in a folder.
pub(crate) struct FolderEntry {
    pub name: OsString,
    /// Its kind; links are not followed.
    pub kind: FileType,
}

/// The entries of a folder, in the order of the system.
pub(crate) struct FolderEntries(Dir);

/// Opens the folder at `path`; links are followed.
pub(crate) fn open(path: &Path) -> io::Result<FolderEntries> {
    let folder = tree::open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::new(0))?;
    Ok(FolderEntries(Dir::new(folder)?))
}

fn open_folder(above: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| openat(above, name, flags, AccessBits::empty()))
}

impl Iterator for FolderEntries {
    type Item = io::Result<FolderEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.0.read()? {
                Ok(entry) => entry,
                Err(errno) => return Some(Err(errno.into())),
            };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            return Some(self.kind(name, entry.file_type()).map(|kind| FolderEntry {
                name: name.to_owned(),
                kind,
            }));
        }
    }
}

impl FolderEntries {
    /// Returns the type of an entry, which not every file system includes in the listing.
    fn kind(&self, name: &OsStr, listed: FileType) -> io::Result<FileType> {
        if listed != FileType::Unknown {
            return Ok(listed);
        }
        let seen = statat(self.0.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(seen.st_mode))
    }
}

/// Removes a folder and everything in it; no link is followed. Entries that another program removes
/// at the same time are not errors.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    remove_entries(tree::open(path, flags, Mode::new(0))?.into())?;
    match tree::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn remove_entries(open: OwnedFd) -> io::Result<()> {
    let mut entries = FolderEntries(retry_on_intr(|| Dir::read_from(&open))?);
    let all = entries.by_ref().collect::<io::Result<Vec<FolderEntry>>>()?;
    drop(entries);
    for FolderEntry { name, kind } in all {
        let name = name.as_os_str();
        if kind == FileType::Directory {
            match open_folder(&open, name) {
                Err(Errno::NOENT) => continue,
                other => remove_entries(other?)?,
            }
            ignore_missing(unlinkat(&open, name, AtFlags::REMOVEDIR))?;
        } else {
            ignore_missing(unlinkat(&open, name, AtFlags::empty()))?;
        }
    }
    Ok(())
}

fn ignore_missing(removed: Result<(), Errno>) -> Result<(), Errno> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{FileType, open, remove};
    use std::fs;

    #[test]
    fn folders_are_removed_with_their_content_and_nothing_else() {
        let outer = tempfile::tempdir().unwrap();
        let (path, outside) = (outer.path().join("folder"), outer.path().join("outside"));
        fs::create_dir_all(path.join("a/b")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "x").unwrap();
        fs::write(path.join("a/b/file"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, path.join("a/link")).unwrap();
        let mut kinds: Vec<_> = open(&path.join("a"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .collect();
        kinds.sort_by(|one, other| one.name.cmp(&other.name));
        let kinds: Vec<_> = kinds
            .iter()
            .map(|entry| (entry.name.to_str().unwrap(), entry.kind))
            .collect();
        assert_eq!(
            kinds,
            [("b", FileType::Directory), ("link", FileType::Symlink)]
        );
        remove(&path).unwrap();
        assert!(!path.exists() && outside.join("file").exists());
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        assert!(remove(&path).is_err(), "a link is no folder");
        assert!(outside.join("file").exists());
    }
}
