//! The resolvers to query: those passed by the user, else those of the system.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use hickory_resolver::config::ResolverOpts;
use hickory_resolver::system_conf::parse_resolv_conf;

use crate::system::fs::files;

/// The resolvers to query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ResolverList {
    pub addresses: Vec<SocketAddr>,
    /// True for the system's resolvers, which are interchangeable.
    pub(super) first_that_answers: bool,
    pub(super) options: LookupOptions,
}

impl ResolverList {
    /// Returns the resolvers passed by the user; if there are none, those of the system.
    #[must_use]
    pub(crate) fn new(named: &[SocketAddr]) -> Self {
        if !named.is_empty() {
            return Self {
                addresses: named.to_vec(),
                first_that_answers: false,
                options: LookupOptions::from(&ResolverOpts::default()),
            };
        }
        let text = files::read(Path::new("/etc/resolv.conf"), 64 * 1024).unwrap_or_default();
        read_resolv_conf(&String::from_utf8_lossy(&text))
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

/// How long a resolver has for an answer, and how often a query is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LookupOptions {
    pub timeout: Duration,
    pub attempts: usize,
    /// Whether queries have an EDNS record (RFC 6891).
    pub edns0: bool,
}

impl From<&ResolverOpts> for LookupOptions {
    fn from(options: &ResolverOpts) -> Self {
        Self {
            timeout: options.timeout,
            attempts: options.attempts,
            edns0: options.edns0,
        }
    }
}

/// Reads `/etc/resolv.conf` as resolv.conf(5) says: at most three servers; this machine if there are
/// none. The search list is not used, because the names that certctl queries are complete.
fn read_resolv_conf(text: &str) -> ResolverList {
    let mut lines = text.lines().collect::<Vec<_>>();
    lines.retain(|line| !line.starts_with("search") && !line.starts_with("domain"));
    let parsed = parse_resolv_conf(lines.join("\n") + "\n");
    let (addresses, options) = match &parsed {
        Ok((config, options)) => {
            let servers = config.name_servers().iter().take(3);
            let addresses = servers.map(|server| SocketAddr::new(server.ip, 53));
            (addresses.collect(), LookupOptions::from(options))
        }
        Err(_) => {
            let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);
            (vec![here], LookupOptions::from(&ResolverOpts::default()))
        }
    };
    ResolverList {
        addresses,
        first_that_answers: true,
        options,
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_address, read_resolv_conf};

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
            (
                "search _..wrong\ndomain -\nnameserver 192.0.2.1\noptions unknown:1",
                "192.0.2.1:53",
            ),
        ] {
            let list = read_resolv_conf(text);
            let found: Vec<String> = list.addresses.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), servers, "{text}");
        }
    }

    #[test]
    fn the_options_of_resolv_conf_are_used() {
        let list = read_resolv_conf("options timeout:1 attempts:4 edns0\nnameserver 192.0.2.1");
        assert_eq!(list.options.timeout.as_secs(), 1);
        assert_eq!(list.options.attempts, 4);
        assert!(list.options.edns0);
    }
}
