//! The observed state that decides a plan: links, releases, plain files, servers.

use std::path::PathBuf;

use serde::Serialize;

use super::step::serialize_server;
use crate::store::layout::{DeployMode, ReleaseFile, ReleaseId};
use crate::webserver::model::ServerSoftware;

/// What exists at a deployed path. Anything else is refused before a plan is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(crate) enum PathState {
    Absent,
    /// A plain file that is not part of a working certificate, or differs from the release that is
    /// taken over: it is backed up.
    File,
    /// A plain file that equals the file of the live or taken over release, byte for byte: it is kept
    /// until the install has succeeded, and a rollback restores it.
    Identical,
    OurLink,
    /// A copy of the live release, where copies are deployed.
    OurCopy,
    /// A copy that is to be replaced: of the proven release, or with another owner or mode.
    OutdatedCopy,
    /// A plain file of another working certificate: it is backed up, and a rollback restores it.
    OtherCertificate,
}

impl PathState {
    /// Whether certctl has created the link or the copy.
    #[must_use]
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::OurLink | Self::OurCopy | Self::OutdatedCopy)
    }

    /// Whether the path shows the live release in the way that is asked for.
    #[must_use]
    pub(crate) fn shows_live(self, deploy_mode: DeployMode) -> bool {
        match deploy_mode {
            DeployMode::Link => self == Self::OurLink,
            DeployMode::Copy => self == Self::OurCopy,
        }
    }
}

/// What servers read where at least one file of the certificate is a plain file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) enum ServedBefore {
    /// Files that no server can load, and why.
    Broken(String),
    Nothing,
    /// Incomplete, or impossible to judge (an encrypted key).
    Partial,
    /// A certificate with its matching key: this release.
    Whole(ReleaseId),
}

/// How a server is tested, reloaded and probed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct ServerQuestions {
    /// The test of its configuration, in words.
    pub test: Option<String>,
    /// The reload command, in words.
    pub reload: Option<String>,
    /// The addresses that are probed.
    pub addresses: Vec<String>,
    /// Whether its configuration serves all names with the certificate.
    pub coverage: NameCoverage,
}

/// Whether a server's configuration serves all names of the certificate with it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) enum NameCoverage {
    /// All names, as far as the configuration shows.
    #[default]
    All,
    /// Some blocks serve names with other files, or nothing can be probed.
    Partial,
}

/// The state of a server before anything is changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) enum ServerState {
    /// Its configuration cannot be loaded, but only because it lacks the files that this run
    /// installs.
    BrokenUntilInstalled(ServerQuestions),
    /// No server that can be tested, reloaded or probed.
    Nothing,
    /// Its configuration does not reference the certificate.
    NotNamed,
    /// It references the certificate and is running; with the evidence of what it serves.
    Serves(ServerQuestions, ServedEvidence),
    /// It references the certificate and is not running.
    Stopped(ServerQuestions),
}

impl ServerState {
    /// Returns how a server that references the certificate is tested, reloaded and probed.
    #[must_use]
    pub(crate) fn questions(&self) -> Option<&ServerQuestions> {
        match self {
            Self::BrokenUntilInstalled(questions)
            | Self::Serves(questions, _)
            | Self::Stopped(questions) => Some(questions),
            Self::Nothing | Self::NotNamed => None,
        }
    }

    /// Removes the addresses to probe.
    pub(crate) fn clear_addresses(&mut self) {
        match self {
            Self::BrokenUntilInstalled(questions)
            | Self::Serves(questions, _)
            | Self::Stopped(questions) => questions.addresses.clear(),
            Self::Nothing | Self::NotNamed => {}
        }
    }

    /// Whether the server is running and serves some names with other files, or cannot be probed.
    #[must_use]
    pub(crate) fn is_partly_covered(&self) -> bool {
        match self {
            Self::BrokenUntilInstalled(questions) | Self::Serves(questions, _) => {
                questions.coverage == NameCoverage::Partial
            }
            Self::Nothing | Self::NotNamed | Self::Stopped(_) => false,
        }
    }
}

/// How one server uses the certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct PlannedServerUse {
    /// The software; `None` for commands given by the user.
    #[serde(serialize_with = "serialize_server")]
    pub server: Option<ServerSoftware>,
    pub state: ServerState,
}

/// What the server served when it was probed before any change.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(crate) enum ServedEvidence {
    /// The wanted release, at every address.
    WantedRelease,
    /// Something else at some address, or it was not probed.
    Otherwise,
}

/// Everything that decides a plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct ObservedState {
    /// The release that `live` points to.
    pub live: Option<ReleaseId>,
    /// The release that `proven` points to.
    pub proven: Option<ReleaseId>,
    /// The existing releases that a server can load.
    pub releases: Vec<ReleaseId>,
    /// Files that a link needs and an existing release lacks.
    pub missing_files: Vec<(ReleaseId, ReleaseFile)>,
    /// The state of each of the layout's links, in their order.
    pub path_states: Vec<PathState>,
    /// The paths that no earlier install had: a rollback leaves them as they were.
    pub added_paths: Vec<PathBuf>,
    /// The paths of certctl's links and copies whose plain files were kept by a run that was killed.
    pub kept: Vec<PathBuf>,
    /// What servers read from plain files.
    pub served_before: ServedBefore,
    pub server_uses: Vec<PlannedServerUse>,
}

impl ObservedState {
    /// Whether the release is live and undamaged, and every deployed path shows it.
    #[must_use]
    pub(crate) fn shows(&self, id: &ReleaseId, deploy_mode: DeployMode) -> bool {
        self.live.as_ref() == Some(id)
            && self.releases.contains(id)
            && self
                .path_states
                .iter()
                .all(|state| state.shows_live(deploy_mode))
    }

    /// Whether every deployed path is certctl's link or copy of the live release.
    #[must_use]
    pub(crate) fn is_deployed(&self) -> bool {
        self.path_states
            .iter()
            .all(|state| matches!(state, PathState::OurLink | PathState::OurCopy))
    }

    /// Whether no server has to be tested, reloaded or probed: there is none, or all serve the wanted
    /// release.
    #[must_use]
    pub(crate) fn is_answered(&self) -> bool {
        !self.any(|state| match state {
            ServerState::Nothing
            | ServerState::NotNamed
            | ServerState::Serves(_, ServedEvidence::WantedRelease) => false,
            ServerState::BrokenUntilInstalled(_)
            | ServerState::Serves(..)
            | ServerState::Stopped(_) => true,
        })
    }

    /// Whether any server's state satisfies `is`.
    pub(crate) fn any(&self, is: impl Fn(&ServerState) -> bool) -> bool {
        self.server_uses.iter().any(|one| is(&one.state))
    }
}

/// The release that an install is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TargetRelease {
    pub id: ReleaseId,
    pub pieces: Vec<ReleaseFile>,
    /// Whether the settings have to be written.
    pub settings_change: SettingsChange,
}

/// Whether the saved settings differ from those of this run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SettingsChange {
    /// The command that tests or reloads the server is another one.
    Commands,
    Unchanged,
    /// The command line changes them.
    Otherwise,
}
