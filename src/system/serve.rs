//! The listeners of the rehearsal, on loopback only, and the one for validation files: each on its own
//! thread with a current-thread runtime, stopped on drop. The caller computes the answers.

pub(crate) mod challenge;
pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod web;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

/// Returns a port of 127.0.0.1 that is free now, for another program's server.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The maximum time for which one client may keep a connection busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that serves until this is dropped.
#[derive(Debug)]
struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs the future that `serve` returns on a thread called `name`. The caller binds the sockets
    /// before, so that a port that is not available is an error of the start, and the address is
    /// known when this returns.
    fn start<F, S>(name: &str, serve: S) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>>,
        S: FnOnce() -> F + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        // Clients notice a failed listener because they get no answer.
                        _ = serve() => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
