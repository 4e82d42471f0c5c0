//! Running servers that certctl cannot reach: in other namespaces, of other users. Of those that see
//! other files, in a container for example, the configuration is read through /proc, to find out
//! whether they use the files of a certificate.

use super::master_group::RunningMasters;
use super::server_view::ServerView;
use crate::store::layout::StableLink;
use crate::webserver::masters::ServerMaster;
use crate::webserver::masters::reload::MasterBarrier;
use crate::webserver::model::ServerSoftware;

/// A running master that certctl cannot reload or probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct UnreachedMaster {
    pub software: ServerSoftware,
    pub pid: i32,
    pub barrier: MasterBarrier,
}

/// Whether a server uses the files of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileUse {
    Used,
    Unused,
    /// Its configuration cannot be read.
    Unknown,
}

/// A running server that sees other files than certctl, or that another user determines.
#[derive(Debug)]
pub(crate) struct ForeignServer {
    pub master: UnreachedMaster,
    pub view: ServerView,
}

impl ForeignServer {
    /// Returns the running servers of a kind that see other files than certctl, or that other users
    /// determine.
    #[must_use]
    pub(crate) fn find_all(software: ServerSoftware) -> Vec<Self> {
        let running = RunningMasters::read(software);
        let foreign = running
            .foreign
            .iter()
            .map(|master| (master, MasterBarrier::OtherFiles));
        let untrusted = running
            .untrusted
            .iter()
            .map(|master| (master, MasterBarrier::Untrusted));
        foreign
            .chain(untrusted)
            .map(|(master, barrier)| Self::read(software, master, barrier))
            .collect()
    }

    /// Reads its configuration; nothing of it is run.
    fn read(software: ServerSoftware, master: &ServerMaster, barrier: MasterBarrier) -> Self {
        Self {
            master: UnreachedMaster {
                software,
                pid: master.process.pid,
                barrier,
            },
            view: ServerView::read(software, master),
        }
    }

    /// Whether it uses one of these files, at whatever path it sees them.
    #[must_use]
    pub(crate) fn uses(&self, links: &[StableLink]) -> FileUse {
        if !self.view.is_readable() {
            FileUse::Unknown
        } else if self.view.used_files(links).is_empty() {
            FileUse::Unused
        } else {
            FileUse::Used
        }
    }
}
