//! Files and folders: each file read up to a bound, everything else told.

use std::io::ErrorKind;
use std::path::Path;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation, ItemOrigin, zip};
use crate::scan::results::ScanResults;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::fs::parallel_read::{ReadFile, look_at};
use crate::system::fs::walk::{FolderWalk, WalkDepth, WalkedEntry};

/// The most that is read of a file that was named.
const NAMED: u64 = 16 * 1024 * 1024;

/// What came of one thing that was met.
enum Looked {
    Found(Vec<InventoryItem>),
    Unread(FileError),
    Other(WalkedEntry),
}

impl ScanResults {
    /// The working directory's own files.
    pub(crate) fn here(&mut self, context: &Context) {
        for met in FolderWalk::new(&context.directory, WalkDepth::Own) {
            // Spelled as the user would.
            let met = match met {
                WalkedEntry::File(path) => {
                    WalkedEntry::File(context.here(path.file_name().unwrap_or_default()))
                }
                // What nobody named is not worth a line.
                WalkedEntry::Skipped(..) => continue,
                other => other,
            };
            self.met(met, &ItemOrigin::Here);
        }
    }

    /// What is met at a path that was named. A file that was named itself is not passed over for
    /// its size: lists of revoked certificates may be large.
    pub(crate) fn path(&mut self, path: &Path, origin: &ItemOrigin) {
        if !folders::is_folder(path) {
            return match files::read_with_mode(path, NAMED) {
                Ok((bytes, mode)) => {
                    let mut found = items_in(path, origin, &bytes, mode);
                    // Whoever names it wants to know what is in it.
                    found
                        .iter_mut()
                        .for_each(|one| one.place = ItemLocation::file(path, origin.clone()));
                    self.found(found);
                }
                Err(error) => self.tell(&Failure::from(error), "unreadable"),
            };
        }
        let look = |made: &mut Vec<Looked>, seen: ReadFile<'_>| {
            made.push(match seen {
                ReadFile::File(path, Ok((bytes, mode))) => {
                    Looked::Found(items_in(path, origin, bytes, mode))
                }
                ReadFile::File(_, Err(error)) => Looked::Unread(error),
                ReadFile::Other(met) => Looked::Other(met),
            });
        };
        look_at(walk(path), file_reader::LIMIT, look, |made| {
            made.into_iter().for_each(|one| self.looked(one, origin))
        });
    }

    fn looked(&mut self, looked: Looked, origin: &ItemOrigin) {
        match looked {
            Looked::Found(found) => self.found(found),
            Looked::Unread(error) => self.unread(error, origin),
            Looked::Other(met) => self.met(met, origin),
        }
    }

    fn met(&mut self, met: WalkedEntry, origin: &ItemOrigin) {
        match met {
            WalkedEntry::File(path) => self.file(&path, origin, &path),
            WalkedEntry::Skipped(path, what) => {
                let message = format!("{} is {what}: passed over", path.display());
                self.findings.push(Finding::note("skipped", message));
            }
            WalkedEntry::Failed(error) => self.tell(&Failure::from(error), "unreadable"),
        }
    }

    /// What is in the file at `path`, which people know as `shown`.
    pub(crate) fn file(&mut self, path: &Path, origin: &ItemOrigin, shown: &Path) {
        match files::read_with_mode(path, file_reader::LIMIT) {
            Ok((bytes, mode)) => self.found(items_in(shown, origin, &bytes, mode)),
            Err(error) => self.unread(error, origin),
        }
    }

    fn found(&mut self, found: Vec<InventoryItem>) {
        self.files += 1;
        self.items.extend(found);
    }

    /// A key that only its owner may read is as it should be: who looks at the rest needs no more
    /// of it.
    pub(crate) fn unread(&mut self, error: FileError, origin: &ItemOrigin) {
        let closed = error.source.kind() == ErrorKind::PermissionDenied;
        if closed && *origin == ItemOrigin::Round {
            return;
        }
        let closed = closed && origin.is_live();
        if closed {
            self.closed += 1;
            return;
        }
        match unread(&error) {
            None => {}
            Some(Severity::Note) => {
                let message = format!("{}: {}: passed over", error.path.display(), error.source);
                self.findings.push(Finding::note("skipped", message));
            }
            Some(_) => self.tell(&Failure::from(error), "unreadable"),
        }
    }
}

/// What is in a file; of a zip the certificates.
fn items_in(path: &Path, origin: &ItemOrigin, bytes: &[u8], mode: u32) -> Vec<InventoryItem> {
    let at = |origin: &ItemOrigin, what| InventoryItem {
        place: ItemLocation::file(path, origin.clone()),
        what,
    };
    let found = file_reader::glance(bytes, mode, Keys::Checked);
    let sent = if found.is_empty() {
        zip::certificates(bytes)
    } else {
        Vec::new()
    };
    let sent = if sent.is_empty() {
        None
    } else {
        Some(at(&ItemOrigin::Delivery, ItemContent::Certificates(sent)))
    };
    found
        .into_iter()
        .map(|what| at(origin, what))
        .chain(sent)
        .collect()
}

/// What is met at a path that was named: the file, or everything below the folder.
pub(crate) fn walk(path: &Path) -> Box<dyn Iterator<Item = WalkedEntry> + Send> {
    match folders::is_folder(path) {
        true => Box::new(FolderWalk::new(path, WalkDepth::Tree)),
        false => Box::new(std::iter::once(WalkedEntry::File(path.to_owned()))),
    }
}

/// What it means that a file could not be read: nothing where it was taken away in the meantime,
/// little where it is too large for anything of use.
#[must_use]
pub(crate) fn unread(error: &FileError) -> Option<Severity> {
    match error.source.kind() {
        ErrorKind::NotFound => None,
        ErrorKind::FileTooLarge | ErrorKind::InvalidData => Some(Severity::Note),
        _ => Some(Severity::Error),
    }
}
