//! Walks through a tree; always terminates and never blocks, also if a file server does not answer. Each folder is visited once, even if
//! several links point to it; FIFOs, sockets and devices are reported and not opened; unreadable
//! entries are reported, and the walk continues.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::files::FileError;
use super::listing::{self, FolderEntry};
use super::{remote, scratch, tree};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WalkDepth {
    /// The files of the folder itself, without hidden ones.
    Own,
    /// All files below it.
    Tree,
}

#[derive(Debug)]
pub(crate) enum WalkedEntry {
    /// It could not be read.
    Failed(FileError),
    /// A regular file, or a link to one.
    File(PathBuf),
    /// An entry that is not read, and what it is.
    Skipped(PathBuf, &'static str),
}

/// A walk in progress.
#[derive(Debug)]
pub(crate) struct FolderWalk {
    depth: WalkDepth,
    /// Folders still to be opened, the next one last.
    folders: Vec<PathBuf>,
    /// Folders that were visited, as device and inode number.
    known: HashSet<(u64, u64)>,
    /// The folder that was read last, and its remaining entries.
    here: PathBuf,
    names: VecDeque<(OsString, FileType)>,
}

impl FolderWalk {
    /// Starts a walk through the folder at `root`.
    #[must_use]
    pub(crate) fn new(root: &Path, depth: WalkDepth) -> Self {
        let known = status_of(root)
            .map(|meta| inode(&meta))
            .into_iter()
            .collect();
        let folders = vec![root.to_owned()];
        Self {
            depth,
            folders,
            known,
            here: PathBuf::new(),
            names: VecDeque::new(),
        }
    }

    /// Reads the names of the next folder, sorted. A rehearsal below the start of the walk is not
    /// read: its certificates are not real.
    fn open(&mut self, folder: PathBuf) -> Result<Option<WalkedEntry>, FileError> {
        let entries = remote::with_deadline(&folder, |folder| {
            let entries = listing::open(folder)?;
            entries.collect::<io::Result<Vec<FolderEntry>>>()
        });
        let mut names = Vec::new();
        for FolderEntry { name, kind } in
            entries.map_err(FileError::at("read the folder", &folder))?
        {
            // Backups of editors and of certctl, and temporary files.
            let text = name.as_encoded_bytes();
            if text.last() != Some(&b'~')
                && (self.depth == WalkDepth::Tree || text.first() != Some(&b'.'))
            {
                names.push((name, kind));
            }
        }
        if self.skips_rehearsal(&names) {
            let skipped = WalkedEntry::Skipped(folder, "a folder of `certctl rehearse`");
            return Ok(Some(skipped));
        }
        names.sort_by(|(one, _): &(OsString, FileType), (other, _)| one.cmp(other));
        self.names = names.into();
        self.here = folder;
        self.queue_folders();
        Ok(None)
    }

    /// Adds the folders in the current one: they come after its files, sorted by name.
    fn queue_folders(&mut self) {
        if self.depth != WalkDepth::Tree {
            return;
        }
        let mut below = Vec::new();
        for (name, kind) in &self.names {
            if *kind == FileType::Directory {
                below.push(self.here.join(name));
            }
        }
        below.reverse();
        self.folders.extend(below);
    }

    /// Returns whether `names` are those of a rehearsal that is not the start of the walk.
    fn skips_rehearsal(&self, names: &[(OsString, FileType)]) -> bool {
        let is_start = self.here.as_os_str().is_empty();
        let mut names = names.iter();
        !is_start && names.any(|(name, _)| name == scratch::MARKER)
    }

    fn classify(&mut self, path: PathBuf, kind: FileType) -> Option<WalkedEntry> {
        match kind {
            FileType::RegularFile => Some(WalkedEntry::File(path)),
            FileType::Directory => None,
            FileType::Symlink => self.follow_link(path),
            FileType::Fifo => Some(WalkedEntry::Skipped(path, "a FIFO")),
            FileType::Socket => Some(WalkedEntry::Skipped(path, "a socket")),
            _ => Some(WalkedEntry::Skipped(path, "a device")),
        }
    }

    fn follow_link(&mut self, path: PathBuf) -> Option<WalkedEntry> {
        match status_of(&path) {
            Ok(meta) if meta.is_dir() => {
                if self.depth == WalkDepth::Tree {
                    self.folders.push(path);
                }
                None
            }
            Ok(meta) if meta.is_file() => Some(WalkedEntry::File(path)),
            Ok(meta) => Some(WalkedEntry::Skipped(path, special_kind(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(WalkedEntry::Skipped(path, "a dangling link"))
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Some(WalkedEntry::Skipped(path, "a link that points to itself"))
            }
            Err(error) => Some(WalkedEntry::Failed(
                FileError::at("follow the link", &path)(error),
            )),
        }
    }

    /// Returns whether this folder was not visited before.
    fn is_new(&mut self, folder: &Path) -> Result<bool, FileError> {
        let meta = status_of(folder).map_err(FileError::at("read the status of", folder))?;
        Ok(self.known.insert(inode(&meta)))
    }
}

impl Iterator for FolderWalk {
    type Item = WalkedEntry;

    fn next(&mut self) -> Option<WalkedEntry> {
        loop {
            while let Some((name, kind)) = self.names.pop_front() {
                let mut path = PathBuf::with_capacity(self.here.as_os_str().len() + 1 + name.len());
                path.push(&self.here);
                path.push(name);
                if let Some(entry) = self.classify(path, kind) {
                    return Some(entry);
                }
            }
            let folder = self.folders.pop()?;
            let is_root = self.here.as_os_str().is_empty();
            if !is_root {
                match self.is_new(&folder) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => return Some(WalkedEntry::Failed(error)),
                }
            }
            match self.open(folder) {
                Ok(None) => {}
                Ok(skipped) => return skipped,
                Err(error) => {
                    // An empty path means that the walk has not started.
                    self.here = PathBuf::from(".");
                    return Some(WalkedEntry::Failed(error));
                }
            }
        }
    }
}

/// Reads the status of a path; links are followed.
fn status_of(path: &Path) -> io::Result<Metadata> {
    remote::with_deadline(path, tree::metadata)
}

fn inode(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

fn special_kind(meta: &Metadata) -> &'static str {
    let kind = meta.file_type();
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::{FolderWalk, WalkDepth, WalkedEntry};
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_walk_ends_and_visits_each_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        for name in ["one", "a/two", "a/b/three", "a/.hidden", "a/two~"] {
            fs::write(at(name), "x").unwrap();
        }
        symlink("..", at("a/b/up")).unwrap();
        symlink("self", at("self")).unwrap();
        symlink("nowhere", at("gone")).unwrap();
        symlink("a/two", at("again")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from(0o600),
            0,
        )
        .unwrap();
        let tell = |depth| -> Vec<String> {
            let name = |path: &std::path::Path| {
                path.strip_prefix(folder.path())
                    .unwrap()
                    .display()
                    .to_string()
            };
            FolderWalk::new(folder.path(), depth)
                .map(|met| match met {
                    WalkedEntry::File(path) => name(&path),
                    WalkedEntry::Skipped(path, why) => format!("{}: {why}", name(&path)),
                    WalkedEntry::Failed(error) => error.to_string(),
                })
                .collect()
        };
        let own = [
            "again",
            "gone: a dangling link",
            "one",
            "pipe: a FIFO",
            "self: a link that points to itself",
        ];
        assert_eq!(tell(WalkDepth::Own), own);
        assert_eq!(
            tell(WalkDepth::Tree),
            [&own[..], &["a/.hidden", "a/two", "a/b/three"]].concat()
        );
    }

    #[test]
    fn a_rehearsal_is_read_only_at_the_start_of_a_walk() {
        let folder = tempfile::tempdir().unwrap();
        let rehearsal = folder.path().join("rehearsal");
        fs::create_dir_all(rehearsal.join("etc")).unwrap();
        fs::write(rehearsal.join(super::scratch::MARKER), "").unwrap();
        fs::write(rehearsal.join("etc/leaf.pem"), "x").unwrap();
        let walk = |start: &std::path::Path| -> Vec<WalkedEntry> {
            FolderWalk::new(start, WalkDepth::Tree).collect()
        };
        let above = walk(folder.path());
        let [WalkedEntry::Skipped(path, _)] = above.as_slice() else {
            panic!("{above:?}");
        };
        assert_eq!(*path, rehearsal);
        assert_eq!(walk(&rehearsal).len(), 2);
    }

    #[test]
    fn a_missing_folder_is_reported() {
        let met: Vec<WalkedEntry> =
            FolderWalk::new("/no/such/folder".as_ref(), WalkDepth::Tree).collect();
        assert!(matches!(&met[..], [WalkedEntry::Failed(_)]), "{met:?}");
    }
}
