//! Starts TLS in a plain-text protocol: SMTP (RFC 3207), IMAP (RFC 9051 section 6.2.1), POP3 (RFC
//! 2595 section 4) and PostgreSQL (protocol 3.0, `SSLRequest`). Reads byte by byte, so that bytes
//! injected after the answer become part of the handshake, which then fails. The server's answers
//! are untrusted text, bounded in length.

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
/// most of them.
pub(crate) const LINE: usize = 4096;
pub(crate) const LINES: usize = 64;

/// How many characters of an answer are reported.
const REPORTED: usize = 120;

/// Requests TLS; afterwards the handshake may start. The caller bounds the time.
///
/// # Errors
/// See [`StartTlsError`].
pub(crate) async fn open(
    connection: &mut TcpStream,
    protocol: StartTls,
) -> Result<(), StartTlsError> {
    match protocol {
        StartTls::Smtp => smtp(connection).await,
        StartTls::Imap => {
            expect(connection, protocol, "* ", "* OK").await?;
            send(connection, b"a1 STARTTLS\r\n").await?;
            expect_tls(connection, protocol, "a1 ", "a1 OK").await
        }
        StartTls::Pop3 => {
            expect(connection, protocol, "", "+OK").await?;
            send(connection, b"STLS\r\n").await?;
            expect_tls(connection, protocol, "", "+OK").await
        }
        StartTls::Postgres => postgres(connection).await,
    }
}

async fn smtp(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Smtp;
    expect(connection, protocol, "220 ", "220").await?;
    // A literal needs no name that would have to resolve (RFC 5321 4.1.3).
    send(connection, b"EHLO [127.0.0.1]\r\n").await?;
    expect(connection, protocol, "250 ", "250").await?;
    send(connection, b"STARTTLS\r\n").await?;
    expect_tls(connection, protocol, "", "220").await
}

/// `SSLRequest` (postgresql.org/docs/current/protocol-message-formats.html): one byte comes back.
async fn postgres(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Postgres;
    send(connection, &[0, 0, 0, 8, 4, 210, 22, 47]).await?;
    match connection.read_u8().await.map_err(StartTlsError::Broken)? {
        b'S' => Ok(()),
        b'N' => Err(StartTlsError::Refused {
            protocol,
            sent: "N".to_owned(),
        }),
        other => Err(StartTlsError::Otherwise {
            protocol,
            sent: char::from(other).to_string(),
        }),
    }
}

async fn send(connection: &mut TcpStream, words: &[u8]) -> Result<(), StartTlsError> {
    connection
        .write_all(words)
        .await
        .map_err(StartTlsError::Broken)
}

/// Reads to the line that starts with `last`; it must start with `good`, or this is another
/// protocol.
async fn expect(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: &str,
    good: &str,
) -> Result<(), StartTlsError> {
    let sent = read_answer(connection, protocol, last, good).await?;
    if sent.starts_with(good) {
        Ok(())
    } else {
        Err(StartTlsError::Otherwise { protocol, sent })
    }
}

/// Does the same for the answer to the request to start TLS.
async fn expect_tls(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: &str,
    good: &str,
) -> Result<(), StartTlsError> {
    let sent = read_answer(connection, protocol, last, good).await?;
    if sent.starts_with(good) {
        Ok(())
    } else {
        Err(StartTlsError::Refused { protocol, sent })
    }
}

/// Reads up to the line that starts with `last`, or to one that cannot precede it: `220-` precedes
/// `220 `, other lines of IMAP precede `a1 `.
async fn read_answer(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: &str,
    good: &str,
) -> Result<String, StartTlsError> {
    for _ in 0..LINES {
        let line = read_line(connection, protocol).await?;
        let more = match protocol {
            StartTls::Imap => line.starts_with("* ") && !last.starts_with('*'),
            _ => line.starts_with(&format!("{good}-")),
        };
        if line.starts_with(last) || !more {
            return Ok(line);
        }
    }
    Err(StartTlsError::Otherwise {
        protocol,
        sent: format!("more than {LINES} lines"),
    })
}

async fn read_line(
    connection: &mut TcpStream,
    protocol: StartTls,
) -> Result<String, StartTlsError> {
    let mut bytes = Vec::new();
    loop {
        let byte = connection.read_u8().await.map_err(StartTlsError::Broken)?;
        if byte == b'\n' {
            break;
        }
        bytes.push(byte);
        if bytes.len() > LINE {
            break;
        }
    }
    let sent: String = String::from_utf8_lossy(&bytes)
        .trim_end_matches('\r')
        .chars()
        .take(REPORTED)
        .collect();
    if bytes.len() > LINE {
        Err(StartTlsError::Otherwise { protocol, sent })
    } else {
        Ok(sent)
    }
}
