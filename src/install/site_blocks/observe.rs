//! Observes where the file of a site belongs, and what is there.

use std::path::{Path, PathBuf};

use crate::install::servers::disabled_sites::available_sites;
use crate::site::plan::{ObservedSite, SiteLink, SiteLinkState};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::webserver::control::FILE_LIMIT;
use crate::webserver::model::ServerConfig;

/// Finds where a server reads the file of a site called `stem`, and what is there: on Debian
/// `sites-available` with a link in `sites-enabled`, else a folder of `*.conf` files. `None` if the
/// configuration includes no such folder.
///
/// # Errors
/// When a file exists and cannot be read.
pub(crate) fn observe_site(
    config: &ServerConfig,
    stem: &str,
) -> Result<Option<ObservedSite>, FileError> {
    let debian = config.folders_including(stem).find_map(|enabled| {
        let available = available_sites(enabled)?;
        Some((available.join(stem), enabled.join(stem)))
    });
    if let Some((file, link)) = debian {
        let link = SiteLink {
            state: observe_link(&link, &file)?,
            path: link,
        };
        return Ok(Some(ObservedSite {
            text: read_text(&file)?,
            file,
            link: Some(link),
        }));
    }
    let name = format!("{stem}.conf");
    let Some(folder) = config.folders_including(&name).next() else {
        return Ok(None);
    };
    let file: PathBuf = folder.join(name);
    Ok(Some(ObservedSite {
        text: read_text(&file)?,
        file,
        link: None,
    }))
}

fn observe_link(link: &Path, file: &Path) -> Result<SiteLinkState, FileError> {
    let Some(status) = folders::read_status(link)? else {
        return Ok(SiteLinkState::Absent);
    };
    let FileKind::Link(target) = status.kind else {
        return Ok(SiteLinkState::Taken);
    };
    let target = folders::normalize(&files::parent(link).join(target));
    Ok(if target == file {
        SiteLinkState::Present
    } else {
        SiteLinkState::Taken
    })
}

fn read_text(file: &Path) -> Result<Option<String>, FileError> {
    match files::read(file, FILE_LIMIT) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
