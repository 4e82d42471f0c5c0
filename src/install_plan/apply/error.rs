//! What keeps an install from beginning or ends it before the switch; and why a step of it did not
//! end well.

use std::path::PathBuf;
use std::time::Duration;

use crate::install_plan::apply::prove::ProbeAnswer;
use crate::store::disk::StoreError;
use crate::store::settings::SettingsError;
use crate::system::fs::files::FileError;
use crate::system::process::{FinishedCommand, ProcessError};

/// Nothing that servers read was touched, or it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A release is not what was written.
    #[error("{} was changed: {how}", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong with it.
        how: &'static str,
    },
    /// Who runs certctl may not write to a folder.
    #[error("user {user} may not write to {}", folder.display())]
    Denied {
        folder: PathBuf,
        user: u32,
        source: std::io::Error,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal came before the switch.
    #[error("interrupted before the switch: what servers read is as it was")]
    Interrupted { signal: i32 },
    /// A folder or a file of certctl's own that leads elsewhere: certctl makes none.
    #[error("{} is a link to {}; what certctl keeps there is never behind a link", path.display(), to.display())]
    Linked { path: PathBuf, to: PathBuf },
    /// Another certctl is at work in this tree.
    #[error("another certctl holds {} for more than {} s", path.display(), waited.as_secs())]
    LockHeld {
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A file system has too little left for what would be written.
    #[error("{} has room for {free} more {what}; {needed} are needed", folder.display())]
    NoRoom {
        /// A folder on it.
        folder: PathBuf,
        /// What it lacks: `bytes` or `files`.
        what: &'static str,
        /// How many there are.
        free: u64,
        /// How many there must be.
        needed: u64,
    },
    /// Something else is where our links go.
    #[error("{} is not the link that certctl makes", path.display())]
    NotOurs { path: PathBuf },
    /// The settings hold no settings.
    #[error("{} does not hold what certctl writes", path.display())]
    Settings {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SettingsError,
    },
    /// Somebody else could have put commands or paths there.
    #[error("{} can be written by others (mode {mode:04o}, user {user}): what it says may not be \
        theirs to say", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
        mode: u32,
        user: u32,
    },
}

impl From<StoreError> for InstallError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { path, how } => Self::Damaged { path, how },
            StoreError::File(error) => Self::File(error),
        }
    }
}

/// Why a step did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A file could not be used, or is not what it was.
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
    /// Not every address serves the release.
    #[error("not every address serves it")]
    NotServed(Vec<ProbeAnswer>),
    /// A command could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The server could not be reloaded.
    #[error("the reload failed")]
    Reload(FinishedCommand),
    /// Left out because something before it failed.
    #[error("left out: the test before it failed")]
    Skipped,
    /// The server refuses its configuration.
    #[error("the server's test failed")]
    Test(FinishedCommand),
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        Self::Install(error.into())
    }
}

impl From<FileError> for StepError {
    fn from(error: FileError) -> Self {
        Self::Install(error.into())
    }
}
