//! Finds the place of a configuration that accepts a connection to an address.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::block::{ConfigBlock, TrafficKind};
use super::config::ServerConfig;
use super::index::ListenPlace;
use super::listen::{ListenAddress, ListenInterface};
use super::rules::ModelRule;

/// The parts of a server, in no particular order: an address belongs to one of them.
const PARTS: [TrafficKind; 3] = [TrafficKind::Http, TrafficKind::Stream, TrafficKind::Mail];

impl ServerConfig {
    /// The place where a connection is accepted: the most specific address that matches.
    pub(super) fn find_place(
        &self,
        search: &PlaceSearch,
    ) -> Result<(TrafficKind, &ListenPlace), NoPlace<'_>> {
        let (socket, interface, port) = match search {
            PlaceSearch::Exact(interface, port) => (None, interface.clone(), *port),
            PlaceSearch::Socket(socket) => {
                let interface = ListenInterface::Address(socket.ip());
                (Some(*socket), interface, socket.port())
            }
        };
        let single = self.place_at(&interface, port);
        if let Some(found) = single
            && (socket.is_none() || ModelRule::SingleAddress.is_followed())
        {
            return Ok(found);
        }
        let Some(socket) = socket else {
            return Err(NoPlace::NotListening);
        };
        if let Some(unresolved) = self.unresolved_address(port) {
            return Err(NoPlace::Unresolved(unresolved));
        }
        let found = self.wide_place(socket).or(single);
        found.ok_or(NoPlace::NotListening)
    }

    /// The place that listens on all addresses of the family, if there is one for the port.
    fn wide_place(&self, socket: SocketAddr) -> Option<(TrafficKind, &ListenPlace)> {
        let any6 = ListenInterface::Address(Ipv6Addr::UNSPECIFIED.into());
        let wide6 = self.place_at(&any6, socket.port());
        if socket.is_ipv6() {
            return wide6;
        }
        let any4 = ListenInterface::Address(Ipv4Addr::UNSPECIFIED.into());
        let wide4 = self.place_at(&any4, socket.port());
        wide4.or_else(|| wide6.filter(|(_, place)| place.listen.dual_stack))
    }

    fn place_at(
        &self,
        interface: &ListenInterface,
        port: u16,
    ) -> Option<(TrafficKind, &ListenPlace)> {
        PARTS.into_iter().find_map(|part| {
            let place = self.index.place(part, interface, port)?;
            Some((part, place))
        })
    }

    /// An address of that port that may be any address of this machine.
    fn unresolved_address(&self, port: u16) -> Option<&ListenAddress> {
        let places = PARTS.into_iter().flat_map(|part| self.index.places(part));
        places
            .map(|place| &place.listen)
            .find(|listen| match &listen.interface {
                ListenInterface::Host(_) => listen.port == port,
                ListenInterface::Unknown(text) => !text.starts_with("abns@"),
                ListenInterface::Address(_) | ListenInterface::Unix(_) => false,
            })
    }
}

/// Whether the block uses TLS at the address.
pub(super) fn is_tls_at(block: &ConfigBlock, place: &ListenPlace) -> bool {
    let mut listens = block.listens.iter();
    listens.any(|listen| {
        listen.ssl
            && !listen.udp
            && listen.interface == place.listen.interface
            && listen.port == place.listen.port
    })
}

/// Why no place is found.
pub(super) enum NoPlace<'a> {
    NotListening,
    /// Only the server resolves this address, which may be the one.
    Unresolved(&'a ListenAddress),
}

/// How the place that accepts a connection is searched.
pub(super) enum PlaceSearch {
    /// The address of a connection.
    Socket(SocketAddr),
    /// A socket that is not an IP address.
    Exact(ListenInterface, u16),
}

impl fmt::Display for PlaceSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => write!(f, "{socket}"),
            Self::Exact(interface, port) => {
                write!(f, "{}", ListenAddress::on(interface.clone(), *port))
            }
        }
    }
}
