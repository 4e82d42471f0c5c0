//! `Listen` and the addresses of `<VirtualHost>`: Apache opens the sockets of the one and picks by
//! the others, so where a site answers is both together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::webserver::model::{ListenAddress, ListenInterface};

/// A socket that Apache opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenSocket {
    /// The address; `None` for all of this machine.
    pub address: Option<IpAddr>,
    pub port: u16,
}

impl ListenSocket {
    /// `Listen [ADDRESS:]PORT`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let (host, port) = word.rsplit_once(':').unwrap_or(("*", word));
        let address = match host {
            "*" | "" => None,
            host => Some(bare(host).parse().ok()?),
        };
        Some(Self {
            address,
            port: port.parse().ok()?,
        })
    }

    /// The single addresses that it means; a socket for `[::]` takes IPv4 too where Apache was
    /// built so.
    fn addresses(&self, mapped: bool, ipv6: bool) -> Vec<IpAddr> {
        let (any4, any6) = (
            IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::from(Ipv6Addr::UNSPECIFIED),
        );
        match self.address {
            None if ipv6 => vec![any4, any6],
            None => vec![any4],
            Some(address) if address == any6 && mapped => vec![any4, any6],
            Some(address) => vec![address],
        }
    }
}

/// An address of `<VirtualHost>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct VirtualAddress {
    /// `None`: any (`*`, `_default_`).
    pub host: Option<ListenInterface>,
    /// `None`: any.
    pub port: Option<u16>,
}

impl VirtualAddress {
    /// `*:443`, `192.0.2.1`, `[2001:db8::1]:443`, `www.example.com:*`.
    #[must_use]
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
            _ => (word, "*"),
        };
        let host = match host {
            "*" | "_default_" => None,
            host => match bare(host).parse() {
                Ok(address) => Some(ListenInterface::Address(address)),
                Err(_) => Some(ListenInterface::Host(host.to_ascii_lowercase())),
            },
        };
        let port = match port {
            "*" => None,
            port => Some(port.parse().ok()?),
        };
        Some(Self { host, port })
    }

    /// Where it is reached through these sockets.
    #[must_use]
    pub(crate) fn through(
        &self,
        sockets: &[ListenSocket],
        (mapped, ipv6): (bool, bool),
    ) -> Vec<ListenAddress> {
        let mut listens: Vec<ListenAddress> = Vec::new();
        for socket in sockets
            .iter()
            .filter(|socket| self.port.is_none_or(|port| port == socket.port))
        {
            let open = socket.addresses(mapped, ipv6);
            let interfaces = match &self.host {
                None => open.into_iter().map(ListenInterface::Address).collect(),
                Some(own) if reaches(&open, own) => vec![own.clone()],
                Some(_) => Vec::new(),
            };
            for interface in interfaces {
                let listen = ListenAddress::on(interface, socket.port);
                if !listens.contains(&listen) {
                    listens.push(listen);
                }
            }
        }
        listens
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether visitors of `own` come in by a socket that is open on these addresses; of a host name
/// only Apache knows.
fn reaches(open: &[IpAddr], own: &ListenInterface) -> bool {
    let ListenInterface::Address(own) = own else {
        return true;
    };
    open.iter()
        .any(|open| open == own || (open.is_unspecified() && open.is_ipv4() == own.is_ipv4()))
}

#[cfg(test)]
mod tests {
    use super::{ListenSocket, VirtualAddress};

    #[test]
    fn where_a_virtual_host_answers() {
        for (sockets, host, expected) in [
            ("443", "*:443", "0.0.0.0:443 [::]:443"),
            ("443", "_default_:443", "0.0.0.0:443 [::]:443"),
            ("80 443", "*", "0.0.0.0:80 [::]:80 0.0.0.0:443 [::]:443"),
            ("80 443", "*:*", "0.0.0.0:80 [::]:80 0.0.0.0:443 [::]:443"),
            ("80", "*:443", ""),
            ("0.0.0.0:443", "*:443", "0.0.0.0:443"),
            ("[::]:443", "*:443", "0.0.0.0:443 [::]:443"),
            ("127.0.0.1:8443", "*:8443", "127.0.0.1:8443"),
            ("443", "192.0.2.1:443", "192.0.2.1:443"),
            ("443", "[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("127.0.0.1:443", "192.0.2.1:443", ""),
            ("443 8443", "192.0.2.1", "192.0.2.1:443 192.0.2.1:8443"),
            ("443", "www.Example.com:443", "www.example.com:443"),
            ("443", "*:x", "-"),
        ] {
            let sockets: Vec<ListenSocket> = sockets
                .split(' ')
                .map(|word| ListenSocket::parse(word).unwrap())
                .collect();
            let told = VirtualAddress::parse(host).map_or_else(
                || "-".to_owned(),
                |host| {
                    let listens = host.through(&sockets, (true, true));
                    listens
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                },
            );
            assert_eq!(told, expected, "{host} {sockets:?}");
        }
    }
}
