//! XMPP (RFC 6120 sections 4 and 5), for clients and, at port 5269, for servers.

use tokio::net::TcpStream;

use super::exchange::{LINE, StartTlsError, read_byte, reported, send};
use crate::probe::{ProbeTarget, StartTls};

/// The port for connections between servers, whose streams have another namespace.
const SERVER_PORT: u16 = 5269;

/// What ends the part of the stream that precedes the choice of TLS.
const FEATURES: [&str; 3] = [
    "</stream:features>",
    "<stream:features/>",
    "</stream:error>",
];

/// Opens a stream for the name of `target` and requests TLS.
pub(super) async fn open(
    connection: &mut TcpStream,
    target: &ProbeTarget,
) -> Result<(), StartTlsError> {
    let protocol = StartTls::Xmpp;
    send(connection, stream_header(target).as_bytes()).await?;
    let features = read_until(connection, &FEATURES).await?;
    if !features.contains("<stream:stream") {
        let sent = reported(features.as_bytes());
        return Err(StartTlsError::Otherwise { protocol, sent });
    }
    if !features.contains("<starttls") {
        return Err(refused(&features));
    }
    send(
        connection,
        b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    )
    .await?;
    // `<proceed xmlns='...'/>` and `<proceed xmlns='...'></proceed>` are the same.
    let answer = read_until(connection, &["/>", "</proceed>", "</failure>"]).await?;
    if answer.trim_start().starts_with("<proceed") {
        Ok(())
    } else {
        Err(refused(&answer))
    }
}

/// The name was checked to be one that a handshake can have: it needs no escaping.
fn stream_header(target: &ProbeTarget) -> String {
    let namespace = if target.address.port() == SERVER_PORT {
        "jabber:server"
    } else {
        "jabber:client"
    };
    format!(
        "<?xml version='1.0'?><stream:stream to='{}' xmlns='{namespace}' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
        target.name
    )
}

/// The end of an answer, where it says why.
fn refused(answer: &str) -> StartTlsError {
    let start = answer.rfind("<stream:features").unwrap_or_default();
    StartTlsError::Refused {
        protocol: StartTls::Xmpp,
        sent: reported(&answer.as_bytes()[start..]),
    }
}

/// Reads up to one of `ends`.
async fn read_until(connection: &mut TcpStream, ends: &[&str]) -> Result<String, StartTlsError> {
    let mut bytes = Vec::new();
    while bytes.len() <= LINE {
        bytes.push(read_byte(connection).await?);
        let has_ended = |end: &&str| bytes.ends_with(end.as_bytes());
        // A stream that does not start with XML is of another protocol.
        if ends.iter().any(has_ended) || bytes[0] != b'<' {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Err(StartTlsError::Otherwise {
        protocol: StartTls::Xmpp,
        sent: reported(&bytes),
    })
}
