//! Reads the configuration of a running server as it sees it, through /proc. Nothing of it is run.

use std::path::{Path, PathBuf};

use super::observe::{FileView, ServerError};
use super::{apache, haproxy, nginx};
use crate::system::fs::files;
use crate::webserver::apache::listen::SocketSupport;
use crate::webserver::apache::{ApacheEnvironment, build};
use crate::webserver::haproxy::HaproxyBuild;
use crate::webserver::masters::ServerMaster;
use crate::webserver::model::{ServerConfig, ServerSoftware};
use crate::webserver::nginx::NginxConfig;

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

/// Reads the configuration of a master in its view of the file system; nothing of it is run.
pub(super) fn read_config(
    software: ServerSoftware,
    view: &FileView,
    master: &ServerMaster,
) -> Result<ServerConfig, ServerError> {
    match software {
        ServerSoftware::Nginx => read_nginx(view, master),
        ServerSoftware::Apache => read_apache(view, master),
        ServerSoftware::Haproxy => read_haproxy(view, master),
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
