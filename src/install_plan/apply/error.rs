//! Why an install cannot start or fails before the switch, and why one of its steps fails.

use std::path::PathBuf;
use std::time::Duration;

use crate::install_plan::apply::answer::ProbeAnswer;
use crate::permissions::Mode;
use crate::store::disk::StoreError;
use crate::store::settings::SettingsError;
use crate::system::fs::files::FileError;
use crate::system::process::{FinishedCommand, ProcessError};

/// An install failed before the switch: the deployed files are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A release differs from what was written.
    #[error("{} was changed after it was written: {how}", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong with it.
        how: &'static str,
    },
    /// The user who runs certctl may not write to a folder.
    #[error("user {user} cannot write to {}", folder.display())]
    NotWritable {
        folder: PathBuf,
        user: u32,
        source: std::io::Error,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal arrived before the switch.
    #[error("interrupted; the files that servers read have not been changed")]
    Interrupted { signal: i32 },
    /// A folder or file of certctl's tree has been replaced by a link.
    #[error("{} is a symbolic link to {}; certctl never creates one there", path.display(), to.display())]
    ReplacedByLink { path: PathBuf, to: PathBuf },
    /// Another certctl is working in this tree.
    #[error("another certctl is running and holds the lock {}; gave up after {} s", path.display(), waited.as_secs())]
    LockHeld {
        path: PathBuf,
        /// How long certctl waited for the lock.
        waited: Duration,
    },
    /// A file system has too little space left for the new files.
    #[error("the file system of {} has {free} free {what}; {needed} are needed", folder.display())]
    DiskFull {
        /// A folder on the file system.
        folder: PathBuf,
        /// What it lacks: `bytes` or `inodes`.
        what: &'static str,
        /// How many are free.
        free: u64,
        /// How many are required.
        needed: u64,
    },
    /// The path of one of certctl's links is occupied by something else.
    #[error("{} is not a symbolic link that certctl created", path.display())]
    NotOurs { path: PathBuf },
    /// The settings file cannot be parsed.
    #[error("the settings file {} is damaged", path.display())]
    Settings {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SettingsError,
    },
    /// Other users can write to the file, so its commands and paths cannot be trusted.
    #[error("other users can write to {} (mode {mode}, owned by user {user}), so its content is not trusted", path.display())]
    WritableByOthers {
        /// The file or folder.
        path: PathBuf,
        mode: Mode,
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

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A file could not be used, or was changed.
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
    /// Some address does not serve the release.
    #[error("not every probed address serves the certificate")]
    NotServed(Vec<ProbeAnswer>),
    /// A command could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No server has the command of this step, so it was not carried out.
    #[error("no server was found for the step: {0}")]
    NoServer(String),
    /// The command of `--after` failed.
    #[error("the command failed")]
    Hook(FinishedCommand),
    /// The server could not be reloaded.
    #[error("the reload failed")]
    Reload(FinishedCommand),
    /// Skipped because an earlier step failed.
    #[error("skipped, because the test before it failed")]
    Skipped,
    /// The server's own test rejects the configuration.
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
