//! What `listen` says: <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a server listens.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Interface {
    /// One address, or all of a family (`0.0.0.0`, `[::]`).
    Address(IpAddr),
    /// A host name, which nginx looks up when it starts.
    Host(String),
    /// A Unix socket.
    Unix(String),
}

/// One address of a server block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listen {
    /// Where.
    pub interface: Interface,
    /// The port; 0 for a Unix socket.
    pub port: u16,
    /// TLS is spoken here (said here or by another block for the same address).
    pub ssl: bool,
    /// A PROXY header is expected before anything else.
    pub proxy_protocol: bool,
    /// UDP: HTTP/3 or a stream server's `udp`.
    pub udp: bool,
    /// This block answers for names that no block has.
    pub default_server: bool,
    /// An IPv6 socket that takes IPv4 connections too (`ipv6only=off`).
    pub dual_stack: bool,
}

impl Listen {
    /// The socket address, unless it is a host name or a Unix socket.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        match self.interface {
            Interface::Address(address) => Some(SocketAddr::new(address, self.port)),
            Interface::Host(_) | Interface::Unix(_) => None,
        }
    }

    /// Without `listen`, nginx takes port 80 of all IPv4 addresses.
    pub(super) fn default() -> Self {
        Self::on(Interface::Address(Ipv4Addr::UNSPECIFIED.into()), 80)
    }

    fn on(interface: Interface, port: u16) -> Self {
        Self {
            interface,
            port,
            ssl: false,
            proxy_protocol: false,
            udp: false,
            default_server: false,
            dual_stack: false,
        }
    }

    /// The arguments of one `listen`; several for a range of ports, none when it says nothing that nginx would take.
    pub(super) fn parse(arguments: &[String]) -> Vec<Self> {
        let Some((place, options)) = arguments.split_first() else { return Vec::new() };
        let has = |names: &[&str]| options.iter().any(|option| names.contains(&option.as_str()));
        interfaces(place)
            .into_iter()
            .map(|(interface, port)| Self {
                ssl: has(&["ssl"]),
                proxy_protocol: has(&["proxy_protocol"]),
                udp: has(&["quic", "udp"]),
                default_server: has(&["default_server", "default"]),
                dual_stack: has(&["ipv6only=off"]),
                ..Self::on(interface, port)
            })
            .collect()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Interface::Address(address) => write!(f, "{}", SocketAddr::new(*address, self.port)),
            Interface::Host(host) => write!(f, "{host}:{}", self.port),
            Interface::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

fn interfaces(place: &str) -> Vec<(Interface, u16)> {
    if let Some(path) = place.strip_prefix("unix:") {
        return vec![(Interface::Unix(path.to_owned()), 0)];
    }
    let any = || Interface::Address(Ipv4Addr::UNSPECIFIED.into());
    if let Some(ports) = ports(place) {
        return ports.map(|port| (any(), port)).collect();
    }
    let (host, rest) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let interface = match host {
        "*" => any(),
        "localhost" => Interface::Address(Ipv4Addr::LOCALHOST.into()),
        host => host.parse().map_or_else(|_| Interface::Host(host.to_ascii_lowercase()), Interface::Address),
    };
    match rest.map_or(Some(80..=80), ports) {
        Some(ports) => ports.map(|port| (interface.clone(), port)).collect(),
        None => Vec::new(),
    }
}

/// `443` or `8000-8010`.
fn ports(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// The address on this machine that reaches an interface: loopback for all addresses of a family.
pub(super) fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn every_way_to_say_where() {
        for (text, expected) in [
            ("443 ssl", "0.0.0.0:443 ssl"),
            ("*:443 ssl default_server", "0.0.0.0:443 ssl default"),
            ("80", "0.0.0.0:80"),
            ("127.0.0.1", "127.0.0.1:80"),
            ("127.0.0.1:8443 ssl http2", "127.0.0.1:8443 ssl"),
            ("[::]:443 ssl ipv6only=off", "[::]:443 ssl dual"),
            ("[::1]", "[::1]:80"),
            ("[2001:db8::1]:443 ssl reuseport backlog=5", "[2001:db8::1]:443 ssl"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("www.Example.com:443 ssl", "www.example.com:443 ssl"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("443 quic reuseport", "0.0.0.0:443 udp"),
            ("10.0.0.1:443 ssl proxy_protocol", "10.0.0.1:443 ssl proxy"),
            ("8000-8002", "0.0.0.0:8000 0.0.0.0:8001 0.0.0.0:8002"),
            ("1.2.3.4:99999", ""),
            ("", ""),
        ] {
            let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let listens: Vec<String> = Listen::parse(&arguments).iter().map(told).collect();
            assert_eq!(listens.join(" "), expected, "{text}");
        }
    }

    fn told(listen: &Listen) -> String {
        let flags = [
            (listen.ssl, " ssl"),
            (listen.proxy_protocol, " proxy"),
            (listen.udp, " udp"),
            (listen.default_server, " default"),
            (listen.dual_stack, " dual"),
        ];
        let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        format!("{listen}{flags}")
    }
}
