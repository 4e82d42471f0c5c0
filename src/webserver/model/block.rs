//! One block: `server { ... }`, `<VirtualHost ...>` or `bind ... ssl`: its addresses, names and
//! certificates.

use std::fmt;
use std::path::{Path, PathBuf};

use super::key_type::KeyFamily;
use super::listen::ListenAddress;
use super::name::ServerName;
use super::rules::ModelRule;
use crate::pki::name::DnsName;
use crate::store::layout::{ReleaseFile, StableLink};

/// The part of a server that a block belongs to. The addresses of different parts are independent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TrafficKind {
    Http,
    Mail,
    Stream,
}

/// What a configuration names as a certificate or key file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConfiguredPath {
    /// A file, absolute, as the server resolves it.
    File(PathBuf),
    /// Not a single file: a value with variables, `data:`, or a key that is not a file.
    Other(String),
}

/// The prefixes of keys that are not files.
const KEY_REFERENCES: [&str; 3] = ["engine:", "store:", "pkcs11:"];

impl ConfiguredPath {
    /// The reference to a key that is not a file, without variables.
    #[must_use]
    pub(crate) fn key_reference(&self) -> Option<&str> {
        let Self::Other(text) = self else {
            return None;
        };
        let is_reference = KEY_REFERENCES.iter().any(|prefix| text.starts_with(prefix));
        (is_reference && !self.has_variable()).then_some(text)
    }

    /// Whether only the server knows the file, because a variable names it.
    pub(crate) fn has_variable(&self) -> bool {
        matches!(self, Self::Other(text) if text.contains('$'))
    }

    /// The path, if it is a single file.
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
    /// Each file, and what the server expects in it.
    pub files: Vec<(ReleaseFile, ConfiguredPath)>,
    /// The type of its key, if the dialect knows it.
    pub key_type: Option<KeyFamily>,
}

impl ConfiguredCertificate {
    /// A certificate in these files, with a key of any type.
    #[must_use]
    pub fn in_files(files: Vec<(ReleaseFile, ConfiguredPath)>) -> Self {
        Self {
            files,
            key_type: None,
        }
    }

    /// A certificate with chain and key in separate files, or in one that is named for both.
    #[must_use]
    pub fn two(chain: ConfiguredPath, key: ConfiguredPath) -> Self {
        if chain.file().is_some() && chain == key {
            return Self::in_files(vec![(ReleaseFile::Combined, chain)]);
        }
        Self::in_files(vec![
            (ReleaseFile::FullChain, chain),
            (ReleaseFile::Key, key),
        ])
    }

    /// Its files as links to install; `None` where one is not a single file. A key that is not a file
    /// has no link.
    #[must_use]
    pub fn links(&self) -> Option<Vec<StableLink>> {
        self.link_candidates()
            .map(|(piece, path)| Some(StableLink::new(path.file()?, *piece)))
            .collect()
    }

    /// The reference to its key, if the key is not a file.
    #[must_use]
    pub(crate) fn key_reference(&self) -> Option<&str> {
        self.files
            .iter()
            .filter(|(piece, _)| *piece == ReleaseFile::Key)
            .find_map(|(_, path)| path.key_reference())
    }

    /// Its files without a key that is not a file.
    fn link_candidates(&self) -> impl Iterator<Item = &(ReleaseFile, ConfiguredPath)> {
        self.files
            .iter()
            .filter(|(piece, path)| *piece != ReleaseFile::Key || path.key_reference().is_none())
    }

    /// Returns whether all of its files are among `links`. A key that is not a file belongs to links
    /// without a key only.
    #[must_use]
    pub fn is_among(&self, links: &[StableLink]) -> bool {
        if self.key_reference().is_some() && links.iter().any(|link| link.piece.is_secret()) {
            return false;
        }
        let are_links = self.link_candidates().all(|(piece, path)| {
            links
                .iter()
                .any(|link| link.piece == *piece && Some(link.path.as_path()) == path.file())
        });
        are_links && !self.files.is_empty()
    }
}

/// One block of a server's configuration that listens at addresses.
#[derive(Clone, Debug)]
pub struct ConfigBlock {
    /// The configuration file.
    pub file: PathBuf,
    /// The line that it starts on.
    pub line: u32,
    /// The part of the server that it belongs to.
    pub traffic: TrafficKind,
    /// The names it answers to.
    pub names: Vec<ServerName>,
    pub names_from: NameSource,
    pub listens: Vec<ListenAddress>,
    /// Its certificates, or those it inherits.
    pub certificates: Vec<ConfiguredCertificate>,
    /// The line (`FILE:LINE`) that enables OCSP stapling with the responder that the certificate
    /// names; `None` where it is off or uses another source.
    pub stapling: Option<String>,
    /// What it does with a TLS handshake.
    pub handling: TlsHandling,
}

/// What a block does with a TLS handshake.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TlsHandling {
    /// Completes it with one of its certificates.
    #[default]
    Certificates,
    /// Refuses it (nginx: `ssl_reject_handshake on`).
    Rejects,
    /// Runs a script, which may choose another certificate (nginx: `ssl_certificate_by_lua_block`).
    Script,
}

/// The source of the names of a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameSource {
    /// The certificate that it loads (HAProxy without a filter): another one has other names.
    Certificate,
    Configuration,
}

/// Whether a certificate covers all names that a block answers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BlockCoverage {
    All,
    /// The block has no names (`_`) and serves every request that reaches it.
    Nameless,
    MissingNames(Vec<String>),
    /// Patterns that only the server can match.
    UnknownPatterns(Vec<String>),
}

impl ConfigBlock {
    /// Returns whether it names exactly this certificate: all files of one of its own are among
    /// `links`.
    #[must_use]
    pub fn names_certificate(&self, links: &[StableLink]) -> bool {
        self.certificates
            .iter()
            .any(|certificate| certificate.is_among(links))
    }

    /// Returns whether it names a certificate file by a variable.
    #[must_use]
    pub(crate) fn has_variable_certificate(&self) -> bool {
        let mut files = self.certificates.iter().flat_map(|one| &one.files);
        files.any(|(_, path)| path.has_variable())
    }

    /// Returns whether it uses TLS at any address.
    #[must_use]
    pub fn speaks_tls(&self) -> bool {
        self.listens.iter().any(|listen| listen.ssl && !listen.udp)
    }

    /// Returns whether it answers in plain text at any address.
    #[must_use]
    pub fn speaks_plain(&self) -> bool {
        self.listens.iter().any(|listen| !listen.ssl && !listen.udp)
    }

    /// Returns whether it answers to one of `names` in plain text only.
    #[must_use]
    pub(crate) fn serves_in_plain_text(&self, names: &[DnsName]) -> bool {
        self.serves(names) && self.speaks_plain() && !self.speaks_tls()
    }

    /// Whether it has no host name of its own: what it is called says nothing about its visitors.
    #[must_use]
    pub(crate) fn has_no_host_name(&self) -> bool {
        self.names.iter().all(|name| {
            matches!(
                name,
                ServerName::Nothing(_)
                    | ServerName::Inherited(_)
                    | ServerName::Regex(_)
                    | ServerName::Except(_)
            )
        })
    }

    /// Whether it answers to `host` by one of its names; patterns that only the server can match do
    /// not count.
    #[must_use]
    pub fn answers_to(&self, host: &str) -> bool {
        self.rank(host).is_some()
    }

    /// How well the best of its names matches `host`; `None` when none does. An exception concerns only
    /// the wildcards.
    #[must_use]
    pub(crate) fn rank(&self, host: &str) -> Option<(u8, usize)> {
        let is_excluded = ModelRule::HaproxyExclusion.is_followed()
            && self
                .names
                .iter()
                .any(|name| matches!(name, ServerName::Except(excluded) if excluded == host));
        let names = self.names.iter();
        names
            .filter(|name| !(is_excluded && matches!(name, ServerName::Label(_))))
            .filter_map(|name| name.rank(host))
            .max()
    }

    /// Returns whether `names` cover all names that it answers to.
    #[must_use]
    pub fn coverage(&self, names: &[DnsName]) -> BlockCoverage {
        let mut unknown = Vec::new();
        let mut required = Vec::new();
        for name in &self.names {
            match name.required_names() {
                Some(names) => required.extend(names),
                None => unknown.push(name.text()),
            }
        }
        let lacking: Vec<String> = required
            .iter()
            .filter(|required| !is_covered(required, names))
            .cloned()
            .collect();
        if !lacking.is_empty() {
            BlockCoverage::MissingNames(lacking)
        } else if !unknown.is_empty() {
            BlockCoverage::UnknownPatterns(unknown)
        } else if required.is_empty() {
            BlockCoverage::Nameless
        } else {
            BlockCoverage::All
        }
    }
}

/// Returns whether a certificate for `names` is valid for `required`; a wildcard only covers
/// itself.
#[must_use]
pub(crate) fn is_covered(required: &str, names: &[DnsName]) -> bool {
    if required.starts_with("*.") {
        names.iter().any(|name| name.as_str() == required)
    } else {
        names.iter().any(|name| name.covers(required))
    }
}

impl fmt::Display for ConfigBlock {
    /// `FILE:LINE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
