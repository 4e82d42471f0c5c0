//! What is there, as far as it decides a plan: links, releases, plain files, the server.

use crate::store::layout::{ReleaseFile, ReleaseId};
use crate::webserver::model::ServerSoftware;

/// What lies at a path that servers know. Anything else there is refused before there is a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PathState {
    Absent,
    /// A plain file that is no part of a working pair, or has other bytes than the release that is
    /// taken over: it is kept as a backup.
    File,
    /// A plain file that the release that is live or taken over has, byte for byte.
    Held,
    Ours,
    /// A plain file that is a working pair of its own: it is kept as a backup, and a failure puts
    /// it back.
    Own,
}

/// What servers read where at least one file of a pair is a plain one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ServedBefore {
    /// A pair that no server can load; says why.
    Broken(String),
    Nothing,
    /// Not a pair, or one that cannot be judged (an encrypted key).
    Partial,
    /// A pair that fits: this release.
    Whole(ReleaseId),
}

/// What can be asked of the server, and how.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ServerQuestions {
    /// The test of its configuration, in words.
    pub test: Option<String>,
    /// How it is made to read its files again, in words.
    pub reload: Option<String>,
    /// The addresses that are asked.
    pub probe: Vec<String>,
    /// Whether its configuration sends all names to the pair.
    pub reach: NameCoverage,
}

/// Whether a server's configuration sends all names of the certificate to the pair.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum NameCoverage {
    /// As far as can be told.
    #[default]
    All,
    /// Blocks serve some with other files, or nothing can be asked.
    Part,
}

/// The server as it is before anything is touched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ServerState {
    /// Its configuration cannot be loaded, but only for want of the files that this run supplies.
    Mends(ServerQuestions),
    /// There is none to ask.
    Nothing,
    /// It is there, and its configuration does not name the pair.
    NotNamed,
    /// It names the pair and serves; holds what it was seen to serve, where that was asked.
    Serves(ServerQuestions, ServedEvidence),
    /// It names the pair and does not run.
    Stopped(ServerQuestions),
}

/// What one server has to do with the pair.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlannedServerUse {
    /// Which; none for commands that were given.
    pub server: Option<ServerSoftware>,
    pub state: ServerState,
}

/// What the server was seen to serve before anything is touched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ServedEvidence {
    /// The wanted release, at every address.
    AsWanted,
    /// Something else somewhere, or it was not asked.
    Otherwise,
}

/// Everything that decides a plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ObservedState {
    /// Where `live` points.
    pub live: Option<ReleaseId>,
    /// Where `proven` points.
    pub proven: Option<ReleaseId>,
    /// The releases that are there and can be loaded by a server.
    pub releases: Vec<ReleaseId>,
    /// Files that a link is to show and that a release which is there lacks.
    pub lacks: Vec<(ReleaseId, ReleaseFile)>,
    /// What is at each of the layout's links, in their order.
    pub spots: Vec<PathState>,
    /// What plain files there make.
    pub present: ServedBefore,
    pub uses: Vec<PlannedServerUse>,
}

impl ObservedState {
    /// Whether every link is there.
    #[must_use]
    pub(crate) fn is_linked(&self) -> bool {
        self.spots.iter().all(|spot| *spot == PathState::Ours)
    }

    /// Whether there is nothing to ask, or every server was seen to serve what is wanted.
    #[must_use]
    pub(crate) fn is_answered(&self) -> bool {
        !self.any(|state| match state {
            ServerState::Nothing
            | ServerState::NotNamed
            | ServerState::Serves(_, ServedEvidence::AsWanted) => false,
            ServerState::Mends(_) | ServerState::Serves(..) | ServerState::Stopped(_) => true,
        })
    }

    /// Whether a server is in such a state.
    pub(crate) fn any(&self, is: impl Fn(&ServerState) -> bool) -> bool {
        self.uses.iter().any(|one| is(&one.state))
    }
}

/// The release that an install is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TargetRelease {
    pub id: ReleaseId,
    pub pieces: Vec<ReleaseFile>,
    /// Whether the settings say already how it is installed.
    pub remembered: SettingsChange,
}

/// Whether what is remembered is what this run goes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SettingsChange {
    Already,
    /// The command line says something else.
    Otherwise,
}
