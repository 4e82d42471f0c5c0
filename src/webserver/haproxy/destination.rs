//! Which application the sections of HAProxy pass requests to, and whether they speak HTTP.

use std::net::SocketAddr;

use super::config::{HaproxyConfig, HaproxyFrontend};
use super::route::{ProxyMode, ProxyRoute};
use crate::webserver::model::{ListenAddress, UpstreamAddress};

impl HaproxyConfig {
    /// Returns whether the section that listens at an address speaks HTTP.
    #[must_use]
    pub(crate) fn speaks_http(&self, address: SocketAddr) -> bool {
        let section = self.frontend_at(address).and_then(|one| self.route_of(one));
        section.is_some_and(|section| section.mode == ProxyMode::Http)
    }

    /// Returns the servers to which the section at an address passes requests; none if rules choose
    /// among several backends.
    #[must_use]
    pub(crate) fn upstreams(&self, address: SocketAddr) -> Vec<UpstreamAddress> {
        let Some(frontend) = self.frontend_at(address) else {
            return Vec::new();
        };
        if self.route_of(frontend).is_none_or(|own| own.has_rules) {
            return Vec::new();
        }
        let backend = self.routes.iter().find(|section| {
            Some(&section.name) == frontend.backend.as_ref() && !section.servers.is_empty()
        });
        let servers = backend.into_iter().flat_map(|backend| &backend.servers);
        servers
            .filter_map(|server| UpstreamAddress::parse(server))
            .collect()
    }

    fn frontend_at(&self, address: SocketAddr) -> Option<&HaproxyFrontend> {
        let enabled = || self.frontends.iter().filter(|frontend| !frontend.disabled);
        let is_at = |listen: &ListenAddress| listen.socket() == Some(address);
        let exact = enabled().find(|frontend| frontend.listens.iter().any(is_at));
        exact.or_else(|| {
            let accepts = |listen: &ListenAddress| accepts_all(listen, address);
            enabled().find(|frontend| frontend.listens.iter().any(accepts))
        })
    }

    fn route_of(&self, frontend: &HaproxyFrontend) -> Option<&ProxyRoute> {
        self.routes
            .iter()
            .find(|section| section.line == frontend.line && section.file == frontend.file)
    }
}

/// Whether a socket for all addresses accepts connections to this one.
fn accepts_all(listen: &ListenAddress, address: SocketAddr) -> bool {
    listen.socket().is_some_and(|socket| {
        socket.ip().is_unspecified()
            && socket.port() == address.port()
            && (socket.is_ipv4() == address.is_ipv4() || listen.dual_stack)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;

    #[test]
    fn modes_and_applications_of_addresses_are_found() {
        let config = config(
            "defaults\n mode http\nfrontend web\n bind :80\n bind 127.0.0.1:443 ssl crt /x.pem\n default_backend app\n\
             backend app\n server a 127.0.0.1:8000 check\n server b unix@/run/b.sock\n\
             listen mail\n mode tcp\n bind :993 ssl crt /x.pem\n server m 127.0.0.1:143\n\
             frontend rules\n bind :8080\n use_backend app if { path_beg /x }\n default_backend app\n\
             defaults\n timeout client 1s\nlisten raw\n bind :81\n server r 127.0.0.1:1\n\
             defaults web\n mode http\ndefaults\n mode tcp\nlisten named from web\n bind :82\n server n 127.0.0.1:2\n\
             .if 0\n mode tcp\n server x 127.0.0.1:3\n.endif\n",
        );
        for (address, speaks_http, upstreams) in [
            (
                "127.0.0.1:80",
                true,
                &["127.0.0.1:8000", "unix:/run/b.sock"][..],
            ),
            (
                "127.0.0.1:443",
                true,
                &["127.0.0.1:8000", "unix:/run/b.sock"],
            ),
            ("127.0.0.2:443", false, &[]),
            ("127.0.0.1:993", false, &["127.0.0.1:143"]),
            ("127.0.0.1:8080", true, &[]),
            ("127.0.0.1:81", false, &["127.0.0.1:1"]),
            // Conditions decide which lines count, and a section may name its defaults.
            ("127.0.0.1:82", true, &["127.0.0.1:2"]),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(config.speaks_http(address), speaks_http, "{address}");
            let found = config.upstreams(address);
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, upstreams, "{address}");
        }
    }
}
