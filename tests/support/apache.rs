//! A real Apache whose configuration, pid file and logs are all in one folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::external::external_program;
use super::server_process::ServerProcess;

/// A running Apache; dropping it stops the process.
pub struct Apache {
    config: PathBuf,
    folder: PathBuf,
    master: ServerProcess,
}

const MODULES: [&str; 7] = [
    "mpm_event",
    "authz_core",
    "alias",
    "ssl",
    "socache_shmcb",
    "remoteip",
    "headers",
];

/// Writes `apache2.conf` with `hosts` in it and returns its path.
pub fn write_config(folder: &Path, hosts: &str) -> PathBuf {
    let place = folder.display();
    let modules: String = MODULES
        .iter()
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    // Apache refuses to serve as root; for other users it ignores `User` and `Group`.
    let text = format!(
        "ServerRoot {place}\nDefaultRuntimeDir {place}\nPidFile {place}/apache2.pid\nErrorLog {place}/error.log\n\
         ServerName main.invalid\n{modules}SSLSessionCache none\nUser www-data\nGroup www-data\n{hosts}\n"
    );
    let path = folder.join("apache2.conf");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

impl Apache {
    /// Starts Apache with the configuration that `write_config` writes.
    pub fn start(folder: &Path, hosts: &str) -> Self {
        Self::start_with(folder, hosts, &[])
    }

    /// Does the same with these variables.
    pub fn start_with(folder: &Path, hosts: &str, variables: &[(&str, PathBuf)]) -> Self {
        let config = write_config(folder, hosts);
        let pid_file = folder.join("apache2.pid");
        // The sockets are open before the pid file is written.
        let is_up = |master: &ServerProcess| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == master.id().to_string())
        };
        let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        let mut command = external_program("apache2");
        command
            .envs(variables.iter().cloned())
            .args(["-D", "FOREGROUND", "-d"])
            .arg(folder)
            .arg("-f")
            .arg(&config)
            .stderr(Stdio::null());
        let master = ServerProcess::start(&mut command, is_up, log);
        Self {
            config,
            folder: folder.to_owned(),
            master,
        }
    }

    /// The path of its main configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Writes another configuration, which Apache reads at the next reload.
    pub fn rewrite(&self, hosts: &str) {
        write_config(&self.folder, hosts);
    }

    /// The content of its error log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }

    /// Returns whether its process still runs.
    pub fn runs(&mut self) -> bool {
        self.master.runs()
    }
}
