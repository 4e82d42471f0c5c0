//! How the files of a release get to the paths that servers read.

use serde::{Deserialize, Serialize};

/// How the files of a release get to the paths that servers read.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeployMode {
    /// Links to the live release: chain and key change in one rename
    #[default]
    Link,
    /// Plain files, each replaced by a rename: for containers, chroots and shared folders
    Copy,
}
