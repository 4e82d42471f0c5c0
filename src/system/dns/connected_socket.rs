//! A UDP socket that is connected to one server: the system drops datagrams of other senders and reports
//! a closed port.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A socket whose datagrams all go to one server and come from it.
#[derive(Debug)]
pub(super) struct ConnectedSocket {
    socket: AsyncFd<UdpSocket>,
    server: SocketAddr,
}

impl ConnectedSocket {
    /// Binds a socket to the address of `local` and connects it. The system chooses a free port by
    /// chance, as for every other query.
    ///
    /// # Errors
    /// When there is no route to the server, or no socket is free.
    pub(super) fn open(local: SocketAddr, server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((local.ip(), 0))?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        #[expect(
            deprecated,
            reason = "the newer API is unsafe, for types that may return a wrong descriptor: this \
                one does not"
        )]
        // Only readability matters: tokio's own socket would also wake the task for writability
        // after each datagram, and does not wake it for an ICMP error.
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self { socket, server })
    }

    /// Returns the server.
    pub(super) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Reads a datagram into the buffer and returns its length; a closed port is an error.
    pub(super) fn poll_receive(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while let Poll::Ready(is_ready) = self.socket.poll_read_ready(context) {
            let received = is_ready?.try_io(|socket| socket.get_ref().recv(buffer));
            if let Ok(length) = received {
                return Poll::Ready(length);
            }
        }
        // An ICMP error is reported as a closed write side, not as a datagram.
        let _closed = ready!(self.socket.poll_write_ready(context))?;
        let error = self.socket.get_ref().take_error()?;
        Poll::Ready(Err(
            error.unwrap_or_else(|| ErrorKind::ConnectionRefused.into())
        ))
    }

    /// Sends a datagram; if the system's buffer is full, it counts as lost.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self.socket.get_ref().send(bytes) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}
