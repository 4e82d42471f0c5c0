//! The real HAProxy in a folder of its own, as a master with workers: its configuration and its log
//! are in there.

use std::path::{Path, PathBuf};

use super::foreign::foreign;
use super::master::Master;

/// An HAProxy that runs until this is dropped.
pub struct Haproxy {
    config: PathBuf,
    folder: PathBuf,
    master: Master,
}

/// Writes `haproxy.cfg` with these sections, and says where it is.
pub fn write_config(folder: &Path, sections: &str) -> PathBuf {
    // Workers that are told to go do not wait for visitors that keep a connection open.
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
    /// Starts it on what `write_config` writes.
    pub fn start(folder: &Path, sections: &str) -> Self {
        let config = write_config(folder, sections);
        let path = folder.join("haproxy.log");
        let errors = std::fs::File::create(&path).unwrap();
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        let mut command = foreign("haproxy");
        command
            .args(["-W", "-db", "-f"])
            .arg(&config)
            .current_dir("/")
            .stderr(errors);
        let master = Master::start(&mut command, |_| log().contains("Loading success"), log);
        Self {
            config,
            folder: folder.to_owned(),
            master,
        }
    }

    /// Its configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Writes another configuration; HAProxy reads it when it reloads.
    pub fn rewrite(&self, sections: &str) {
        write_config(&self.folder, sections);
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("haproxy.log")).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.master.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.master.runs()
    }
}
