//! Files and folders: each file read up to a bound, everything else told.

use std::io::ErrorKind;
use std::path::Path;

use super::gathered::Survey;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Next};
use crate::inventory::{Item, Origin, Place, glance};
use crate::system::files::{self, FileError};
use crate::system::walk::{Depth, Met, Walk};

impl Survey {
    /// The working directory's own files.
    pub(super) fn here(&mut self, context: &Context) {
        for met in Walk::new(&context.directory, Depth::Own) {
            // Spelled as the user would.
            let met = match met {
                Met::File(path) => Met::File(context.here(path.file_name().unwrap_or_default())),
                // What nobody named is not worth a line.
                Met::Skipped(..) => continue,
                other => other,
            };
            self.met(met, &Origin::Here);
        }
    }

    /// A file, or everything below a folder.
    pub(super) fn path(&mut self, path: &Path, origin: &Origin) {
        if !files::is_folder(path) {
            return self.met(Met::File(path.to_owned()), origin);
        }
        for met in Walk::new(path, Depth::Tree) {
            self.met(met, origin);
        }
    }

    fn met(&mut self, met: Met, origin: &Origin) {
        match met {
            Met::File(path) => self.file(&path, origin, &path),
            Met::Skipped(path, what) => {
                let message = format!("{} is {what}: passed over", path.display());
                self.findings.push(Finding::note("passed-over", message));
            }
            Met::Failed(error) => self.tell(&Failure::from(error), "unreadable"),
        }
    }

    /// What is in the file at `path`, which people know as `shown`.
    pub(super) fn file(&mut self, path: &Path, origin: &Origin, shown: &Path) {
        let (bytes, mode) = match files::read_with_mode(path, glance::LIMIT) {
            Ok(read) => read,
            Err(error) => return self.unread(error, matches!(origin, Origin::Installed(_))),
        };
        self.files += 1;
        let place = Place::file(shown, origin.clone());
        self.items.extend(glance::glance(bytes, mode).into_iter().map(|what| Item { place: place.clone(), what }));
    }

    /// A key that only its owner may read is as it should be: who looks at the rest needs no more of it.
    pub(super) fn unread(&mut self, error: FileError, usually_closed: bool) {
        match error.source.kind() {
            ErrorKind::PermissionDenied if usually_closed => {
                let message = format!("{} may not be read by you: whether it fits is not known", error.path.display());
                self.findings.push(Finding::note("not-readable", message).with(Next::say("sudo certctl status")));
            }
            // It was taken away in the meantime.
            ErrorKind::NotFound => {}
            ErrorKind::FileTooLarge | ErrorKind::InvalidData => {
                let message = format!("{}: {}: passed over", error.path.display(), error.source);
                self.findings.push(Finding::note("passed-over", message));
            }
            _ => self.tell(&Failure::from(error), "unreadable"),
        }
    }
}
