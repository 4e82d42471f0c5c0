//! The configuration of one server as a whole.

use std::fmt;
use std::path::{Path, PathBuf};

use super::block::{ConfigBlock, TrafficKind};
use super::glob;
use super::index::BlockIndex;
use super::listen::ListenAddress;
use super::name::{ServerName, probe_host};
use super::pass_through::PassThrough;
use super::software::ServerSoftware;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// One file of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigFile {
    /// Its absolute path.
    pub path: PathBuf,
    pub text: String,
}

/// A line of a configuration file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfigPosition<'a> {
    pub file: &'a Path,
    pub line: u32,
}

impl fmt::Display for ConfigPosition<'_> {
    /// Formats the position as `FILE:LINE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// The block that answers at an address for names that no block has.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct DefaultBlock {
    /// As the configuration spells it.
    pub address: String,
    pub port: u16,
    pub file: PathBuf,
    pub line: u32,
}

/// The configuration of a server, in the form that all dialects share.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub software: ServerSoftware,
    pub file: PathBuf,
    /// All blocks, in the server's order.
    blocks: Vec<ConfigBlock>,
    /// The patterns of included files that may contain blocks; absolute.
    pub includes: Vec<PathBuf>,
    /// What certctl cannot evaluate: the position and the reason.
    pub doubts: Vec<String>,
    /// The first doubt about which blocks there are; with one, no answer can be predicted.
    pub unclear: Option<String>,
    /// Addresses at which TLS connections are passed on.
    pub(crate) pass_through: Vec<PassThrough>,
    pub(crate) index: BlockIndex,
}

impl ServerConfig {
    /// Indexes `blocks`, which are in the server's order.
    #[must_use]
    pub fn new(software: ServerSoftware, file: &Path, blocks: Vec<ConfigBlock>) -> Self {
        let index = BlockIndex::new(software, &blocks);
        Self {
            software,
            file: file.to_owned(),
            blocks,
            includes: Vec::new(),
            doubts: Vec::new(),
            unclear: None,
            pass_through: Vec::new(),
            index,
        }
    }

    /// All blocks, in the server's order.
    #[must_use]
    pub fn blocks(&self) -> &[ConfigBlock] {
        &self.blocks
    }

    /// The folders in which the server would read a new file called `name`.
    pub fn folders_including(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.includes.iter().filter_map(move |pattern| {
            let folder = pattern.parent()?;
            let file = pattern.file_name()?;
            let is_one_folder = !glob::is_pattern(&folder.to_string_lossy());
            (is_one_folder && glob::matches(&file.to_string_lossy(), name)).then_some(folder)
        })
    }

    /// The blocks that name exactly this certificate: all files of one of theirs are among `links`.
    pub fn blocks_naming(&self, links: &[StableLink]) -> impl Iterator<Item = &ConfigBlock> {
        let found = self
            .index
            .naming_any_path(links.iter().map(|link| link.path.as_path()));
        self.at(found)
            .filter(move |block| block.names_certificate(links))
    }

    /// The blocks that name this file for any purpose.
    pub fn blocks_mentioning(&self, path: &Path) -> impl Iterator<Item = &ConfigBlock> {
        self.at(self.index.naming_path(path).to_vec())
    }

    /// The web sites whose names include one of `names` (a wildcard stands for any name below it).
    /// Blocks that answer only by a regular expression, or as the default, are omitted.
    pub fn blocks_serving(&self, names: &[DnsName]) -> impl Iterator<Item = &ConfigBlock> {
        self.at(self.index.answering_names(names))
            .filter(move |block| block.traffic == TrafficKind::Http && block.serves(names))
    }

    /// The block that answers at each TCP address of a web site for names that no block has.
    #[must_use]
    pub(crate) fn default_blocks(&self) -> Vec<DefaultBlock> {
        let mut defaults: Vec<DefaultBlock> = self
            .index
            .places(TrafficKind::Http)
            .map(|place| {
                let block = &self.blocks[place.default];
                DefaultBlock {
                    address: place.listen.to_string(),
                    port: place.listen.port,
                    file: block.file.clone(),
                    line: block.line,
                }
            })
            .collect();
        defaults.sort();
        defaults
    }

    /// The rules by which connections to exactly this address are passed on.
    pub(crate) fn pass_through_at(&self, listen: &ListenAddress) -> Option<&PassThrough> {
        let is_here = |own: &ListenAddress| {
            own.interface == listen.interface && own.port == listen.port && !own.udp
        };
        self.pass_through
            .iter()
            .find(|pass| pass.listens.iter().any(is_here))
    }

    pub(crate) fn at(&self, found: Vec<usize>) -> impl Iterator<Item = &ConfigBlock> {
        found.into_iter().map(|at| &self.blocks[at])
    }
}

impl ConfigBlock {
    /// Returns whether its names include one of `names` (a wildcard stands for any name below it).
    #[must_use]
    pub fn serves(&self, names: &[DnsName]) -> bool {
        names.iter().any(|name| {
            let mut hosts = self.names.iter().filter_map(ServerName::concrete);
            self.answers_to(&probe_host(name)) || hosts.any(|host| name.covers(&host))
        })
    }
}
