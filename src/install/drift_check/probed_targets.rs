//! The addresses that a check probes.

use crate::install::preflight::PreflightState;
use crate::install::servers::ServerUse;
use crate::install_plan::apply::{self, ProbeAnswer};
use crate::install_plan::plan::ServerState;
use crate::probe::ProbeTarget;

/// Probes what blocks with other files serve.
pub(super) fn probe_other_files(observed: &[(usize, PreflightState)]) -> Vec<Vec<ProbeAnswer>> {
    let mut targets = Vec::new();
    for one in observed {
        targets.push(one.1.other_targets());
    }
    let certificates = observed.iter().map(|(_, one)| &one.wanted.certificates[..]);
    let groups: Vec<_> = targets
        .iter()
        .map(Vec::as_slice)
        .zip(certificates)
        .collect();
    apply::probe_groups(&groups)
}

/// Returns the addresses to probe, unless they were probed already.
pub(super) fn unprobed(situation: &PreflightState) -> &[ProbeTarget] {
    let serving = &situation.serving;
    let serves = |server_use: &ServerUse| {
        matches!(
            server_use.state,
            ServerState::BrokenUntilInstalled(_) | ServerState::Serves(..)
        )
    };
    if serving.probes.is_empty() && serving.uses.iter().any(serves) {
        &serving.targets
    } else {
        &[]
    }
}
