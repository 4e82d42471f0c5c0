//! A certificate as it is deployed, for `before` and `after` in documents. Pure. Never holds the
//! bytes of a key.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::layout::LineageLayout;
use super::release::{KeyAccess, Release};
use crate::permissions::{Mode, Owner};
use crate::pki::certificate::Certificate;

/// What servers read at the two paths of a certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct DeployedCertificate {
    sha256: String,
    names: Vec<String>,
    not_after: Timestamp,
    chain_length: usize,
    key_id: String,
    /// `None` if the key is not a file.
    #[serde(serialize_with = "as_text")]
    key_mode: Option<Mode>,
    /// `None` for the user who creates it.
    owner: Option<Owner>,
    #[serde(serialize_with = "as_shown")]
    chain_path: PathBuf,
    /// `None` if the key is not a file.
    #[serde(serialize_with = "as_shown_if_any")]
    key_path: Option<PathBuf>,
}

impl DeployedCertificate {
    /// Describes a release that is deployed at the paths of `layout`.
    #[must_use]
    pub(crate) fn new(release: &Release, layout: &LineageLayout) -> Self {
        Self::describe(&release.certificates, release.access, layout)
    }

    /// Describes certificates, leaf first, without reading their key.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub(crate) fn describe(
        certificates: &[Certificate],
        access: KeyAccess,
        layout: &LineageLayout,
    ) -> Self {
        let leaf = &certificates[0];
        let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
        Self {
            sha256: leaf.sha256(),
            names: leaf.dns_names.iter().cloned().chain(addresses).collect(),
            not_after: leaf.not_after,
            chain_length: certificates.len(),
            key_id: leaf.key_id.to_string(),
            key_mode: layout.key_path().map(|_| access.mode),
            owner: access.owner,
            chain_path: layout.chain_path().to_owned(),
            key_path: layout.key_path().map(Path::to_owned),
        }
    }

    /// Returns its SHA-256 fingerprint.
    #[must_use]
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The same certificate, whose key gets this owner unless another one is known.
    #[must_use]
    pub(crate) fn created_by(self, owner: Owner) -> Self {
        Self {
            owner: self.owner.or_else(|| self.key_mode.map(|_| owner)),
            ..self
        }
    }

    /// The same certificate at the paths of another layout.
    #[must_use]
    pub(crate) fn at(self, layout: &LineageLayout) -> Self {
        Self {
            chain_path: layout.chain_path().to_owned(),
            key_path: layout.key_path().map(Path::to_owned),
            ..self
        }
    }
}

/// Serializes a mode as four octal digits.
fn as_text<S: Serializer>(mode: &Option<Mode>, to: S) -> Result<S::Ok, S::Error> {
    match mode {
        Some(mode) => to.collect_str(mode),
        None => to.serialize_none(),
    }
}

/// Serializes a path as [`as_shown`] does.
fn as_shown_if_any<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => as_shown(path, to),
        None => to.serialize_none(),
    }
}

/// Serializes a path as text, lossily where it is not UTF-8.
fn as_shown<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}
