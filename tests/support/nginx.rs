//! The real nginx in a folder of its own: its configuration, pid file, logs and temporary files are all in there.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::foreign::foreign;

/// An nginx that runs until this is dropped.
pub struct Nginx {
    config: PathBuf,
    folder: PathBuf,
    master: Child,
}

/// A port of 127.0.0.1 that nothing listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
        // A port that was free a moment ago may be taken by another test by now: nginx then tries again by itself.
        let mut master = foreign("nginx")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid_file = folder.join("nginx.pid");
        let ends = Instant::now() + Duration::from_secs(20);
        // The sockets are open before the pid file is written.
        while std::fs::read_to_string(&pid_file).map_or(true, |pid| pid.trim() != master.id().to_string()) {
            let gone = master.try_wait().unwrap();
            let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(gone.is_none() && Instant::now() < ends, "nginx did not start: {gone:?}\n{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { config, folder: folder.to_owned(), master }
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

impl Drop for Nginx {
    fn drop(&mut self) {
        // By signal to the very process that was started: `nginx -s stop` would want a configuration that loads.
        if matches!(self.master.try_wait(), Ok(None)) {
            super::terminate(self.master.id());
        }
        let ends = Instant::now() + Duration::from_secs(5);
        while Instant::now() < ends {
            if !matches!(self.master.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}
