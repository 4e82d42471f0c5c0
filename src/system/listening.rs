//! Whether anything listens at an address of this machine.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{runtime, tls};

/// How long a connection to this machine may take.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Returns true if this machine refuses connections to `host` (an address, or `localhost`) at `port`.
/// Other machines are not contacted.
#[must_use]
pub(crate) fn refuses_socket(host: &str, port: u16) -> bool {
    let ip: IpAddr = match host {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => match host.parse() {
            Ok(ip) => ip,
            Err(_) => return false,
        },
    };
    let address = SocketAddr::new(ip, port);
    if !tls::is_here(address) {
        return false;
    }
    let refused = TcpStream::connect_timeout(&address, TIMEOUT);
    refused.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Returns true if there is no socket at a path, or nothing listens on it.
#[must_use]
pub(crate) fn refuses_unix(path: &Path) -> bool {
    // A full queue lets a connection wait without end.
    let connecting = async { timeout(TIMEOUT, UnixStream::connect(path)).await };
    let Ok(Ok(Err(error))) = runtime::block_on(connecting) else {
        return false;
    };
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::NotFound
    )
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::{refuses_socket, refuses_unix};

    #[test]
    fn only_closed_addresses_of_this_machine_refuse() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!refuses_socket("127.0.0.1", port));
        assert!(!refuses_socket("localhost", port));
        drop(listener);
        assert!(refuses_socket("127.0.0.1", port));
        // Names and addresses of other machines are not contacted.
        assert!(!refuses_socket("app.invalid", port));
        assert!(!refuses_socket("192.0.2.1", port));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        assert!(refuses_unix(&path));
        let listener = UnixListener::bind(&path).unwrap();
        assert!(!refuses_unix(&path));
        drop(listener);
        assert!(refuses_unix(&path));
    }
}
