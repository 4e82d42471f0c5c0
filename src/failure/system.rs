//! Advice for files, processes and the network.

use std::io::ErrorKind;

use super::{Failure, Kind};
use crate::finding::Next;
use crate::system::files::FileError;

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let path = error.path.display().to_string();
        if error.is_missing() {
            return Self::of(Kind::NotFound, &error).with(Next::say(format!("ls -l {path}")));
        }
        let kind = match error.source.kind() {
            ErrorKind::AlreadyExists => Kind::Exists,
            _ => Kind::Io,
        };
        let failure = Self::of(kind, &error);
        match error.source.kind() {
            ErrorKind::PermissionDenied => {
                failure.with(Next::say(format!("ls -ld {path}; run it with sudo if it is root's")))
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                failure.with(Next::say(format!("make room:  df -h {path}")))
            }
            ErrorKind::ReadOnlyFilesystem => failure.with(Next::say(format!("findmnt -T {path}"))),
            _ => failure,
        }
    }
}
