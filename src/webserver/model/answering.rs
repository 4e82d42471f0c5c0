//! Which block answers for a name at an address, by the server's own rules, and every TLS address at
//! which a name of a certificate is answered. What only the server can decide is
//! [`NameAnswer::Unknown`].

mod nginx_rules;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::block::{ConfigBlock, NameSource, TrafficKind};
use super::config::ServerConfig;
use super::index::ListenKey;
use super::key_type::KeyFamily;
use super::listen::{ListenAddress, ListenInterface, reachable};
use super::name::{ServerName, probe_host};
use super::rules::ModelRule;
use super::software::ServerSoftware;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

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
    /// A script may choose the certificate.
    Script,
    /// The configuration names the certificate by a variable.
    Variable,
    /// Connections for the name are passed on to another program or machine.
    PassedOn,
    /// It is a variable, or a socket that the server inherits.
    Unknown,
}

impl UnprobedReason {
    /// The reason in words, to follow the address.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::HostName => "is a host name that only the server resolves",
            Self::Regex => "selects the block by a regular expression that certctl cannot evaluate",
            Self::Taken => {
                "cannot be reached from this machine: other blocks listen on its loopback addresses"
            }
            Self::Refused => "refuses names for which it has no certificate",
            Self::PassedOn => {
                "passes connections for a name of the certificate on to another program or machine"
            }
            Self::Script => "runs a script that may choose the certificate",
            Self::Variable => "names its certificate by a variable, which only the server knows",
            Self::UnixSocket => "is a Unix socket",
            Self::Unknown => "is an address that only the server knows",
        }
    }
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

/// The block that answers for a name at an address. Its certificates are the files that the server
/// reads.
#[derive(Clone, Debug)]
pub(crate) enum NameAnswer<'a> {
    /// One of its names is the best match.
    Named(&'a ConfigBlock),
    /// No name matches: this block is the default at the address.
    Default(&'a ConfigBlock),
    /// The server refuses the handshake.
    Refused,
    /// One of these: a regular expression decides that certctl cannot evaluate.
    Unknown(Vec<&'a ConfigBlock>),
}

/// An address at which a server listens, and the certificate that is wanted there.
#[derive(Clone, Copy)]
pub(crate) struct ListenSite<'a> {
    pub config: &'a ServerConfig,
    pub wanted: &'a InstalledPaths<'a>,
    pub part: TrafficKind,
    pub listen: &'a ListenAddress,
}

/// The TLS addresses at which blocks of the certificate listen, each once.
pub(crate) fn own_sites<'a>(
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
) -> Vec<ListenSite<'a>> {
    let mut sites = Vec::new();
    for block in config.blocks_naming(wanted.links) {
        add_tls_sites(&mut sites, config, wanted, block);
    }
    sites
}

/// The other TLS addresses at which a block may answer for one of `hosts`: it has the name, or it
/// answers for every name. In the order of the blocks.
pub(crate) fn other_sites<'a>(
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
    hosts: impl Iterator<Item = &'a str>,
) -> Vec<ListenSite<'a>> {
    let own = own_sites(config, wanted);
    let index = &config.index;
    let mut candidates = index.answering_hosts(hosts);
    candidates.extend_from_slice(index.catch_alls());
    candidates.sort_unstable();
    candidates.dedup();
    let mut sites = Vec::new();
    for block in config.at(candidates) {
        if block.traffic == TrafficKind::Http {
            add_tls_sites(&mut sites, config, wanted, block);
        }
    }
    sites.retain(|site| !own.iter().any(|own| own.key() == site.key()));
    sites
}

/// The addresses at which connections are passed on without decrypting them.
pub(super) fn passing_sites<'a>(
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
) -> impl Iterator<Item = ListenSite<'a>> {
    let listens = config.pass_through.iter().flat_map(|pass| &pass.listens);
    listens.map(move |listen| ListenSite {
        config,
        wanted,
        part: TrafficKind::Stream,
        listen,
    })
}

fn add_tls_sites<'a>(
    sites: &mut Vec<ListenSite<'a>>,
    config: &'a ServerConfig,
    wanted: &'a InstalledPaths<'a>,
    block: &'a ConfigBlock,
) {
    for listen in block.listens.iter().filter(|one| one.ssl && !one.udp) {
        let site = ListenSite {
            config,
            wanted,
            part: block.traffic,
            listen,
        };
        if !sites.iter().any(|known| known.key() == site.key()) {
            sites.push(site);
        }
    }
}

impl<'a> ListenSite<'a> {
    pub(crate) fn key(&self) -> ListenKey {
        (self.part, self.listen.interface.clone(), self.listen.port)
    }

    pub(crate) fn is_ours(&self, block: &ConfigBlock) -> bool {
        block.names_certificate(self.wanted.links)
    }

    /// The block that the server selects for `host` among those that listen at exactly this address:
    /// by the best name, else by a regular expression, else the default.
    pub(crate) fn answer(&self, host: &str) -> NameAnswer<'a> {
        if self.config.software == ServerSoftware::Nginx {
            return self.nginx_answer(host);
        }
        if let Some(block) = self.block_by_name(host)
            && self.has_own_certificates(block)
        {
            return NameAnswer::Named(block);
        }
        let place = self
            .config
            .index
            .place(self.part, &self.listen.interface, self.listen.port);
        let refuses = self.listen.strict && ModelRule::HaproxyStrictSni.is_followed();
        let Some(place) = place.filter(|_| !refuses) else {
            return NameAnswer::Refused;
        };
        NameAnswer::Default(&self.config.blocks()[place.default])
    }

    /// The answer to a client that sends no name; `default` is the default block.
    pub(super) fn answer_without_name(&self, default: &'a ConfigBlock) -> NameAnswer<'a> {
        if self.config.software == ServerSoftware::Nginx {
            return self.nginx_answer("");
        }
        if self.listen.strict && ModelRule::HaproxyStrictSni.is_followed() {
            return NameAnswer::Refused;
        }
        NameAnswer::Default(default)
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
        // Apache selects the first host that has the name.
        let best = match self.config.software {
            ServerSoftware::Apache => named.first(),
            ServerSoftware::Haproxy if ModelRule::HaproxyKeyType.is_followed() => {
                return self.block_by_key_type(named);
            }
            ServerSoftware::Haproxy | ServerSoftware::Nginx => {
                named.iter().rev().max_by_key(|(rank, _)| *rank)
            }
        };
        best.map(|(_, block)| *block)
    }

    /// The block that HAProxy selects among those with the name: the type of the key goes before exact
    /// names, and these before wildcards.
    fn block_by_key_type(
        &self,
        mut named: Vec<((u8, usize), &'a ConfigBlock)>,
    ) -> Option<&'a ConfigBlock> {
        let wanted = KeyFamily::of(self.wanted.algorithm);
        named.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        let mut blocks = Vec::new();
        let mut types = Vec::new();
        for (_, block) in named {
            for certificate in &block.certificates {
                let is_ours = certificate.is_among(self.wanted.links);
                let own_type = if is_ours {
                    Some(wanted)
                } else {
                    certificate.key_type
                };
                blocks.push(block);
                types.push(own_type);
            }
        }
        wanted.choose(&types).map(|chosen| blocks[chosen])
    }

    /// Whether the block has certificates of its own at this address. Under Apache a host without TLS
    /// may have a name at an address with TLS: then the certificates of the first host are sent.
    fn has_own_certificates(&self, block: &ConfigBlock) -> bool {
        let mut listens = block.listens.iter();
        self.config.software != ServerSoftware::Apache
            || !self.listen.ssl
            || !ModelRule::ApacheFirstHost.is_followed()
            || listens.any(|listen| {
                listen.ssl
                    && listen.interface == self.listen.interface
                    && listen.port == self.listen.port
            })
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

    /// The addresses of this machine to connect to.
    pub(crate) fn probe_addresses(&self) -> Result<Vec<SocketAddr>, UnprobedReason> {
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

    /// The single addresses of the same port. If this site listens on all addresses, the server uses
    /// only the blocks of a single address for connections to it.
    pub(crate) fn narrower_sites(&self) -> Vec<Self> {
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
pub(crate) fn hosts(config: &ServerConfig, wanted: &InstalledPaths<'_>) -> Vec<String> {
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
mod tests;
