//! The rehearsal's listeners: on loopback only, each on a thread and a current-thread runtime of
//! its own, gone when dropped. They move bytes; what is answered is the caller's (`rehearsal`).

pub(crate) mod dns;
pub(crate) mod web;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

/// A port of 127.0.0.1 that nothing listens on now, for a server of somebody else's.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The longest that one peer may keep a connection busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that serves until this is dropped.
#[derive(Debug)]
struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs what `serve` makes, on a thread called `name`. Its sockets are bound before, by the
    /// caller: a port that cannot be had is an error of the start, and the address is known when
    /// this returns.
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
                        // A listener that cannot go on is seen by whoever asks it and gets no
                        // answer.
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
