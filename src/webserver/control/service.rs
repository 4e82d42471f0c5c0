//! The service manager of a server: the systemd unit that runs a process, the service script that
//! started it, and how to start it.

use std::path::{Path, PathBuf};

use super::observe::run;
use super::process_table;
use crate::system::fs::files;
use crate::system::process;
use crate::webserver::masters::ServerMaster;
use crate::webserver::masters::reload::{UnitFacts, unit_of_cgroup};
use crate::webserver::model::ServerSoftware;

/// Exists when systemd runs this machine (`sd_booted(3)`).
const SYSTEMD: &str = "/run/systemd/system";

/// A service script, and what it starts.
struct ServiceScript {
    name: &'static str,
    software: ServerSoftware,
    /// The pid files that it may use.
    pid_files: &'static [&'static str],
    /// The configuration that it uses.
    config: &'static str,
}

const SCRIPTS: [ServiceScript; 4] = [
    ServiceScript {
        name: "apache2",
        software: ServerSoftware::Apache,
        pid_files: &["/run/apache2/apache2.pid", "/run/apache2.pid"],
        config: "/etc/apache2/apache2.conf",
    },
    ServiceScript {
        name: "haproxy",
        software: ServerSoftware::Haproxy,
        pid_files: &["/run/haproxy.pid"],
        config: "/etc/haproxy/haproxy.cfg",
    },
    ServiceScript {
        name: "httpd",
        software: ServerSoftware::Apache,
        pid_files: &["/run/httpd/httpd.pid", "/run/httpd.pid"],
        config: "/etc/httpd/conf/httpd.conf",
    },
    ServiceScript {
        name: "nginx",
        software: ServerSoftware::Nginx,
        pid_files: &["/run/nginx.pid"],
        config: "/etc/nginx/nginx.conf",
    },
];

/// Returns the systemd unit of a control group; `None` if there is none, or systemd does not answer.
#[must_use]
pub(crate) fn find_unit(cgroup: &str) -> Option<UnitFacts> {
    let unit = unit_of_cgroup(cgroup)?;
    if !is_systemd_running() {
        return None;
    }
    let properties = format!("--property={}", UnitFacts::PROPERTIES);
    let command = ["systemctl", "show", &properties, &unit].map(str::to_owned);
    let shown = run(command.into()).ok()?;
    shown
        .succeeded()
        .then(|| UnitFacts::parse(unit, &shown.output))
}

/// Returns the systemd unit that runs a process, where systemd runs this machine.
#[must_use]
pub(crate) fn unit_of_process(pid: i32) -> Option<String> {
    if !is_systemd_running() {
        return None;
    }
    let path = process_table::folder_of(pid).join("cgroup");
    let cgroup = files::read(&path, 64 * 1024).unwrap_or_default();
    unit_of_cgroup(&String::from_utf8_lossy(&cgroup))
}

/// Whether certctl itself runs in a unit of systemd, which may restrict what it sees.
#[must_use]
pub(crate) fn runs_in_service() -> bool {
    let cgroup = files::read(Path::new("/proc/self/cgroup"), 64 * 1024).unwrap_or_default();
    unit_of_cgroup(&String::from_utf8_lossy(&cgroup)).is_some()
}

fn is_systemd_running() -> bool {
    files::exists(Path::new(SYSTEMD)) && process::find_program("systemctl").is_some()
}

/// Returns the service script that started a master: its pid file names the process. Where systemd
/// runs, it has made units from the scripts.
#[must_use]
pub(crate) fn find_script(software: ServerSoftware, master: &ServerMaster) -> Option<String> {
    if files::exists(Path::new(SYSTEMD)) || process::find_program("service").is_none() {
        return None;
    }
    let config = &master.arguments.config;
    let script = SCRIPTS.iter().find(|script| {
        script.software == software
            && process::find_program(&format!("/etc/init.d/{}", script.name)).is_some()
            && (config.is_empty() || config[..] == [PathBuf::from(script.config)])
            && script
                .pid_files
                .iter()
                .any(|path| names_process(Path::new(path), master.process.pid))
    })?;
    Some(script.name.to_owned())
}

/// Whether a pid file names only this process.
fn names_process(pid_file: &Path, pid: i32) -> bool {
    let text = files::read(pid_file, 64).unwrap_or_default();
    String::from_utf8_lossy(&text).trim() == pid.to_string()
}

/// The command that starts the service of that name; `None` without a service manager.
pub(crate) fn start_command(name: &str) -> Option<String> {
    files::exists(Path::new(SYSTEMD)).then(|| format!("sudo systemctl start {name}"))
}
