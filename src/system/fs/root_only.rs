//! Whether only root can change what a path leads to: the file, and every folder and link on the way.

use std::path::{Path, PathBuf};

use super::files::FileError;
use super::path_walk::PathWalker;
use crate::matching::key_trust::{NodeKind, PathNode};
use crate::permissions::{Mode, Owner};

/// The kind of an entry that users other than root can change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExposedKind {
    File,
    Folder,
    Link,
}

/// An entry on the way to a file that users other than root can change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExposedEntry {
    /// Where it is; no folder on this path is a link.
    pub path: PathBuf,
    pub kind: ExposedKind,
    pub owner: Owner,
    pub mode: Mode,
}

/// Returns whether only root can change what `path` leads to: the file, and every folder and link on
/// the way. False if that cannot be determined.
#[must_use]
pub(crate) fn only_root_can_change(path: &Path) -> bool {
    path.is_absolute() && exposed_entries(path).is_ok_and(|exposed| exposed.is_empty())
}

/// Returns the entries on the way to the file at an absolute `path`, and the file itself, that users
/// other than root can change.
///
/// # Errors
/// When the path leads to nothing, or cannot be followed.
pub(crate) fn exposed_entries(path: &Path) -> Result<Vec<ExposedEntry>, FileError> {
    let walked = PathWalker::default().walk(path)?;
    let top = walked.above.first();
    let owner_of_all = top.map_or(0, |top| top.owner.uid);
    let mut exposed: Vec<ExposedEntry> = Vec::new();
    for node in walked.above.iter().chain([&walked.end]) {
        let entry = ExposedEntry::of(node);
        if is_exposed(node, owner_of_all) && !exposed.contains(&entry) {
            exposed.push(entry);
        }
    }
    Ok(exposed)
}

/// In a folder with the sticky bit, other users cannot replace what belongs to root. The owner of `/`
/// can replace everything, so nothing is lost if its own files are trusted: in a user namespace that
/// is the real root, under another id.
fn is_exposed(node: &PathNode, owner_of_all: u32) -> bool {
    let is_owned = [0, owner_of_all].contains(&node.owner.uid);
    let is_sticky = node.kind == NodeKind::Folder && node.mode.has_any(0o1000);
    let is_shared = node.kind != NodeKind::Link && !is_sticky && node.mode.has_any(0o022);
    !is_owned || is_shared
}

impl ExposedEntry {
    fn of(node: &PathNode) -> Self {
        Self {
            path: node.path.clone(),
            kind: match node.kind {
                NodeKind::File => ExposedKind::File,
                NodeKind::Folder => ExposedKind::Folder,
                NodeKind::Link => ExposedKind::Link,
            },
            owner: node.owner,
            mode: node.mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{ExposedKind, exposed_entries, only_root_can_change};

    fn set_mode(path: &std::path::Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn every_folder_and_link_on_the_way_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(folder.path()).unwrap();
        let (open, closed) = (base.join("open"), base.join("closed"));
        fs::create_dir(&open).unwrap();
        fs::create_dir(&closed).unwrap();
        fs::write(closed.join("program"), "").unwrap();
        set_mode(&closed.join("program"), 0o755);
        set_mode(&open, 0o777);
        // first -> open/second -> closed/program
        symlink(closed.join("program"), open.join("second")).unwrap();
        symlink(open.join("second"), base.join("first")).unwrap();
        let kinds = |path: &str| -> Vec<ExposedKind> {
            let exposed = exposed_entries(&base.join(path)).unwrap();
            exposed.iter().map(|entry| entry.kind).collect()
        };
        let first = kinds("first");
        assert!(first.contains(&ExposedKind::Folder), "{first:?}");
        let direct = kinds("closed/program");
        let outside = kinds("closed/../open/../closed/program");
        if rustix::process::geteuid().is_root() {
            assert!(direct.is_empty(), "{direct:?}");
            assert_eq!(outside, [ExposedKind::Folder]);
            assert!(only_root_can_change(&closed.join("program")));
            set_mode(&closed.join("program"), 0o775);
            assert_eq!(kinds("closed/program"), [ExposedKind::File]);
        }
        assert!(!only_root_can_change(&base.join("first")));
        assert!(!only_root_can_change(&base.join("missing")));
        symlink("loop", base.join("loop")).unwrap();
        assert!(exposed_entries(&base.join("loop")).is_err());
    }
}
