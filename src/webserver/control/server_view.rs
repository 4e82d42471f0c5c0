//! What a running server sees at the paths of a certificate, if it has its own mounts or its own root
//! directory: whether links lead to their targets there, and whether a file is mounted on its own.

use std::path::{Path, PathBuf};

use super::master_group::RunningMasters;
use super::observe::FileView;
use super::process_table;
use super::view_config;
use crate::store::layout::{LineageLayout, StableLink};
use crate::system::fs::files;
use crate::system::fs::folders;
use crate::system::fs::mounts::MountTable;
use crate::webserver::masters::ServerMaster;
use crate::webserver::model::{ConfiguredCertificate, ServerConfig, ServerSoftware};

/// The number of names that the target of a link has below certctl's folder: `example.com`, `live`,
/// `key.pem`.
const BELOW_BASE: usize = 3;

/// A running server with its own view of the file system.
#[derive(Debug)]
pub(crate) struct ServerView {
    pub software: ServerSoftware,
    pub pid: i32,
    view: FileView,
    /// Its configuration; `None` if it cannot be read.
    config: Option<ServerConfig>,
}

/// A file of the certificate as such a server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeenFile {
    /// Where certctl sees it.
    pub link: StableLink,
    /// Where the server sees it.
    pub inside: PathBuf,
    /// Whether the target of a link there would be certctl's file.
    pub sees_target: bool,
    /// Whether the file is mounted there on its own: the server keeps the file that was mounted.
    pub is_mount_point: bool,
}

impl ServerView {
    /// Reads the configuration of a master; nothing of it is run.
    pub(super) fn read(software: ServerSoftware, master: &ServerMaster) -> Self {
        let pid = master.process.pid;
        let view = FileView::below(process_table::root_of(pid));
        let config = view_config::read_config(software, &view, master).ok();
        Self {
            software,
            pid,
            view,
            config,
        }
    }

    /// Finds the masters of a server that have their own mounts and see the same configuration as
    /// certctl, such as units of systemd with a private file system.
    #[must_use]
    pub(crate) fn find_separate(software: ServerSoftware) -> Vec<Self> {
        let running = RunningMasters::read(software);
        let masters = running.groups.iter().flatten();
        masters
            .filter(|master| super::master_group::has_own_view(software, master))
            .map(|master| Self::read(software, master))
            .collect()
    }

    /// Whether its configuration can be read.
    pub(super) fn is_readable(&self) -> bool {
        self.config.is_some()
    }

    /// Returns the paths of these files that its configuration names, as it sees them.
    pub(super) fn used_files(&self, links: &[StableLink]) -> Vec<(StableLink, PathBuf)> {
        let mut used = Vec::new();
        let blocks = self.config.iter().flat_map(ServerConfig::blocks);
        let certificates = blocks.flat_map(|block| &block.certificates);
        for named in certificates
            .filter_map(ConfiguredCertificate::links)
            .flatten()
        {
            let outside = self.view.outside(&named.path);
            let is_named = |link: &&StableLink| is_same_place(&outside, &link.path);
            if let Some(link) = links.iter().find(is_named) {
                used.push((link.clone(), named.path));
            }
        }
        used
    }

    /// Returns what it sees at each file of the certificate that its configuration names.
    #[must_use]
    pub(crate) fn seen_files(&self, layout: &LineageLayout) -> Vec<SeenFile> {
        let used = self.used_files(layout.links());
        if used.is_empty() {
            return Vec::new();
        }
        let mounts = MountTable::read(&process_table::folder_of(self.pid));
        used.into_iter()
            .map(|(link, inside)| SeenFile {
                sees_target: self.sees_target(layout, &link, &inside),
                is_mount_point: mounts.is_mount_point(&inside),
                link,
                inside,
            })
            .collect()
    }

    /// Whether the target of certctl's link at `inside` is certctl's own folder. A folder that does
    /// not exist yet is judged by the nearest one above it.
    fn sees_target(&self, layout: &LineageLayout, link: &StableLink, inside: &Path) -> bool {
        let folder = inside.parent().unwrap_or(inside);
        let target = folders::normalize(&folder.join(layout.link_text(link)));
        let own_base = layout.base();
        let their_base = target.ancestors().nth(BELOW_BASE).unwrap_or(&target);
        let pairs = own_base.ancestors().zip(their_base.ancestors());
        let mut existing = pairs.filter(|(own, _)| folders::is_folder(own));
        existing
            .next()
            .is_some_and(|(own, theirs)| files::are_same_file(&self.view.outside(theirs), own))
    }
}

/// Whether both paths are the same file, or will be: the same name in the same folder.
fn is_same_place(path: &Path, other: &Path) -> bool {
    if files::are_same_file(path, other) {
        return true;
    }
    let is_missing = !files::exists(path) && !files::exists(other);
    let folders = path.parent().zip(other.parent());
    let is_same_folder = folders.is_some_and(|(one, other)| files::are_same_file(one, other));
    let is_link_here = !files::resolves(path) && files::resolves(other);
    path.file_name() == other.file_name() && is_same_folder && (is_missing || is_link_here)
}
