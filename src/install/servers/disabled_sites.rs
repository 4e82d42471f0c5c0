//! Sites that are there and that the server does not read: Debian keeps them in
//! `sites-available`, and has the server read links to them in `sites-enabled`.

use std::path::{Path, PathBuf};

use crate::store::layout::StableLink;
use crate::system::fs::{files, folders};
use crate::webserver::model::{ServerConfig, names_path};

/// No larger site is looked at.
const LIMIT: u64 = 1024 * 1024;
/// No more sites are looked at.
const SITES: usize = 10_000;
/// Nor more bytes of all.
const MOST: usize = 64 * 1024 * 1024;

/// A site that is not read.
#[derive(Debug)]
pub(crate) struct DisabledSite {
    pub path: PathBuf,
    /// The folder that the server reads, where a link to it is missing.
    pub enabled: PathBuf,
    text: String,
}

impl DisabledSite {
    /// Whether it names one of these files.
    #[must_use]
    pub(crate) fn names(&self, links: &[StableLink]) -> bool {
        links.iter().any(|link| names_path(&self.text, &link.path))
    }
}

/// All of them, but what editors and packages leave beside a site.
#[must_use]
pub(crate) fn sites(config: &ServerConfig) -> Vec<DisabledSite> {
    let mut read = 0;
    let folders = config
        .includes
        .iter()
        .filter_map(|pattern| pattern.parent());
    let all = folders
        .filter_map(|enabled| Some((enabled, available(enabled)?)))
        .flat_map(|(enabled, available)| {
            let sites = files::entries(&available, SITES).unwrap_or_default();
            sites
                .into_iter()
                .filter(move |site| would_be_read(config, site, enabled))
                .map(move |site| (site, enabled))
        });
    all.map_while(|(path, enabled)| {
        let bytes = files::read(&path, LIMIT).unwrap_or_default();
        read += bytes.len();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (read <= MOST).then(|| DisabledSite {
            path,
            enabled: enabled.to_owned(),
            text,
        })
    })
    .collect()
}

/// Whether a link to `site` is all that is missing.
fn would_be_read(config: &ServerConfig, site: &Path, enabled: &Path) -> bool {
    let Some(name) = site.file_name() else {
        return false;
    };
    let text = name.to_string_lossy();
    let here = || config.including(&text).any(|folder| folder == enabled);
    !is_left_over(&text) && !files::occupied(&enabled.join(name)) && here()
}

fn is_left_over(name: &str) -> bool {
    const ENDS: [&str; 7] = ["~", ".bak", ".old", ".orig", ".save", ".swp", ".disabled"];
    name.starts_with('.') || name.contains(".dpkg-") || ENDS.iter().any(|end| name.ends_with(end))
}

/// Where Debian keeps the sites of which a folder has links.
#[must_use]
pub(crate) fn available(enabled: &Path) -> Option<PathBuf> {
    let folder = enabled.with_file_name("sites-available");
    (enabled.ends_with("sites-enabled") && folders::is_folder(&folder)).then_some(folder)
}
