//! Advice for files, processes and the network.

use std::io::ErrorKind;

use super::{Failure, Kind};
use crate::finding::{Next, shell_word};
use crate::system::files::FileError;

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let path = shell_word(&error.path.display().to_string());
        if error.is_missing() {
            let failure = Self::of(Kind::NotFound, &error);
            return match error.path.parent() {
                Some(folder) if error.doing == "create" && !folder.as_os_str().is_empty() => {
                    failure.with(Next::say(format!("mkdir -p {}", shell_word(&folder.display().to_string()))))
                }
                _ => failure.with(Next::say(format!("ls -l {path}"))),
            };
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
