//! Servers that hold their connections open and count them.
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

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Counts the connections that the servers of a test hold open. Clones share the count.
#[derive(Clone, Default)]
pub struct HeldConnections(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    counts: Counts,
    open: Vec<(usize, TcpStream)>,
}

/// The counts of connections.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// The number of accepted connections.
    pub accepted: usize,
    /// The most connections that were open at one time.
    pub most: usize,
    /// The number of connections that had been accepted when the first one ended.
    pub accepted_before_first_close: Option<usize>,
}

impl HeldConnections {
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap().counts
    }

    /// Counts a connection that another server of the test accepted and closed.
    pub fn pass(&self) {
        self.0.lock().unwrap().counts.accepted += 1;
    }

    /// Counts a connection and returns its number. Connections that the client has closed do not count
    /// as open, even if the thread that serves them has not noticed yet: the client closes before it
    /// connects again, and on loopback the kernel sees both in that order.
    fn begins(&self, connection: &TcpStream) -> usize {
        let mut state = self.0.lock().unwrap();
        state.open.retain(|(_, open)| !is_closed_by_client(open));
        state.counts.accepted += 1;
        let number = state.counts.accepted;
        state.open.push((number, connection.try_clone().unwrap()));
        state.counts.most = state.counts.most.max(state.open.len());
        number
    }

    fn ends(&self, number: usize) {
        let mut state = self.0.lock().unwrap();
        state.open.retain(|(open, _)| *open != number);
        let accepted = state.counts.accepted;
        state
            .counts
            .accepted_before_first_close
            .get_or_insert(accepted);
    }

    /// Starts a server that does `greet` with each connection and then holds it until the client
    /// closes it.
    pub fn serve(&self, greet: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = self.clone();
        std::thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let number = held.begins(&connection);
                let (held, greet) = (held.clone(), greet.clone());
                std::thread::spawn(move || {
                    greet(&mut connection);
                    // Reads what the client sends without answering.
                    while connection.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
                    held.ends(number);
                });
            }
        });
        address
    }
}

fn is_closed_by_client(connection: &TcpStream) -> bool {
    let mut polled = [PollFd::new(connection, PollFlags::RDHUP)];
    poll(&mut polled, Some(&Timespec::default())).unwrap();
    let closed = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    polled[0].revents().intersects(closed)
}
