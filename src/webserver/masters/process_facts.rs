//! What /proc says about a process of a web server. Pure.

use std::path::PathBuf;

use crate::webserver::model::ServerSoftware;

/// The names of nginx's process, as different builds call it.
const NGINX: [&str; 3] = ["nginx", "openresty", "angie"];
/// The names of Apache's process.
const APACHE: [&str; 2] = ["apache2", "httpd"];
const HAPROXY: [&str; 1] = ["haproxy"];
/// What follows the name in the title of nginx's master process.
const MASTER_TITLE: &str = ": master process ";

/// Returns the process names of a server.
#[must_use]
pub(crate) fn process_names(software: ServerSoftware) -> &'static [&'static str] {
    match software {
        ServerSoftware::Apache => &APACHE,
        ServerSoftware::Haproxy => &HAPROXY,
        ServerSoftware::Nginx => &NGINX,
    }
}

/// The namespaces of a process, as the links in /proc/PID/ns name them; `None` if they may not be
/// read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ProcessNamespaces {
    pub mount: Option<PathBuf>,
    pub network: Option<PathBuf>,
    pub pid: Option<PathBuf>,
}

/// A process, as /proc describes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ProcessFacts {
    pub pid: i32,
    pub parent: i32,
    /// The user who started it (the real user id); `None` if that may not be read.
    pub user: Option<u32>,
    /// When it started, in clock ticks since boot: tells it from a later process with the same id.
    pub started: u64,
    /// The name of the program, at most 15 bytes.
    pub name: String,
    /// The words of its command line, or its title as one word.
    pub words: Vec<String>,
    /// The file that it executes; `None` if it may not be read.
    pub executable: Option<PathBuf>,
    /// The working directory.
    pub folder: Option<PathBuf>,
    /// The root directory.
    pub root: Option<PathBuf>,
    pub namespaces: ProcessNamespaces,
    /// The content of /proc/PID/cgroup.
    pub cgroup: String,
}

/// Whether nginx has given this process a title. A single process without a master has none.
pub(super) fn has_nginx_title(process: &ProcessFacts) -> bool {
    let first = process.words.first().map_or("", String::as_str);
    NGINX
        .iter()
        .any(|name| first.starts_with(&format!("{name}: ")))
}

/// Whether nginx has given this process the title of a master.
pub(super) fn is_titled_master(process: &ProcessFacts) -> bool {
    nginx_command_line(process).is_some()
}

/// The command line in the title of nginx's master process, its words joined by spaces.
pub(super) fn nginx_command_line(process: &ProcessFacts) -> Option<&str> {
    let title = process.words.first()?;
    let (name, line) = title.split_once(MASTER_TITLE)?;
    NGINX.contains(&name).then_some(line)
}
