//! SIGINT, SIGTERM and SIGHUP set a flag; whoever waits or is about to change something looks at
//! it. Also here: what keeps key bytes of this process out of core dumps, a limit from ending it,
//! and how many files it may open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// Set to the signal's number once one has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct InterruptSignal(Arc<AtomicUsize>);

impl InterruptSignal {
    /// Starts to listen; from here on the signals end nothing by themselves.
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

    /// The signal that came, if one did.
    #[must_use]
    pub(crate) fn signal(&self) -> Option<i32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Ends once a signal has come.
    pub(crate) async fn wait_for_signal(&self) -> i32 {
        loop {
            if let Some(signal) = self.signal() {
                return signal;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// No core dumps and no ptrace by the same user (product promise P3). Best effort: a container may
/// forbid it.
pub(crate) fn keep_memory_private() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// A file that would grow beyond the limit of who runs certctl (`ulimit -f`) is an error like a
/// full disk, not the end. Best effort.
pub(crate) fn outlive_limits() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// How many files and sockets one kind of work may have open:
/// `wanted`, and half of what the limit (`ulimit -n`) allows.
#[must_use]
pub(crate) fn most_open_files(wanted: usize) -> usize {
    let allowed = getrlimit(Resource::Nofile)
        .current
        .and_then(|limit| usize::try_from(limit).ok());
    allowed
        .map_or(wanted, |allowed| wanted.min(allowed / 2))
        .max(1)
}
