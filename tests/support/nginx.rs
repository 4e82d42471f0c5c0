//! The real nginx in a folder of its own: its configuration, pid file, logs and temporary files are
//! all in there.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::foreign::foreign;
use super::master::Master;

/// An nginx that runs until this is dropped.
pub struct Nginx {
    config: PathBuf,
    folder: PathBuf,
    master: Master,
}

/// A port of 127.0.0.1 that nothing listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Writes `nginx.conf` with `http` inside of its http block, and says where it is.
pub fn write_config(folder: &Path, http: &str) -> PathBuf {
    let place = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path {place}/tmp-{name};\n"))
        .collect();
    let text = format!(
        "daemon off;\npid {place}/nginx.pid;\nerror_log {place}/error.log info;\nworker_processes 2;\n\
         events {{ worker_connections 64; }}\nhttp {{\n    access_log off;\n{temporary}{http}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

impl Nginx {
    /// Starts it on what `write_config` writes.
    pub fn start(folder: &Path, http: &str) -> Self {
        let config = write_config(folder, http);
        // A port that was free a moment ago may be taken by another test by now: nginx then tries
        // again by itself.
        let pid_file = folder.join("nginx.pid");
        // The sockets are open before the pid file is written.
        let is_up = |master: &Master| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == master.id().to_string())
        };
        let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        let mut command = foreign("nginx");
        let master = Master::start(
            command.arg("-c").arg(&config).stderr(Stdio::null()),
            is_up,
            log,
        );
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

    /// Writes another configuration; nginx reads it when it reloads.
    pub fn rewrite(&self, http: &str) {
        write_config(&self.folder, http);
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }
}
