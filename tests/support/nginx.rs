//! A real nginx whose configuration, pid file, logs and temporary files are all in one folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::external::external_program;
use super::server_process::ServerProcess;

/// A running nginx; dropping it stops the process.
pub struct Nginx {
    config: PathBuf,
    folder: PathBuf,
    master: ServerProcess,
}

/// Returns a port of 127.0.0.1 on which nothing listens at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Writes `nginx.conf` with `http` in its http block and returns its path.
pub fn write_config(folder: &Path, http: &str) -> PathBuf {
    write_config_with(folder, "", http)
}

/// Does the same with `main` outside of all blocks.
fn write_config_with(folder: &Path, main: &str, http: &str) -> PathBuf {
    let place = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path {place}/tmp-{name};\n"))
        .collect();
    let text = format!(
        "{main}daemon off;\npid {place}/nginx.pid;\nerror_log {place}/error.log info;\nworker_processes 2;\n\
         events {{ worker_connections 64; }}\nhttp {{\n    access_log off;\n{temporary}{http}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

impl Nginx {
    /// Starts nginx with the configuration that `write_config` writes.
    pub fn start(folder: &Path, http: &str) -> Self {
        Self::start_configured(folder, write_config(folder, http), &[])
    }

    /// Starts nginx with workers that run as the user of this test, and with these variables.
    pub fn start_as_user(folder: &Path, http: &str, variables: &[(&str, PathBuf)]) -> Self {
        // As another user than root, nginx ignores the directive and warns about it.
        let config = write_config_with(folder, "user root;\n", http);
        Self::start_configured(folder, config, variables)
    }

    fn start_configured(folder: &Path, config: PathBuf, variables: &[(&str, PathBuf)]) -> Self {
        // Another test may have taken the free port in the meantime: nginx then retries by itself.
        let pid_file = folder.join("nginx.pid");
        // The sockets are open before the pid file is written.
        let is_up = |master: &ServerProcess| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == master.id().to_string())
        };
        let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        let mut command = external_program("nginx");
        let master = ServerProcess::start(
            command
                .arg("-c")
                .arg(&config)
                .envs(variables.iter().cloned())
                .stderr(Stdio::null()),
            is_up,
            log,
        );
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

    /// Writes another configuration, which nginx reads at the next reload.
    pub fn rewrite(&self, http: &str) {
        write_config(&self.folder, http);
    }

    /// The content of its error log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }
}
