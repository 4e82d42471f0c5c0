//! What a plan is made of.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::store::layout::{ReleaseFile, ReleaseId, ReleasePointer};
use crate::webserver::model::ServerSoftware;

/// One change or one question. Each can be repeated after a crash.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum PlanStep {
    /// Keeps a plain file that is no part of a working pair as `<file>.~N~`, same inode, same mode.
    BackUp {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Puts our link at a path that servers know, over whatever file is there.
    Link {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "shown")]
        text: PathBuf,
    },
    /// `proven` follows.
    MarkProven {
        from: Option<ReleaseId>,
        to: ReleaseId,
    },
    /// Asks every address, fresh handshakes, whether it serves this release.
    Prove { release: ReleaseId, at: Vec<String> },
    /// Drops releases that nothing needs any more, and what crashes have left.
    Prune,
    /// Adds the release to the history.
    Record {
        release: ReleaseId,
        before: Option<ReleaseId>,
    },
    /// Makes a server read its files again.
    Reload {
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "named")]
        server: Option<ServerSoftware>,
        command: String,
    },
    /// Writes the settings, so that the next round needs no flags.
    Remember {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Puts a file back that this run has kept: that very backup, no other.
    Restore {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        #[serde(serialize_with = "shown")]
        backup: PathBuf,
    },
    /// Makes `live` name another release: key and chain change together, in one rename.
    Switch {
        from: Option<ReleaseId>,
        to: ReleaseId,
    },
    /// Makes a release of the files that the server reads now.
    TakeOver { release: ReleaseId },
    /// Has a server judge its configuration.
    TestServer {
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "named")]
        server: Option<ServerSoftware>,
        command: String,
    },
    /// Takes our link away.
    Unlink {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// Takes `live` or `proven` away.
    Unpoint { pointer: ReleasePointer },
    /// Moves the release, built and flushed before, to its name.
    WriteRelease {
        release: ReleaseId,
        pieces: Vec<ReleaseFile>,
    },
}

/// A path in a document: JSON holds text only.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

/// The server's name; those of commands that were given have none.
fn named<S: Serializer>(server: &Option<ServerSoftware>, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(server.map_or("", ServerSoftware::name))
}

/// Where a failure after the switch leads.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackTarget {
    /// Nothing was there: links are removed, plain files come back. `reload`: every server loads
    /// its configuration without the pair, so that it can be made to forget it.
    Nothing {
        /// Whether the server is reloaded afterwards.
        reload: bool,
    },
    /// The pair before was broken (says why): the new files stay.
    Stay(String),
    /// To the release with this id.
    To(ReleaseId),
    /// To this release, which was never proven but is what the server loads: without it, it loads
    /// nothing at all.
    Unproven(ReleaseId),
}

/// What a plan ends in when every step ends well.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanEnd {
    /// The files are there; nobody serves them yet: no block names them.
    NotNamed,
    /// The files are there; some names are still served with others, or what is served cannot be
    /// asked.
    Partly,
    /// Served at every address, or nothing there to ask.
    Proven,
    /// The files are there and the server would load them; it does not run.
    Stopped,
}

/// What will be done, or would be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct InstallPlan {
    /// In this order.
    pub steps: Vec<PlanStep>,
    /// Where a failure leads.
    pub back: RollbackTarget,
    /// What it comes to.
    pub end: PlanEnd,
    /// What of ours is there before the first step.
    #[serde(skip)]
    pub start: UnfinishedStart,
}

/// Where an unproven pair of an earlier run stands: a failure takes that back too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UnfinishedStart {
    /// Where `live` points.
    pub live: Option<ReleaseId>,
    /// Our links at the paths that servers know.
    pub links: Vec<PathBuf>,
    /// Paths whose file the release lacks that a failure leads to: no link of ours may stay there.
    pub dangling: Vec<PathBuf>,
    /// Paths of plain files that are working pairs of their own: they come back whatever `live`
    /// shows.
    pub own: Vec<PathBuf>,
}

impl RollbackTarget {
    /// The release, where it leads to one.
    #[must_use]
    pub fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::To(id) | Self::Unproven(id) => Some(id),
            Self::Nothing { .. } | Self::Stay(_) => None,
        }
    }
}
