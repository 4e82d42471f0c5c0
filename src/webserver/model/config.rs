//! The configuration of one server as a whole.

use std::path::{Path, PathBuf};

use super::block::{ConfigBlock, TrafficKind};
use super::glob;
use super::index::BlockIndex;
use super::name::{ServerName, concrete};
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

/// What an install needs to know of a configuration.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub software: ServerSoftware,
    pub file: PathBuf,
    /// All blocks, in the server's order.
    blocks: Vec<ConfigBlock>,
    /// The patterns of files that hold blocks and are read too; absolute.
    pub includes: Vec<PathBuf>,
    /// What only the server itself can decide, with its place and why; nothing was guessed.
    pub doubts: Vec<String>,
    pub(crate) index: BlockIndex,
}

impl ServerConfig {
    /// Of `blocks`, in the server's order.
    #[must_use]
    pub fn new(software: ServerSoftware, file: &Path, blocks: Vec<ConfigBlock>) -> Self {
        let index = BlockIndex::new(&blocks);
        Self {
            software,
            file: file.to_owned(),
            blocks,
            includes: Vec::new(),
            doubts: Vec::new(),
            index,
        }
    }

    /// All blocks, in the server's order.
    #[must_use]
    pub fn blocks(&self) -> &[ConfigBlock] {
        &self.blocks
    }

    /// The folders from which a file called `name` would be read.
    pub fn including(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.includes.iter().filter_map(move |pattern| {
            let (folder, file) = (pattern.parent()?, pattern.file_name()?);
            let plain = !glob::is_pattern(&folder.to_string_lossy());
            (plain && glob::matches(&file.to_string_lossy(), name)).then_some(folder)
        })
    }

    /// The blocks that name exactly this pair: all files of one of theirs are among `links`.
    pub fn naming(&self, links: &[StableLink]) -> impl Iterator<Item = &ConfigBlock> {
        let found = self
            .index
            .of_paths(links.iter().map(|link| link.path.as_path()));
        self.at(found).filter(move |block| block.names_pair(links))
    }

    /// The blocks that name this file, whatever for.
    pub fn mentioning(&self, path: &Path) -> impl Iterator<Item = &ConfigBlock> {
        self.at(self.index.of_path(path).to_vec())
    }

    /// The web sites that answer to one of `names` (a wildcard stands for any name below it) by a
    /// name of their own. Blocks that do so only by a regular expression, or as the default, are
    /// not among them.
    pub fn serving(&self, names: &[DnsName]) -> impl Iterator<Item = &ConfigBlock> {
        self.at(self.index.of_names(names))
            .filter(move |block| block.part == TrafficKind::Http && block.serves(names))
    }

    pub(crate) fn at(&self, found: Vec<usize>) -> impl Iterator<Item = &ConfigBlock> {
        found.into_iter().map(|at| &self.blocks[at])
    }
}

impl ConfigBlock {
    /// Whether it answers to one of `names` (a wildcard stands for any name below it) by a name of
    /// its own.
    #[must_use]
    pub fn serves(&self, names: &[DnsName]) -> bool {
        let hosts = || self.names.iter().filter_map(ServerName::concrete);
        names
            .iter()
            .any(|name| self.answers_to(&concrete(name)) || hosts().any(|host| name.covers(&host)))
    }
}
