//! Advice for files, processes and the network.

use std::io::ErrorKind;
use std::path::Path;

use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::store::layout::is_temporary;
use crate::system::dns::DnsError;
use crate::system::fs::files::{self, FileError};
use crate::system::line_reader::LineError;
use crate::system::process::{ProcessError, WordsError};
use crate::system::roots::RootsError;
use crate::system::terminal::AskError;
use crate::system::tls::ProbeError;

/// "Operation not permitted", where owner and mode would allow it.
const EPERM: i32 = 1;

impl From<RootsError> for Failure {
    fn from(error: RootsError) -> Self {
        Self::from_error(FailureKind::NotFound, &error).with_step(NextStep::say(
            "install them:  sudo apt-get install ca-certificates",
        ))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let path = shell_word(&error.path.display().to_string());
        let folder = lasting_folder(files::parent(&error.path));
        let folder = shell_word(&folder.display().to_string());
        if error.is_missing() {
            let step = step_for_missing(error.doing, &folder);
            return Self::from_error(FailureKind::NotFound, &error).with_step(NextStep::say(step));
        }
        // What `system::fs::files` found out by itself, not what the kernel said (a file size limit
        // is EFBIG too).
        let by_certctl = error.source.raw_os_error().is_none();
        if by_certctl && let Some((kind, step)) = unfit(error.source.kind(), &path) {
            return Self::from_error(kind, &error).with_step(NextStep::say(step));
        }
        let kind = match error.source.kind() {
            ErrorKind::AlreadyExists => FailureKind::Exists,
            _ => FailureKind::Io,
        };
        let step = step_for_io_error(&error.source, &path, &folder);
        Self::from_error(kind, &error).with_step(NextStep::say(step))
    }
}

/// What to do where a file or its folder does not exist.
fn step_for_missing(doing: &str, folder: &str) -> String {
    match doing {
        // Nothing can be made in it any more.
        "create" if folder == "." => {
            "this folder was deleted; cd to a folder that exists".to_owned()
        }
        "create" => format!("mkdir -p {folder}"),
        _ => format!("ls -l {folder}"),
    }
}

/// What to do about an error that the kernel reported; `path` and `folder` are quoted for a shell.
fn step_for_io_error(error: &std::io::Error, path: &str, folder: &str) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("move it away, or choose another name:  ls -l {path}")
        }
        // Root may do anything but change what is marked as unchangeable.
        _ if error.raw_os_error() == Some(EPERM) => {
            format!(
                "see what is marked i or a (chattr -i takes it off):  lsattr -d {folder} {path}"
            )
        }
        ErrorKind::PermissionDenied => {
            format!("ls -ld {folder} {path}; run it with sudo if they are root's")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("make room:  df -h {folder}")
        }
        ErrorKind::FileTooLarge => "see the limit, and lift it:  ulimit -f unlimited".to_owned(),
        ErrorKind::ReadOnlyFilesystem => format!("findmnt -T {folder}"),
        _ => format!("ls -ld {path}; what the kernel says of it:  sudo dmesg | tail"),
    }
}

/// The nearest folder that keeps its name: a temporary one is gone by the time the user looks.
fn lasting_folder(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|folder| !folder.file_name().is_some_and(is_temporary))
        .unwrap_or(folder)
}

/// The failure and the next step for a file of the wrong size or kind.
fn unfit(kind: ErrorKind, path: &str) -> Option<(FailureKind, String)> {
    match kind {
        ErrorKind::FileTooLarge => Some((
            FailureKind::Hostile,
            format!("nothing that a CA sends is that large; what is it?  file {path}"),
        )),
        ErrorKind::InvalidData => Some((
            FailureKind::Malformed,
            format!("pass a file, or - for stdin; what is it?  file {path}"),
        )),
        ErrorKind::IsADirectory => Some((
            FailureKind::Malformed,
            format!("pass a file in it:  ls {path}"),
        )),
        _ => None,
    }
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match &error {
            ProcessError::Empty => Self::from_error(FailureKind::Usage, &error).with_step(
                NextStep::say("give a command:  --reload 'systemctl reload nginx'"),
            ),
            ProcessError::NotFound { program } => {
                let step = format!(
                    "name it with its whole path; where is it?  command -v {}",
                    shell_word(program)
                );
                Self::from_error(FailureKind::NotFound, &error).with_step(NextStep::say(step))
            }
            ProcessError::Start { program, .. } => Self::from_error(FailureKind::Io, &error)
                .with_step(NextStep::shell(format!("ls -l {}", shell_word(program)))),
        }
    }
}

impl From<WordsError> for Failure {
    fn from(error: WordsError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        match error {
            WordsError::Empty => failure.with_step(NextStep::say(
                "give a command:  --reload 'systemctl reload nginx'",
            )),
            WordsError::Shell(_) => failure.with_step(NextStep::say(
                "quote it, or ask for a shell:  --reload \"sh -c 'one && two'\"",
            )),
            WordsError::Unclosed => {
                failure.with_step(NextStep::say("close it:  --reload \"sh -c 'one && two'\""))
            }
        }
    }
}

impl From<DnsError> for Failure {
    fn from(error: DnsError) -> Self {
        let kind = match error {
            DnsError::Interrupted(signal) => FailureKind::Interrupted(signal),
            DnsError::Start(_) => FailureKind::Internal,
        };
        Self::from_error(kind, &error).with_step(NextStep::run(&["dcv-check", "--wait"]))
    }
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Self {
        let kind = match &error {
            LineError::Io(_) => FailureKind::Io,
            LineError::TooLong => FailureKind::Malformed,
        };
        Self::from_error(kind, &error).with_step(NextStep::say(
            "one line each: a name, a request's file, or a record (host and value)",
        ))
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match &error {
            AskError::Interrupted(signal) => {
                Self::from_error(FailureKind::Interrupted(*signal), &error)
            }
            AskError::Io(_) => Self::from_error(FailureKind::Io, &error).with_step(NextStep::say(
                "put the password into a file of mode 0600, and name that",
            )),
            AskError::NoTerminal => Self::from_error(FailureKind::Usage, &error).with_step(
                NextStep::say("put the password into a file of mode 0600, and name that"),
            ),
            AskError::Unreadable => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say("choose one of at most 1024 bytes")),
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        let failure = Self::from_error(FailureKind::Network, &error);
        match &error {
            ProbeError::NoAddress(host) => failure.with_step(NextStep::say(format!(
                "is the name right, and known here?  getent hosts {}",
                shell_word(host)
            ))),
            _ => failure.with_step(NextStep::say("is something listening there?  ss -tln")),
        }
    }
}
