//! `Listen` and the addresses of `<VirtualHost>`: Apache opens the sockets of the former and
//! selects hosts by the latter, so both decide where a site answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::webserver::model::{ListenAddress, ListenInterface};

/// Which IP families a socket of Apache accepts.
#[derive(Clone, Copy, Debug)]
pub struct SocketSupport {
    /// Whether Apache was built so that a socket for `[::]` accepts IPv4 connections too.
    pub ipv4_mapped: bool,
    /// Whether this machine supports IPv6.
    pub ipv6: bool,
}

/// A socket that Apache opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenSocket {
    /// The address; `None` for all addresses of this machine.
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
            host => Some(without_brackets(host).parse().ok()?),
        };
        Some(Self {
            address,
            port: port.parse().ok()?,
        })
    }

    /// The addresses that it accepts connections on.
    fn addresses(&self, support: SocketSupport) -> Vec<IpAddr> {
        let any4 = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        let any6 = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        match self.address {
            None if support.ipv6 => vec![any4, any6],
            None => vec![any4],
            Some(address) if address == any6 && support.ipv4_mapped => vec![any4, any6],
            Some(address) => vec![address],
        }
    }
}

/// An address of `<VirtualHost>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct VirtualAddress {
    /// The address; `None` for any (`*`, `_default_`).
    pub host: Option<ListenInterface>,
    /// The port; `None` for any.
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
            host => match without_brackets(host).parse::<IpAddr>() {
                Ok(address) if address.is_unspecified() => None,
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

    /// Where the host answers, given the sockets that Apache opens.
    #[must_use]
    pub(crate) fn listens_on(
        &self,
        sockets: &[ListenSocket],
        support: SocketSupport,
    ) -> Vec<ListenAddress> {
        let mut listens: Vec<ListenAddress> = Vec::new();
        for socket in sockets {
            if self.port.is_some_and(|port| port != socket.port) {
                continue;
            }
            let open = socket.addresses(support);
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

fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Returns whether a socket that is open on these addresses accepts connections to `own`; true for
/// host names, which only Apache resolves.
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
    use crate::webserver::apache::testing::DUAL_STACK;

    #[test]
    fn virtual_hosts_answer_on_matching_sockets() {
        for (sockets, host, expected) in [
            ("443", "*:443", "0.0.0.0:443 [::]:443"),
            ("443", "_default_:443", "0.0.0.0:443 [::]:443"),
            ("443", "0.0.0.0:443", "0.0.0.0:443 [::]:443"),
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
            let answers = match VirtualAddress::parse(host) {
                None => "-".to_owned(),
                Some(address) => {
                    let listens = address.listens_on(&sockets, DUAL_STACK);
                    let words: Vec<String> = listens.iter().map(ToString::to_string).collect();
                    words.join(" ")
                }
            };
            assert_eq!(answers, expected, "{host} {sockets:?}");
        }
    }
}
