//! `--server` and `--server-config`: which servers use the certificate, and where each has its
//! configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::system::fs::folders;
use crate::webserver::model::ServerSoftware;

/// The values of `--server`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ServerChoice {
    /// Apache 2.4
    Apache,
    /// HAProxy
    Haproxy,
    /// nginx
    Nginx,
    /// No known server; another one is controlled with --test, --reload and --probe
    None,
}

impl ServerChoice {
    /// The name in the stored settings.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Apache => ServerSoftware::Apache.name(),
            Self::Haproxy => ServerSoftware::Haproxy.name(),
            Self::Nginx => ServerSoftware::Nginx.name(),
            Self::None => "none",
        }
    }
}

/// The files of `--server-config`, absolute.
#[derive(Default)]
pub(super) struct ConfigFiles {
    /// `FILE`: for whichever server is used.
    pub(super) any_server: Option<PathBuf>,
    /// `haproxy=FILE`: by the name of the server.
    pub(super) by_server: BTreeMap<String, PathBuf>,
}

impl ConfigFiles {
    /// Parses the values of `--server-config`.
    ///
    /// # Errors
    /// When the working directory does not exist any more.
    pub(super) fn parse(values: &[PathBuf]) -> Result<Self, Failure> {
        let mut files = Self::default();
        for value in values {
            match split_server(value) {
                Some((software, path)) => {
                    let name = software.name().to_owned();
                    files.by_server.insert(name, folders::absolute(path)?);
                }
                None => files.any_server = Some(folders::absolute(value)?),
            }
        }
        Ok(files)
    }
}

/// Splits `haproxy=FILE`.
fn split_server(value: &Path) -> Option<(ServerSoftware, &Path)> {
    let (name, file) = value.to_str()?.split_once('=')?;
    Some((ServerSoftware::from_name(name)?, Path::new(file)))
}
