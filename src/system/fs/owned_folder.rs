//! Folders that belong to another user than the one who runs certctl.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use super::files::FileError;
use super::tree;
use crate::permissions::{Mode, Owner};
use crate::system::activity::{self, Activity};

/// Until its owner is set, only root may use a new folder.
const CLOSED: Mode = Mode::new(0o700);

/// Creates a folder with this mode and owner, or gives them to the folder that exists; a link at
/// `path` is refused.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn create_owned_folder(path: &Path, mode: Mode, owner: Owner) -> Result<(), FileError> {
    let create = || -> io::Result<()> {
        match tree::create_dir(path, CLOSED) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let folder = tree::open(path, flags, Mode::new(0))?;
        fchown(&folder, Some(owner.uid), Some(owner.gid))?;
        folder.set_permissions(Permissions::from_mode(mode.bits()))
    };
    activity::report(Activity::Write(path));
    create().map_err(FileError::at("create the folder", path))
}

/// Removes a folder if it is empty.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn remove_empty_folder(path: &Path) -> Result<(), FileError> {
    match tree::remove_dir(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        other => other.map_err(FileError::at("remove", path)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::{create_owned_folder, remove_empty_folder};
    use crate::permissions::{Mode, Owner};

    #[test]
    fn folders_get_their_mode_and_links_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let meta = outer.path().metadata().unwrap();
        let owner = Owner {
            uid: meta.uid(),
            gid: meta.gid(),
        };
        let path = outer.path().join("folder");
        for mode in [0o710, 0o755] {
            create_owned_folder(&path, Mode::new(mode), owner).unwrap();
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, mode);
        }
        let link = outer.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(create_owned_folder(&link, Mode::new(0o700), owner).is_err());
        std::fs::write(path.join("file"), "").unwrap();
        remove_empty_folder(&path).unwrap();
        assert!(path.exists());
        std::fs::remove_file(path.join("file")).unwrap();
        remove_empty_folder(&path).unwrap();
        remove_empty_folder(&path).unwrap();
        assert!(!path.exists());
    }
}
