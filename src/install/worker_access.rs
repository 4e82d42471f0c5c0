//! What the workers of a server may read: their user and groups, and the permissions on a path.

use std::path::{Path, PathBuf};

use crate::diagnosis::FileBarrier;
use crate::permissions::Owner;
use crate::system::fs::files;
use crate::system::fs::folders::{self, FileKind, FileStatus};
use crate::system::process_start;

/// The maximum size of the status of a process, in bytes.
const STATUS_LIMIT: u64 = 64 * 1024;

/// The user and the groups of a worker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WorkerIdentity {
    user: u32,
    groups: Vec<u32>,
}

/// Finds the identity of a worker of the server with this master; `None` if it is root, which may
/// read everything, or not known.
pub(crate) fn find_worker(master: i32) -> Option<WorkerIdentity> {
    let children = process_start::children_of(master)?;
    let mut found = children.iter().filter_map(|child| read_identity(child.pid));
    found.find(|identity| identity.user != 0)
}

fn read_identity(pid: i32) -> Option<WorkerIdentity> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let bytes = files::read(&path, STATUS_LIMIT).ok()?;
    parse_identity(&String::from_utf8_lossy(&bytes))
}

/// Parses the effective user, the effective group and the further groups (proc(5)).
fn parse_identity(status: &str) -> Option<WorkerIdentity> {
    let numbers = |field: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let words = line.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let user = numbers("Uid:").get(1).copied()?;
    let mut groups = numbers("Groups:");
    groups.extend(numbers("Gid:").get(1).copied());
    Some(WorkerIdentity { user, groups })
}

impl WorkerIdentity {
    /// The user of an application.
    #[must_use]
    pub(crate) fn of_account(owner: Owner) -> Self {
        Self {
            user: owner.uid,
            groups: vec![owner.gid],
        }
    }

    /// A user that does not exist yet, and so owns nothing.
    #[must_use]
    pub(crate) fn stranger() -> Self {
        Self {
            user: u32::MAX,
            groups: Vec::new(),
        }
    }

    /// The group of its processes.
    #[must_use]
    pub(crate) fn group(&self) -> Option<u32> {
        self.groups.last().copied()
    }

    /// Returns the first file or folder on the way to `path` that it may not use; `missing` is the
    /// permission that it needs on the last one.
    pub(crate) fn find_barrier(&self, path: &Path, missing: char) -> Option<FileBarrier> {
        let mut ancestors: Vec<&Path> = path.ancestors().skip(1).collect();
        ancestors.reverse();
        for folder in ancestors {
            if let Some(barrier) = self.check(folder, 'x') {
                return Some(barrier);
            }
        }
        self.check(path, missing)
    }

    fn check(&self, path: &Path, missing: char) -> Option<FileBarrier> {
        let path = folders::resolve_links(path).ok()?;
        let status = folders::read_status(&path).ok()??;
        if matches!(status.kind, FileKind::Link(_)) || self.has(&status, missing) {
            return None;
        }
        Some(FileBarrier {
            mode: status.mode,
            owner: status.owner,
            user: self.user,
            missing,
            path,
        })
    }

    fn has(&self, status: &FileStatus, permission: char) -> bool {
        let bit = match permission {
            'r' => 0o4,
            'w' => 0o2,
            _ => 0o1,
        };
        let shift = if status.owner.uid == self.user {
            6
        } else if self.groups.contains(&status.owner.gid) {
            3
        } else {
            0
        };
        status.mode.has_any(bit << shift)
    }
}

#[cfg(test)]
mod tests {
    use super::{WorkerIdentity, parse_identity};

    #[test]
    fn the_effective_user_and_all_groups_count() {
        let status = "Name:\tnginx\nUid:\t0\t33\t33\t33\nGid:\t0\t34\t34\t34\nGroups:\t33 112 \n";
        let expected = WorkerIdentity {
            user: 33,
            groups: vec![33, 112, 34],
        };
        assert_eq!(parse_identity(status), Some(expected));
        assert_eq!(parse_identity("Name:\tx\n"), None);
    }
}
