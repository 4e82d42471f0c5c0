//! Running servers that certctl cannot reach: in other namespaces, of other users. Of those that see
//! other files, in a container for example, the configuration is read through /proc, to find out
//! whether they use the files of a certificate.

use std::path::{Path, PathBuf};

use super::master_group::RunningMasters;
use super::observe::{FileView, ServerError};
use super::{apache, haproxy, nginx, process_table};
use crate::store::layout::StableLink;
use crate::system::fs::files;
use crate::webserver::apache::listen::SocketSupport;
use crate::webserver::apache::{ApacheEnvironment, build};
use crate::webserver::haproxy::HaproxyBuild;
use crate::webserver::masters::ServerMaster;
use crate::webserver::masters::reload::MasterBarrier;
use crate::webserver::model::{ConfiguredCertificate, ServerConfig, ServerSoftware};
use crate::webserver::nginx::NginxConfig;

/// A running master that certctl cannot reload or probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct UnreachedMaster {
    pub(crate) software: ServerSoftware,
    pub(crate) pid: i32,
    pub(crate) barrier: MasterBarrier,
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
    pub(crate) master: UnreachedMaster,
    view: FileView,
    /// Its configuration; `None` if it cannot be read.
    config: Option<ServerConfig>,
}

/// The configuration that a build of nginx or Apache uses unless its command line names another, with
/// the folder of relative paths.
const NGINX: [(&str, &str); 3] = [
    ("/etc/nginx/nginx.conf", "/etc/nginx"),
    (
        "/usr/local/openresty/nginx/conf/nginx.conf",
        "/usr/local/openresty/nginx",
    ),
    ("/usr/local/nginx/conf/nginx.conf", "/usr/local/nginx"),
];
const APACHE: [(&str, &str); 3] = [
    ("/etc/apache2/apache2.conf", "/etc/apache2"),
    ("/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2"),
    ("/etc/httpd/conf/httpd.conf", "/etc/httpd"),
];

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
        let view = FileView::below(process_table::root_of(master.process.pid));
        let config = match software {
            ServerSoftware::Nginx => read_nginx(&view, master),
            ServerSoftware::Apache => read_apache(&view, master),
            ServerSoftware::Haproxy => read_haproxy(&view, master),
        };
        Self {
            master: UnreachedMaster {
                software,
                pid: master.process.pid,
                barrier,
            },
            view,
            config: config.ok(),
        }
    }

    /// Whether it uses one of these files, at whatever path it sees them.
    #[must_use]
    pub(crate) fn uses(&self, links: &[StableLink]) -> FileUse {
        let Some(config) = &self.config else {
            return FileUse::Unknown;
        };
        let certificates = config.blocks().iter().flat_map(|block| &block.certificates);
        let mut used = certificates
            .filter_map(ConfiguredCertificate::links)
            .flatten();
        let is_ours = |path: &Path| {
            let outside = self.view.outside(path);
            links
                .iter()
                .any(|link| files::are_same_file(&outside, &link.path))
        };
        if used.any(|link| is_ours(&link.path)) {
            FileUse::Used
        } else {
            FileUse::Unused
        }
    }
}

/// The first of these configurations that exists in the view, and its folder.
fn usual<'a>(view: &FileView, known: &'a [(&'a str, &'a str)]) -> (&'a Path, &'a Path) {
    let found = known
        .iter()
        .find(|(file, _)| files::exists(&view.outside(Path::new(file))));
    let (file, folder) = found.or_else(|| known.first()).copied().unwrap_or_default();
    (Path::new(file), Path::new(folder))
}

fn read_nginx(view: &FileView, master: &ServerMaster) -> Result<ServerConfig, ServerError> {
    let (usual_file, usual_prefix) = usual(view, &NGINX);
    let arguments = &master.arguments;
    let prefix = arguments.prefix.as_deref().unwrap_or(usual_prefix);
    let file = match arguments.config.first() {
        Some(config) => prefix.join(config),
        None => usual_file.to_owned(),
    };
    let directives = nginx::read_config_in(view, &file)?;
    Ok(NginxConfig::new(&directives, &file, prefix).to_server_config())
}

fn read_apache(view: &FileView, master: &ServerMaster) -> Result<ServerConfig, ServerError> {
    let (usual_file, usual_root) = usual(view, &APACHE);
    let arguments = &master.arguments;
    let root = arguments.prefix.as_deref().unwrap_or(usual_root);
    let file = match arguments.config.first() {
        Some(config) => root.join(config),
        None => usual_file.to_owned(),
    };
    let folder = file.parent().unwrap_or(root);
    let variables = view
        .read_text(&folder.join("envvars"))
        .map(|file| build::envvars(&file.text));
    let environment = ApacheEnvironment {
        server_root: root.to_owned(),
        variables: variables.unwrap_or_default(),
        defines: arguments.defines.clone(),
        modules: Vec::new(),
        version: build::ApacheVersion(2, 4, 0),
    };
    let support = SocketSupport {
        ipv4_mapped: true,
        ipv6: true,
    };
    Ok(apache::read_config_in(view, &file, environment, support)?.to_server_config())
}

fn read_haproxy(view: &FileView, master: &ServerMaster) -> Result<ServerConfig, ServerError> {
    let config: &[PathBuf] = &master.arguments.config;
    // The program of another file system is not run, so nothing is known about its features.
    let build = HaproxyBuild::default();
    Ok(haproxy::read_config_in(view, config, &build, Some(master))?.to_server_config())
}
