//! The resolvers to query: those passed by the user, else those of the system.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::system::fs::files;

/// The resolvers to query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ResolverList {
    pub addresses: Vec<SocketAddr>,
    /// True for the system's resolvers, which are interchangeable.
    pub(super) first_that_answers: bool,
}

impl ResolverList {
    /// Returns the resolvers passed by the user; if there are none, those of the system.
    #[must_use]
    pub(crate) fn new(named: &[SocketAddr]) -> Self {
        if !named.is_empty() {
            return Self {
                addresses: named.to_vec(),
                first_that_answers: false,
            };
        }
        let text = files::read(Path::new("/etc/resolv.conf"), 64 * 1024).unwrap_or_default();
        Self {
            addresses: name_servers(&String::from_utf8_lossy(&text)),
            first_that_answers: true,
        }
    }

    /// Returns whether no other server is to be queried: a port other than 53 belongs to a test or
    /// a tunnel.
    #[must_use]
    pub(crate) fn excludes_other_servers(&self) -> bool {
        self.addresses.iter().any(|address| address.port() != 53)
    }
}

/// Parses a resolver's address, with or without a port.
///
/// # Errors
/// A message that shows the expected form.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 53))
        .or_else(|_| text.parse())
        .map_err(|_| "not an address such as 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53")
}

/// Returns the address as text, without the port if that is 53.
#[must_use]
pub(crate) fn format_address(address: SocketAddr) -> String {
    if address.port() == 53 {
        address.ip().to_string()
    } else {
        address.to_string()
    }
}

/// Returns the servers in `nameserver` lines, at most three as in resolv.conf(5); this machine if
/// there are none.
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver"))
                .then(|| words.next())
                .flatten()
        })
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .take(3)
        .collect();
    if found.is_empty() {
        found.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{name_servers, parse_address};

    #[test]
    fn a_port_is_optional() {
        for (typed, read) in [
            ("9.9.9.9", Some("9.9.9.9:53")),
            ("127.0.0.1:5353", Some("127.0.0.1:5353")),
            ("2620:fe::fe", Some("[2620:fe::fe]:53")),
            ("[2620:fe::fe]", Some("[2620:fe::fe]:53")),
            ("[::1]:5353", Some("[::1]:5353")),
            ("dns.example", None),
            ("", None),
        ] {
            assert_eq!(
                parse_address(typed)
                    .ok()
                    .map(|address| address.to_string())
                    .as_deref(),
                read,
                "{typed}"
            );
        }
    }

    #[test]
    fn resolv_conf_is_read_as_the_c_library_does() {
        for (text, servers) in [
            ("", "127.0.0.1:53"),
            (
                "# nameserver 192.0.2.9\nsearch example.com\nnameserver\t192.0.2.1 # x\n",
                "192.0.2.1:53",
            ),
            (
                "nameserver 2001:db8::1\nnameserver bad\nnameserver 192.0.2.2",
                "[2001:db8::1]:53 192.0.2.2:53",
            ),
            (
                "nameserver 192.0.2.1\n".repeat(4).as_str(),
                "192.0.2.1:53 192.0.2.1:53 192.0.2.1:53",
            ),
        ] {
            let found: Vec<String> = name_servers(text).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), servers, "{text}");
        }
    }
}
