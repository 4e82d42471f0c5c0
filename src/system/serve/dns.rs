//! A DNS listener on loopback, with UDP and TCP on one port, and a client for one query over UDP.
//! The caller computes the answers: bytes in, bytes out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Background, PATIENCE};

/// How long one question over UDP waits for its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A function from the bytes of a query to those of its answer; `None` drops the query.
pub(crate) type AnswerFunction = dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync;

/// A running DNS server.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    _background: Background,
}

impl DnsServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub fn start(answer: Arc<AnswerFunction>) -> io::Result<Self> {
        let (udp, tcp) = bind_both()?;
        let address = udp.local_addr()?;
        let background = Background::start("rehearsal-dns", move || async move {
            let udp = tokio::net::UdpSocket::from_std(udp)?;
            let tcp = tokio::net::TcpListener::from_std(tcp)?;
            tokio::try_join!(serve_udp(&udp, &answer), serve_tcp(&tcp, &answer)).map(|_| ())
        })?;
        Ok(Self {
            address,
            _background: background,
        })
    }

    /// Returns the address at which it listens, for UDP and TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Binds a port that is free for both protocols: the system chooses one for UDP, and TCP tries the
/// same.
fn bind_both() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..16 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => {
                udp.set_nonblocking(true)?;
                tcp.set_nonblocking(true)?;
                return Ok((udp, tcp));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn serve_udp(socket: &tokio::net::UdpSocket, answer: &Arc<AnswerFunction>) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        // An error here is an ICMP message about an earlier answer, which is no reason to stop.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        if let Some(reply) = answer(&buffer[..length]) {
            let _ = socket.send_to(&reply, from).await;
        }
    }
}

async fn serve_tcp(
    listener: &tokio::net::TcpListener,
    answer: &Arc<AnswerFunction>,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = Arc::clone(answer);
        tokio::spawn(async move {
            let _ = tokio::time::timeout(PATIENCE, converse(stream, &answer)).await;
        });
    }
}

/// Serves one connection; each message follows its length (RFC 1035 section 4.2.2).
async fn converse(
    mut stream: tokio::net::TcpStream,
    answer: &Arc<AnswerFunction>,
) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        let Some(reply) = answer(&query) else {
            return Ok(());
        };
        let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
        stream.write_u16(length).await?;
        stream.write_all(&reply).await?;
    }
}

/// Sends `query` to `server` over UDP and returns the answer (same message id, RFC 5452 section
/// 9.1).
///
/// # Errors
/// When no answer arrives in time or the socket fails.
pub(crate) fn query_once(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(server)?;
    socket.send(query)?;
    let deadline = Instant::now() + ANSWER_WITHIN;
    let mut buffer = vec![0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut buffer)?;
        if length >= 2 && buffer.get(..2) == query.get(..2) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}
