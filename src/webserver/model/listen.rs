//! The addresses that blocks listen on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The interface that a server listens on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ListenInterface {
    /// One address, or all addresses of a family (`0.0.0.0`, `[::]`).
    Address(IpAddr),
    /// A host name, which the server resolves when it starts.
    Host(String),
    Unix(String),
    /// An address that only the server knows: a variable, an inherited socket.
    Unknown(String),
}

/// One address of a block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenAddress {
    pub interface: ListenInterface,
    /// The port; 0 for a Unix socket.
    pub port: u16,
    /// Whether TLS is enabled, by this block or by another one at the same address.
    pub ssl: bool,
    /// Whether clients must send a PROXY protocol header first.
    pub proxy_protocol: bool,
    /// Whether it is a UDP socket: HTTP/3, or nginx's stream server with `udp`.
    pub udp: bool,
    /// Whether this block answers for names that no block has.
    pub default_server: bool,
    /// Whether the IPv6 socket accepts IPv4 connections too (nginx: `ipv6only=off`).
    pub dual_stack: bool,
    /// Whether names that no block has are refused (HAProxy: `strict-sni`).
    pub strict: bool,
}

impl ListenAddress {
    /// The socket address, unless it is a host name or a Unix socket.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        match self.interface {
            ListenInterface::Address(address) => Some(SocketAddr::new(address, self.port)),
            ListenInterface::Host(_) | ListenInterface::Unix(_) | ListenInterface::Unknown(_) => {
                None
            }
        }
    }

    /// An address for plain text without any option.
    #[must_use]
    pub fn on(interface: ListenInterface, port: u16) -> Self {
        Self {
            interface,
            port,
            ssl: false,
            proxy_protocol: false,
            udp: false,
            default_server: false,
            dual_stack: false,
            strict: false,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            ListenInterface::Address(address) => {
                write!(f, "{}", SocketAddr::new(*address, self.port))
            }
            ListenInterface::Host(host) => write!(f, "{host}:{}", self.port),
            ListenInterface::Unix(path) => write!(f, "unix:{path}"),
            ListenInterface::Unknown(text) => f.write_str(text),
        }
    }
}

/// The address to connect to from this machine: loopback where the server listens on all addresses
/// of a family.
pub(crate) fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
