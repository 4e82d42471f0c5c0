//! Which servers read the files, and where each has its configuration, as the command line says it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::system::fs::folders;
use crate::webserver::model::ServerSoftware;

/// The servers that are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum ServerChoice {
    /// Apache 2.4
    Apache,
    /// HAProxy
    Haproxy,
    /// nginx
    Nginx,
    /// Nobody, or whoever `--test`, `--reload` and `--probe` are about
    None,
}

impl ServerChoice {
    /// As settings have it.
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

/// The configuration of whichever server it is, and those that say whose they are; absolute.
///
/// # Errors
/// When the working directory is gone.
pub(super) fn configs(
    given: &[PathBuf],
) -> Result<(Option<PathBuf>, BTreeMap<String, PathBuf>), Failure> {
    let (mut any, mut own) = (None, BTreeMap::new());
    for path in given {
        match of_server(path) {
            (Some(software), path) => {
                drop(own.insert(software.name().to_owned(), folders::absolute(&path)?))
            }
            (None, path) => any = Some(folders::absolute(&path)?),
        }
    }
    Ok((any, own))
}

/// `haproxy=FILE`, or a file of whichever server it is.
fn of_server(path: &Path) -> (Option<ServerSoftware>, PathBuf) {
    let split = path.to_str().and_then(|text| text.split_once('='));
    match split.and_then(|(name, file)| Some((ServerSoftware::named(name)?, file))) {
        Some((software, file)) => (Some(software), file.into()),
        None => (None, path.to_owned()),
    }
}
