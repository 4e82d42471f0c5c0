//! A server for validation files (RFC 8555 8.3), for machines where no web server holds port 80. It
//! serves exactly the files that it was given, and nothing from the disk.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{HttpServer, ServedReply, ServedRequest};

/// The port of http-01.
const PORT: u16 = 80;
/// The folder of the files in URLs.
const FOLDER: &str = "/.well-known/acme-challenge/";

/// The contents by token.
type ServedFiles = Arc<Mutex<BTreeMap<String, String>>>;

/// A running server; dropping it closes the port.
#[derive(Debug)]
pub(crate) struct ChallengeServer {
    files: ServedFiles,
    _server: HttpServer,
}

/// Returns the addresses that are tried, in order; without an address, port 80 of all addresses.
#[must_use]
pub(crate) fn listener_addresses(address: Option<SocketAddr>) -> Vec<SocketAddr> {
    match address {
        Some(address) => vec![address],
        None => vec![
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)),
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)),
        ],
    }
}

impl ChallengeServer {
    /// Listens at the address; without one, at port 80 of all addresses.
    ///
    /// # Errors
    /// When the port is in use, or this user may not use it.
    pub(crate) fn start(address: Option<SocketAddr>) -> io::Result<Self> {
        let files = ServedFiles::default();
        let served = Arc::clone(&files);
        let reply = move |request: &ServedRequest| reply_to(request, &served);
        Ok(Self {
            files,
            _server: HttpServer::accept_from(bind(address)?, Arc::new(reply))?,
        })
    }

    /// Serves one more file.
    pub(crate) fn add(&self, token: &str, content: &str) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(token.to_owned(), content.to_owned());
    }
}

/// A machine without IPv6 has no `[::]`.
fn bind(address: Option<SocketAddr>) -> io::Result<TcpListener> {
    let addresses = listener_addresses(address);
    TcpListener::bind(&addresses[..])
}

fn reply_to(request: &ServedRequest, files: &ServedFiles) -> ServedReply {
    match content_of(request, files) {
        Some(content) => ServedReply::new(200, "application/octet-stream", content),
        None => ServedReply::new(404, "text/plain", ""),
    }
}

/// The content that a request asks for, if it is served.
fn content_of(request: &ServedRequest, files: &ServedFiles) -> Option<String> {
    if request.method != "GET" {
        return None;
    }
    let token = request.target.strip_prefix(FOLDER)?;
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.get(token).cloned()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};

    use super::ChallengeServer;
    use crate::system::serve::free_port;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // A server that closes early may reset the connection.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn only_the_given_files_are_served() {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        let server = ChallengeServer::start(Some(address)).unwrap();
        server.add("token", "content");
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let right = ask(address, &get("/.well-known/acme-challenge/token"));
        assert!(right.starts_with("HTTP/1.1 200") && right.ends_with("\r\n\r\ncontent"));
        for path in [
            "/.well-known/acme-challenge/other",
            "/.well-known/acme-challenge/",
            "/.well-known/acme-challenge/../../etc/passwd",
            "/token",
            "/",
        ] {
            assert!(
                ask(address, &get(path)).starts_with("HTTP/1.1 404"),
                "{path}"
            );
        }
        let post = "POST /.well-known/acme-challenge/token HTTP/1.1\r\n\r\n";
        assert!(ask(address, post).starts_with("HTTP/1.1 404"));
        let huge = format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000));
        assert_eq!(ask(address, &huge), "");
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}
