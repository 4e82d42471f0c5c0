//! Which blocks of a configuration can have to do with a file, a name or an address at all, found
//! without going through all of them: with a thousand pairs in one run that would be a million
//! blocks. What is found is no more than a candidate: the block itself says whether it fits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::block::{ConfigBlock, TrafficKind};
use super::listen::{ListenAddress, ListenInterface};
use super::name::{ServerName, concrete};
use crate::pki::name::DnsName;

/// By number, in the server's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockIndex {
    paths: HashMap<PathBuf, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
    /// Blocks with patterns that only a look at them can match.
    open: Vec<usize>,
    places: HashMap<(TrafficKind, ListenInterface, u16), ListenPlace>,
}

/// One address where blocks listen; not for UDP.
#[derive(Clone, Debug)]
pub(crate) struct ListenPlace {
    /// As the first block says it.
    pub listen: ListenAddress,
    /// Who answers for names that no block has.
    pub default: usize,
    /// Those with a regular expression for a name.
    pub regex: Vec<usize>,
    has_default: bool,
}

impl BlockIndex {
    pub(crate) fn new(blocks: &[ConfigBlock]) -> Self {
        let mut index = Self::default();
        for (at, block) in blocks.iter().enumerate() {
            for path in block
                .pairs
                .iter()
                .flat_map(|pair| &pair.files)
                .filter_map(|(_, path)| path.file())
            {
                note(index.paths.entry(path.to_owned()).or_default(), at);
            }
            for key in block.names.iter().flat_map(keys) {
                note(index.names.entry(key).or_default(), at);
            }
            if block.names.iter().any(is_open) {
                index.open.push(at);
            }
            for listen in block.listens.iter().filter(|listen| !listen.udp) {
                index.listens(at, block, listen);
            }
        }
        index
    }

    /// Of several listens of one block at one address the first counts.
    fn listens(&mut self, at: usize, block: &ConfigBlock, listen: &ListenAddress) {
        let first = || ListenPlace {
            listen: listen.clone(),
            default: at,
            regex: Vec::new(),
            has_default: false,
        };
        let key = (block.part, listen.interface.clone(), listen.port);
        let place = self.places.entry(key).or_insert_with(first);
        let here = |other: &&ListenAddress| {
            !other.udp && other.interface == listen.interface && other.port == listen.port
        };
        if block.listens.iter().find(here) != Some(listen) {
            return;
        }
        if listen.default_server && !place.has_default {
            (place.default, place.has_default) = (at, true);
        }
        if block
            .names
            .iter()
            .any(|name| matches!(name, ServerName::Regex(_)))
        {
            note(&mut place.regex, at);
        }
    }

    /// Those that name this file.
    pub(crate) fn of_path(&self, path: &Path) -> &[usize] {
        self.paths.get(path).map_or(&[], Vec::as_slice)
    }

    /// Those that may name one of these files.
    pub(crate) fn of_paths<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Vec<usize> {
        in_order(paths.flat_map(|path| self.of_path(path)).copied().collect())
    }

    /// Those that may answer to one of `hosts`.
    pub(crate) fn of_hosts<'a>(&self, hosts: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let below = |host: &'a str| host.match_indices('.').map(move |(at, _)| &host[at..]);
        let keys = hosts.flat_map(|host| std::iter::once(host).chain(below(host)));
        let named = keys.filter_map(|key| self.names.get(key)).flatten();
        in_order(named.chain(&self.open).copied().collect())
    }

    /// Those that may answer to one of `names`, or to a name below a wildcard among them.
    pub(crate) fn of_names(&self, names: &[DnsName]) -> Vec<usize> {
        let hosts: Vec<String> = names.iter().map(concrete).collect();
        let spelled = names.iter().map(DnsName::as_str);
        self.of_hosts(hosts.iter().map(String::as_str).chain(spelled))
    }

    /// Those that may name one of these files or answer to `host`.
    pub(crate) fn of<'a>(
        &self,
        paths: impl Iterator<Item = &'a Path>,
        host: &'a str,
    ) -> Vec<usize> {
        let mut found = self.of_paths(paths);
        found.extend(self.of_hosts(std::iter::once(host)));
        in_order(found)
    }

    /// What listens exactly there.
    pub(crate) fn place(
        &self,
        part: TrafficKind,
        interface: &ListenInterface,
        port: u16,
    ) -> Option<&ListenPlace> {
        self.places.get(&(part, interface.clone(), port))
    }

    /// All addresses of a part of the server, in no order.
    pub(crate) fn places(&self, part: TrafficKind) -> impl Iterator<Item = &ListenPlace> {
        self.places
            .iter()
            .filter(move |((of, ..), _)| *of == part)
            .map(|(_, place)| place)
    }
}

/// What a name is found by: a host; `.example.com` for all below it; `*.example.com` for a wildcard
/// of a certificate.
fn keys(name: &ServerName) -> Vec<String> {
    let below = match name {
        ServerName::Below(base) | ServerName::WithBelow(base) | ServerName::Label(base) => {
            Some(base.clone())
        }
        _ => None,
    };
    let host = name.concrete();
    let wildcard = host
        .as_ref()
        .and_then(|host| Some(format!("*{}", &host[host.find('.')?..])));
    [below, host, wildcard].into_iter().flatten().collect()
}

fn is_open(name: &ServerName) -> bool {
    match name {
        ServerName::Trailing(_) | ServerName::Glob(_) => true,
        ServerName::Below(base) | ServerName::WithBelow(base) | ServerName::Label(base) => {
            !base.starts_with('.')
        }
        ServerName::Exact(_)
        | ServerName::Except(_)
        | ServerName::Nothing(_)
        | ServerName::Regex(_) => false,
    }
}

fn note(found: &mut Vec<usize>, at: usize) {
    if found.last() != Some(&at) {
        found.push(at);
    }
}

fn in_order(mut found: Vec<usize>) -> Vec<usize> {
    found.sort_unstable();
    found.dedup();
    found
}
