//! The real HAProxy in a folder of its own, as a master with workers: its configuration and its log are in there.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::foreign::foreign;

/// An HAProxy that runs until this is dropped.
pub struct Haproxy {
    config: PathBuf,
    folder: PathBuf,
    master: Child,
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
        let log = std::fs::File::create(folder.join("haproxy.log")).unwrap();
        let master = foreign("haproxy")
            .args(["-W", "-db", "-f"])
            .arg(&config)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut haproxy = Self { config, folder: folder.to_owned(), master };
        let ends = Instant::now() + Duration::from_secs(20);
        while !haproxy.log().contains("Loading success") {
            assert!(haproxy.runs() && Instant::now() < ends, "HAProxy did not start:\n{}", haproxy.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        haproxy
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
        matches!(self.master.try_wait(), Ok(None))
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        if self.runs() {
            super::terminate(self.master.id());
        }
        let ends = Instant::now() + Duration::from_secs(10);
        while Instant::now() < ends {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.master.kill();
        let _ = self.master.wait();
    }
}
