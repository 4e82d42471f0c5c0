//! From directives to what an install asks about: server blocks, where they listen, for which names, with which pair.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::listen::{Interface, Listen};
use super::name::ServerName;
use super::parse::{Directive, flat};
use crate::pki::name::DnsName;

/// Which part of nginx a server block belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// Web sites.
    Http,
    /// Mail proxies.
    Mail,
    /// TCP proxies.
    Stream,
}

/// What a `ssl_certificate` or `ssl_certificate_key` names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PairPath {
    /// A file; absolute, as nginx resolves it.
    File(PathBuf),
    /// Not one file: it has variables, or is `data:` or `engine:`.
    Other(String),
}

impl PairPath {
    fn parse(text: &str, folder: &Path) -> Self {
        let special = ["data:", "engine:", "store:"].iter().any(|prefix| text.starts_with(prefix));
        if special || text.contains('$') { Self::Other(text.to_owned()) } else { Self::File(folder.join(text)) }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Other(_) => None,
        }
    }
}

/// A certificate and its key, as one block names them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// `ssl_certificate`
    pub certificate: PairPath,
    /// `ssl_certificate_key`
    pub key: PairPath,
}

/// One `server { ... }`.
#[derive(Clone, Debug)]
pub struct ServerBlock {
    /// The file it stands in.
    pub file: PathBuf,
    /// The line it begins on.
    pub line: u32,
    /// The part of nginx.
    pub part: Part,
    /// The names it answers to.
    pub names: Vec<ServerName>,
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// Its pairs, or those it inherits.
    pub pairs: Vec<Pair>,
    /// What it passes `/` on to (`proxy_pass`), or the first thing that it passes anything on to.
    pub upstream: Option<String>,
    /// The folder that it serves.
    pub root: Option<PathBuf>,
    /// The `proxy_set_header` that its locations inherit.
    pub proxy_headers: Vec<Directive>,
    /// All that it says.
    pub directives: Vec<Directive>,
}

/// Whether a certificate has all names that a block answers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Coverage {
    /// All of them.
    All,
    /// The block has no names (`_`): it serves whatever reaches it.
    Nameless,
    /// Not these.
    Lacks(Vec<String>),
    /// These are patterns that only nginx can match.
    CannotTell(Vec<String>),
}

impl ServerBlock {
    /// Whether it names exactly this pair.
    #[must_use]
    pub fn names_pair(&self, certificate: &Path, key: &Path) -> bool {
        self.pairs.iter().any(|pair| pair.certificate.file() == Some(certificate) && pair.key.file() == Some(key))
    }

    /// Whether it names this file, as certificate or as key.
    #[must_use]
    pub fn mentions(&self, path: &Path) -> bool {
        self.pairs.iter().any(|pair| [&pair.certificate, &pair.key].iter().any(|named| named.file() == Some(path)))
    }

    /// Whether it speaks TLS anywhere.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.listens.iter().any(|listen| listen.ssl && !listen.udp)
    }

    /// Whether it answers in plain text anywhere.
    #[must_use]
    pub fn speaks_plain(&self) -> bool {
        self.listens.iter().any(|listen| !listen.ssl && !listen.udp)
    }

    /// Whether it answers to `host` by one of its names; patterns that only nginx can match do not count.
    #[must_use]
    pub fn answers_to(&self, host: &str) -> bool {
        self.names.iter().any(|name| name.rank(host).is_some())
    }

    /// Whether `names` are all that it answers to.
    #[must_use]
    pub fn coverage(&self, names: &[DnsName]) -> Coverage {
        let covered = |need: &str| match need.strip_prefix("*.") {
            Some(_) => names.iter().any(|name| name.as_str() == need),
            None => names.iter().any(|name| name.covers(need)),
        };
        let needs: Vec<_> = self.names.iter().map(|name| (name, name.needs())).collect();
        let unknown: Vec<_> = needs.iter().filter(|(_, needs)| needs.is_none()).map(|(name, _)| name.text()).collect();
        let needs: Vec<String> = needs.into_iter().filter_map(|(_, needs)| needs).flatten().collect();
        let lacking: Vec<String> = needs.iter().filter(|need| !covered(need)).cloned().collect();
        if !lacking.is_empty() {
            Coverage::Lacks(lacking)
        } else if !unknown.is_empty() {
            Coverage::CannotTell(unknown)
        } else if needs.is_empty() {
            Coverage::Nameless
        } else {
            Coverage::All
        }
    }
}

impl fmt::Display for ServerBlock {
    /// `FILE:LINE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What an install needs to know of a configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The main file.
    pub file: PathBuf,
    /// All server blocks, in nginx's order.
    pub blocks: Vec<ServerBlock>,
    /// The `pid` directive; absolute.
    pub pid: Option<PathBuf>,
}

impl Config {
    /// Of the directives of the main file `file`. Certificates are relative to its folder, the rest to `prefix`.
    #[must_use]
    pub fn new(directives: &[Directive], file: &Path, prefix: &Path) -> Self {
        let folder = file.parent().unwrap_or_else(|| Path::new("/"));
        let mut blocks = Vec::new();
        let main = flat(directives);
        for directive in &main {
            let part = match directive.name.as_str() {
                "http" => Part::Http,
                "mail" => Part::Mail,
                "stream" => Part::Stream,
                _ => continue,
            };
            let outer = directive.inside();
            let servers = outer.iter().filter(|inner| inner.name == "server" && inner.block.is_some());
            blocks.extend(servers.map(|server| server_block(part, server, &outer, folder, prefix)));
        }
        share_flags(&mut blocks);
        let pid = main.iter().rfind(|directive| directive.name == "pid").and_then(|pid| pid.only());
        Self { file: file.to_owned(), blocks, pid: pid.map(|pid| prefix.join(pid)) }
    }

    /// The blocks that name exactly this pair.
    pub fn naming(&self, certificate: &Path, key: &Path) -> impl Iterator<Item = &ServerBlock> {
        self.blocks.iter().filter(move |block| block.names_pair(certificate, key))
    }

    /// The blocks that name this file, as certificate or as key.
    pub fn mentioning(&self, path: &Path) -> impl Iterator<Item = &ServerBlock> {
        self.blocks.iter().filter(move |block| block.mentions(path))
    }

    /// The web sites that answer to one of `names` (a wildcard stands for any name below it) by a name of their own.
    /// Blocks that do so only by a regular expression, or as the default, are not among them.
    pub fn serving(&self, names: &[DnsName]) -> impl Iterator<Item = &ServerBlock> {
        self.blocks.iter().filter(move |block| block.part == Part::Http && serves(block, names))
    }
}

fn serves(block: &ServerBlock, names: &[DnsName]) -> bool {
    let concrete = || block.names.iter().filter_map(ServerName::concrete);
    names.iter().any(|name| block.answers_to(&super::name::concrete(name)) || concrete().any(|host| name.covers(&host)))
}

fn server_block(part: Part, server: &Directive, outer: &[&Directive], folder: &Path, prefix: &Path) -> ServerBlock {
    let inner = server.inside();
    // A directive of the server replaces all of the same name outside of it.
    let effective = |name: &str| -> Vec<&Directive> {
        let of = |level: &[&'_ Directive]| level.iter().any(|directive| directive.name == name);
        let level = if of(&inner) { &inner[..] } else { outer };
        level.iter().copied().filter(|directive| directive.name == name).collect()
    };
    let paths = |name: &str| -> Vec<PairPath> {
        effective(name).iter().filter_map(|found| found.only()).map(|text| PairPath::parse(text, folder)).collect()
    };
    let pairs = paths("ssl_certificate").into_iter().zip(paths("ssl_certificate_key"));
    let words = inner.iter().filter(|directive| directive.name == "server_name").flat_map(|names| &names.arguments);
    let mut listens: Vec<Listen> = inner
        .iter()
        .filter(|directive| directive.name == "listen")
        .flat_map(|listen| Listen::parse(&listen.arguments))
        .collect();
    if listens.is_empty() {
        listens.push(Listen::default());
    }
    // Before 1.25.1, `ssl on` meant all of its addresses.
    if effective("ssl").iter().any(|ssl| ssl.only() == Some("on")) {
        listens.iter_mut().for_each(|listen| listen.ssl = true);
    }
    ServerBlock {
        file: server.file.clone(),
        line: server.line,
        part,
        names: words.map(|word| ServerName::parse(word)).collect(),
        listens,
        pairs: pairs.map(|(certificate, key)| Pair { certificate, key }).collect(),
        upstream: upstream(&inner),
        root: effective("root").last().and_then(|root| root.only()).map(|root| prefix.join(root)),
        proxy_headers: effective("proxy_set_header").into_iter().cloned().collect(),
        directives: server.block.clone().unwrap_or_default(),
    }
}

/// The `proxy_pass` of `location /`, else the first one of all.
fn upstream(directives: &[&Directive]) -> Option<String> {
    let passes = |location: &Directive| {
        let inside = location.inside();
        let pass = inside.iter().find(|directive| directive.name == "proxy_pass")?;
        pass.only().map(str::to_owned)
    };
    let mut locations: Vec<_> = directives.iter().filter(|directive| directive.name == "location").collect();
    locations.sort_by_key(|location| location.only() != Some("/"));
    locations.into_iter().find_map(|location| passes(location))
}

/// `ssl` and `proxy_protocol` belong to the address: one block that says so says it for all.
fn share_flags(blocks: &mut [ServerBlock]) {
    let mut flags: HashMap<(Part, Interface, u16, bool), (bool, bool)> = HashMap::new();
    let key = |part, listen: &Listen| (part, listen.interface.clone(), listen.port, listen.udp);
    for block in blocks.iter() {
        for listen in &block.listens {
            let shared = flags.entry(key(block.part, listen)).or_default();
            *shared = (shared.0 | listen.ssl, shared.1 | listen.proxy_protocol);
        }
    }
    for block in blocks {
        for listen in &mut block.listens {
            if let Some(&(ssl, proxy_protocol)) = flags.get(&key(block.part, listen)) {
                (listen.ssl, listen.proxy_protocol) = (ssl, proxy_protocol);
            }
        }
    }
}
