//! The targets to probe after an install: every address at which a server serves the certificate, for
//! every name that it serves there.
//!
//! `listen 443` and `[::]:443` mean all addresses of the machine. They are one socket, so loopback
//! stands for them. Where another block listens on a single address of the machine, the server uses
//! only the blocks of that address, which is then reported as served elsewhere.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::block::{ConfigBlock, NameSource, TrafficKind};
use super::config::ServerConfig;
use super::listen::{ListenAddress, ListenInterface, reachable};
use super::name::{ServerName, probe_host};
use super::software::ServerSoftware;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::store::layout::StableLink;

/// A name that the server serves at some address from a block that does not name the certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedElsewhere {
    pub name: String,
    pub address: SocketAddr,
    pub file: PathBuf,
    pub line: u32,
}

/// Why an address cannot be probed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnprobedReason {
    /// It is a host name, which only the server resolves.
    HostName,
    /// A regular expression decides which block answers.
    Regex,
    /// Other blocks listen at the loopback address of that port.
    Taken,
    UnixSocket,
    /// The server refuses names that no block has.
    Refused,
    /// It is a variable, or a socket that the server inherits.
    Unknown,
}

impl UnprobedReason {
    /// The reason in words, to follow the address.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::HostName => "is a host name that only the server resolves",
            Self::Regex => {
                "selects the block by a regular expression, which certctl does not evaluate"
            }
            Self::Taken => {
                "cannot be reached from this machine: other blocks listen on its loopback addresses"
            }
            Self::Refused => "refuses names for which it has no certificate",
            Self::UnixSocket => "is a Unix socket",
            Self::Unknown => "is an address that only the server knows",
        }
    }
}

/// The targets to probe, and what cannot or need not be probed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProbeTargets {
    /// The targets, which should all serve the new certificate.
    pub targets: Vec<ProbeTarget>,
    /// Names of the certificate that other blocks serve.
    pub elsewhere: Vec<ServedElsewhere>,
    /// Addresses of the certificate's blocks that cannot be probed, and why.
    pub unprobed: Vec<(String, UnprobedReason)>,
}

/// The installed certificate to find in a configuration.
#[derive(Clone, Copy, Debug)]
pub struct InstalledPaths<'a> {
    /// Its files, as the configuration names them.
    pub links: &'a [StableLink],
    /// The names of the certificate.
    pub names: &'a [DnsName],
    /// The algorithm of its key.
    pub algorithm: KeyAlgorithm,
}

impl InstalledPaths<'_> {
    /// How well `host` matches the names that a block will have. If the names of a block come from its
    /// certificate, those of this certificate count.
    fn rank(&self, block: &ConfigBlock, host: &str) -> Option<(u8, usize)> {
        if block.names_from == NameSource::Configuration || !block.names_certificate(self.links) {
            return block.rank(host);
        }
        let ranks = self.names.iter().filter_map(|name| {
            let name = match name.as_str().strip_prefix('*') {
                Some(base) => ServerName::Label(base.to_owned()),
                None => ServerName::Exact(name.as_str().to_owned()),
            };
            name.rank(host)
        });
        ranks.max()
    }
}

impl ProbeTargets {
    /// Finds the targets of a certificate in a configuration.
    #[must_use]
    pub fn find(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Self {
        let mut targets = Self::default();
        let mut added: Vec<(TrafficKind, &ListenInterface, u16)> = Vec::new();
        for block in config.blocks_naming(wanted.links) {
            for listen in &block.listens {
                let key = (block.traffic, &listen.interface, listen.port);
                if !listen.ssl || listen.udp || added.contains(&key) {
                    continue;
                }
                added.push(key);
                targets.add_site(ListenSite {
                    config,
                    wanted,
                    part: block.traffic,
                    listen,
                });
            }
        }
        targets
    }

    fn add_site(&mut self, site: ListenSite<'_>) {
        let addresses = match site.probe_addresses() {
            Ok(addresses) => addresses,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        for name in hosts(site.config, site.wanted) {
            self.add_name(site, &addresses, &name);
            for narrower in site.narrower_sites() {
                self.add_narrower_site(narrower, &name);
            }
        }
    }

    fn add_name(&mut self, site: ListenSite<'_>, addresses: &[SocketAddr], name: &str) {
        let block = match site.answering_block(name) {
            Ok(block) => block,
            Err(reason) => return self.add_unprobed(site.listen, reason),
        };
        for &address in addresses {
            if !site.is_ours(block) {
                self.add_elsewhere(block, name, address);
                continue;
            }
            let target = site.target(block, name, address);
            if !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }

    /// Records a name that another block serves at a single address of the same port.
    fn add_narrower_site(&mut self, site: ListenSite<'_>, name: &str) {
        if let Some(address) = site.listen.socket()
            && let Some(NameRoute::Block(block)) = site.route(name)
            && !site.is_ours(block)
        {
            self.add_elsewhere(block, name, address);
        }
    }

    fn add_elsewhere(&mut self, block: &ConfigBlock, name: &str, address: SocketAddr) {
        let served = ServedElsewhere {
            name: name.to_owned(),
            address,
            file: block.file.clone(),
            line: block.line,
        };
        if !self.elsewhere.contains(&served) {
            self.elsewhere.push(served);
        }
    }

    fn add_unprobed(&mut self, listen: &ListenAddress, reason: UnprobedReason) {
        let unprobed = (listen.to_string(), reason);
        if !self.unprobed.contains(&unprobed) {
            self.unprobed.push(unprobed);
        }
    }
}

/// The block that answers for a name at an address.
enum NameRoute<'a> {
    Block(&'a ConfigBlock),
    /// One of these, which regular expressions decide.
    OneOf(Vec<&'a ConfigBlock>),
}

/// An address at which a block of the certificate listens.
#[derive(Clone, Copy)]
struct ListenSite<'a> {
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
    part: TrafficKind,
    listen: &'a ListenAddress,
}

impl<'a> ListenSite<'a> {
    fn is_ours(&self, block: &ConfigBlock) -> bool {
        block.names_certificate(self.wanted.links)
    }

    /// The addresses of this machine to connect to.
    fn probe_addresses(&self) -> Result<Vec<SocketAddr>, UnprobedReason> {
        let listen = self.listen;
        let address = match &listen.interface {
            ListenInterface::Address(address) => *address,
            ListenInterface::Unix(_) => return Err(UnprobedReason::UnixSocket),
            ListenInterface::Host(_) => return Err(UnprobedReason::HostName),
            ListenInterface::Unknown(_) => return Err(UnprobedReason::Unknown),
        };
        let reachable = self
            .reachable_address(address)
            .ok_or(UnprobedReason::Taken)?;
        let mut addresses = vec![SocketAddr::new(reachable, listen.port)];
        if listen.dual_stack && address.is_unspecified() {
            let loopback = Ipv4Addr::LOCALHOST.into();
            addresses.push(SocketAddr::new(loopback, listen.port));
        }
        Ok(addresses)
    }

    /// An address of this machine that reaches `address` and no narrower one. All of 127/8 is local,
    /// so another address of it serves where 127.0.0.1 has its own block.
    fn reachable_address(&self, address: IpAddr) -> Option<IpAddr> {
        if !address.is_unspecified() {
            return Some(address);
        }
        let mut candidates = vec![reachable(address)];
        if address.is_ipv4() {
            candidates.extend((2..=254).map(|last| IpAddr::from([127, 0, 0, last])));
        }
        candidates.into_iter().find(|&candidate| {
            let interface = ListenInterface::Address(candidate);
            let index = &self.config.index;
            index
                .place(self.part, &interface, self.listen.port)
                .is_none()
        })
    }

    fn target(&self, block: &ConfigBlock, name: &str, address: SocketAddr) -> ProbeTarget {
        // HAProxy selects among all certificates for a name by their key type first.
        let has_several_keys = block.certificates.len() > 1
            || (self.config.software == ServerSoftware::Haproxy && self.listen.ssl);
        ProbeTarget {
            algorithm: has_several_keys.then_some(self.wanted.algorithm),
            proxy_header: self.listen.proxy_protocol,
            ..ProbeTarget::new(address, name)
        }
    }

    /// The single addresses of the same port. If this site listens on all addresses, the server uses
    /// only the blocks of a single address for connections to it.
    fn narrower_sites(&self) -> Vec<Self> {
        let Some(wide) = self
            .listen
            .socket()
            .filter(|wide| wide.ip().is_unspecified())
        else {
            return Vec::new();
        };
        let mut sites = Vec::new();
        for place in self.config.index.places(self.part) {
            let listen = &place.listen;
            if listen.socket().is_some_and(|own| is_narrower(own, wide)) {
                sites.push(Self { listen, ..*self });
            }
        }
        sites.sort_by_key(|site| site.listen.socket());
        sites
    }

    /// The block that answers for a name, or one of several where they make no difference.
    fn answering_block(&self, name: &str) -> Result<&'a ConfigBlock, UnprobedReason> {
        match self.route(name) {
            None => Err(UnprobedReason::Refused),
            Some(NameRoute::Block(block)) => Ok(block),
            Some(NameRoute::OneOf(blocks)) => {
                let is_first_ours = self.is_ours(blocks[0]);
                let is_same = |block: &&ConfigBlock| self.is_ours(block) == is_first_ours;
                if blocks.iter().all(is_same) {
                    Ok(blocks[0])
                } else {
                    Err(UnprobedReason::Regex)
                }
            }
        }
    }

    /// The block that the server selects for `host` among those that listen at exactly this address:
    /// by the best name, else by a regular expression (not evaluated here), else the default, if
    /// there is one.
    fn route(&self, host: &str) -> Option<NameRoute<'a>> {
        if let Some(block) = self.block_by_name(host) {
            return Some(NameRoute::Block(block));
        }
        if self.listen.strict {
            return None;
        }
        let place = self
            .config
            .index
            .place(self.part, &self.listen.interface, self.listen.port)?;
        let default = &self.config.blocks()[place.default];
        let mut candidates: Vec<&ConfigBlock> = self.config.at(place.regex.clone()).collect();
        if candidates.is_empty() {
            return Some(NameRoute::Block(default));
        }
        candidates.push(default);
        Some(NameRoute::OneOf(candidates))
    }

    fn block_by_name(&self, host: &str) -> Option<&'a ConfigBlock> {
        // A block whose names come from the certificate is found only by the certificate's paths.
        let paths = self.wanted.links.iter().map(|link| link.path.as_path());
        let mut named = Vec::new();
        for block in self.config.at(self.config.index.candidates(paths, host)) {
            if self.is_listened_on_by(block)
                && let Some(rank) = self.wanted.rank(block, host)
            {
                named.push((rank, block));
            }
        }
        // Apache selects the first host that has the name; of two blocks with the same name nginx
        // selects the first and warns.
        let best = match self.config.software {
            ServerSoftware::Apache => named.first(),
            ServerSoftware::Haproxy | ServerSoftware::Nginx => {
                named.iter().rev().max_by_key(|(rank, _)| *rank)
            }
        };
        best.map(|(_, block)| *block)
    }

    fn is_listened_on_by(&self, block: &ConfigBlock) -> bool {
        let mut listens = block.listens.iter();
        block.traffic == self.part
            && listens.any(|listen| {
                listen.interface == self.listen.interface
                    && listen.port == self.listen.port
                    && !listen.udp
            })
    }
}

/// Whether `own` is a single address, beyond loopback, of the port and family of `wide`.
fn is_narrower(own: SocketAddr, wide: SocketAddr) -> bool {
    own.port() == wide.port()
        && own.is_ipv4() == wide.is_ipv4()
        && !own.ip().is_unspecified()
        && !own.ip().is_loopback()
}

/// The host names to probe: those of the certificate, and those of its blocks that it covers. For a
/// wildcard, certctl uses a label of its own, unless a block has a name below the wildcard.
fn hosts(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Vec<String> {
    let block_names = config
        .blocks_naming(wanted.links)
        .flat_map(|block| &block.names);
    let covered: Vec<String> = block_names
        .filter_map(ServerName::concrete)
        .filter(|host| wanted.names.iter().any(|name| name.covers(host)))
        .collect();
    let mut hosts = Vec::new();
    for name in wanted.names {
        let has_name_below = covered.iter().any(|host| name.covers(host));
        if !name.is_wildcard() || !has_name_below {
            hosts.push(probe_host(name));
        }
    }
    for host in covered {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::{InstalledPaths, ProbeTargets};
    use crate::pki::key::KeyAlgorithm;
    use crate::probe::ProbeTarget;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::testing::{config, names};

    /// Formats the targets: `ADDRESS NAME` to probe, `!ADDRESS NAME LINE` served elsewhere,
    /// `?LISTEN REASON` not probed.
    fn shown_targets(http: &str, certificate: &[&str]) -> Vec<String> {
        let lines = "ssl_certificate /c; ssl_certificate_key /k;";
        let config =
            config(&format!("http {{ {} }}", http.replace("OURS", lines))).to_server_config();
        let wanted = InstalledPaths {
            links: &[
                StableLink::new("/c", ReleaseFile::FullChain),
                StableLink::new("/k", ReleaseFile::Key),
            ],
            names: &names(certificate),
            algorithm: KeyAlgorithm::Ed25519,
        };
        let targets = ProbeTargets::find(&config, &wanted);
        let mut shown: Vec<String> = targets.targets.iter().map(shown_target).collect();
        for served in &targets.elsewhere {
            shown.push(format!(
                "!{} {} {}",
                served.address, served.name, served.line
            ));
        }
        for (listen, why) in &targets.unprobed {
            shown.push(format!("?{listen} {why:?}"));
        }
        shown
    }

    fn shown_target(target: &ProbeTarget) -> String {
        let mut shown = format!("{} {}", target.address, target.name);
        if let Some(algorithm) = target.algorithm {
            shown.push_str(&format!(" {algorithm}"));
        }
        if target.proxy_header {
            shown.push_str(" proxy");
        }
        shown
    }

    #[test]
    fn all_addresses_are_probed_for_all_names() {
        let both = ["a.example", "www.a.example"];
        for (http, expected) in [
            (
                "server { listen 80; listen 443 ssl; listen [::]:443 ssl; server_name a.example www.a.example; OURS }",
                vec![
                    "127.0.0.1:443 a.example",
                    "127.0.0.1:443 www.a.example",
                    "[::1]:443 a.example",
                    "[::1]:443 www.a.example",
                ],
            ),
            (
                "server { listen [::]:443 ssl ipv6only=off; server_name a.example; OURS }",
                vec![
                    "[::1]:443 a.example",
                    "127.0.0.1:443 a.example",
                    "[::1]:443 www.a.example",
                    "127.0.0.1:443 www.a.example",
                ],
            ),
            (
                "server { listen 192.0.2.1:8443 ssl; listen unix:/s ssl; listen h.example:443 ssl; listen 443 quic;
                 listen 10.0.0.1:443 ssl proxy_protocol; server_name a.example www.a.example; OURS }",
                vec![
                    "192.0.2.1:8443 a.example",
                    "192.0.2.1:8443 www.a.example",
                    "10.0.0.1:443 a.example proxy",
                    "10.0.0.1:443 www.a.example proxy",
                    "?unix:/s UnixSocket",
                    "?h.example:443 HostName",
                ],
            ),
            (
                "server { listen 443 ssl; server_name a.example; OURS ssl_certificate /d; ssl_certificate_key /e; }",
                vec!["127.0.0.1:443 a.example ed25519", "127.0.0.1:443 www.a.example ed25519"],
            ),
            ("server { listen 443 ssl; server_name a.example; ssl_certificate /c; ssl_certificate_key /x; }", vec![]),
            ("server { listen 80; server_name a.example; OURS }", vec![]),
        ] {
            assert_eq!(shown_targets(http, &both), expected, "{http}");
        }
    }

    #[test]
    fn names_are_routed_as_nginx_does() {
        let other = "ssl_certificate /o; ssl_certificate_key /p;";
        for (http, expected) in [
            // Another block has the second name.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name b.a.example; OTHER }",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            // No block has it: the default answers.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl default_server; OTHER }",
                vec!["127.0.0.1:443 a.example", "!127.0.0.1:443 b.a.example 2"],
            ),
            // An exact name before a wildcard, whatever their order.
            (
                "server { listen 443 ssl; server_name *.a.example; OTHER }\nserver \
                    { listen 443 ssl; server_name a.example b.a.example; OURS }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            // Of two blocks with the same name the first answers.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 443 ssl; server_name a.example; OTHER }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            // Only nginx can match a regular expression.
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name ~^b; OTHER }",
                vec!["127.0.0.1:443 a.example", "?0.0.0.0:443 Regex"],
            ),
            (
                "server { listen 443 ssl; server_name a.example; OURS }\nserver \
                    { listen 443 ssl; server_name ~^b; OURS }",
                vec!["127.0.0.1:443 a.example", "127.0.0.1:443 b.a.example"],
            ),
            // Another block uses the loopback address: another address of 127/8 reaches ours.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 127.0.0.1:443 ssl; OTHER }",
                vec!["127.0.0.2:443 a.example", "127.0.0.2:443 b.a.example"],
            ),
            (
                "server { listen [::]:443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen [::1]:443 ssl; OTHER }",
                vec!["?[::]:443 Taken"],
            ),
            // Clients of the machine's own address never reach our block.
            (
                "server { listen 443 ssl; server_name a.example b.a.example; OURS }\nserver \
                    { listen 192.0.2.1:443 ssl; server_name x.example; OTHER }",
                vec![
                    "127.0.0.1:443 a.example",
                    "127.0.0.1:443 b.a.example",
                    "!192.0.2.1:443 a.example 2",
                    "!192.0.2.1:443 b.a.example 2",
                ],
            ),
        ] {
            assert_eq!(
                shown_targets(&http.replace("OTHER", other), &["a.example", "b.a.example"]),
                expected,
                "{http}"
            );
        }
    }

    #[test]
    fn wildcards_are_probed_by_a_name_below_them() {
        for (server_name, expected) in [
            ("*.a.example", vec!["127.0.0.1:443 certctl-probe.a.example"]),
            (
                "x.a.example y.a.example z.b.example",
                vec!["127.0.0.1:443 x.a.example", "127.0.0.1:443 y.a.example"],
            ),
            (".a.example", vec!["127.0.0.1:443 certctl-probe.a.example"]),
            ("_", vec!["127.0.0.1:443 certctl-probe.a.example"]),
        ] {
            let http = format!("server {{ listen 443 ssl; server_name {server_name}; OURS }}");
            assert_eq!(
                shown_targets(&http, &["*.a.example"]),
                expected,
                "{server_name}"
            );
        }
    }
}
