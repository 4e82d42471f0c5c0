//! The deployed paths as other processes and machines see them: where the target of a link would be
//! hidden, and where a file cannot be replaced. Observed before anything is changed.

use std::path::{Path, PathBuf};

use super::discover::ServerDiscovery;
use crate::store::layout::LineageLayout;
use crate::system::fs::files;
use crate::system::fs::mounts::MountTable;
use crate::webserver::control::server_view::{SeenFile, ServerView};
use crate::webserver::model::ServerSoftware;

/// A process with its own view of the file system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ViewingProcess {
    pub software: ServerSoftware,
    pub pid: i32,
}

/// A deployed path that not every reader sees as certctl does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PathView {
    /// A process sees the path and not certctl's folder, so a link would lead to nothing there.
    HiddenTarget {
        path: PathBuf,
        process: ViewingProcess,
    },
    /// The file is mounted on its own, here or for a process. No file can be renamed over it here; a
    /// process would keep the file that was mounted.
    MountedFile {
        path: PathBuf,
        process: Option<ViewingProcess>,
    },
    /// Other machines may use the folder, and certctl's folder is on another file system.
    SharedFolder { path: PathBuf, kind: String },
}

/// Returns everything that stands between the paths and their readers.
pub(super) fn observe(discovery: &ServerDiscovery, layout: &LineageLayout) -> Vec<PathView> {
    let mut views = own_views(layout, &MountTable::own());
    for server in discovery.server_views() {
        for seen in server.seen_files(layout) {
            views.extend(view_of(server, seen));
        }
    }
    views.dedup();
    views
}

/// What certctl's own mounts say about the paths.
fn own_views(layout: &LineageLayout, mounts: &MountTable) -> Vec<PathView> {
    let own_mount = mounts.mount_of(&layout.base());
    let mut views = Vec::new();
    for link in layout.links() {
        let path = link.path.clone();
        if mounts.is_mount_point(&path) {
            views.push(PathView::MountedFile {
                path,
                process: None,
            });
            continue;
        }
        let mount = mounts.mount_of(files::parent(&path));
        if let Some(mount) = mount.filter(|mount| mount.is_shared() && Some(*mount) != own_mount) {
            let kind = mount.kind.clone();
            views.push(PathView::SharedFolder { path, kind });
        }
    }
    views
}

fn view_of(server: &ServerView, seen: SeenFile) -> Option<PathView> {
    let process = ViewingProcess {
        software: server.software,
        pid: server.pid,
    };
    let path = seen.link.path;
    if seen.is_mount_point {
        return Some(PathView::MountedFile {
            path,
            process: Some(process),
        });
    }
    (!seen.sees_target).then_some(PathView::HiddenTarget { path, process })
}

impl PathView {
    /// The path as certctl sees it.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::HiddenTarget { path, .. }
            | Self::MountedFile { path, .. }
            | Self::SharedFolder { path, .. } => path,
        }
    }

    /// Whether a link at the path would not work for every reader, and a copy would.
    #[must_use]
    pub(crate) fn needs_copy(&self) -> bool {
        !matches!(self, Self::MountedFile { .. })
    }
}

impl std::fmt::Display for ViewingProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.software.title(), self.pid)
    }
}

impl std::fmt::Display for PathView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path().display();
        match self {
            Self::HiddenTarget { process, .. } => write!(
                f,
                "{process} reads {path} and does not see /etc/ssl/certctl, so a link there would \
                    lead to nothing"
            ),
            Self::MountedFile { process: None, .. } => write!(
                f,
                "{path} is a mount point of its own, so no other file can be renamed over it"
            ),
            Self::MountedFile {
                process: Some(process),
                ..
            } => write!(
                f,
                "{path} is mounted as a single file for {process}, which keeps that file whatever \
                    is installed"
            ),
            Self::SharedFolder { kind, .. } => write!(
                f,
                "{path} is on a {kind} file system, and other machines that read it do not see \
                    /etc/ssl/certctl"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LineageLayout, MountTable, own_views};

    #[test]
    fn shared_folders_and_mounted_files_are_found() {
        let layout =
            LineageLayout::new(None, "a", "/srv/ssl/a.crt".into(), "/srv/ssl/a.key".into());
        let root = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        for (mounts, found) in [
            ("", &[][..]),
            ("30 22 8:2 / /srv rw - xfs /dev/sdb1 rw\n", &[]),
            (
                "30 22 0:25 / /srv/ssl rw - nfs4 files:/ssl rw\n",
                &[
                    "/srv/ssl/a.crt is on a nfs4 file system, and other machines that read it do not \
                        see /etc/ssl/certctl",
                    "/srv/ssl/a.key is on a nfs4 file system, and other machines that read it do not \
                        see /etc/ssl/certctl",
                ],
            ),
            (
                "30 22 8:1 /h/a.crt /srv/ssl/a.crt rw - ext4 /dev/sda1 rw\n",
                &[
                    "/srv/ssl/a.crt is a mount point of its own, so no other file can be renamed over it",
                ],
            ),
        ] {
            let table = MountTable::parse(format!("{root}{mounts}").as_bytes());
            let views = own_views(&layout, &table);
            let texts: Vec<String> = views.iter().map(ToString::to_string).collect();
            assert_eq!(texts, found, "{mounts}");
        }
        // Everything is on the same shared file system.
        let all = MountTable::parse(b"22 1 0:9 / / rw - 9p host rw\n");
        assert_eq!(own_views(&layout, &all), []);
    }
}
