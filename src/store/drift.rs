//! How an installed certificate can differ from what its last install left. Pure.

use std::path::PathBuf;

use super::layout::{ReleaseId, StableLink};
use crate::permissions::{Mode, Owner};

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum FileDrift {
    /// A file of the release differs from what was written.
    #[error("{} {how}", path.display())]
    File {
        path: PathBuf,
        /// What is wrong with it.
        how: &'static str,
    },
    /// `live` leads to no release.
    #[error("{} does not lead to a release", .0.display())]
    Live(PathBuf),
    /// A path that servers read is not our link.
    #[error("{} {}", link.path.display(), at.describe())]
    Link {
        /// The link that should be there.
        link: StableLink,
        at: LinkReplacement,
    },
    /// A mode was changed.
    #[error("{} has mode {is}, and was made with {was}", path.display())]
    Mode {
        /// The file or folder.
        path: PathBuf,
        is: Mode,
        /// What it should be.
        was: Mode,
    },
    /// The last install was not finished.
    #[error("{live} is live, and was not seen to be served")]
    NotProven { live: ReleaseId },
    /// An owner was changed.
    #[error("{} belongs to {is}, and was made for {was}", path.display())]
    Owner {
        path: PathBuf,
        is: Owner,
        /// Who it should belong to.
        was: Owner,
    },
}

/// What is in the place of our link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LinkReplacement {
    File,
    /// A link that leads elsewhere.
    Link(PathBuf),
    Nothing,
    /// A folder, a FIFO, a socket, a device.
    Other,
}

impl LinkReplacement {
    fn describe(&self) -> String {
        match self {
            Self::File => "is a plain file: what is installed is not read there".to_owned(),
            Self::Link(text) => format!(
                "leads to {}: what is installed is not read there",
                text.display()
            ),
            Self::Nothing => "is not there: servers that start now do not find it".to_owned(),
            Self::Other => "is neither a file nor a link".to_owned(),
        }
    }
}
