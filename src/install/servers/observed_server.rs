//! A server of this machine: what is found out about it, once in a run.

use std::cell::OnceCell;

use crate::finding::Finding;
use crate::install::servers::disabled_sites::{self, DisabledSite};
use crate::install::servers::doubts;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::system::process::{FinishedCommand, ProcessError};
use crate::webserver::control::ports;
use crate::webserver::control::{
    ControlledServer, ServerObservation, ServerProgram, UnloadedChanges,
};
use crate::webserver::masters::listeners::ListeningSocket;
use crate::webserver::model::{CatchAllBlocks, ConfigBlock, ServerSoftware};

/// A server of this machine, observed once.
#[derive(Debug)]
pub(crate) struct ObservedServer {
    pub server: ControlledServer,
    /// Its configuration, if certctl has a profile for the server.
    pub observation: Option<ServerObservation>,
    /// The reason why its configuration cannot be read.
    pub refusal: Option<Finding>,
    /// Doubts of certctl about it that the user has allowed, as warnings.
    pub doubts: Vec<Finding>,
    tested: OnceCell<Option<FinishedCommand>>,
    disabled_sites: OnceCell<Vec<DisabledSite>>,
    unloaded_changes: OnceCell<Option<UnloadedChanges>>,
    config_digest: OnceCell<Option<String>>,
    current_sockets: OnceCell<Vec<ListeningSocket>>,
}

impl ObservedServer {
    pub(super) fn new(server: ControlledServer, allowed: &[&'static str]) -> Self {
        let (server, mut doubts) = doubts::ignore_allowed_gate(server, allowed);
        let (observation, mut refusal) = match server.program().map(ServerProgram::observe) {
            Some(Ok(observation)) => (Some(observation), None),
            Some(Err(error)) => (None, Some(doubts::report_unreadable(&server, &error))),
            None => (None, None),
        };
        if let Some(allowed) = refusal.take_if(|finding| allowed.contains(&finding.code)) {
            doubts.push(allowed.into_allowed());
        }
        Self {
            server,
            observation,
            refusal,
            doubts,
            tested: OnceCell::new(),
            disabled_sites: OnceCell::new(),
            unloaded_changes: OnceCell::new(),
            config_digest: OnceCell::new(),
            current_sockets: OnceCell::new(),
        }
    }

    /// Returns its software; `None` for commands given by the user.
    #[must_use]
    pub(crate) fn software(&self) -> Option<ServerSoftware> {
        self.server.program().map(ServerProgram::software)
    }

    /// Whether it is running; assumed if certctl has no profile for it.
    #[must_use]
    pub(crate) fn runs(&self) -> bool {
        self.observation
            .as_ref()
            .is_none_or(|observation| observation.running.is_some())
    }

    /// Whether the addresses of a running process can be probed from here.
    #[must_use]
    pub(crate) fn can_probe(&self) -> bool {
        let program = self.server.program();
        program.is_none_or(ServerProgram::can_probe)
    }

    /// The process ids of its masters.
    #[must_use]
    pub(crate) fn master_pids(&self) -> Vec<i32> {
        let program = self.server.program();
        program.map(ServerProgram::master_pids).unwrap_or_default()
    }

    /// Returns the sockets that listened on this machine when somebody asked first. The kernel's list
    /// is long on a busy machine, and each certificate of a batch asks.
    pub(super) fn current_sockets(&self) -> &[ListeningSocket] {
        self.current_sockets.get_or_init(ports::current_sockets)
    }

    /// Whether its profile shows that it is running.
    pub(super) fn is_running(&self) -> bool {
        self.observation
            .as_ref()
            .is_some_and(|observation| observation.running.is_some())
    }

    /// Runs its test before anything is changed, once; `None` without a test command.
    ///
    /// # Errors
    /// When the test cannot be run.
    pub(crate) fn test(&self) -> Result<Option<&FinishedCommand>, ProcessError> {
        if let Some(tested) = self.tested.get() {
            return Ok(tested.as_ref());
        }
        let tested = self.server.test()?;
        Ok(self.tested.get_or_init(|| tested).as_ref())
    }

    /// Returns how its test ended before anything was changed, if it was run.
    #[must_use]
    pub(crate) fn tested(&self) -> Option<&FinishedCommand> {
        self.tested.get().and_then(Option::as_ref)
    }

    /// Returns the changes to its configuration that it has not loaded, searched for once. After a
    /// reload, this is still the answer from before.
    #[must_use]
    pub(crate) fn unloaded_changes(&self) -> Option<&UnloadedChanges> {
        let changes = self.unloaded_changes.get_or_init(|| {
            self.observation
                .as_ref()
                .and_then(ServerObservation::unloaded_changes)
        });
        changes.as_ref()
    }

    /// Returns a digest of its configuration, computed once; `None` if certctl has no profile for it.
    #[must_use]
    pub(crate) fn config_digest(&self) -> Option<&str> {
        let digest = self.config_digest.get_or_init(|| {
            let observation = self.observation.as_ref();
            observation.map(ServerObservation::config_digest)
        });
        digest.as_deref()
    }

    /// Returns the sites that exist and are not enabled, searched for once.
    #[must_use]
    pub(crate) fn disabled_sites(&self) -> &[DisabledSite] {
        self.disabled_sites.get_or_init(|| {
            self.observation
                .as_ref()
                .map(|observation| disabled_sites::find_disabled(&observation.config))
                .unwrap_or_default()
        })
    }

    /// Whether its configuration references one of these files.
    #[must_use]
    pub(crate) fn names_any(&self, links: &[StableLink]) -> bool {
        self.observation
            .as_ref()
            .is_some_and(|observation| observation.config.blocks_naming(links).next().is_some())
    }

    /// Whether its configuration references one of these files as a certificate, or serves one of
    /// these names; assumed if it cannot be read.
    pub(super) fn concerns(&self, links: &[StableLink], names: &[DnsName]) -> bool {
        self.observation.as_ref().is_none_or(|observation| {
            let config = &observation.config;
            config.blocks_naming(links).next().is_some()
                || config.blocks_serving(names).any(ConfigBlock::speaks_tls)
        })
    }

    /// Whether a block without a host name answers for these names over TLS.
    pub(super) fn answers_without_name(&self, names: &[DnsName]) -> bool {
        self.observation
            .as_ref()
            .is_some_and(|observation| !CatchAllBlocks::find(&observation.config, names).is_empty())
    }
}
