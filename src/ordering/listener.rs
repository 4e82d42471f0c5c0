//! certctl's own server for validation files (`--standalone`).

use std::io::ErrorKind;

use super::spec::{OrderSpec, ValidationSetup};
use crate::advice::standalone as advice;
use crate::failure::{Failure, FailureKind};
use crate::system::serve::challenge::{ChallengeServer, listener_addresses};
use crate::webserver::control::ports;

/// Opens the port of `--standalone`; nothing for another method.
///
/// # Errors
/// When another process holds the port, or this user may not use it.
pub(super) fn open_listener(spec: &OrderSpec) -> Result<Option<ChallengeServer>, Failure> {
    let ValidationSetup::Listener(address) = spec.method else {
        return Ok(None);
    };
    let error = match ChallengeServer::start(address) {
        Ok(server) => return Ok(Some(server)),
        Err(error) => error,
    };
    let addresses = listener_addresses(address);
    let shown = addresses[0].to_string();
    Err(match error.kind() {
        ErrorKind::AddrInUse => {
            let sockets = ports::current_sockets();
            let owners = ports::find_other_owners(&sockets, &addresses, &[]);
            advice::port_in_use(&shown, owners.first())
        }
        ErrorKind::PermissionDenied => advice::port_denied(&shown),
        _ => Failure::from_error(FailureKind::Io, &error).because(format!("at {shown}")),
    })
}
