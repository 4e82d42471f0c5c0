//! Sites that exist but are not enabled: Debian keeps sites in `sites-available`, and the server reads
//! links to them in `sites-enabled`.

use std::path::{Path, PathBuf};

use crate::store::layout::StableLink;
use crate::system::fs::{files, folders};
use crate::webserver::model::{ServerConfig, names_path};

/// Larger sites are skipped.
const LIMIT: u64 = 1024 * 1024;
/// How many sites of one folder are read at most.
const SITES: usize = 10_000;
/// How many bytes of all sites are read at most.
const MOST: usize = 64 * 1024 * 1024;

/// A site that is not enabled.
#[derive(Debug)]
pub(crate) struct DisabledSite {
    pub path: PathBuf,
    /// The folder that the server reads, in which a link to the site is missing.
    pub enabled: PathBuf,
    text: String,
}

impl DisabledSite {
    /// Whether it references one of these files.
    #[must_use]
    pub(crate) fn mentions_any(&self, links: &[StableLink]) -> bool {
        links.iter().any(|link| names_path(&self.text, &link.path))
    }
}

/// Finds the disabled sites; skips backup files of editors and packages.
#[must_use]
pub(crate) fn find_disabled(config: &ServerConfig) -> Vec<DisabledSite> {
    let mut found = Vec::new();
    let mut bytes_read = 0;
    let enabled_folders = config
        .includes
        .iter()
        .filter_map(|pattern| pattern.parent());
    for enabled in enabled_folders {
        let Some(available) = available_sites(enabled) else {
            continue;
        };
        for path in files::entries(&available, SITES).unwrap_or_default() {
            if !would_be_read(config, &path, enabled) {
                continue;
            }
            let bytes = files::read(&path, LIMIT).unwrap_or_default();
            bytes_read += bytes.len();
            if bytes_read > MOST {
                return found;
            }
            found.push(DisabledSite {
                path,
                enabled: enabled.to_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    found
}

/// Whether the server would read `site` if a link to it existed.
fn would_be_read(config: &ServerConfig, site: &Path, enabled: &Path) -> bool {
    let Some(name) = site.file_name() else {
        return false;
    };
    let text = name.to_string_lossy();
    !is_left_over(&text)
        && !files::exists(&enabled.join(name))
        && config
            .folders_including(&text)
            .any(|folder| folder == enabled)
}

fn is_left_over(name: &str) -> bool {
    const ENDS: [&str; 7] = ["~", ".bak", ".old", ".orig", ".save", ".swp", ".disabled"];
    name.starts_with('.') || name.contains(".dpkg-") || ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns the folder where Debian keeps the sites that the links in `enabled` point to.
#[must_use]
pub(crate) fn available_sites(enabled: &Path) -> Option<PathBuf> {
    let folder = enabled.with_file_name("sites-available");
    (enabled.ends_with("sites-enabled") && folders::is_folder(&folder)).then_some(folder)
}
