//! Protocols of lines: SMTP (RFC 3207), LMTP (RFC 2033), IMAP (RFC 9051 section 6.2.1), POP3 (RFC
//! 2595 section 4), ManageSieve (RFC 5804 section 2.2), FTP (RFC 4217 section 4) and NNTP (RFC 4642).

use tokio::net::TcpStream;

use super::exchange::{LINE, LINES, StartTlsError, read_byte, reported, send};
use crate::probe::StartTls;

/// What is sent, and the line that answers it.
struct Exchange {
    request: &'static [u8],
    /// The start of the line that agrees.
    accepted: &'static str,
    /// The start of the last line of an answer in which others precede it.
    last: LastLine,
}

/// How the last line of an answer is recognized.
#[derive(Clone, Copy)]
enum LastLine {
    /// There is only one line.
    Only,
    /// A reply code and a hyphen start an answer that ends with the same code and a space (RFC 959
    /// section 4.2, RFC 5321 section 4.2.1).
    Code,
    /// Lines that start with `* ` precede it.
    Tagged,
    /// It starts with `OK`, `NO` or `BYE`.
    Sieve,
}

const fn exchange(request: &'static [u8], accepted: &'static str, last: LastLine) -> Exchange {
    Exchange {
        request,
        accepted,
        last,
    }
}

/// The greeting and what precedes the request for TLS, which is the last.
const SMTP: [Exchange; 3] = [
    exchange(b"", "220", LastLine::Code),
    // A literal needs no name that would have to resolve (RFC 5321 4.1.3).
    exchange(b"EHLO [127.0.0.1]\r\n", "250", LastLine::Code),
    exchange(b"STARTTLS\r\n", "220", LastLine::Code),
];
const LMTP: [Exchange; 3] = [
    exchange(b"", "220", LastLine::Code),
    exchange(b"LHLO [127.0.0.1]\r\n", "250", LastLine::Code),
    exchange(b"STARTTLS\r\n", "220", LastLine::Code),
];
const IMAP: [Exchange; 2] = [
    exchange(b"", "* OK", LastLine::Only),
    exchange(b"a1 STARTTLS\r\n", "a1 OK", LastLine::Tagged),
];
const POP3: [Exchange; 2] = [
    exchange(b"", "+OK", LastLine::Only),
    exchange(b"STLS\r\n", "+OK", LastLine::Only),
];
const SIEVE: [Exchange; 2] = [
    exchange(b"", "OK", LastLine::Sieve),
    exchange(b"STARTTLS\r\n", "OK", LastLine::Sieve),
];
const FTP: [Exchange; 2] = [
    exchange(b"", "220", LastLine::Code),
    exchange(b"AUTH TLS\r\n", "234", LastLine::Code),
];
/// 201: posting is not allowed, which does not matter here.
const NNTP: [Exchange; 2] = [
    exchange(b"", "20", LastLine::Only),
    exchange(b"STARTTLS\r\n", "382", LastLine::Only),
];

fn exchanges(protocol: StartTls) -> &'static [Exchange] {
    match protocol {
        StartTls::Smtp => &SMTP,
        StartTls::Lmtp => &LMTP,
        StartTls::Imap => &IMAP,
        StartTls::Pop3 => &POP3,
        StartTls::Sieve => &SIEVE,
        StartTls::Ftp => &FTP,
        StartTls::Nntp => &NNTP,
        StartTls::Ldap | StartTls::Mysql | StartTls::Postgres | StartTls::Xmpp => &[],
    }
}

/// Requests TLS in a protocol of lines.
pub(super) async fn open(
    connection: &mut TcpStream,
    protocol: StartTls,
) -> Result<(), StartTlsError> {
    let exchanges = exchanges(protocol);
    for (index, exchange) in exchanges.iter().enumerate() {
        send(connection, exchange.request).await?;
        let sent = read_answer(connection, protocol, exchange.last).await?;
        if starts_with(&sent, exchange.accepted) {
            continue;
        }
        return Err(if index + 1 == exchanges.len() {
            StartTlsError::Refused { protocol, sent }
        } else {
            StartTlsError::Otherwise { protocol, sent }
        });
    }
    Ok(())
}

/// Whether a line starts with `word`, in any case (RFC 5804 section 1.2, RFC 9051 section 9).
fn starts_with(line: &str, word: &str) -> bool {
    let start = line.get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Reads the last line of an answer.
async fn read_answer(
    connection: &mut TcpStream,
    protocol: StartTls,
    last: LastLine,
) -> Result<String, StartTlsError> {
    let mut code: Option<String> = None;
    for _ in 0..LINES {
        let line = read_line(connection, protocol).await?;
        let is_last = match last {
            LastLine::Only => true,
            LastLine::Tagged => !line.starts_with("* "),
            LastLine::Sieve => is_last_of_sieve(&line),
            LastLine::Code => match &code {
                Some(code) => line.starts_with(&format!("{code} ")),
                None => {
                    code = code_of_many_lines(&line);
                    code.is_none()
                }
            },
        };
        if is_last {
            return Ok(line);
        }
    }
    Err(StartTlsError::Otherwise {
        protocol,
        sent: format!("more than {LINES} lines"),
    })
}

/// Whether a line of ManageSieve is not one of its capabilities, which are quoted or literals (RFC
/// 5804 section 1.7). A server of another protocol is recognized by its first line.
fn is_last_of_sieve(line: &str) -> bool {
    let is_literal_text = line.ends_with('}') || line.is_empty();
    !line.starts_with('"') && !is_literal_text
}

/// Returns the code of an answer that has further lines: `220-`.
fn code_of_many_lines(line: &str) -> Option<String> {
    let (code, _) = line.split_once('-')?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| code.to_owned())
}

async fn read_line(
    connection: &mut TcpStream,
    protocol: StartTls,
) -> Result<String, StartTlsError> {
    let mut bytes = Vec::new();
    loop {
        let byte = read_byte(connection).await?;
        if byte == b'\n' {
            break;
        }
        bytes.push(byte);
        if bytes.len() > LINE {
            let sent = reported(&bytes);
            return Err(StartTlsError::Otherwise { protocol, sent });
        }
    }
    Ok(reported(&bytes))
}

#[cfg(test)]
mod tests {
    use super::{code_of_many_lines, is_last_of_sieve, starts_with};

    #[test]
    fn last_lines_are_recognized() {
        for (line, code) in [("220-a", Some("220")), ("220 a", None), ("a-b", None)] {
            assert_eq!(code_of_many_lines(line).as_deref(), code, "{line}");
        }
        for (line, is_last) in [
            ("\"SIEVE\" \"fileinto\"", false),
            ("\"IMPLEMENTATION\" {7}", false),
            ("ok \"ready\"", true),
            ("NO", true),
            ("220 ESMTP", true),
        ] {
            assert_eq!(is_last_of_sieve(line), is_last, "{line}");
        }
        assert!(starts_with("ok done", "OK") && !starts_with("é", "OK"));
    }
}
