//! A small HTTP server: one request for each connection, bounded. The caller computes the answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Background, PATIENCE};

/// The maximum number of bytes before the body, and of the body.
const MOST_HEAD: usize = 8192;
const MOST_BODY: usize = 64 * 1024;
/// The end of the head of a request (RFC 9112 section 2.1).
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What a client asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServedRequest {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Name in lower case, and value.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl ServedRequest {
    /// Returns a POST to `target` at `host`.
    #[cfg(test)]
    pub(crate) fn post(host: &str, target: &str, body: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: vec![("host".to_owned(), host.to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    /// Returns the value of a header; `name` is in lower case.
    #[must_use]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(one, _)| one == name)?;
        Some(value)
    }

    /// Returns the path without the query.
    #[must_use]
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the first value of a name in the query, as it is written; empty if there is none.
    #[must_use]
    pub(crate) fn query_value(&self, name: &str) -> &str {
        let Some((_, query)) = self.target.split_once('?') else {
            return "";
        };
        for pair in query.split('&') {
            if let Some((key, value)) = pair.split_once('=')
                && key == name
            {
                return value;
            }
        }
        ""
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let method = words.next()?;
        let target = words.next()?;
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Some(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: Vec::new(),
        })
    }
}

/// What the server sends.
#[derive(Clone, Debug)]
pub(crate) struct ServedReply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl ServedReply {
    /// Returns an answer with a body of the given type.
    #[must_use]
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.into(),
        }
    }

    /// Returns the same answer with one more header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns the bytes to send; to HEAD, without the body (RFC 9110 section 9.3.2).
    fn bytes(&self, method: &str) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} -\r\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = self.body.len();
        text.push_str(&format!(
            "Content-Length: {length}\r\nConnection: close\r\n\r\n"
        ));
        let mut bytes = text.into_bytes();
        if method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Computes the answer to a request.
pub(crate) type ReplyFunction = dyn Fn(&ServedRequest) -> ServedReply + Send + Sync;

/// A running server; dropping it closes the port.
#[derive(Debug)]
pub(crate) struct HttpServer {
    address: SocketAddr,
    _background: Background,
}

impl HttpServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub(crate) fn start(reply: Arc<ReplyFunction>) -> io::Result<Self> {
        Self::accept_from(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, reply)
    }

    /// Serves the connections of a socket that listens.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn accept_from(
        listener: TcpListener,
        reply: Arc<ReplyFunction>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let background = Background::start("http", move || async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                let answer = answer(stream, Arc::clone(&reply));
                tokio::spawn(tokio::time::timeout(PATIENCE, answer));
            }
        })?;
        Ok(Self {
            address,
            _background: background,
        })
    }

    /// Returns the address at which it listens.
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Reads one request and answers it; closes the connection if it is not one.
async fn answer(mut stream: TcpStream, reply: Arc<ReplyFunction>) -> io::Result<()> {
    let Some(request) = read_request(&mut stream).await? else {
        return Ok(());
    };
    let bytes = reply(&request).bytes(&request.method);
    stream.write_all(&bytes).await?;
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> io::Result<Option<ServedRequest>> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    let head_length = loop {
        let end = received
            .windows(HEAD_END.len())
            .position(|end| end == HEAD_END);
        if let Some(end) = end {
            break end;
        }
        let length = stream.read(&mut buffer).await?;
        if length == 0 || received.len() > MOST_HEAD {
            return Ok(None);
        }
        received.extend_from_slice(&buffer[..length]);
    };
    let Some(mut request) = ServedRequest::parse(&received[..head_length]) else {
        return Ok(None);
    };
    let length = request.header("content-length").unwrap_or("0");
    let Some(length) = length
        .parse()
        .ok()
        .filter(|length: &usize| *length <= MOST_BODY)
    else {
        return Ok(None);
    };
    request.body = received.split_off(head_length + HEAD_END.len());
    let missing = length.saturating_sub(request.body.len());
    let mut rest = vec![0; missing];
    stream.read_exact(&mut rest).await?;
    request.body.extend_from_slice(&rest);
    request.body.truncate(length);
    Ok(Some(request))
}
