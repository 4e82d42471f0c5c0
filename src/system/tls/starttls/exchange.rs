//! Sends to and reads from a server before TLS, byte by byte and bounded.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::probe::StartTls;

/// Why TLS could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartTlsError {
    #[error("the connection failed before TLS was started")]
    Broken(#[source] io::Error),
    /// The server does not speak that protocol; holds its answer.
    #[error("the server does not speak {}; it sent {sent}", .protocol.display_name())]
    Otherwise {
        /// The protocol that was tried.
        protocol: StartTls,
        /// Its answer. Untrusted text.
        sent: String,
    },
    /// The server speaks the protocol but does not start TLS; holds its answer.
    #[error("the server speaks {}, but does not start TLS; it sent {sent}", .protocol.display_name())]
    Refused {
        /// The protocol that was tried.
        protocol: StartTls,
        /// Its answer. Untrusted text.
        sent: String,
    },
}

/// The longest line (RFC 5321 4.5.3.1.5 has 512 octets, IMAP's capabilities may be longer), and the
/// most of them. Packets and XML stanzas have the size of a line.
pub(crate) const LINE: usize = 4096;
pub(crate) const LINES: usize = 64;

/// How many characters of an answer are reported.
const REPORTED: usize = 120;

pub(super) async fn send(connection: &mut TcpStream, words: &[u8]) -> Result<(), StartTlsError> {
    connection
        .write_all(words)
        .await
        .map_err(StartTlsError::Broken)
}

pub(super) async fn read_byte(connection: &mut TcpStream) -> Result<u8, StartTlsError> {
    connection.read_u8().await.map_err(StartTlsError::Broken)
}

/// Reads `length` bytes, which the caller has bounded.
pub(super) async fn read_bytes(
    connection: &mut TcpStream,
    length: usize,
) -> Result<Vec<u8>, StartTlsError> {
    let mut bytes = vec![0; length];
    let read = connection.read_exact(&mut bytes).await;
    read.map_err(StartTlsError::Broken)?;
    Ok(bytes)
}

/// What is reported of an answer.
pub(super) fn reported(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end_matches('\r').chars().take(REPORTED).collect()
}
