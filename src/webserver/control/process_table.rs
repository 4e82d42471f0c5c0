//! Reads the processes of web servers from /proc, bounded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::observe::{ServerError, split_at_nulls};
use crate::system::clock;
use crate::system::fs::files;
use crate::system::fs::folders::{self, FileKind};
use crate::system::process_start::{self, ProcessStat};
use crate::webserver::masters::{self, ProcessFacts, ProcessNamespaces, ServerMaster};
use crate::webserver::model::ServerSoftware;

const PROC: &str = "/proc";
/// The maximum number of entries of /proc that are read; the highest process id of Linux is 2^22.
const ENTRIES: usize = 5_000_000;
/// The maximum size of a file of /proc, in bytes. A larger one is not read.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// How often a process is read while it executes a program, and the pauses in between.
const EXECUTION_CHECKS: usize = 10;
const EXECUTION_PAUSE: Duration = Duration::from_millis(5);
/// The end of the target of /proc/PID/exe if the file was replaced, by an upgrade for example.
const DELETED: &str = " (deleted)";

/// Returns the running masters of a server, in all namespaces that certctl can see.
#[must_use]
pub(crate) fn read_masters(software: ServerSoftware) -> Vec<ServerMaster> {
    masters::find_masters(software, &read_processes(software))
}

/// Returns the processes of a server.
fn read_processes(software: ServerSoftware) -> Vec<ProcessFacts> {
    let names = masters::process_names(software);
    process_folders()
        .iter()
        .filter_map(|folder| read_process(folder, names))
        .collect()
}

/// Returns the folders of all processes.
#[must_use]
pub(crate) fn process_folders() -> Vec<PathBuf> {
    let mut folders = files::entries(Path::new(PROC), ENTRIES).unwrap_or_default();
    folders.retain(|folder| pid_of(folder).is_some());
    folders
}

/// Checks that the processes of other users are visible: in each namespace, that of number 1 is.
///
/// # Errors
/// [`ServerError::NoProc`], [`ServerError::ProcessesHidden`].
pub(crate) fn check_visible() -> Result<(), ServerError> {
    let first = files::read(Path::new("/proc/1/stat"), FILE_LIMIT);
    first.map(drop).map_err(|_| match own_pid() {
        Some(_) => ServerError::ProcessesHidden,
        None => ServerError::NoProc,
    })
}

/// Returns the process id that a folder of /proc is for.
#[must_use]
pub(crate) fn pid_of(folder: &Path) -> Option<i32> {
    folder.file_name()?.to_str()?.parse().ok()
}

/// Returns the process id of certctl itself, as /proc shows it.
#[must_use]
pub(super) fn own_pid() -> Option<i32> {
    pid_of(&read_link(Path::new("/proc/self"))?)
}

/// Returns the namespaces of certctl itself.
#[must_use]
pub(crate) fn own_namespaces() -> ProcessNamespaces {
    read_namespaces(Path::new("/proc/self"))
}

/// Returns the path in /proc of the root directory that a process sees.
#[must_use]
pub(crate) fn root_of(pid: i32) -> PathBuf {
    Path::new(PROC).join(pid.to_string()).join("root")
}

/// Returns the folder of a process in /proc.
#[must_use]
pub(crate) fn folder_of(pid: i32) -> PathBuf {
    Path::new(PROC).join(pid.to_string())
}

/// Returns the environment of a process, as `NAME=VALUE`; `None` if it may not be read.
#[must_use]
pub(crate) fn environment_of(pid: i32) -> Option<Vec<String>> {
    let path = Path::new(PROC).join(pid.to_string()).join("environ");
    let bytes = files::read(&path, FILE_LIMIT).ok()?;
    Some(nonempty_words(&bytes))
}

/// Returns the words of a process's command line.
#[must_use]
pub(crate) fn words_of(pid: i32) -> Vec<String> {
    let path = Path::new(PROC).join(pid.to_string()).join("cmdline");
    nonempty_words(&files::read(&path, FILE_LIMIT).unwrap_or_default())
}

/// Returns the words of a server's command line. HAProxy's master executes itself once more after
/// each start and reload, and has none for a moment.
fn settled_words_of(pid: i32) -> Vec<String> {
    for _ in 0..EXECUTION_CHECKS {
        let words = words_of(pid);
        if !words.is_empty() {
            return words;
        }
        clock::sleep(EXECUTION_PAUSE);
    }
    Vec::new()
}

fn read_process(folder: &Path, names: &[&str]) -> Option<ProcessFacts> {
    let pid = pid_of(folder)?;
    let name = read_line(&folder.join("comm"))?;
    if !names.contains(&name.as_str()) {
        return None;
    }
    // The user is read before everything else that the process decides, and the name once more: it
    // may execute a program that changes its user in the meantime.
    let user = read_user(folder);
    if read_line(&folder.join("comm"))? != name {
        return None;
    }
    let ProcessStat { parent, started } = process_start::read_stat(folder)?;
    let executable = read_link(&folder.join("exe")).map(|path| {
        let text = path.display().to_string();
        text.strip_suffix(DELETED).map_or(path, PathBuf::from)
    });
    Some(ProcessFacts {
        pid,
        parent,
        user,
        started,
        name,
        words: settled_words_of(pid),
        executable,
        folder: read_link(&folder.join("cwd")),
        root: read_link(&folder.join("root")),
        namespaces: read_namespaces(folder),
        cgroup: read_line(&folder.join("cgroup")).unwrap_or_default(),
    })
}

/// The real user id (proc_pid_status(5)). The owner of the folder is root's for some processes of
/// other users.
fn read_user(folder: &Path) -> Option<u32> {
    let status = files::read(&folder.join("status"), FILE_LIMIT).ok()?;
    let status = String::from_utf8_lossy(&status);
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().next()?.parse().ok()
}

/// The user that a process acts as, with all its groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ProcessUser {
    pub uid: u32,
    pub groups: Vec<u32>,
}

/// Reads the effective user, the effective group and the further groups of a process
/// (proc_pid_status(5)); `None` if it has ended, or the system does not show it.
#[must_use]
pub(crate) fn user_of(pid: i32) -> Option<ProcessUser> {
    let status = files::read(&folder_of(pid).join("status"), FILE_LIMIT).ok()?;
    parse_user(&String::from_utf8_lossy(&status))
}

fn parse_user(status: &str) -> Option<ProcessUser> {
    let numbers = |name: &str| -> Option<Vec<u32>> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().flat_map(str::parse).collect())
    };
    let uid = *numbers("Uid:")?.get(1)?;
    let mut groups = numbers("Groups:").unwrap_or_default();
    groups.extend(numbers("Gid:")?.get(1));
    Some(ProcessUser { uid, groups })
}

fn read_namespaces(folder: &Path) -> ProcessNamespaces {
    let read = |name: &str| read_link(&folder.join("ns").join(name));
    ProcessNamespaces {
        mount: read("mnt"),
        network: read("net"),
        pid: read("pid"),
    }
}

fn read_link(path: &Path) -> Option<PathBuf> {
    match folders::read_status(path).ok()??.kind {
        FileKind::Link(target) => Some(target),
        _ => None,
    }
}

fn read_line(path: &Path) -> Option<String> {
    let bytes = files::read(path, FILE_LIMIT).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn nonempty_words(bytes: &[u8]) -> Vec<String> {
    let mut words = split_at_nulls(bytes);
    words.retain(|word| !word.is_empty());
    words
}
