//! The main process of a real server: started and awaited, and terminated when it is dropped.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The main process of a server.
pub struct ServerProcess(Child);

impl ServerProcess {
    /// Starts `command` and waits until `is_up` returns true; if that does not happen, fails with the
    /// text of `log`.
    pub fn start(
        command: &mut Command,
        is_up: impl Fn(&Self) -> bool,
        log: impl Fn() -> String,
    ) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut master = Self(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_up(&master) {
            assert!(
                master.runs() && Instant::now() < deadline,
                "the server did not start:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        master
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns whether the process still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for ServerProcess {
    /// Terminates the process by a signal, because a server's own stop command needs a configuration
    /// that loads.
    fn drop(&mut self) {
        if self.runs() {
            super::terminate(self.id());
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
