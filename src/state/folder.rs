//! The state folder, which only its user can read, and the locks in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::permissions::{Mode, Owner};
use crate::pki::fingerprint::Fingerprint;
use crate::system::environment;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::lock::FileLock;
use crate::system::fs::{folders, tree_root};

/// The folder of root, relative to the tree.
pub(crate) const ROOT_FOLDER: &str = "var/lib/certctl";
/// The mode of the folder and of those in it.
pub(crate) const FOLDER_MODE: Mode = Mode::new(0o700);
/// The mode of the files in it.
pub(crate) const FILE_MODE: Mode = Mode::new(0o600);
/// The maximum number of bytes of an entry.
pub(crate) const ENTRY_LIMIT: u64 = 256 * 1024;
/// How long a command waits for another one that changes the same zone. Longer than the longest
/// change: a hook may take five minutes.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(330);

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("{} could have been changed by another user: it has the owner {owner} and the mode {mode}", path.display())]
    Exposed {
        path: PathBuf,
        owner: Owner,
        mode: Mode,
    },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("another certctl is changing records in the zone {zone}")]
    Locked { zone: String },
    #[error("another certctl orders the certificate {name}")]
    OrderLocked { name: String },
    #[error("another certctl process is changing the account at {directory}")]
    AccountLocked { directory: String },
    #[error("{} cannot be read: {reason}", path.display())]
    DamagedEntry { path: PathBuf, reason: String },
    /// A file of the journal was damaged.
    #[error("{} is not an entry of the journal of published records: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// Neither `XDG_STATE_HOME` nor a home folder is known.
    #[error("there is no folder for certctl's state, because this user has no home folder")]
    NoFolder,
}

/// The state folder of this user.
#[derive(Clone, Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// Returns the folder of this user, which may not exist yet; with `--root`, that of the tree.
    ///
    /// # Errors
    /// [`StateError::NoFolder`], or [`StateError::Exposed`] if another user may have written it.
    pub(crate) fn find(root: Option<&Path>) -> Result<Self, StateError> {
        let path = match root {
            Some(root) => tree_root::resolve(Some(root))?.join(ROOT_FOLDER),
            None if folders::current_user() == 0 => Path::new("/").join(ROOT_FOLDER),
            None => user_folder().ok_or(StateError::NoFolder)?,
        };
        let folder = Self { path };
        folder.check_access()?;
        Ok(folder)
    }

    /// Returns a folder in it.
    #[must_use]
    pub(crate) fn subfolder(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates the folder `name` in it.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn create_subfolder(&self, name: &str) -> Result<PathBuf, StateError> {
        folders::create_folder(&self.path, FOLDER_MODE)?;
        let path = self.subfolder(name);
        folders::create_folder(&path, FOLDER_MODE)?;
        Ok(path)
    }

    /// Waits until no other certctl of this user changes the zone.
    ///
    /// # Errors
    /// [`StateError::Locked`] if that takes too long or `give_up` returns true.
    pub(crate) fn lock_zone(
        &self,
        zone: &str,
        give_up: impl FnMut() -> bool,
    ) -> Result<FileLock, StateError> {
        let folder = self.create_subfolder("locks")?;
        // The hash is a file name whatever the DNS answered.
        let name = Fingerprint::of(zone.as_bytes()).first_digits();
        let lock = FileLock::acquire(&folder.join(format!("zone-{name}")), LOCK_WAIT, give_up)?;
        lock.ok_or_else(|| StateError::Locked {
            zone: zone.to_owned(),
        })
    }

    /// Reads a file of JSON; `None` if it does not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read_entry<T: DeserializeOwned>(
        &self,
        path: &Path,
    ) -> Result<Option<T>, StateError> {
        let bytes = match files::read(path, ENTRY_LIMIT) {
            Err(error) if error.is_missing() => return Ok(None),
            other => other?,
        };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|error| damaged(path, &error))
    }

    /// Writes a file of JSON. Returns once it is on the disk; until then an earlier one is unchanged.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(super) fn write_entry<T: Serialize>(
        &self,
        path: &Path,
        entry: &T,
    ) -> Result<(), StateError> {
        let text = serde_json::to_vec_pretty(entry);
        let text = text.map_err(|error| damaged(path, &error))?;
        Ok(files::replace(path, &text, FILE_MODE)?)
    }

    /// Refuses a folder that another user owns or may write.
    fn check_access(&self) -> Result<(), StateError> {
        let Some(status) = folders::read_status(&self.path)? else {
            return Ok(());
        };
        let is_own = status.owner.uid == folders::current_user();
        if is_own && !status.mode.has_any(0o022) {
            return Ok(());
        }
        if status.owner.uid == 0 && folders::current_user() != 0 {
            // Root's own state, which is no other user's to take over.
            let denied = std::io::ErrorKind::PermissionDenied.into();
            return Err(FileError::at("use", &self.path)(denied).into());
        }
        Err(StateError::Exposed {
            path: self.path.clone(),
            owner: status.owner,
            mode: status.mode,
        })
    }
}

fn damaged(path: &Path, error: &serde_json::Error) -> StateError {
    StateError::DamagedEntry {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// `$XDG_STATE_HOME/certctl`, or `~/.local/state/certctl` (XDG Base Directory Specification).
fn user_folder() -> Option<PathBuf> {
    let base = environment::variable("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.filter(|base| base.is_absolute());
    let base = base.or_else(|| Some(folders::home_folder()?.join(".local/state")))?;
    Some(base.join("certctl"))
}
