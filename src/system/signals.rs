//! SIGINT, SIGTERM and SIGHUP set a flag, which is checked during waits and before changes. Also:
//! keeps key bytes out of core dumps, survives the file size limit, and returns the limit of open
//! files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// Holds the number of the signal that arrived, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct InterruptSignal(Arc<AtomicUsize>);

impl InterruptSignal {
    /// Registers the handlers; from then on the signals do not end the process by themselves.
    ///
    /// # Errors
    /// When the handlers cannot be registered.
    pub(crate) fn listen(&self) -> std::io::Result<()> {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_usize(signal, Arc::clone(&self.0), number)?;
        }
        Ok(())
    }

    /// Returns the signal that arrived, if any.
    #[must_use]
    pub(crate) fn signal(&self) -> Option<i32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Waits until a signal arrives; returns its number.
    pub(crate) async fn wait_for_signal(&self) -> i32 {
        loop {
            if let Some(signal) = self.signal() {
                return signal;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Disables core dumps and ptrace by the same user (promise P3). Best effort, because a container
/// may not allow it.
pub(crate) fn keep_memory_private() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Makes writes beyond the file size limit (`ulimit -f`) fail like a full disk instead of ending
/// the process. Best effort.
pub(crate) fn outlive_limits() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Returns how many files and sockets one task may open: `wanted`, but at most half of the limit
/// (`ulimit -n`).
#[must_use]
pub(crate) fn most_open_files(wanted: usize) -> usize {
    let allowed = getrlimit(Resource::Nofile)
        .current
        .and_then(|limit| usize::try_from(limit).ok());
    allowed
        .map_or(wanted, |allowed| wanted.min(allowed / 2))
        .max(1)
}
