//! Whether a running server has loaded its configuration as it is now: a reload activates everything
//! that was changed since.
//!
//! What is not known: changes within a fifth of a second after the load; changes before the clock of
//! the machine was set back; and changes after nginx has lost and replaced all of its workers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::observe::{FILE_LIMIT, FileView, ServerDetail, ServerObservation};
use crate::pki::fingerprint::Fingerprint;
use crate::system::fs::files;
use crate::system::process_start::{self, ChildProcess};

/// Start times are accurate to a few hundredths of a second.
const ACCURACY: Duration = Duration::from_millis(200);

/// Files that were changed after a server had loaded its configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UnloadedChanges {
    /// The files, and the folders in which files were added or removed.
    pub paths: Vec<PathBuf>,
}

impl ServerObservation {
    /// Returns the changes since the running server has loaded its configuration; `None` if there
    /// are none, or that is not known.
    #[must_use]
    pub(crate) fn unloaded_changes(&self) -> Option<UnloadedChanges> {
        let loaded = self.load_time()?;
        let mut paths = Vec::new();
        for path in self.config_files() {
            let changed = process_start::last_change_of(&path);
            if changed.is_some_and(|changed| is_after(changed, loaded)) {
                paths.push(path);
            }
        }
        for folder in self.included_folders() {
            let changed = process_start::content_change_of(&folder);
            // Where a file in it was changed, that is reported already.
            let is_known = paths.iter().any(|path| path.starts_with(&folder));
            if !is_known && changed.is_some_and(|changed| is_after(changed, loaded)) {
                paths.push(folder);
            }
        }
        (!paths.is_empty()).then_some(UnloadedChanges { paths })
    }

    /// Returns a digest of the files of its configuration, which changes with any of them.
    #[must_use]
    pub(crate) fn config_digest(&self) -> String {
        let mut text = String::new();
        for path in self.config_files() {
            let content = files::read(&path, FILE_LIMIT).map(|bytes| Fingerprint::of(&bytes));
            let content = content.map_or_else(|_| "unreadable".to_owned(), |one| one.to_string());
            text.push_str(&format!("{} {content}\n", path.display()));
        }
        Fingerprint::of(text.as_bytes()).to_string()
    }

    /// When the running server has loaded its configuration, at the latest.
    fn load_time(&self) -> Option<Timestamp> {
        let pid = self.running?;
        match &self.detail {
            // Apache writes its pid file again with every restart, graceful or not.
            ServerDetail::Apache(config) => {
                process_start::content_change_of(config.pid.as_deref()?)
            }
            ServerDetail::Haproxy(_) => newest_worker(pid),
            ServerDetail::Nginx { .. } => oldest_current_worker(pid),
        }
    }

    /// The files of its configuration that exist, each once.
    fn config_files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.config.file.clone()];
        for pattern in &self.config.includes {
            files.extend(FileView::own().matching_files(pattern).unwrap_or_default());
        }
        files.extend(self.config.blocks().iter().map(|block| block.file.clone()));
        if let ServerDetail::Haproxy(config) = &self.detail {
            files.extend(config.routes.iter().map(|section| section.file.clone()));
        }
        files.sort();
        files.dedup();
        files
    }

    /// The folders that hold included files, found by patterns.
    fn included_folders(&self) -> Vec<PathBuf> {
        let patterns = self.config.includes.iter();
        let of_folders = patterns.filter(|path| path.to_string_lossy().contains('*'));
        let parents = of_folders.filter_map(|path| path.parent());
        let mut folders: Vec<PathBuf> = parents.map(Path::to_owned).collect();
        folders.sort();
        folders.dedup();
        folders
    }
}

fn is_after(changed: Timestamp, loaded: Timestamp) -> bool {
    loaded
        .checked_add(ACCURACY)
        .is_ok_and(|accurate| changed > accurate)
}

/// nginx starts new workers when it has loaded its configuration; later it only replaces those that
/// have crashed. Old ones finish their connections and say so in their title.
fn oldest_current_worker(master: i32) -> Option<Timestamp> {
    let children = process_start::children_of(master)?;
    children
        .iter()
        .filter(|child| is_current_worker(child))
        .map(|child| child.started)
        .min()
}

fn is_current_worker(child: &ChildProcess) -> bool {
    child.title.starts_with("nginx: worker process") && !child.title.contains("shutting down")
}

/// The master of HAProxy starts a new worker for each configuration; without a master, each
/// configuration has a process of its own.
fn newest_worker(pid: i32) -> Option<Timestamp> {
    let children = process_start::children_of(pid).unwrap_or_default();
    let newest = children.iter().map(|child| child.started).max();
    newest.or_else(|| process_start::start_of(pid))
}
