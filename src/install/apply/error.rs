//! What keeps an install from beginning or ends it before the switch. What goes wrong after it is a report, not an error.

use std::path::PathBuf;
use std::time::Duration;

use crate::install::settings::SettingsError;
use crate::system::files::FileError;

/// Nothing that servers read was touched, or it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A release is not what was written.
    #[error("{} was changed: {how}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        how: &'static str,
    },
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A signal came before the switch.
    #[error("interrupted before the switch: what servers read is as it was")]
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// A folder or a file of certctl's own that leads elsewhere: certctl makes none.
    #[error("{} is a link to {}; what certctl keeps there is never behind a link", path.display(), to.display())]
    Linked {
        /// The path.
        path: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// Another certctl is at work in this tree.
    #[error("another certctl holds {} for more than {} s", path.display(), waited.as_secs())]
    LockHeld {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Something else is where our links go.
    #[error("{} is not the link that certctl makes", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// The settings hold no settings.
    #[error("{} does not hold what certctl writes", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SettingsError,
    },
    /// Somebody else could have put commands or paths there.
    #[error("{} can be written by others (mode {mode:04o}, user {user}): what it says may not be theirs to say", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Who owns it.
        user: u32,
    },
}
