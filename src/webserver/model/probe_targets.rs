//! Whom to ask after an install: every address at which a server serves the pair, for every name
//! that it serves there.
//!
//! `listen 443` and `[::]:443` mean all addresses of the machine; they are one socket, so loopback
//! stands for them. Where another block listens on one address of the machine alone, it asks only
//! the blocks of that address: such an address is told as served elsewhere rather than passed over.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::block::{ConfigBlock, NameSource, TrafficKind};
use super::config::ServerConfig;
use super::listen::{ListenAddress, ListenInterface, reachable};
use super::name::{ServerName, concrete};
use super::software::ServerSoftware;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::store::layout::StableLink;

/// A name that the server serves, at some address, from a block that does not name the pair.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedElsewhere {
    pub name: String,
    pub address: SocketAddr,
    pub file: PathBuf,
    pub line: u32,
}

/// Why an address cannot be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnprobedReason {
    /// It is a host name; the server alone knows what it stands for.
    HostName,
    /// Which block answers depends on a regular expression.
    Regex,
    /// Other blocks listen at the loopback address of that port.
    Taken,
    UnixSocket,
    /// Names that no block has get no answer there.
    Refused,
    /// It is a variable, or a socket that the server inherits.
    Unknown,
}

impl UnprobedReason {
    /// In words, after the address.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::HostName => "is a host name that the server alone looks up",
            Self::Regex => "picks its block by a regular expression",
            Self::Taken => "cannot be reached from here: other blocks have its loopback address",
            Self::Refused => "refuses names that no certificate there is for",
            Self::UnixSocket => "is a Unix socket",
            Self::Unknown => "is an address that the server alone knows",
        }
    }
}

/// Whom to ask, and what cannot be asked or need not be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProbeTargets {
    /// To be asked; all of them should show the new pair.
    pub ask: Vec<ProbeTarget>,
    /// Names of the certificate that other blocks serve.
    pub elsewhere: Vec<ServedElsewhere>,
    /// Addresses of our blocks that cannot be asked, and why.
    pub unasked: Vec<(String, UnprobedReason)>,
}

/// The pair that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct InstalledPaths<'a> {
    /// Its files, as the configuration names them.
    pub links: &'a [StableLink],
    /// The names of the certificate.
    pub names: &'a [DnsName],
    /// Its kind of key.
    pub algorithm: KeyAlgorithm,
}

impl InstalledPaths<'_> {
    /// How well the names that a block will have fit `host`: a certificate that brings its block's
    /// names brings its own.
    fn rank(&self, block: &ConfigBlock, host: &str) -> Option<(u8, usize)> {
        if block.names_from == NameSource::Configuration || !block.names_pair(self.links) {
            return block.rank(host);
        }
        let own = |name: &DnsName| match name.as_str().strip_prefix('*') {
            Some(base) => ServerName::Label(base.to_owned()).rank(host),
            None => ServerName::Exact(name.as_str().to_owned()).rank(host),
        };
        self.names.iter().filter_map(own).max()
    }
}

/// Which block answers for a name at an address.
enum Route<'a> {
    Block(&'a ConfigBlock),
    /// One of these, by regular expressions.
    OneOf(Vec<&'a ConfigBlock>),
}

impl ProbeTargets {
    /// Of a configuration and a pair.
    #[must_use]
    pub fn of(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Self {
        let mut targets = Self::default();
        let mut seen: Vec<(TrafficKind, &ListenInterface, u16)> = Vec::new();
        for block in config.naming(wanted.links) {
            for listen in block
                .listens
                .iter()
                .filter(|listen| listen.ssl && !listen.udp)
            {
                let place = (block.part, &listen.interface, listen.port);
                if !seen.contains(&place) {
                    seen.push(place);
                    targets.place(config, wanted, block.part, listen);
                }
            }
        }
        targets
    }

    fn place(
        &mut self,
        config: &ServerConfig,
        wanted: &InstalledPaths<'_>,
        part: TrafficKind,
        listen: &ListenAddress,
    ) {
        let address = match &listen.interface {
            ListenInterface::Unix(_) => return self.leave(listen, UnprobedReason::UnixSocket),
            ListenInterface::Host(_) => return self.leave(listen, UnprobedReason::HostName),
            ListenInterface::Unknown(_) => return self.leave(listen, UnprobedReason::Unknown),
            ListenInterface::Address(address) => *address,
        };
        let Some(reach) = free_address(config, part, listen, address) else {
            return self.leave(listen, UnprobedReason::Taken);
        };
        let mut asked = vec![SocketAddr::new(reach, listen.port)];
        if listen.dual_stack && address.is_unspecified() {
            asked.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port));
        }
        for name in hosts(config, wanted) {
            self.name(config, wanted, part, listen, &asked, &name);
            if address.is_unspecified() {
                self.narrower(config, wanted, part, listen, &name);
            }
        }
    }

    fn name(
        &mut self,
        config: &ServerConfig,
        wanted: &InstalledPaths<'_>,
        part: TrafficKind,
        listen: &ListenAddress,
        asked: &[SocketAddr],
        name: &str,
    ) {
        let ours = |block: &ConfigBlock| block.names_pair(wanted.links);
        let block = match route(config, wanted, part, listen, name) {
            Some(Route::Block(block)) => block,
            Some(Route::OneOf(blocks)) if blocks.iter().all(|block| ours(block)) => blocks[0],
            Some(Route::OneOf(blocks)) if blocks.iter().any(|block| ours(block)) => {
                return self.leave(listen, UnprobedReason::Regex);
            }
            Some(Route::OneOf(blocks)) => blocks[0],
            None => return self.leave(listen, UnprobedReason::Refused),
        };
        for &address in asked {
            if ours(block) {
                // HAProxy weighs all certificates for a name by their kind of key first.
                let several = block.pairs.len() > 1
                    || (config.software == ServerSoftware::Haproxy && listen.ssl);
                let target = ProbeTarget {
                    algorithm: several.then_some(wanted.algorithm),
                    proxy_header: listen.proxy_protocol,
                    ..ProbeTarget::new(address, name)
                };
                if !self.ask.contains(&target) {
                    self.ask.push(target);
                }
            } else {
                self.tell(block, name, address);
            }
        }
    }

    /// Addresses of their own on the same port, which nginx keeps apart from those that mean all
    /// addresses.
    fn narrower(
        &mut self,
        config: &ServerConfig,
        wanted: &InstalledPaths<'_>,
        part: TrafficKind,
        wide: &ListenAddress,
        name: &str,
    ) {
        let apart = |listen: &&ListenAddress| {
            let same = |own: SocketAddr, all: SocketAddr| {
                own.port() == all.port() && own.is_ipv4() == all.is_ipv4()
            };
            let own = listen
                .socket()
                .filter(|own| !own.ip().is_unspecified() && !own.ip().is_loopback());
            own.zip(wide.socket())
                .is_some_and(|(own, all)| same(own, all))
        };
        let mut listens: Vec<&ListenAddress> = config
            .index
            .places(part)
            .map(|place| &place.listen)
            .filter(apart)
            .collect();
        listens.sort_by_key(|listen| listen.socket());
        for listen in listens {
            if let (Some(own), Some(Route::Block(block))) =
                (listen.socket(), route(config, wanted, part, listen, name))
                && !block.names_pair(wanted.links)
            {
                self.tell(block, name, own);
            }
        }
    }

    fn tell(&mut self, block: &ConfigBlock, name: &str, address: SocketAddr) {
        let told = ServedElsewhere {
            name: name.to_owned(),
            address,
            file: block.file.clone(),
            line: block.line,
        };
        if !self.elsewhere.contains(&told) {
            self.elsewhere.push(told);
        }
    }

    fn leave(&mut self, listen: &ListenAddress, why: UnprobedReason) {
        let left = (listen.to_string(), why);
        if !self.unasked.contains(&left) {
            self.unasked.push(left);
        }
    }
}

/// The names of the certificate, and those of our blocks that it covers; wildcards with a label of
/// ours. A wildcard of the certificate is asked for only where no block has a name below it.
fn hosts(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Vec<String> {
    let ours = config.naming(wanted.links).flat_map(|block| &block.names);
    let named: Vec<String> = ours
        .filter_map(ServerName::concrete)
        .filter(|host| wanted.names.iter().any(|name| name.covers(host)))
        .collect();
    let open =
        |name: &&DnsName| !(name.is_wildcard() && named.iter().any(|host| name.covers(host)));
    let mut hosts: Vec<String> = wanted.names.iter().filter(open).map(concrete).collect();
    for host in named {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// An address of this machine that reaches `listen` and no narrower one: the whole of 127/8 is ours
/// to pick from.
fn free_address(
    config: &ServerConfig,
    part: TrafficKind,
    listen: &ListenAddress,
    address: IpAddr,
) -> Option<IpAddr> {
    let taken = |candidate: IpAddr| {
        config
            .index
            .place(part, &ListenInterface::Address(candidate), listen.port)
            .is_some()
    };
    if !address.is_unspecified() {
        return Some(address);
    }
    let more = (2..=254)
        .map(|last| IpAddr::from(Ipv4Addr::new(127, 0, 0, last)))
        .filter(|_| address.is_ipv4());
    std::iter::once(reachable(address))
        .chain(more)
        .find(|&candidate| !taken(candidate))
}

/// The block that the server picks for `host` among those that listen exactly there: the best name,
/// else a regular expression (not evaluated here), else the default, if there is one.
fn route<'a>(
    config: &'a ServerConfig,
    wanted: &InstalledPaths<'_>,
    part: TrafficKind,
    place: &ListenAddress,
    host: &str,
) -> Option<Route<'a>> {
    let here = |listen: &ListenAddress| {
        listen.interface == place.interface && listen.port == place.port && !listen.udp
    };
    let listens = |block: &&ConfigBlock| block.part == part && block.listens.iter().any(here);
    // A block whose names come from the certificate is found by the pair alone.
    let found = config
        .index
        .of(wanted.links.iter().map(|link| link.path.as_path()), host);
    let named = config
        .at(found)
        .filter(listens)
        .filter_map(|block| Some((wanted.rank(block, host)?, block)));
    let named: Vec<((u8, usize), &ConfigBlock)> = named.collect();
    // Apache takes the first host that has the name at all; of two blocks with the same name nginx
    // takes the first and warns.
    let by_name = match config.software {
        ServerSoftware::Apache => named.first(),
        ServerSoftware::Haproxy | ServerSoftware::Nginx => {
            named.iter().rev().max_by_key(|(rank, _)| *rank)
        }
    };
    if let Some((_, block)) = by_name {
        return Some(Route::Block(block));
    }
    if place.strict {
        return None;
    }
    let place = config.index.place(part, &place.interface, place.port)?;
    let mut candidates: Vec<&ConfigBlock> = config.at(place.regex.clone()).collect();
    let default = &config.blocks()[place.default];
    if candidates.is_empty() {
        return Some(Route::Block(default));
    }
    candidates.push(default);
    Some(Route::OneOf(candidates))
}

#[cfg(test)]
mod tests {
    use super::{InstalledPaths, ProbeTargets};
    use crate::pki::key::KeyAlgorithm;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::testing::{config, names};

    /// `ADDRESS NAME` to ask; `!ADDRESS NAME LINE` elsewhere; `?LISTEN WHY` not to be asked.
    fn told(http: &str, certificate: &[&str]) -> Vec<String> {
        let pair = "ssl_certificate /c; ssl_certificate_key /k;";
        let config = config(&format!("http {{ {} }}", http.replace("OURS", pair))).neutral();
        let wanted = InstalledPaths {
            links: &[
                StableLink::new("/c", ReleaseFile::FullChain),
                StableLink::new("/k", ReleaseFile::Key),
            ],
            names: &names(certificate),
            algorithm: KeyAlgorithm::Ed25519,
        };
        let targets = ProbeTargets::of(&config, &wanted);
        let kind =
            |only: Option<KeyAlgorithm>| only.map(|kind| format!(" {kind}")).unwrap_or_default();
        let proxy = |wanted: bool| if wanted { " proxy" } else { "" };
        let ask = targets.ask.iter().map(|it| {
            format!(
                "{} {}{}{}",
                it.address,
                it.name,
                kind(it.algorithm),
                proxy(it.proxy_header)
            )
        });
        let elsewhere = targets
            .elsewhere
            .iter()
            .map(|it| format!("!{} {} {}", it.address, it.name, it.line));
        let unasked = targets
            .unasked
            .iter()
            .map(|(listen, why)| format!("?{listen} {why:?}"));
        ask.chain(elsewhere).chain(unasked).collect()
    }

    #[test]
    fn every_address_for_every_name() {
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
            assert_eq!(told(http, &both), expected, "{http}");
        }
    }

    #[test]
    fn names_go_where_nginx_sends_them() {
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
            // Loopback taken by another block: another address of 127/8 reaches ours.
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
            // Visitors of the machine's own address never reach ours.
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
                told(&http.replace("OTHER", other), &["a.example", "b.a.example"]),
                expected,
                "{http}"
            );
        }
    }

    #[test]
    fn wildcards_are_asked_for_by_a_name_below_them() {
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
            assert_eq!(told(&http, &["*.a.example"]), expected, "{server_name}");
        }
    }
}
