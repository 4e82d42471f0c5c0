//! The process of a real server: awaited at its start, ended by signal when it is dropped.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server's first process.
pub struct Master(Child);

impl Master {
    /// Started, once `is_up` says so of it; `log` is what it has said when it does not come up.
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
        let ends = Instant::now() + Duration::from_secs(20);
        while !is_up(&master) {
            assert!(
                master.runs() && Instant::now() < ends,
                "it did not start:\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        master
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Master {
    /// By signal to the very process: a server's own stop command would want a configuration that
    /// loads.
    fn drop(&mut self) {
        if self.runs() {
            super::terminate(self.id());
        }
        let ends = Instant::now() + Duration::from_secs(10);
        while Instant::now() < ends {
            if !self.runs() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
