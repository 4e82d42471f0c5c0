//! The processes that have files open or mapped, as far as the user may see them, from /proc.

use std::path::{Path, PathBuf};

use super::ports::command_of;
use super::process_table;
use crate::system::fs::files;
use crate::system::fs::folders::{self, FileKind};

/// The maximum number of open files of a process that are checked.
const OPEN_FILES: usize = 1_000_000;
/// The maximum size of a list of mapped files, in bytes.
const MAPS_LIMIT: u64 = 16 * 1024 * 1024;
/// What Linux appends to the path of a file that was removed or replaced.
const DELETED: &str = " (deleted)";

/// A process that has a file open or mapped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileHolder {
    pub pid: i32,
    /// The beginning of its command line, without options. Untrusted text.
    pub command: String,
    /// The file as the process opened it.
    pub path: PathBuf,
}

/// How a process holds a file: by a path that still leads to it, or after the path got another file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OpenPath {
    Present,
    Replaced,
}

/// Returns the first file of each process that `is_wanted` selects; certctl itself is omitted.
#[must_use]
pub(crate) fn find_holders(is_wanted: impl Fn(&Path, OpenPath) -> bool) -> Vec<FileHolder> {
    let own_pid = process_table::own_pid();
    let mut holders = Vec::new();
    for folder in process_table::process_folders() {
        let Some(pid) = process_table::pid_of(&folder).filter(|pid| Some(*pid) != own_pid) else {
            continue;
        };
        let mut paths = open_paths(&folder);
        paths.extend(mapped_paths(&folder));
        let held = paths.into_iter().map(split_deleted);
        let mut wanted = held.filter(|(path, held)| is_wanted(path, *held));
        holders.extend(wanted.next().map(|(path, _)| FileHolder {
            pid,
            command: command_of(pid),
            path,
        }));
    }
    holders
}

fn open_paths(folder: &Path) -> Vec<String> {
    let open = files::entries(&folder.join("fd"), OPEN_FILES).unwrap_or_default();
    let mut paths = Vec::new();
    for descriptor in open {
        if let Ok(Some(status)) = folders::read_status(&descriptor)
            && let FileKind::Link(target) = status.kind
        {
            paths.push(target.to_string_lossy().into_owned());
        }
    }
    paths
}

/// The sixth field of each line of /proc/PID/maps, which may contain spaces.
fn mapped_paths(folder: &Path) -> Vec<String> {
    let bytes = files::read(&folder.join("maps"), MAPS_LIMIT).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut paths: Vec<String> = Vec::new();
    for line in text.lines() {
        let path = line.find('/').map(|start| &line[start..]);
        if let Some(path) = path
            && paths.last().is_none_or(|last| last != path)
        {
            paths.push(path.to_owned());
        }
    }
    paths
}

fn split_deleted(text: String) -> (PathBuf, OpenPath) {
    match text.strip_suffix(DELETED) {
        Some(path) => (PathBuf::from(path), OpenPath::Replaced),
        None => (PathBuf::from(text), OpenPath::Present),
    }
}
