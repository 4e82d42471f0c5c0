//! How the installed files can differ from what the last install wrote. Pure.

use std::path::PathBuf;

use super::layout::{ReleaseId, StableLink};
use crate::permissions::{Mode, Owner};

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum FileDrift {
    /// A file of the release differs from what was written.
    #[error("{} {how}", path.display())]
    File {
        path: PathBuf,
        /// How it differs.
        how: &'static str,
    },
    /// `live` does not point to a release.
    #[error("{} does not point to an installed version", .0.display())]
    Live(PathBuf),
    /// A path that servers read is not our link.
    #[error("{} {}", link.path.display(), at.describe())]
    Link {
        /// The link that should be there.
        link: StableLink,
        at: LinkReplacement,
    },
    /// A mode was changed.
    #[error("{} has mode {is}; it was installed with mode {was}", path.display())]
    Mode {
        /// The file or folder.
        path: PathBuf,
        is: Mode,
        /// The mode with which it was installed.
        was: Mode,
    },
    /// The last install was not verified live.
    #[error("the installed version {live} was not verified live")]
    NotProven { live: ReleaseId },
    /// An owner was changed.
    #[error("{} belongs to {is}; it was installed for {was}", path.display())]
    Owner {
        path: PathBuf,
        is: Owner,
        /// The owner with which it was installed.
        was: Owner,
    },
}

/// What exists instead of our link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LinkReplacement {
    File,
    /// A link with another target.
    Link(PathBuf),
    Nothing,
    /// A folder, a FIFO, a socket, a device.
    Other,
}

impl LinkReplacement {
    fn describe(&self) -> String {
        match self {
            Self::File => {
                "is a plain file; a server that reads it does not get the installed version"
                    .to_owned()
            }
            Self::Link(text) => format!(
                "is a link to {}; a server that reads it does not get the installed version",
                text.display()
            ),
            Self::Nothing => "does not exist; a server that starts now does not find it".to_owned(),
            Self::Other => "is neither a file nor a symbolic link".to_owned(),
        }
    }
}
