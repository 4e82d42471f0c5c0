//! A real HAProxy, as a master with workers, whose configuration and log are in one folder.

use std::path::{Path, PathBuf};

use super::external::external_program;
use super::server_process::ServerProcess;

/// A running HAProxy; dropping it stops the process.
pub struct Haproxy {
    config: PathBuf,
    folder: PathBuf,
    master: ServerProcess,
}

/// Writes `haproxy.cfg` with these sections and returns its path.
pub fn write_config(folder: &Path, sections: &str) -> PathBuf {
    // Old workers exit after 2 seconds even if clients keep connections open.
    let text = format!(
        "global\n    hard-stop-after 2s\n    ssl-default-bind-options ssl-min-ver TLSv1.2\n\
         defaults\n    mode http\n    timeout client 5s\n    timeout connect 5s\n    timeout server 5s\n{sections}\n"
    );
    let path = folder.join("haproxy.cfg");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

impl Haproxy {
    /// Starts HAProxy with the configuration that `write_config` writes.
    pub fn start(folder: &Path, sections: &str) -> Self {
        let config = write_config(folder, sections);
        let path = folder.join("haproxy.log");
        let errors = std::fs::File::create(&path).unwrap();
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        let mut command = external_program("haproxy");
        command
            .args(["-W", "-db", "-f"])
            .arg(&config)
            .current_dir("/")
            .stderr(errors);
        let master = ServerProcess::start(&mut command, |_| log().contains("Loading success"), log);
        Self {
            config,
            folder: folder.to_owned(),
            master,
        }
    }

    /// The path of its configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Writes another configuration, which HAProxy reads at the next reload.
    pub fn rewrite(&self, sections: &str) {
        write_config(&self.folder, sections);
    }

    /// What it has written to stderr.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("haproxy.log")).unwrap_or_default()
    }

    /// The process id of the master.
    pub fn id(&self) -> u32 {
        self.master.id()
    }

    /// Returns whether its master process still runs.
    pub fn runs(&mut self) -> bool {
        self.master.runs()
    }
}
