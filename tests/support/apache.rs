//! The real Apache in a folder of its own: its configuration, pid file and logs are all in there.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::foreign::foreign;
use super::master::Master;

/// An Apache that runs until this is dropped.
pub struct Apache {
    config: PathBuf,
    folder: PathBuf,
    master: Master,
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

/// Writes `apache2.conf` with `hosts` in it, and says where it is.
pub fn write_config(folder: &Path, hosts: &str) -> PathBuf {
    let place = folder.display();
    let modules: String = MODULES
        .iter()
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    // Root may not serve; anybody else stays who he is.
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
    /// Starts it on what `write_config` writes.
    pub fn start(folder: &Path, hosts: &str) -> Self {
        let config = write_config(folder, hosts);
        let pid_file = folder.join("apache2.pid");
        // The sockets are open before the pid file is written.
        let is_up = |master: &Master| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == master.id().to_string())
        };
        let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        let mut command = foreign("apache2");
        command
            .args(["-D", "FOREGROUND", "-d"])
            .arg(folder)
            .arg("-f")
            .arg(&config)
            .stderr(Stdio::null());
        let master = Master::start(&mut command, is_up, log);
        Self {
            config,
            folder: folder.to_owned(),
            master,
        }
    }

    /// Its main configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Writes another configuration; Apache reads it when it reloads.
    pub fn rewrite(&self, hosts: &str) {
        write_config(&self.folder, hosts);
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.master.runs()
    }
}
