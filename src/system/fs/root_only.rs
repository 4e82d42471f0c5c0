//! Whether only root can change what a path leads to: the file, and every folder and link on the way.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::files::FileError;
use crate::permissions::{Mode, Owner};

/// How many links a path may lead through, as in the kernel (path_resolution(7)).
const LINK_LIMIT: usize = 40;

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
    follow(path).map_err(FileError::at("find", path))
}

fn follow(path: &Path) -> io::Result<Vec<ExposedEntry>> {
    let mut exposed = Vec::new();
    let mut current = PathBuf::from("/");
    let top = fs::symlink_metadata(&current)?;
    let owner_of_all = top.uid();
    add_if_exposed(&mut exposed, &current, &top, owner_of_all);
    // The components that are still to be followed, the last first.
    let mut pending: Vec<OsString> = reversed(path);
    let mut links = 0;
    while let Some(name) = pending.pop() {
        if name == ".." {
            current.pop();
            continue;
        }
        let next = current.join(&name);
        let status = fs::symlink_metadata(&next)?;
        add_if_exposed(&mut exposed, &next, &status, owner_of_all);
        if !status.is_symlink() {
            current = next;
            continue;
        }
        links += 1;
        if links > LINK_LIMIT {
            return Err(io::Error::other("too many levels of symbolic links"));
        }
        let target = fs::read_link(&next)?;
        if target.is_absolute() {
            current = PathBuf::from("/");
        }
        pending.extend(reversed(&target));
    }
    Ok(exposed)
}

/// The names in a path, the last first.
fn reversed(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(_) | Component::ParentDir => Some(component.as_os_str().to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<OsString> = names.collect();
    names.reverse();
    names
}

/// In a folder with the sticky bit, other users cannot replace what belongs to root. The owner of `/`
/// can replace everything, so nothing is lost if its own files are trusted: in a user namespace that
/// is the real root, under another id.
fn add_if_exposed(
    exposed: &mut Vec<ExposedEntry>,
    path: &Path,
    status: &Metadata,
    owner_of_all: u32,
) {
    let is_shared = status.mode() & 0o022 != 0;
    let is_sticky = status.is_dir() && status.mode() & 0o1000 != 0;
    let is_owned = status.uid() == 0 || status.uid() == owner_of_all;
    if is_owned && (status.is_symlink() || !is_shared || is_sticky) {
        return;
    }
    let kind = if status.is_symlink() {
        ExposedKind::Link
    } else if status.is_dir() {
        ExposedKind::Folder
    } else {
        ExposedKind::File
    };
    let entry = ExposedEntry {
        path: path.to_owned(),
        kind,
        owner: Owner {
            uid: status.uid(),
            gid: status.gid(),
        },
        mode: Mode::of_status(status.mode()),
    };
    if !exposed.contains(&entry) {
        exposed.push(entry);
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
