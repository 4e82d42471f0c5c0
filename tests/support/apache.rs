//! The real Apache in a folder of its own: its configuration, pid file and logs are all in there.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::foreign::foreign;

/// An Apache that runs until this is dropped.
pub struct Apache {
    config: PathBuf,
    folder: PathBuf,
    parent: Child,
}

const MODULES: [&str; 7] = ["mpm_event", "authz_core", "alias", "ssl", "socache_shmcb", "remoteip", "headers"];

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
        let mut parent = foreign("apache2")
            .args(["-D", "FOREGROUND", "-d"])
            .arg(folder)
            .arg("-f")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid_file = folder.join("apache2.pid");
        let ends = Instant::now() + Duration::from_secs(20);
        // The sockets are open before the pid file is written.
        while std::fs::read_to_string(&pid_file).map_or(true, |pid| pid.trim() != parent.id().to_string()) {
            let gone = parent.try_wait().unwrap();
            let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(gone.is_none() && Instant::now() < ends, "Apache did not start: {gone:?}\n{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { config, folder: folder.to_owned(), parent }
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
        matches!(self.parent.try_wait(), Ok(None))
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if self.runs() {
            super::terminate(self.parent.id());
        }
        let ends = Instant::now() + Duration::from_secs(10);
        while Instant::now() < ends {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}
