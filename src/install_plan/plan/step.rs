//! The steps of a plan, its rollback target and its end.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::store::layout::{ReleaseFile, ReleaseId, ReleasePointer, StableLink};
use crate::webserver::model::ServerSoftware;

/// One change to files, or one test, reload or probe. Each can be repeated after a crash.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum PlanStep {
    /// Renames a plain file to `<file>.~N~` as a backup, with the same inode and mode.
    BackUp {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Replaces the files at these paths with copies of a release, one after the other.
    Copy {
        release: ReleaseId,
        files: Vec<StableLink>,
    },
    /// Keeps a plain file under a hidden second name until the install has succeeded: a rollback
    /// restores the same file.
    Keep {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Puts certctl's link at a deployed path, replacing any file there.
    Link {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(rename = "target", serialize_with = "shown")]
        text: PathBuf,
    },
    /// Points `proven` to the live release.
    MarkProven {
        from: Option<ReleaseId>,
        to: ReleaseId,
    },
    /// Probes with new handshakes whether every address serves this release.
    Prove { release: ReleaseId, at: Vec<String> },
    /// Deletes releases that are no longer needed, and leftovers of crashes.
    Prune,
    /// Adds the release to the history.
    Record {
        release: ReleaseId,
        before: Option<ReleaseId>,
    },
    /// Reloads a server.
    Reload {
        #[serde(
            skip_serializing_if = "Option::is_none",
            serialize_with = "serialize_server"
        )]
        server: Option<ServerSoftware>,
        command: String,
    },
    /// Writes the settings, so that the next renewal needs no flags.
    Remember {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Runs the command of `--after`, once everything is verified. The scheduler skips it: it comes
    /// last, and nothing is rolled back if it fails.
    RunHook { command: String },
    /// Removes a copy of certctl's from a path that was empty.
    RemoveCopy {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Restores a file from the backup that this run has made.
    Restore {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "shown")]
        backup: PathBuf,
    },
    /// Points `live` to another release: key and chain change together, in one rename.
    Switch {
        from: Option<ReleaseId>,
        to: ReleaseId,
    },
    /// Makes a release of the files that the server reads now.
    TakeOver { release: ReleaseId },
    /// Runs a server's own test of its configuration.
    TestServer {
        #[serde(
            skip_serializing_if = "Option::is_none",
            serialize_with = "serialize_server"
        )]
        server: Option<ServerSoftware>,
        command: String,
    },
    /// Removes certctl's link.
    Unlink {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Removes `live` or `proven`.
    Unpoint { pointer: ReleasePointer },
    /// Renames the release, written and flushed before, to its final name.
    WriteRelease {
        release: ReleaseId,
        pieces: Vec<ReleaseFile>,
    },
}

impl PlanStep {
    /// Whether servers may read the new files once the step has started.
    #[must_use]
    pub(crate) fn shows_new_files(&self) -> bool {
        matches!(
            self,
            Self::Copy { .. }
                | Self::Switch { .. }
                | Self::TestServer { .. }
                | Self::Reload { .. }
                | Self::Prove { .. }
        )
    }
}

/// Serializes a path as text, lossily where it is not UTF-8.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

/// Serializes the server's name; commands given by the user have none.
pub(super) fn serialize_server<S: Serializer>(
    server: &Option<ServerSoftware>,
    document: S,
) -> Result<S::Ok, S::Error> {
    document.collect_str(server.map_or("", ServerSoftware::name))
}

/// What a rollback restores after a failure.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackTarget {
    /// There was no certificate: links are removed and plain files restored.
    Nothing {
        /// Whether servers are reloaded afterwards: each can load its configuration without the
        /// certificate.
        reload: bool,
    },
    /// The previous files were broken, for this reason: the new ones stay.
    Stay(String),
    /// The release with this id.
    To(ReleaseId),
    /// This release, which was never proven but is what the server loads now.
    Unproven(ReleaseId),
}

/// How far a plan gets when every step succeeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanEnd {
    /// The files are installed, but no server configuration references them.
    NotNamed,
    /// The files are installed; some names are still served with other files, or cannot be probed.
    Partly,
    /// The release is served at every address, or there is no server to probe.
    Proven,
    /// The files are installed, and the server can load them, but it is not running.
    Stopped,
}

/// Everything that an install, or its dry run, does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct InstallPlan {
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
    /// What a rollback restores.
    pub back: RollbackTarget,
    /// How far the plan gets.
    pub end: PlanEnd,
    /// certctl's links before the first step.
    #[serde(skip)]
    pub start: UnfinishedStart,
}

/// What an earlier, unproven run has left; a rollback undoes that too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UnfinishedStart {
    /// The release that `live` points to.
    pub live: Option<ReleaseId>,
    /// The deployed paths that are certctl's links.
    pub links: Vec<PathBuf>,
    /// Paths of links to files that the restored release lacks; these links are removed.
    pub dangling: Vec<PathBuf>,
    /// Paths that a rollback restores whatever `live` shows: plain files of a working certificate,
    /// and paths without a file next to them.
    pub own: Vec<PathBuf>,
    /// Paths whose plain files a killed run has kept.
    pub kept: Vec<PathBuf>,
    /// The steps that create certctl's links again, where copies replace them.
    pub relink: Vec<PlanStep>,
}

impl RollbackTarget {
    /// The release that is restored, if any.
    #[must_use]
    pub fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::To(id) | Self::Unproven(id) => Some(id),
            Self::Nothing { .. } | Self::Stay(_) => None,
        }
    }
}
