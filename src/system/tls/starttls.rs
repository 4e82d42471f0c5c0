//! Starts TLS in a plain-text protocol. Reads byte by byte, so that bytes injected after the answer
//! become part of the handshake, which then fails. The server's answers are untrusted text, bounded
//! in length.

mod binary;
mod exchange;
mod text;
mod xmpp;

use tokio::net::TcpStream;

pub(crate) use self::exchange::StartTlsError;
pub(crate) use self::exchange::{LINE, LINES};

use crate::probe::{ProbeTarget, StartTls};

/// Requests TLS; afterwards the handshake may start. The caller bounds the time.
///
/// # Errors
/// See [`StartTlsError`].
pub(crate) async fn open(
    connection: &mut TcpStream,
    protocol: StartTls,
    target: &ProbeTarget,
) -> Result<(), StartTlsError> {
    match protocol {
        StartTls::Ldap => binary::ldap(connection).await,
        StartTls::Mysql => binary::mysql(connection).await,
        StartTls::Postgres => binary::postgres(connection).await,
        StartTls::Xmpp => xmpp::open(connection, target).await,
        StartTls::Ftp
        | StartTls::Imap
        | StartTls::Lmtp
        | StartTls::Nntp
        | StartTls::Pop3
        | StartTls::Sieve
        | StartTls::Smtp => text::open(connection, protocol).await,
    }
}
