//! One block: `server { ... }`, `<VirtualHost ...>`, `bind ... ssl`: where it answers, for which
//! names, with which files.

use std::fmt;
use std::path::{Path, PathBuf};

use super::listen::ListenAddress;
use super::name::ServerName;
use crate::pki::name::DnsName;
use crate::store::layout::{ReleaseFile, StableLink};

/// The part of a server that a block belongs to: the addresses of one say nothing of those of
/// another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TrafficKind {
    Http,
    Mail,
    Stream,
}

/// What a configuration names as a file of a pair.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConfiguredPath {
    /// A file; absolute, as the server resolves it.
    File(PathBuf),
    /// Not one file: it has variables, or is `data:` or `engine:`.
    Other(String),
}

impl ConfiguredPath {
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
pub struct ConfiguredCertificate {
    /// Each file, and what the server wants in it.
    pub files: Vec<(ReleaseFile, ConfiguredPath)>,
}

impl ConfiguredCertificate {
    /// Chain and key in a file each.
    #[must_use]
    pub fn two(chain: ConfiguredPath, key: ConfiguredPath) -> Self {
        Self {
            files: vec![(ReleaseFile::FullChain, chain), (ReleaseFile::Key, key)],
        }
    }

    /// Its files as links to put there; `None` where one is not a plain file.
    #[must_use]
    pub fn links(&self) -> Option<Vec<StableLink>> {
        let link = |(piece, path): &(ReleaseFile, ConfiguredPath)| {
            Some(StableLink::new(path.file()?, *piece))
        };
        self.files.iter().map(link).collect()
    }

    /// Whether all of its files are among `links`.
    #[must_use]
    pub fn is_among(&self, links: &[StableLink]) -> bool {
        let there = |(piece, path): &(ReleaseFile, ConfiguredPath)| {
            links
                .iter()
                .any(|link| link.piece == *piece && Some(link.path.as_path()) == path.file())
        };
        !self.files.is_empty() && self.files.iter().all(there)
    }
}

/// The links of a pair whose chain and key are in a file each.
#[must_use]
pub(crate) fn chain_and_key(chain: &Path, key: &Path) -> [StableLink; 2] {
    [
        StableLink::new(chain, ReleaseFile::FullChain),
        StableLink::new(key, ReleaseFile::Key),
    ]
}

#[derive(Clone, Debug)]
pub struct ConfigBlock {
    /// The file it stands in.
    pub file: PathBuf,
    /// The line it begins on.
    pub line: u32,
    /// The part of the server.
    pub part: TrafficKind,
    /// The names it answers to.
    pub names: Vec<ServerName>,
    pub names_from: NameSource,
    pub listens: Vec<ListenAddress>,
    /// Its pairs, or those it inherits.
    pub pairs: Vec<ConfiguredCertificate>,
    /// The line (`FILE:LINE`) that has it send OCSP answers along, which it fetches from where the
    /// certificate says; none where it sends none, or has them from elsewhere.
    pub stapling: Option<String>,
}

/// Where the names of a block stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameSource {
    /// In the certificate that lies there now (HAProxy without a filter): another one brings its
    /// own.
    Certificate,
    Configuration,
}

/// Whether a certificate has all names that a block answers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BlockCoverage {
    All,
    /// The block has no names (`_`): it serves whatever reaches it.
    Nameless,
    Lacks(Vec<String>),
    /// These are patterns that only the server can match.
    CannotTell(Vec<String>),
}

impl ConfigBlock {
    /// Whether it names exactly this pair: all files of one of its own are among `links`.
    #[must_use]
    pub fn names_pair(&self, links: &[StableLink]) -> bool {
        self.pairs.iter().any(|pair| pair.is_among(links))
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

    /// Whether it answers to one of `names` in plain text only.
    #[must_use]
    pub(crate) fn serves_in_plain_text(&self, names: &[DnsName]) -> bool {
        self.serves(names) && self.speaks_plain() && !self.speaks_tls()
    }

    /// Whether it answers to `host` by one of its names; patterns that only the server can match do
    /// not count.
    #[must_use]
    pub fn answers_to(&self, host: &str) -> bool {
        self.rank(host).is_some()
    }

    /// How well the best of its names fits `host`; `None` when none does.
    #[must_use]
    pub(crate) fn rank(&self, host: &str) -> Option<(u8, usize)> {
        let except = self
            .names
            .iter()
            .any(|name| matches!(name, ServerName::Except(not) if not == host));
        self.names
            .iter()
            .filter_map(|name| name.rank(host))
            .max()
            .filter(|_| !except)
    }

    /// Whether `names` are all that it answers to.
    #[must_use]
    pub fn coverage(&self, names: &[DnsName]) -> BlockCoverage {
        let covered = |need: &str| match need.strip_prefix("*.") {
            Some(_) => names.iter().any(|name| name.as_str() == need),
            None => names.iter().any(|name| name.covers(need)),
        };
        let needs: Vec<_> = self.names.iter().map(|name| (name, name.needs())).collect();
        let unknown: Vec<_> = needs
            .iter()
            .filter(|(_, needs)| needs.is_none())
            .map(|(name, _)| name.text())
            .collect();
        let needs: Vec<String> = needs
            .into_iter()
            .filter_map(|(_, needs)| needs)
            .flatten()
            .collect();
        let lacking: Vec<String> = needs
            .iter()
            .filter(|need| !covered(need))
            .cloned()
            .collect();
        if !lacking.is_empty() {
            BlockCoverage::Lacks(lacking)
        } else if !unknown.is_empty() {
            BlockCoverage::CannotTell(unknown)
        } else if needs.is_empty() {
            BlockCoverage::Nameless
        } else {
            BlockCoverage::All
        }
    }
}

impl fmt::Display for ConfigBlock {
    /// `FILE:LINE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
