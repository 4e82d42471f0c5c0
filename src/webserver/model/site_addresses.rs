//! The addresses that a new block has to listen on to be reached at a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::block::{ConfigBlock, TrafficKind};
use super::config::ServerConfig;
use super::listen::{ListenAddress, ListenInterface};
use super::software::ServerSoftware;

/// The web sites of a server at one port, to which a block is added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteAddresses<'a> {
    pub config: &'a ServerConfig,
    pub port: u16,
    /// Whether the machine supports IPv6.
    pub ipv6: bool,
}

impl<'a> SiteAddresses<'a> {
    /// Returns all addresses of the machine, and those of [`Self::complete`].
    #[must_use]
    pub(crate) fn everywhere(self) -> Vec<IpAddr> {
        let mut addresses = vec![IpAddr::from(Ipv4Addr::UNSPECIFIED)];
        if self.ipv6 {
            addresses.push(Ipv6Addr::UNSPECIFIED.into());
        }
        self.complete(addresses)
    }

    /// Adds the single addresses that existing blocks use at the port, because a server uses only the
    /// blocks of a single address for connections to it.
    #[must_use]
    pub(crate) fn complete(self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let any4 = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        let any6 = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        for listen in self.listens().filter(|listen| !listen.proxy_protocol) {
            if let ListenInterface::Address(address) = listen.interface {
                let any = if address.is_ipv4() { any4 } else { any6 };
                if addresses.contains(&any) && !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        // A socket with `ipv6only=off` uses the IPv4 port too: a second one could not be bound.
        let is_dual = self.listens().any(|listen| listen.dual_stack);
        if is_dual && self.config.software == ServerSoftware::Nginx {
            addresses.retain(|address| *address != any4);
            if !addresses.contains(&any6) {
                addresses.insert(0, any6);
            }
        }
        addresses
    }

    /// The addresses of web sites at the port, beyond loopback.
    pub(crate) fn listens(self) -> impl Iterator<Item = &'a ListenAddress> {
        let blocks = self.config.blocks().iter();
        let sites = blocks.filter(|block: &&ConfigBlock| block.traffic == TrafficKind::Http);
        sites
            .flat_map(|block| &block.listens)
            .filter(move |listen| is_public_at(listen, self.port))
    }
}

/// Whether an address is a TCP port beyond loopback.
pub(super) fn is_public_at(listen: &ListenAddress, port: u16) -> bool {
    let socket = listen.socket();
    let is_loopback = socket.is_some_and(|socket| socket.ip().is_loopback());
    listen.port == port && !listen.udp && !is_loopback
}
