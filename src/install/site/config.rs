//! The configuration of one server as a whole.

use std::path::{Path, PathBuf};

use super::block::{Block, Part};
use super::glob;
use super::listen::Listen;
use super::name::{ServerName, concrete};
use super::software::Software;
use crate::install::layout::Link;
use crate::pki::name::DnsName;

/// One file of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigText {
    /// Its absolute path.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// What an install needs to know of a configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose it is.
    pub software: Software,
    /// The main file.
    pub file: PathBuf,
    /// All blocks, in the server's order.
    pub blocks: Vec<Block>,
    /// The patterns of files that hold blocks and are read too; absolute.
    pub includes: Vec<PathBuf>,
    /// What only the server itself can decide, with its place and why; nothing was guessed.
    pub doubts: Vec<String>,
}

impl Config {
    /// The folders from which a file called `name` would be read.
    pub fn including(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.includes.iter().filter_map(move |pattern| {
            let (folder, file) = (pattern.parent()?, pattern.file_name()?);
            let plain = !glob::is_pattern(&folder.to_string_lossy());
            (plain && glob::matches(&file.to_string_lossy(), name)).then_some(folder)
        })
    }

    /// All addresses of a part of the server.
    pub(super) fn listens(&self, part: Part) -> impl Iterator<Item = &Listen> {
        self.blocks.iter().filter(move |block| block.part == part).flat_map(|block| &block.listens)
    }

    /// The blocks that name exactly this pair: all files of one of theirs are among `links`.
    pub fn naming(&self, links: &[Link]) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.names_pair(links))
    }

    /// The blocks that name this file, whatever for.
    pub fn mentioning(&self, path: &Path) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.mentions(path))
    }

    /// The web sites that answer to one of `names` (a wildcard stands for any name below it) by a name of their own.
    /// Blocks that do so only by a regular expression, or as the default, are not among them.
    pub fn serving(&self, names: &[DnsName]) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.part == Part::Http && block.serves(names))
    }
}

impl Block {
    /// Whether it answers to one of `names` (a wildcard stands for any name below it) by a name of its own.
    #[must_use]
    pub fn serves(&self, names: &[DnsName]) -> bool {
        let hosts = || self.names.iter().filter_map(ServerName::concrete);
        names.iter().any(|name| self.answers_to(&concrete(name)) || hosts().any(|host| name.covers(&host)))
    }
}
