//! Whether a chain can be installed alone: a handshake has to show that the server has the key, and a
//! wrong key must not end the server.

use crate::advice::{doubts, install_command};
use crate::finding::Finding;
use crate::install::servers::ServingState;
use crate::install::servers::doubts::RELOAD_RISK;
use crate::install_plan::allow::KEY_NOT_CHECKED;
use crate::install_plan::plan::ServerState;
use crate::pki::certificate::Certificate;
use crate::store::layout::{KeyStorage, LineageLayout};
use crate::webserver::model::ServerSoftware;

/// Returns why the key of a chain without a key file would stay unproven.
///
/// Refuses a chain without a key file where no address can be probed: nothing would show that the
/// key fits. An install that no server uses yet says so itself.
pub(super) fn check(layout: &LineageLayout, serving: &ServingState) -> Option<Finding> {
    let is_unused = serving.uses.iter().any(|server_use| {
        matches!(
            server_use.state,
            ServerState::NotNamed | ServerState::Stopped(_)
        )
    });
    if layout.key_storage() == KeyStorage::File || is_unused || !serving.targets.is_empty() {
        return None;
    }
    let message = "the key is not a file, and without an address to probe certctl cannot check \
                   that it belongs to the certificate";
    let finding = Finding::error(KEY_NOT_CHECKED, message);
    Some(finding.with_step(install_command::probe_for_key()))
}

/// Returns why a reload with this chain could end Apache.
///
/// Refuses a chain for another key than that of the certificate that Apache has loaded. Apache's test
/// does not open keys, and Apache ends with all of its sites at a reload with a wrong one.
pub(super) fn check_apache(
    layout: &LineageLayout,
    serving: &ServingState,
    loaded: Option<&Certificate>,
    wanted: &Certificate,
) -> Option<Finding> {
    let mut uses = serving.uses.iter();
    let is_apache = uses.any(|one| one.observed.software() == Some(ServerSoftware::Apache));
    let has_same_key = loaded.is_some_and(|loaded| loaded.key_id == wanted.key_id);
    if layout.key_storage() == KeyStorage::File || !is_apache || has_same_key {
        return None;
    }
    let message = "the certificate that Apache has loaded has another key, so only a reload would \
                   show whether the new one fits; Apache ends at a reload with a wrong key";
    Some(Finding::error(RELOAD_RISK, message).with_step(doubts::reload_with_other_key()))
}
