//! Host names as the machine resolves them, for addresses that a user names.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

/// getaddrinfo has no deadline of its own.
const DEADLINE: Duration = Duration::from_secs(10);

/// The addresses of `HOST:PORT`.
///
/// # Errors
/// When it is not of that form, has no address, or the resolver does not answer in time.
pub fn addresses(text: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    let (send, receive) = mpsc::channel();
    let asked = text.to_owned();
    std::thread::spawn(move || {
        let found = asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody waits any more: the answer came too late.
        let _ = send.send(found);
    });
    match receive.recv_timeout(DEADLINE) {
        Ok(found) => found,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn addresses_and_names_and_neither() {
        assert_eq!(addresses("127.0.0.1:443").unwrap(), ["127.0.0.1:443".parse().unwrap()]);
        assert_eq!(addresses("[::1]:443").unwrap(), ["[::1]:443".parse().unwrap()]);
        assert!(addresses("localhost:1").unwrap().iter().all(|address| address.ip().is_loopback()));
        for text in ["", "localhost", "127.0.0.1", "localhost:x", ":::"] {
            assert!(addresses(text).is_err(), "{text}");
        }
    }
}
