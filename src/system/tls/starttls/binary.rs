//! Protocols of packets: LDAP (RFC 4511 section 4.14), MySQL and PostgreSQL.

use tokio::net::TcpStream;

use super::exchange::{LINE, StartTlsError, read_byte, read_bytes, reported, send};
use crate::probe::StartTls;

/// `SSLRequest` (postgresql.org/docs/current/protocol-message-formats.html): one byte comes back.
pub(super) async fn postgres(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Postgres;
    send(connection, &[0, 0, 0, 8, 4, 210, 22, 47]).await?;
    match read_byte(connection).await? {
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

/// The capability to start TLS (dev.mysql.com, "Capabilities Flags").
const CLIENT_SSL: u16 = 0x0800;

/// `SSLRequest`: the 4.1 protocol, TLS and the authentication of every present server; 16 MiB
/// packets; utf8mb4.
const SSL_REQUEST: [u8; 36] = {
    let mut packet = [0; 36];
    packet[0] = 32;
    packet[3] = 1;
    packet[5] = 0x8a;
    packet[10] = 0x00;
    packet[11] = 0x01;
    packet[12] = 45;
    packet
};

/// Reads the server's greeting and sends `SSLRequest`, which has no answer (dev.mysql.com,
/// "Connection Phase"). MariaDB's protocol is the same.
pub(super) async fn mysql(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Mysql;
    let header = read_bytes(connection, 4).await?;
    let length = usize::from(header[0]) | usize::from(header[1]) << 8;
    if header[2] != 0 || header[3] != 0 || !(1..=LINE).contains(&length) {
        let sent = reported(&header);
        return Err(StartTlsError::Otherwise { protocol, sent });
    }
    let greeting = read_bytes(connection, length).await?;
    match MysqlGreeting::parse(&greeting) {
        Some(greeting) if greeting.capabilities & CLIENT_SSL != 0 => {
            send(connection, &SSL_REQUEST).await
        }
        Some(greeting) => Err(StartTlsError::Refused {
            protocol,
            sent: format!("a greeting of version {} without TLS", greeting.version),
        }),
        // An error packet: 0xff, a number, a text.
        None if greeting[0] == 0xff => Err(StartTlsError::Refused {
            protocol,
            sent: reported(greeting.get(3..).unwrap_or_default()),
        }),
        None => Err(StartTlsError::Otherwise {
            protocol,
            sent: reported(&greeting),
        }),
    }
}

/// What is needed of the greeting (version 10 of the protocol).
struct MysqlGreeting {
    /// Untrusted text.
    version: String,
    /// The lower half of the server's capabilities.
    capabilities: u16,
}

impl MysqlGreeting {
    fn parse(packet: &[u8]) -> Option<Self> {
        let rest = packet.strip_prefix(&[10])?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        // A thread id, eight bytes of a challenge and a zero precede the capabilities.
        let capabilities = rest.get(end + 14..end + 16)?;
        Some(Self {
            version: reported(&rest[..end]),
            capabilities: u16::from_le_bytes([capabilities[0], capabilities[1]]),
        })
    }
}

/// `ExtendedRequest` with the object identifier of StartTLS, message 1.
const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Sends the extended operation StartTLS and reads its result (RFC 4511 section 4.14).
pub(super) async fn ldap(connection: &mut TcpStream) -> Result<(), StartTlsError> {
    let protocol = StartTls::Ldap;
    send(connection, LDAP_REQUEST).await?;
    let tag = read_byte(connection).await?;
    let length = if tag == 0x30 {
        read_ber_length(connection).await?
    } else {
        None
    };
    let Some(length) = length.filter(|length| *length <= LINE) else {
        let sent = reported(&[tag]);
        return Err(StartTlsError::Otherwise { protocol, sent });
    };
    let message = read_bytes(connection, length).await?;
    match ldap_result(&message) {
        Some(0) => Ok(()),
        Some(code) => Err(StartTlsError::Refused {
            protocol,
            sent: format!("result code {code}"),
        }),
        None => Err(StartTlsError::Otherwise {
            protocol,
            sent: reported(&message),
        }),
    }
}

/// Reads a length of BER in its short form or with up to two bytes; `None` for a longer one.
async fn read_ber_length(connection: &mut TcpStream) -> Result<Option<usize>, StartTlsError> {
    let first = read_byte(connection).await?;
    if first < 0x80 {
        return Ok(Some(usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    // Servers of today use up to four bytes for any length.
    if !(1..=4).contains(&count) {
        return Ok(None);
    }
    let bytes = read_bytes(connection, count).await?;
    let length = bytes
        .iter()
        .fold(0, |length: usize, byte| (length << 8) | usize::from(*byte));
    Ok(Some(length))
}

/// Returns the result code of an `ExtendedResponse` to message 1, without its outer tag.
fn ldap_result(message: &[u8]) -> Option<u8> {
    let response = message.strip_prefix(&[2, 1, 1, 0x78])?;
    let (&length, rest) = response.split_first()?;
    let fields = if length < 0x80 {
        rest
    } else {
        rest.get(usize::from(length & 0x7f)..)?
    };
    fields.strip_prefix(&[10, 1])?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::{MysqlGreeting, ldap_result};

    #[test]
    fn answers_are_parsed() {
        for (message, code) in [
            (
                &b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"[..],
                Some(0),
            ),
            (
                b"\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x34\x04\x00\x04\x00",
                Some(52),
            ),
            (b"\x02\x01\x02\x78\x07\x0a\x01\x00", None),
            (b"\x02\x01\x01\x78\xff", None),
            (b"", None),
        ] {
            assert_eq!(ldap_result(message), code, "{message:?}");
        }
        let greeting = b"\x0a5.5\x00aaaabbbbbbbb\x00\x00\x08rest";
        let parsed = MysqlGreeting::parse(greeting).unwrap();
        assert_eq!(
            (parsed.version.as_str(), parsed.capabilities),
            ("5.5", 0x0800)
        );
        for length in 0..20 {
            assert!(MysqlGreeting::parse(&greeting[..length.min(18)]).is_none());
        }
    }
}
