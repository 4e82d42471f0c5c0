//! Finds the blocks of a configuration that may concern a file, a name or an address without
//! checking all of them: with a thousand certificates in one run that would be a million checks.
//! The results are candidates: the block itself decides whether it matches.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::block::{ConfigBlock, TrafficKind};
use super::listen::{ListenAddress, ListenInterface};
use super::name::{ServerName, probe_host};
use super::name_table::NameTable;
use super::rules::ModelRule;
use super::software::ServerSoftware;
use crate::pki::name::DnsName;

/// A part of the server, and an address of it.
pub(crate) type ListenKey = (TrafficKind, ListenInterface, u16);

/// The blocks of a configuration by file, name and address. Blocks are numbered in the server's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockIndex {
    paths: HashMap<PathBuf, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
    /// Blocks with patterns, which are candidates for every name.
    patterns: Vec<usize>,
    places: HashMap<ListenKey, ListenPlace>,
    /// Blocks that answer for every name at an address, or may do so: defaults without a host name,
    /// and regular expressions.
    catch_alls: Vec<usize>,
}

/// One TCP address at which blocks listen.
#[derive(Clone, Debug)]
pub(crate) struct ListenPlace {
    /// The address, as the first block configures it.
    pub listen: ListenAddress,
    /// The block that answers for names that no block has.
    pub default: usize,
    /// The names of its blocks, for nginx.
    pub names: NameTable,
    has_default: bool,
}

impl BlockIndex {
    pub(crate) fn new(software: ServerSoftware, blocks: &[ConfigBlock]) -> Self {
        let mut index = Self::default();
        for (at, block) in blocks.iter().enumerate() {
            let certificates = block.certificates.iter();
            let files = certificates.flat_map(|certificate| &certificate.files);
            for path in files.filter_map(|(_, path)| path.file()) {
                push_new(index.paths.entry(path.to_owned()).or_default(), at);
            }
            for key in block.names.iter().flat_map(keys) {
                push_new(index.names.entry(key).or_default(), at);
            }
            if block.names.iter().any(is_pattern) {
                index.patterns.push(at);
            }
            for listen in block.listens.iter().filter(|listen| !listen.udp) {
                if let Some(place) = index.add_listen(at, block, listen)
                    && software == ServerSoftware::Nginx
                {
                    block
                        .names
                        .iter()
                        .for_each(|name| place.names.add(name, at));
                }
            }
        }
        index.find_catch_alls(blocks);
        index
    }

    fn find_catch_alls(&mut self, blocks: &[ConfigBlock]) {
        let mut found = Vec::new();
        for place in self.places.values() {
            found.extend(place.names.pattern_blocks());
            if blocks[place.default].has_no_host_name() {
                found.push(place.default);
            }
        }
        self.catch_alls = in_order(found);
    }

    /// The blocks that answer for every name at an address, or may do so.
    pub(crate) fn catch_alls(&self) -> &[usize] {
        &self.catch_alls
    }

    /// Adds an address of a block and returns it. Where a block listens twice at one address, the
    /// first counts.
    fn add_listen(
        &mut self,
        at: usize,
        block: &ConfigBlock,
        listen: &ListenAddress,
    ) -> Option<&mut ListenPlace> {
        let key = (block.traffic, listen.interface.clone(), listen.port);
        let place = self.places.entry(key).or_insert_with(|| ListenPlace {
            listen: listen.clone(),
            default: at,
            names: NameTable::default(),
            has_default: false,
        });
        let first = block.listens.iter().find(|other| {
            !other.udp && other.interface == listen.interface && other.port == listen.port
        });
        if first != Some(listen) {
            return None;
        }
        let is_default = listen.default_server && ModelRule::NginxDefaultServer.is_followed();
        if is_default && !place.has_default {
            place.default = at;
            place.has_default = true;
        }
        Some(place)
    }

    /// The blocks that name this file.
    pub(crate) fn naming_path(&self, path: &Path) -> &[usize] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// The blocks that may name one of these files.
    pub(crate) fn naming_any_path<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Vec<usize> {
        in_order(
            paths
                .flat_map(|path| self.naming_path(path))
                .copied()
                .collect(),
        )
    }

    /// The blocks that may answer to one of `hosts`.
    pub(crate) fn answering_hosts<'a>(&self, hosts: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let keys = hosts.flat_map(|host| {
            let bases = host.match_indices('.').map(move |(at, _)| &host[at..]);
            std::iter::once(host).chain(bases)
        });
        let named = keys.filter_map(|key| self.names.get(key)).flatten();
        in_order(named.chain(&self.patterns).copied().collect())
    }

    /// The blocks that may answer to one of `names`, or to a name below a wildcard among them.
    pub(crate) fn answering_names(&self, names: &[DnsName]) -> Vec<usize> {
        let hosts: Vec<String> = names.iter().map(probe_host).collect();
        let spelled = names.iter().map(DnsName::as_str);
        self.answering_hosts(hosts.iter().map(String::as_str).chain(spelled))
    }

    /// The blocks that may name one of these files or answer to `host`.
    pub(crate) fn candidates<'a>(
        &self,
        paths: impl Iterator<Item = &'a Path>,
        host: &'a str,
    ) -> Vec<usize> {
        let mut found = self.naming_any_path(paths);
        found.extend(self.answering_hosts(std::iter::once(host)));
        in_order(found)
    }

    /// The blocks that listen at exactly this address.
    pub(crate) fn place(
        &self,
        part: TrafficKind,
        interface: &ListenInterface,
        port: u16,
    ) -> Option<&ListenPlace> {
        self.places.get(&(part, interface.clone(), port))
    }

    /// All addresses of a part of the server, in no particular order.
    pub(crate) fn places(&self, part: TrafficKind) -> impl Iterator<Item = &ListenPlace> {
        self.places
            .iter()
            .filter(move |((of, ..), _)| *of == part)
            .map(|(_, place)| place)
    }
}

/// The keys of a name in the index: a host; `.example.com` for all names below it; `*.example.com`
/// for a wildcard of a certificate.
fn keys(name: &ServerName) -> Vec<String> {
    let below = match name {
        ServerName::Below(base) | ServerName::WithBelow(base) | ServerName::Label(base) => {
            Some(base.clone())
        }
        _ => None,
    };
    let inherited = match name {
        ServerName::Inherited(host) => Some(host.clone()),
        _ => None,
    };
    let host = name.concrete();
    let wildcard = host
        .as_ref()
        .and_then(|host| Some(format!("*{}", &host[host.find('.')?..])));
    [below, inherited, host, wildcard]
        .into_iter()
        .flatten()
        .collect()
}

fn is_pattern(name: &ServerName) -> bool {
    match name {
        ServerName::Trailing(_) | ServerName::Glob(_) => true,
        ServerName::Below(base) | ServerName::WithBelow(base) | ServerName::Label(base) => {
            !base.starts_with('.')
        }
        ServerName::Exact(_)
        | ServerName::Except(_)
        | ServerName::Inherited(_)
        | ServerName::Nothing(_)
        | ServerName::Regex(_) => false,
    }
}

fn push_new(found: &mut Vec<usize>, at: usize) {
    if found.last() != Some(&at) {
        found.push(at);
    }
}

fn in_order(mut found: Vec<usize>) -> Vec<usize> {
    found.sort_unstable();
    found.dedup();
    found
}
