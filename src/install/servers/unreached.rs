//! Running server processes that use the certificate, and that certctl cannot reload or probe. They
//! are reported, and never count as servers that were verified.

use std::collections::BTreeSet;

use super::discover::ServerDiscovery;
use super::observed_server::ObservedServer;
use super::{ServerUse, ServingState};
use crate::advice::servers;
use crate::finding::{Finding, Severity};
use crate::install_plan::plan::{PlannedServerUse, ServedEvidence, ServerState};
use crate::webserver::control::ControlledServer;
use crate::webserver::control::foreign::{FileUse, UnreachedMaster};
use crate::webserver::masters::reload::MasterBarrier;

/// The code of these findings.
const CODE: &str = "process-not-reached";

impl ServingState {
    /// Reports servers in containers and of other users that use the files of the certificate.
    pub(super) fn check_foreign(&mut self, discovery: &mut ServerDiscovery) {
        for foreign in discovery.foreign_servers() {
            self.findings
                .extend(match foreign.uses(&self.configured_paths) {
                    FileUse::Used => Some(report(&foreign.master)),
                    FileUse::Unused => None,
                    FileUse::Unknown => Some(report_unknown(&foreign.master)),
                });
        }
    }

    /// Whether a running process uses the certificate and was not reloaded or not probed.
    #[must_use]
    pub(crate) fn has_unreached(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.code == CODE && finding.severity == Severity::Error)
    }

    /// Reports the masters that cannot be reloaded, and excludes what only they serve from the
    /// probes: they keep serving the previous certificate. `planned` are the uses of the plan.
    pub(crate) fn exclude_unreloaded(&mut self, planned: &mut [PlannedServerUse]) {
        let mut excluded: BTreeSet<String> = BTreeSet::new();
        let mut probed: BTreeSet<String> = BTreeSet::new();
        for (server_use, planned) in self.uses.iter().zip(planned) {
            let unreached = unreloaded(server_use, &planned.state);
            let is_excluded = !unreached.is_empty() && !can_reload(&server_use.observed);
            if is_excluded {
                planned.state.clear_addresses();
            }
            let addresses = server_use.addresses.iter().cloned();
            if is_excluded {
                excluded.extend(addresses);
            } else {
                probed.extend(addresses);
            }
            self.findings.extend(unreached.iter().map(report));
        }
        self.targets.retain(|target| {
            let address = target.address.to_string();
            probed.contains(&address) || !excluded.contains(&address)
        });
    }
}

impl ServerUse {
    /// Reports the masters whose addresses cannot be probed from here.
    pub(super) fn report_unprobed(&self) -> Vec<Finding> {
        let barriers = barriers(&self.observed).into_iter();
        let unprobed = barriers.filter(|one| self.is_configured && !one.barrier.allows_probe());
        unprobed.map(|one| report(&one)).collect()
    }
}

/// Returns the masters of a server that have to be reloaded and cannot be.
fn unreloaded(server_use: &ServerUse, state: &ServerState) -> Vec<UnreachedMaster> {
    let needs_reload = match state {
        ServerState::BrokenUntilInstalled(_)
        | ServerState::Serves(_, ServedEvidence::Otherwise) => true,
        ServerState::Serves(_, ServedEvidence::WantedRelease)
        | ServerState::Nothing
        | ServerState::NotNamed
        | ServerState::Stopped(_) => false,
    };
    let has_own_command = matches!(
        server_use.observed.server,
        ControlledServer::Known {
            reload: Some(_),
            ..
        }
    );
    let mut unreached = barriers(&server_use.observed);
    // HAProxy without a master is reloaded by a command of the user, without which the install fails.
    unreached.retain(|one| !one.barrier.allows_reload() && one.barrier != MasterBarrier::NoReload);
    if !needs_reload || has_own_command || !server_use.is_configured {
        unreached.clear();
    }
    unreached
}

fn barriers(observed: &ObservedServer) -> Vec<UnreachedMaster> {
    let program = observed.server.program();
    program
        .map(|program| program.barriers())
        .unwrap_or_default()
}

fn can_reload(observed: &ObservedServer) -> bool {
    let program = observed.server.program();
    program.is_none_or(|program| program.can_reload())
}

fn report(unreached: &UnreachedMaster) -> Finding {
    let message = format!(
        "{} (process {}) uses these files and {}",
        unreached.software.title(),
        unreached.pid,
        unreached.barrier.reason()
    );
    let next = match unreached.barrier {
        MasterBarrier::OtherUser => servers::run_as_root(),
        MasterBarrier::OtherNetwork | MasterBarrier::OtherFiles => {
            servers::reload_in_namespaces(unreached.software, unreached.pid)
        }
        MasterBarrier::Replaced(_) | MasterBarrier::NoReload | MasterBarrier::Untrusted => {
            servers::find_process(unreached.pid)
        }
    };
    Finding::error(CODE, message).with_step(next)
}

fn report_unknown(unreached: &UnreachedMaster) -> Finding {
    let message = format!(
        "{} (process {}) {}; its configuration cannot be read, so whether it uses these files is \
         unknown",
        unreached.software.title(),
        unreached.pid,
        unreached.barrier.reason()
    );
    Finding::warning(CODE, message).with_step(servers::find_process(unreached.pid))
}
