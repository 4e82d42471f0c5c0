//! Where the web servers of this machine answer over HTTP for the names of a certificate: at port 80
//! in plain text, and wherever the certificate is probed.

use std::net::SocketAddr;

use super::answering::{self, InstalledPaths, ListenSite, NameAnswer};
use super::block::{ConfigBlock, TrafficKind};
use super::config::ServerConfig;
use super::listen::{ListenAddress, ListenInterface};
use crate::probe::ProbeTarget;
use crate::probe::http::{HttpPlace, HttpScheme};

/// The port of http, where visitors arrive who type a name.
const HTTP: u16 = 80;

/// A name at an address where a web server answers.
#[derive(Clone, Debug)]
pub(crate) struct WebPlace {
    pub place: HttpPlace,
    pub host: String,
    /// The block that answers, if the configuration shows it.
    pub block: Option<ConfigBlock>,
}

/// Returns the places of the certificate's names at port 80, and those of `targets` that belong to
/// web sites.
#[must_use]
pub(crate) fn find_web_places(
    config: &ServerConfig,
    wanted: &InstalledPaths<'_>,
    targets: &[ProbeTarget],
) -> Vec<WebPlace> {
    let hosts = answering::hosts(config, wanted);
    let mut places = Vec::new();
    for site in plain_sites(config, wanted) {
        for address in site.probe_addresses().unwrap_or_default() {
            let place = HttpPlace {
                scheme: HttpScheme::Http,
                address,
                proxy_header: site.listen.proxy_protocol,
            };
            for host in &hosts {
                add(&mut places, place, host, site);
            }
        }
    }
    for target in targets.iter().filter(|target| target.starttls.is_none()) {
        if let Some(site) = tls_site(config, wanted, target.address) {
            let place = HttpPlace {
                scheme: HttpScheme::Https,
                address: target.address,
                proxy_header: target.proxy_header,
            };
            add(&mut places, place, &target.name, site);
        }
    }
    places
}

fn add(places: &mut Vec<WebPlace>, place: HttpPlace, host: &str, site: ListenSite<'_>) {
    let is_known = places
        .iter()
        .any(|known| known.place == place && known.host == host);
    if is_known {
        return;
    }
    let block = match site.answer(host) {
        NameAnswer::Named(block) | NameAnswer::Default(block) => Some(block.clone()),
        NameAnswer::Refused | NameAnswer::Unknown(_) => None,
    };
    places.push(WebPlace {
        place,
        host: host.to_owned(),
        block,
    });
}

/// Each address at port 80 in plain text, once.
fn plain_sites<'a>(
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
) -> Vec<ListenSite<'a>> {
    let mut sites: Vec<ListenSite<'a>> = Vec::new();
    for listen in web_listens(config) {
        let site = ListenSite {
            config,
            wanted,
            part: TrafficKind::Http,
            listen,
        };
        let is_plain = listen.port == HTTP && !listen.ssl;
        if is_plain && !sites.iter().any(|known| known.key() == site.key()) {
            sites.push(site);
        }
    }
    sites
}

/// The web site that accepts TLS connections to `address`: the one at exactly this address, else the
/// one for all addresses.
fn tls_site<'a>(
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
    address: SocketAddr,
) -> Option<ListenSite<'a>> {
    let at_port = || web_listens(config).filter(|one| one.ssl && one.port == address.port());
    let exact = at_port().find(|one| one.interface == ListenInterface::Address(address.ip()));
    let listen = exact.or_else(|| at_port().find(|one| accepts(one, address)))?;
    Some(ListenSite {
        config,
        wanted,
        part: TrafficKind::Http,
        listen,
    })
}

/// Whether a socket for all addresses accepts connections to this one.
fn accepts(listen: &ListenAddress, address: SocketAddr) -> bool {
    listen.socket().is_some_and(|socket| {
        socket.ip().is_unspecified() && (socket.is_ipv4() == address.is_ipv4() || listen.dual_stack)
    })
}

fn web_listens(config: &ServerConfig) -> impl Iterator<Item = &ListenAddress> {
    let blocks = config.blocks().iter();
    let sites = blocks.filter(|block| block.traffic == TrafficKind::Http);
    sites
        .flat_map(|block| &block.listens)
        .filter(|listen| !listen.udp)
}

#[cfg(test)]
mod tests {
    use super::{InstalledPaths, find_web_places};
    use crate::pki::key::KeyAlgorithm;
    use crate::probe::ProbeTarget;
    use crate::webserver::nginx::testing::{config, names};

    #[test]
    fn port_80_and_the_probed_addresses_of_web_sites_are_found() {
        let config = config(
            "http { server { listen 80; listen [::]:80; server_name x.example; }
             server { listen 192.0.2.1:80; server_name a.example; } server { listen 8080; }
             server { listen 443 ssl; server_name a.example; }
             server { listen 127.0.0.1:443 ssl; server_name b.example; } }
             stream { server { listen 993 ssl; } }",
        )
        .to_server_config();
        let wanted = InstalledPaths {
            links: &[],
            names: &names(&["a.example"]),
            algorithm: KeyAlgorithm::Ed25519,
        };
        let target = |address: &str| ProbeTarget::new(address.parse().unwrap(), "a.example");
        let targets = [
            target("127.0.0.1:443"),
            target("127.0.0.2:443"),
            target("127.0.0.1:993"),
            target("127.0.0.1:25"),
        ];
        let shown: Vec<String> = find_web_places(&config, &wanted, &targets)
            .iter()
            .map(|found| {
                let line = found.block.as_ref().map_or(0, |block| block.line);
                format!(
                    "{}://{} {} {line}",
                    found.place.scheme.name(),
                    found.place.address,
                    found.host
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "http://127.0.0.1:80 a.example 1",
                "http://[::1]:80 a.example 1",
                "http://192.0.2.1:80 a.example 2",
                "https://127.0.0.1:443 a.example 4",
                "https://127.0.0.2:443 a.example 3",
            ]
        );
    }
}
