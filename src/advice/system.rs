//! Advice for files, processes and the network.

use std::io::ErrorKind;
use std::path::Path;

use super::{drift, rerun};
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::store::layout::{ReleaseId, is_temporary};
use crate::system::command_words::WordsError;
use crate::system::dns::DnsError;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::lock::OPEN_LOCK;
use crate::system::line_reader::LineError;
use crate::system::process::ProcessError;
use crate::system::roots::{ROOTS_PACKAGE, RootsError};
use crate::system::terminal::AskError;
use crate::system::tls::ProbeError;

/// "Operation not permitted", where owner and mode would allow it.
const EPERM: i32 = 1;

/// "Too many levels of symbolic links": a loop, or a link where none is followed.
const ELOOP: i32 = 40;

impl From<RootsError> for Failure {
    fn from(error: RootsError) -> Self {
        const SENTENCE: &str = "Install the system's root certificates";
        let step = match error.install_command {
            Some(command) => {
                NextStep::run_shell(SENTENCE, format!("sudo {command} {ROOTS_PACKAGE}"))
            }
            None => NextStep::say(format!(
                "{SENTENCE}: most distributions have them in the package {ROOTS_PACKAGE}"
            )),
        };
        Self::from_error(FailureKind::NotFound, &error).with_step(step)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let path = shell_word(&error.path.display().to_string());
        let folder = lasting_folder(files::parent(&error.path));
        let folder = shell_word(&folder.display().to_string());
        if error.is_missing() {
            let step = damaged_version(&error.path)
                .unwrap_or_else(|| step_for_missing(error.doing, &folder));
            return Self::from_error(FailureKind::NotFound, &error).with_step(step);
        }
        // Found by `system::fs::files` itself and not by the kernel, whose EFBIG can also mean a
        // file size limit.
        let is_own_check = error.source.raw_os_error().is_none();
        if is_own_check && let Some((kind, step)) = unfit(error.source.kind(), &path, &folder) {
            return Self::from_error(kind, &error).with_step(step);
        }
        if let Some(failure) = needs_root(&error) {
            return failure;
        }
        let kind = match error.source.kind() {
            ErrorKind::AlreadyExists => FailureKind::Exists,
            _ => FailureKind::Io,
        };
        let step = if error.doing == OPEN_LOCK && error.source.raw_os_error() == Some(ELOOP) {
            remove_link_at_lock(&path)
        } else {
            step_for_io_error(&error.source, &path, &folder)
        };
        Self::from_error(kind, &error).with_step(step)
    }
}

/// Returns the failure of a command that writes below /etc/ssl, was not run by root, and was denied
/// something.
fn needs_root(error: &FileError) -> Option<Failure> {
    let is_denied = error.source.kind() == ErrorKind::PermissionDenied;
    let is_denied = is_denied && error.source.raw_os_error() != Some(EPERM);
    let (command, step) = rerun::root_command().filter(|_| is_denied)?;
    let message = format!("`{command}` has to be run as root");
    let failure = Failure::from_error(FailureKind::Io, error);
    let failure = Failure::new(FailureKind::Io, message).because(failure.with_causes());
    Some(failure.with_step(step))
}

/// The lock is a symbolic link; `rm` removes only the link.
fn remove_link_at_lock(path: &str) -> NextStep {
    NextStep::run_shell(
        "The lock must not be a symbolic link; find out what created it, and if nothing needs it, \
            remove it",
        format!("sudo rm {path}"),
    )
}

/// Returns how to replace an installed version, of which a file was deleted: `path` is that file in
/// `ROOT/etc/ssl/certctl/NAME/releases/ID`.
fn damaged_version(path: &Path) -> Option<NextStep> {
    let version = path.parent().filter(|version| files::exists(version))?;
    let id = version.file_name().and_then(|name| name.to_str())?;
    ReleaseId::parse(id)?;
    let base = version.ancestors().nth(3)?;
    let root = base.ancestors().nth(3)?;
    let is_certctls = version.parent()?.ends_with("releases") && base.ends_with("certctl");
    let root = Some(root).filter(|root| *root != Path::new("/"));
    is_certctls.then(|| drift::replace_damaged(root))
}

/// Returns what to do where a file or its folder does not exist; `folder` is quoted for a shell.
fn step_for_missing(doing: &str, folder: &str) -> NextStep {
    match doing {
        // No file can be created in it any more.
        "create" if folder == "." => {
            NextStep::say("This folder was deleted; change to a folder that exists")
        }
        "create" => NextStep::run_shell("Create the folder", format!("mkdir -p {folder}")),
        _ => NextStep::run_shell("List the files in that folder", format!("ls -l {folder}")),
    }
}

/// Returns what to do about an error that the kernel reported; `path` and `folder` are quoted for a
/// shell.
fn step_for_io_error(error: &std::io::Error, path: &str, folder: &str) -> NextStep {
    match error.kind() {
        ErrorKind::AlreadyExists => NextStep::run_shell(
            "Check the existing file, then move it away or choose another name",
            format!("ls -l {path}"),
        ),
        // Even root cannot change files with the attribute i (immutable) or a (append only).
        _ if error.raw_os_error() == Some(EPERM) => NextStep::run_shell(
            "Check for the attributes i and a, which `chattr -i` and `chattr -a` remove",
            format!("lsattr -d {folder} {path}"),
        ),
        _ if error.raw_os_error() == Some(ELOOP) => NextStep::run_shell(
            "Check where the symbolic links on this path lead",
            format!("ls -ld {folder} {path}"),
        ),
        ErrorKind::PermissionDenied => rerun::as_root().unwrap_or_else(|| {
            NextStep::run_shell("Check owner and mode", format!("ls -ld {folder} {path}"))
        }),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => NextStep::run_shell(
            "Check how much space is free, then make room",
            format!("df -h {folder}"),
        ),
        ErrorKind::FileTooLarge => NextStep::run_shell(
            "Lift the limit on the size of files in this shell",
            "ulimit -f unlimited",
        ),
        ErrorKind::ReadOnlyFilesystem => NextStep::run_shell(
            "Check how this file system is mounted",
            format!("findmnt -T {folder}"),
        ),
        _ => NextStep::run_shell("Check the kernel's messages", "sudo dmesg | tail"),
    }
}

/// The nearest folder that keeps its name: a temporary one is gone by the time the user looks.
fn lasting_folder(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|folder| !folder.file_name().is_some_and(is_temporary))
        .unwrap_or(folder)
}

/// Returns the kind of failure and the next step for a file of the wrong size or kind, and for a file
/// system that certctl refuses; `path` and `folder` are quoted for a shell.
fn unfit(kind: ErrorKind, path: &str, folder: &str) -> Option<(FailureKind, NextStep)> {
    match kind {
        ErrorKind::Unsupported => Some((
            FailureKind::Io,
            NextStep::run_shell(
                "Use a folder on a file system that keeps permissions, or mount this one so that only \
                    root can read its files; this shows how it is mounted",
                format!("findmnt -T {folder}"),
            ),
        )),
        ErrorKind::FileTooLarge => Some((
            FailureKind::Hostile,
            NextStep::run_shell(
                "No file from a CA is that large; find out what kind of file it is",
                format!("file {path}"),
            ),
        )),
        ErrorKind::InvalidData => Some((
            FailureKind::Malformed,
            NextStep::run_shell(
                "Pass a regular file, or - for stdin; this shows what kind of file it is",
                format!("file {path}"),
            ),
        )),
        ErrorKind::ResourceBusy => Some((
            FailureKind::Usage,
            NextStep::say(
                "Only one argument can be `-`; write the other input to a file, and pass that file",
            ),
        )),
        ErrorKind::IsADirectory => Some((
            FailureKind::Malformed,
            NextStep::run_shell("Pass a file in that folder", format!("ls {path}")),
        )),
        _ => None,
    }
}

/// For a command option without a command.
fn pass_a_command() -> NextStep {
    NextStep::say("Pass a command, for example `--reload 'systemctl reload nginx'`")
}

/// For a password that cannot be read from a terminal.
fn use_password_file() -> NextStep {
    NextStep::say(
        "Write the password to a file with mode 0600 and pass that file, for example \
            `--password-file password.txt`",
    )
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match &error {
            ProcessError::Empty => {
                Self::from_error(FailureKind::Usage, &error).with_step(pass_a_command())
            }
            ProcessError::NotFound { program } => Self::from_error(FailureKind::NotFound, &error)
                .with_step(NextStep::run_shell(
                    "Find the program and pass its absolute path",
                    format!("command -v {}", shell_word(program)),
                )),
            ProcessError::Exposed { program, exposed } => {
                let failure = Self::from_error(FailureKind::Hostile, &error);
                super::programs::protect(program, exposed)
                    .into_iter()
                    .fold(failure, Self::with_step)
            }
            ProcessError::Start { program, .. } => Self::from_error(FailureKind::Io, &error)
                .with_step(NextStep::run_shell(
                    "Check the owner and mode of the program",
                    format!("ls -l {}", shell_word(program)),
                )),
        }
    }
}

impl From<WordsError> for Failure {
    fn from(error: WordsError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        match error {
            WordsError::Empty => failure.with_step(pass_a_command()),
            WordsError::Shell(_) => failure.with_step(NextStep::say(
                "Quote the character, or run a shell, for example \
                    `--reload \"sh -c 'one && two'\"`",
            )),
            WordsError::Unclosed => failure.with_step(NextStep::say(
                "Close the quotation, for example `--reload \"sh -c 'one && two'\"`",
            )),
        }
    }
}

impl From<DnsError> for Failure {
    fn from(error: DnsError) -> Self {
        let kind = match error {
            DnsError::Interrupted(signal) => FailureKind::Interrupted(signal),
            DnsError::Start(_) => FailureKind::Internal,
        };
        Self::from_error(kind, &error).with_step(NextStep::run_certctl(
            "Check the records again and wait for them",
            &["dcv-check", "--wait"],
        ))
    }
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Self {
        let kind = match &error {
            LineError::Io(_) => FailureKind::Io,
            LineError::TooLong => FailureKind::Malformed,
        };
        Self::from_error(kind, &error).with_step(NextStep::say(
            "Write one item per line: a name, the path of a request, or a record (host and value)",
        ))
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match &error {
            AskError::Interrupted(signal) => {
                Self::from_error(FailureKind::Interrupted(*signal), &error)
            }
            AskError::Io(_) => {
                Self::from_error(FailureKind::Io, &error).with_step(use_password_file())
            }
            AskError::NoTerminal => {
                Self::from_error(FailureKind::Usage, &error).with_step(use_password_file())
            }
            AskError::Unreadable => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say("Choose a password of at most 1024 bytes")),
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        let failure = Self::from_error(FailureKind::Network, &error);
        let step = match &error {
            ProbeError::NoAddress(host) => NextStep::run_shell(
                "Check the spelling of the name, and whether this machine can resolve it",
                format!("getent hosts {}", shell_word(host)),
            ),
            _ => NextStep::run_shell("Check that a server listens on that port", "ss -tln"),
        };
        failure.with_step(step)
    }
}
