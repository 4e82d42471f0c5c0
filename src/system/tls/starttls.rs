//! What is said in the clear before a TLS handshake: SMTP (RFC 3207), IMAP (RFC 9051 6.2.1), POP3
//! (RFC 2595 4) and PostgreSQL (protocol 3.0, `SSLRequest`). Byte by byte, so that nothing behind
//! the answer is taken for it: what somebody put there goes into the handshake and fails. What the
//! server says is foreign text, bounded.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::probe::StartTls;

/// Why the server did not get as far as TLS.
#[derive(Debug, thiserror::Error)]
pub enum StartTlsError {
    #[error("the connection broke before TLS could be asked for")]
    Broken(#[source] io::Error),
    /// It does not speak that protocol; holds what it said.
    #[error("it does not speak {}: it said {said}", .protocol.in_words())]
    Otherwise {
        /// What was asked for.
        protocol: StartTls,
        /// What it said instead. Foreign text.
        said: String,
    },
    /// It speaks it and does not offer TLS; holds what it said.
    #[error("it speaks {} and does not start TLS: it said {said}", .protocol.in_words())]
    Refused {
        /// What was asked for.
        protocol: StartTls,
        /// What it said. Foreign text.
        said: String,
    },
}

/// The longest line (RFC 5321 4.5.3.1.5 has 512 octets, IMAP's capabilities may be longer), and the
/// most of them.
const LINE: usize = 4096;
const LINES: usize = 64;

/// As much of what was said as is told.
const TOLD: usize = 120;

/// Asks for TLS; afterwards the handshake may start. The caller bounds the time.
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
            say(connection, b"a1 STARTTLS\r\n").await?;
            settle(connection, protocol, "a1 ", "a1 OK").await
        }
        StartTls::Pop3 => {
            expect(connection, protocol, "", "+OK").await?;
            say(connection, b"STLS\r\n").await?;
            settle(connection, protocol, "", "+OK").await
        }
        StartTls::Postgres => postgres(connection).await,
    }
}

async fn smtp(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Smtp;
    expect(connection, protocol, "220 ", "220").await?;
    // A literal needs no name that would have to resolve (RFC 5321 4.1.3).
    say(connection, b"EHLO [127.0.0.1]\r\n").await?;
    expect(connection, protocol, "250 ", "250").await?;
    say(connection, b"STARTTLS\r\n").await?;
    settle(connection, protocol, "", "220").await
}

/// `SSLRequest` (postgresql.org/docs/current/protocol-message-formats.html): one byte comes back.
async fn postgres(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Postgres;
    say(connection, &[0, 0, 0, 8, 4, 210, 22, 47]).await?;
    match connection.read_u8().await.map_err(StartTlsError::Broken)? {
        b'S' => Ok(()),
        b'N' => Err(StartTlsError::Refused {
            protocol,
            said: "N".to_owned(),
        }),
        other => Err(StartTlsError::Otherwise {
            protocol,
            said: char::from(other).to_string(),
        }),
    }
}

async fn say(connection: &mut TcpStream, words: &[u8]) -> Result<(), StartTlsError> {
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
    let said = answer(connection, protocol, last, good).await?;
    if said.starts_with(good) {
        Ok(())
    } else {
        Err(StartTlsError::Otherwise { protocol, said })
    }
}

/// The same for the answer to the request for TLS itself.
async fn settle(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: &str,
    good: &str,
) -> Result<(), StartTlsError> {
    let said = answer(connection, protocol, last, good).await?;
    if said.starts_with(good) {
        Ok(())
    } else {
        Err(StartTlsError::Refused { protocol, said })
    }
}

/// The line that starts with `last`, or that cannot lead to it: `220-` leads to `220 `, other lines
/// of IMAP to `a1 `.
async fn answer(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: &str,
    good: &str,
) -> Result<String, StartTlsError> {
    for _ in 0..LINES {
        let line = line(connection, protocol).await?;
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
        said: format!("more than {LINES} lines"),
    })
}

async fn line(connection: &mut TcpStream, protocol: StartTls) -> Result<String, StartTlsError> {
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
    let said: String = String::from_utf8_lossy(&bytes)
        .trim_end_matches('\r')
        .chars()
        .take(TOLD)
        .collect();
    if bytes.len() > LINE {
        Err(StartTlsError::Otherwise { protocol, said })
    } else {
        Ok(said)
    }
}
