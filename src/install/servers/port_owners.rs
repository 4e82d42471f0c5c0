//! Names the processes that listen at the addresses of a server in its place.

use std::net::SocketAddr;

use super::{ServerUse, ServingState};
use crate::webserver::control::ServerProgram;
use crate::webserver::control::ports;
use crate::webserver::masters::listeners::ListeningSocket;

impl ServingState {
    /// Describes the processes that listen at probed addresses and are none of the servers that use
    /// the certificate.
    #[must_use]
    pub(crate) fn describe_other_owners(&self) -> Vec<String> {
        let programs = self.uses.iter().filter_map(ServerUse::program);
        let own: Vec<i32> = programs.flat_map(ServerProgram::current_pids).collect();
        // Without its processes, a server cannot be distinguished from others.
        if own.is_empty() {
            return Vec::new();
        }
        let uses = self.uses.iter();
        let addresses: Vec<&String> = uses.flat_map(|one| &one.addresses).collect();
        describe(&ports::current_sockets(), &addresses, &own)
    }
}

impl ServerUse {
    /// Describes the processes that listen at the addresses of a server that is not running.
    #[must_use]
    pub(crate) fn describe_port_owners(&self) -> Vec<String> {
        let addresses: Vec<&String> = self.addresses.iter().collect();
        describe(self.observed.current_sockets(), &addresses, &[])
    }
}

fn describe(sockets: &[ListeningSocket], addresses: &[&String], own: &[i32]) -> Vec<String> {
    let mut parsed: Vec<SocketAddr> = Vec::new();
    for address in addresses.iter().filter_map(|address| address.parse().ok()) {
        if !parsed.contains(&address) {
            parsed.push(address);
        }
    }
    let owners = ports::find_other_owners(sockets, &parsed, own);
    owners.iter().map(ports::PortOwner::in_words).collect()
}
