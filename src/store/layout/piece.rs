//! The content of a certificate's folder: releases, their files, and the links to them; also the
//! links that servers read.

use crate::pki::fingerprint::Fingerprint;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The id of a release: eight lower-case hex digits.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct ReleaseId(String);

impl ReleaseId {
    /// Parses eight lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 8 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// Returns the id with the first eight digits of a hash.
    #[must_use]
    pub fn of_hash(hash: Fingerprint) -> Self {
        Self(hash.first_digits())
    }

    /// Returns the eight hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("expected eight lower-case hex digits")
    }
}

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One file of a release.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseFile {
    /// Leaf, then intermediates.
    FullChain,
    /// The leaf alone.
    Cert,
    /// The intermediates, without the leaf.
    Ca,
    /// The private key, PEM.
    Key,
    /// Leaf, intermediates and key in one file, for servers that require a single file.
    Combined,
}

impl ReleaseFile {
    /// The files of every release that has intermediates.
    pub const USUAL: [Self; 4] = [Self::FullChain, Self::Cert, Self::Ca, Self::Key];

    /// Returns its name in the release's folder.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::FullChain => "fullchain.pem",
            Self::Cert => "cert.pem",
            Self::Ca => "ca.pem",
            Self::Key => "key.pem",
            Self::Combined => "combined.pem",
        }
    }

    /// Returns whether the file contains the private key, so that access is restricted.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Combined)
    }
}

/// A path that servers read, and the file of a release that it links to.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct StableLink {
    /// The path that servers read.
    pub path: PathBuf,
    /// The file of the release that it links to.
    pub piece: ReleaseFile,
}

impl StableLink {
    /// Creates a link at `path` to `piece`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, piece: ReleaseFile) -> Self {
        Self {
            path: path.into(),
            piece,
        }
    }
}

/// The two links to releases in a certificate's folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleasePointer {
    /// The release that servers read.
    Live,
    /// The release of the last install that was verified live.
    Proven,
}

impl ReleasePointer {
    pub const BOTH: [Self; 2] = [Self::Live, Self::Proven];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Proven => "proven",
        }
    }
}
