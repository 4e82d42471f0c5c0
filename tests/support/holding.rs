//! Servers that keep their visitors waiting, and count them.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "test support; each test uses a part"
)]

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Counts the connections that the servers of a test hold open. Clones share the count.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<Counts>>);

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Connections that were accepted.
    pub accepted: usize,
    /// Connections that are open now.
    pub open: usize,
    /// The most connections that were open at one time.
    pub most: usize,
    /// Connections that had been accepted when the first of them ended.
    pub before_first_end: Option<usize>,
}

impl Held {
    pub fn counts(&self) -> Counts {
        *self.0.lock().unwrap()
    }

    /// Counts a connection that another server of the test accepted and does not hold.
    pub fn pass(&self) {
        self.0.lock().unwrap().accepted += 1;
    }

    fn begins(&self) {
        let mut counts = self.0.lock().unwrap();
        counts.accepted += 1;
        counts.open += 1;
        counts.most = counts.most.max(counts.open);
    }

    fn ends(&self) {
        let mut counts = self.0.lock().unwrap();
        counts.open -= 1;
        counts.before_first_end = counts.before_first_end.or(Some(counts.accepted));
    }

    /// Starts a server that does `greet` with each connection and then holds it until the visitor
    /// ends it.
    pub fn serve(&self, greet: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = self.clone();
        std::thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                held.begins();
                let (held, greet) = (held.clone(), greet.clone());
                std::thread::spawn(move || {
                    greet(&mut connection);
                    // Whatever the visitor says is read and not answered.
                    while connection.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
                    held.ends();
                });
            }
        });
        address
    }
}
