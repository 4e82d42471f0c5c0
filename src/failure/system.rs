//! Advice for files, processes and the network.

use std::io::ErrorKind;

use super::{Failure, Kind};
use crate::finding::{Next, shell_word};
use crate::system::files::FileError;
use crate::system::process::{ProcessError, WordsError};

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

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match &error {
            ProcessError::Empty => Self::of(Kind::Usage, &error),
            ProcessError::NotFound { program } => {
                let step = format!("name it with its whole path; where is it?  command -v {}", shell_word(program));
                Self::of(Kind::NotFound, &error).with(Next::say(step))
            }
            ProcessError::Start { program, .. } => {
                Self::of(Kind::Io, &error).with(Next::say(format!("ls -l {}", shell_word(program))))
            }
        }
    }
}

impl From<WordsError> for Failure {
    fn from(error: WordsError) -> Self {
        let failure = Self::of(Kind::Usage, &error);
        match error {
            WordsError::Empty => failure.with(Next::say("give a command:  --reload 'systemctl reload nginx'")),
            WordsError::Shell(_) => {
                failure.with(Next::say("quote it, or ask for a shell:  --reload \"sh -c 'one && two'\""))
            }
            WordsError::Unclosed => failure.with(Next::say("close it:  --reload \"sh -c 'one && two'\"")),
        }
    }
}
