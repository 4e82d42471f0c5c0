//! Observes everything about one site, once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::certificates::{self, DiskReader};
use super::pages;
use super::ports::{self, HTTPS};
use super::server::{LocalServer, LocalServers};
use crate::context::Context;
use crate::diagnosis::{
    AddressPlace, DnsFacts, HttpFacts, PageFacts, PlainState, ServerFacts, SiteFacts, TlsFacts,
    TlsState,
};
use crate::pki::name::DnsName;
use crate::probe::http::{HttpPlace, HttpScheme, RedirectRules, SiteAnswer};
use crate::system::listening;
use crate::system::tls::http_get;
use crate::webserver::model::WebPlace;

/// The port of http.
const HTTP: u16 = 80;
/// A validation file that no CA and no client asks for.
const ABSENT_FILE: &str = "/.well-known/acme-challenge/certctl-doctor-asks-for-no-file";

/// What is needed to observe one site.
pub(super) struct SiteExamination<'a> {
    pub context: &'a Context,
    pub servers: &'a LocalServers,
    pub name: &'a DnsName,
}

impl SiteExamination<'_> {
    /// Observes DNS, the server, the ports, the certificates and the pages.
    pub(super) fn gather(&self) -> SiteFacts {
        let reader = DiskReader::new(self.context, self.name);
        let mut dns = ports::look_up(self.context, self.name, &reader);
        let is_remote = self.is_remote(&dns);
        if is_remote {
            mark_remote(&mut dns);
        }
        let server = self.servers.find(self.name).filter(|_| !is_remote);
        let addresses = self.addresses(&dns, server);
        let tls = self.probe_tls(server, &addresses, &reader);
        let pages = self.visit_pages(server, &tls);
        SiteFacts {
            name: self.name.clone(),
            server: if is_remote {
                ServerFacts::Elsewhere
            } else {
                self.servers.facts(self.name)
            },
            managed: certificates::find_managed(self.context, self.name),
            http: self.visit_plain(server, &addresses),
            pages,
            available: reader.find_available(&self.servers.configs()),
            firewall: ports::read_firewall(),
            tls,
            dns,
        }
    }

    fn probe_tls(
        &self,
        server: Option<&LocalServer>,
        addresses: &[IpAddr],
        reader: &DiskReader<'_>,
    ) -> Vec<TlsFacts> {
        let mut tls = Vec::new();
        for &ip in addresses {
            let address = SocketAddr::new(ip, HTTPS);
            let pids = server.map(LocalServer::pids).unwrap_or_default();
            tls.push(TlsFacts {
                address,
                state: ports::probe(self.name, address, reader),
                block: server.and_then(|one| one.answering(self.name, address, reader)),
                other_owner: ports::find_other_owner(address, &pids),
            });
        }
        tls
    }

    /// Whether the site is on another machine: DNS says so, and no server here has its name.
    fn is_remote(&self, dns: &DnsFacts) -> bool {
        let DnsFacts::Addresses(addresses) = dns else {
            return false;
        };
        let servers = self.servers.observed();
        let may_be_here = addresses.iter().any(|one| match one.place {
            AddressPlace::Here => true,
            AddressPlace::BehindRouter => !servers.is_empty(),
            _ => false,
        });
        !may_be_here && !servers.iter().any(|server| server.has_block(self.name))
    }

    /// The addresses of this machine at which visitors arrive: those that DNS says; else those at
    /// which the configuration answers for the name.
    fn addresses(&self, dns: &DnsFacts, server: Option<&LocalServer>) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        if let DnsFacts::Addresses(found) = dns {
            for one in found {
                if matches!(one.place, AddressPlace::Here | AddressPlace::Remote) {
                    addresses.push(one.address);
                }
            }
        }
        if addresses.is_empty()
            && let Some(server) = server
        {
            let names = std::slice::from_ref(self.name);
            let blocks = server.observation.config.blocks_serving(names);
            for listen in blocks.flat_map(|block| &block.listens) {
                let ip = listen.socket().map(|socket| socket.ip());
                let ip = ip.filter(|ip| !ip.is_unspecified());
                if let Some(ip) = ip
                    && !addresses.contains(&ip)
                {
                    addresses.push(ip);
                }
            }
        }
        if addresses.is_empty() {
            addresses.push(Ipv4Addr::LOCALHOST.into());
        }
        addresses
    }

    fn visit_pages(&self, server: Option<&LocalServer>, tls: &[TlsFacts]) -> Vec<PageFacts> {
        let mut pages = Vec::new();
        for one in tls {
            if !matches!(one.state, TlsState::Served(_)) {
                continue;
            }
            let answer = self.follow(HttpScheme::Https, one.address, "/");
            pages.push(match server {
                Some(server) => pages::examine(server, self.name, one.address, answer),
                None => pages::without_server(one.address, answer),
            });
        }
        pages
    }

    /// Follows redirects to the name itself at this address.
    fn follow(&self, scheme: HttpScheme, address: SocketAddr, path: &str) -> SiteAnswer {
        let places = [(HttpScheme::Https, HTTPS), (HttpScheme::Http, HTTP)];
        let rules = RedirectRules {
            names: vec![self.name.clone()],
            places: places
                .map(|(scheme, port)| HttpPlace {
                    scheme,
                    address: SocketAddr::new(address.ip(), port),
                    proxy_header: false,
                })
                .to_vec(),
        };
        let request = ports::request(scheme, address, self.name, path);
        http_get::visit(request, rules, &self.context.interrupt)
    }

    fn visit_plain(&self, server: Option<&LocalServer>, addresses: &[IpAddr]) -> Vec<HttpFacts> {
        let mut found = Vec::new();
        for &ip in addresses {
            let address = SocketAddr::new(ip, HTTP);
            let request = ports::request(HttpScheme::Http, address, self.name, "/");
            let reply = http_get::fetch(&request);
            let host = ip.to_string();
            let is_refused = || listening::refuses_socket(&host, HTTP);
            let state = ports::plain_state(reply, is_refused);
            let is_asked = !matches!(state, PlainState::Closed | PlainState::Silent(_));
            let well_known = is_asked.then(|| self.follow(HttpScheme::Http, address, ABSENT_FILE));
            let places = server.map(|server| server.places(self.name, &[]));
            found.push(HttpFacts {
                address,
                state,
                well_known,
                block: places.and_then(plain_block),
            });
        }
        found
    }
}

fn mark_remote(dns: &mut DnsFacts) {
    if let DnsFacts::Addresses(addresses) = dns {
        for one in addresses {
            one.place = AddressPlace::Remote;
        }
    }
}

/// The block that answers at port 80.
fn plain_block(places: Vec<WebPlace>) -> Option<String> {
    let mut blocks = places.into_iter().filter_map(|place| place.block);
    blocks.next().map(|block| block.to_string())
}
