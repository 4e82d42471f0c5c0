//! Validation files in a webroot (RFC 8555 8.3). A web application may be able to write there, so every
//! step below the webroot starts at a folder's descriptor and follows no link: a link could lead a
//! root process to any file.
//!
//! Folders and files get modes with which a web server of another user can read them, whatever the umask
//! is. The folders stay when the files are removed: other ACME clients use the same ones.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode as Bits, OFlags, fchmod, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::files::FileError;

/// The folders of the files below the webroot.
const FOLDERS: [&str; 2] = [".well-known", "acme-challenge"];
/// The modes with which a web server of another user can read them.
const FOLDER_MODE: Bits = Bits::from_raw_mode(0o755);
const FILE_MODE: Bits = Bits::from_raw_mode(0o644);
/// The maximum size of a file that is compared.
const COMPARED: u64 = 4096;

/// The folder of the validation files below a webroot.
#[derive(Debug)]
pub(crate) struct ChallengeFolder {
    folder: OwnedFd,
    path: PathBuf,
}

impl ChallengeFolder {
    /// Opens the folder, and creates it if it is missing. Only the path of the webroot itself, which
    /// the user gave, may contain links.
    ///
    /// # Errors
    /// When a part of it does not exist, is a link, or cannot be created.
    pub(crate) fn open(webroot: &Path) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = openat(CWD, webroot, flags, Bits::empty())
            .map_err(|error| FileError::at("open the folder", webroot)(error.into()))?;
        let mut path = webroot.to_owned();
        for name in FOLDERS {
            path.push(name);
            let opened = open_or_create(&folder, name);
            folder =
                opened.map_err(|error| FileError::at("open the folder", &path)(error.into()))?;
        }
        Ok(Self { folder, path })
    }

    /// Writes a file; one with the same content may exist.
    ///
    /// # Errors
    /// When something else has this name, or the system reports an error.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.path.join(name);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(self.folder.as_fd(), name, flags, FILE_MODE) {
            Ok(file) => write_all(file, content).map_err(FileError::at("write", &path)),
            Err(Errno::EXIST) if self.has(name, content) => Ok(()),
            Err(error) => Err(FileError::at("create", &path)(error.into())),
        }
    }

    /// Removes a file; a missing one is no error.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn remove(&self, name: &str) -> Result<(), FileError> {
        match unlinkat(self.folder.as_fd(), name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(FileError::at("remove", &self.path.join(name))(error.into())),
        }
    }

    fn has(&self, name: &str, content: &[u8]) -> bool {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = openat(self.folder.as_fd(), name, flags, Bits::empty()) else {
            return false;
        };
        let mut existing = Vec::new();
        let read = std::fs::File::from(file)
            .take(COMPARED)
            .read_to_end(&mut existing);
        read.is_ok() && existing == content
    }
}

fn open_or_create(above: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(above, name, flags, Bits::empty()) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    match mkdirat(above, name, FOLDER_MODE) {
        Ok(()) => {
            let folder = openat(above, name, flags, Bits::empty())?;
            // The umask may have removed the bits that the web server needs.
            fchmod(&folder, FOLDER_MODE)?;
            Ok(folder)
        }
        Err(Errno::EXIST) => openat(above, name, flags, Bits::empty()),
        Err(error) => Err(error),
    }
}

fn write_all(file: OwnedFd, content: &[u8]) -> io::Result<()> {
    fchmod(&file, FILE_MODE)?;
    std::fs::File::from(file).write_all(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::ChallengeFolder;

    #[test]
    fn files_are_written_once_and_links_are_not_followed() {
        let sandbox = tempfile::tempdir().unwrap();
        let webroot = sandbox.path().join("webroot");
        std::fs::create_dir(&webroot).unwrap();
        let folder = ChallengeFolder::open(&webroot).unwrap();
        folder.write("token", b"content").unwrap();
        folder.write("token", b"content").unwrap();
        assert!(folder.write("token", b"other").is_err());
        let path = webroot.join(".well-known/acme-challenge/token");
        assert_eq!(std::fs::read(&path).unwrap(), b"content");
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o644);
        folder.remove("token").unwrap();
        folder.remove("token").unwrap();
        assert!(!path.exists());

        let secret = sandbox.path().join("secret");
        std::fs::write(&secret, b"content").unwrap();
        symlink(&secret, webroot.join(".well-known/acme-challenge/link")).unwrap();
        assert!(folder.write("link", b"content").is_err());
        symlink(
            sandbox.path().join("new"),
            webroot.join(".well-known/acme-challenge/new"),
        )
        .unwrap();
        assert!(folder.write("new", b"content").is_err());
        assert!(!sandbox.path().join("new").exists());
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        for link in [".well-known", ".well-known/acme-challenge"] {
            let sandbox = tempfile::tempdir().unwrap();
            let webroot = sandbox.path().join("webroot");
            let elsewhere = sandbox.path().join("elsewhere");
            std::fs::create_dir_all(webroot.join(link).parent().unwrap()).unwrap();
            std::fs::create_dir(&elsewhere).unwrap();
            symlink(&elsewhere, webroot.join(link)).unwrap();
            assert!(ChallengeFolder::open(&webroot).is_err(), "{link}");
            assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
        }
    }
}
