//! Reads the first flight of a server up to TLS 1.2 (RFC 5246 7.4.1.3, 7.4.2; RFC 6066 section 8),
//! which is sent in the clear: the version, the certificates, and a stapled OCSP response. Messages
//! are put together across records. Untrusted bytes: every length is checked, and at most 64 KiB are
//! accepted.

/// The most bytes that are read from a server, the limit of rustls as well.
pub const FLIGHT_LIMIT: usize = 64 * 1024;

/// The longest record: 2^14 bytes of plain text (RFC 5246 6.2.1); some servers send a little more.
const RECORD_LIMIT: usize = (1 << 14) + 2048;

const ALERT_RECORD: u8 = 21;
const HANDSHAKE_RECORD: u8 = 22;

const HELLO_REQUEST: u8 = 0;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_STATUS: u8 = 22;

/// The extension in which a server announces a stapled response.
const STATUS_REQUEST: u16 = 5;

/// What a server sent in the clear.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClearCertificates {
    /// The certificates as received, DER, the leaf first. Untrusted bytes.
    pub chain: Vec<Vec<u8>>,
    /// `TLS 1.2`, `TLS 1.1`, `TLS 1.0` or `SSL 3.0`.
    pub protocol: &'static str,
    /// The stapled OCSP response; empty without one. Untrusted bytes.
    pub stapled: Vec<u8>,
}

/// Why a flight contains no certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FlightError {
    /// The server ended the handshake with this alert (RFC 5246 7.2.2).
    #[error("the alert {0}")]
    Alert(u8),
    /// A message breaks the protocol.
    #[error("a message that breaks the TLS protocol")]
    Malformed,
    /// The bytes are not TLS.
    #[error("bytes that are not TLS")]
    NotTls,
    /// The server sends more than clients accept.
    #[error("more than 64 KiB")]
    TooMuch,
}

/// The flight of a server as far as it was received.
#[derive(Debug, Default)]
pub struct ServerFlight {
    /// Received bytes that are not a whole record yet.
    records: Vec<u8>,
    /// The content of handshake records that is not a whole message yet.
    messages: Vec<u8>,
    received: usize,
    found: ClearCertificates,
    /// Whether the server announced a stapled response, which follows the certificates.
    staples: bool,
}

impl ServerFlight {
    /// Adds received bytes; returns the certificates once everything that belongs to them is there.
    ///
    /// # Errors
    /// See [`FlightError`]; the flight cannot be continued then.
    pub fn add(&mut self, bytes: &[u8]) -> Result<Option<ClearCertificates>, FlightError> {
        self.received = self.received.saturating_add(bytes.len());
        self.records.extend_from_slice(bytes);
        let is_done = self.read_records()?;
        if is_done {
            return Ok(Some(std::mem::take(&mut self.found)));
        }
        if self.received > FLIGHT_LIMIT {
            return Err(FlightError::TooMuch);
        }
        Ok(None)
    }

    /// Returns the certificates if they were received when the connection ends, even if a stapled
    /// response was announced and did not follow.
    #[must_use]
    pub fn finish(self) -> Option<ClearCertificates> {
        (!self.found.chain.is_empty()).then_some(self.found)
    }

    /// Reads the whole records; returns whether the certificates are complete.
    fn read_records(&mut self) -> Result<bool, FlightError> {
        while let Some((kind, length)) = self.next_record()? {
            let content: Vec<u8> = self.records.drain(..5 + length).skip(5).collect();
            match kind {
                HANDSHAKE_RECORD => self.messages.extend(content),
                // An alert of the level "warning" does not end the handshake (RFC 5246 7.2).
                _ => match content[..] {
                    [1, description] if description != 0 => {}
                    [_, description] => return Err(FlightError::Alert(description)),
                    _ => return Err(FlightError::Malformed),
                },
            }
            if self.read_messages()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The type and the length of the next record, if all of it was received.
    fn next_record(&self) -> Result<Option<(u8, usize)>, FlightError> {
        let Some(&kind) = self.records.first() else {
            return Ok(None);
        };
        if !matches!(kind, ALERT_RECORD | HANDSHAKE_RECORD)
            || self.records.get(1).is_some_and(|&major| major != 3)
        {
            return Err(FlightError::NotTls);
        }
        let &[_, _, _, high, low, ..] = &self.records[..] else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > RECORD_LIMIT {
            return Err(FlightError::Malformed);
        }
        Ok((self.records.len() >= 5 + length).then_some((kind, length)))
    }

    /// Reads the whole messages; returns whether the certificates are complete.
    fn read_messages(&mut self) -> Result<bool, FlightError> {
        while let Some(&[kind, first, second, third]) = self.messages.first_chunk() {
            let length = usize::try_from(u32::from_be_bytes([0, first, second, third]))
                .map_err(|_| FlightError::TooMuch)?;
            if length > FLIGHT_LIMIT {
                return Err(FlightError::TooMuch);
            }
            if self.messages.len() < 4 + length {
                return Ok(false);
            }
            let content: Vec<u8> = self.messages.drain(..4 + length).skip(4).collect();
            if self.read_message(kind, &content)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_message(&mut self, kind: u8, content: &[u8]) -> Result<bool, FlightError> {
        let has_hello = !self.found.protocol.is_empty();
        let has_chain = !self.found.chain.is_empty();
        match kind {
            HELLO_REQUEST => Ok(false),
            SERVER_HELLO if !has_hello => {
                let hello = read_server_hello(content).ok_or(FlightError::Malformed)?;
                self.found.protocol = hello.protocol;
                self.staples = hello.staples;
                Ok(false)
            }
            CERTIFICATE if has_hello && !has_chain => {
                self.found.chain = read_certificates(content).ok_or(FlightError::Malformed)?;
                Ok(!self.staples)
            }
            CERTIFICATE_STATUS if has_chain => {
                self.found.stapled = read_status(content).ok_or(FlightError::Malformed)?;
                Ok(true)
            }
            // An announced response may be missing (RFC 6066 section 8).
            _ if has_chain => Ok(true),
            _ => Err(FlightError::Malformed),
        }
    }
}

struct ServerHello {
    protocol: &'static str,
    staples: bool,
}

/// Splits off a value with its length before it, in `width` bytes.
fn split_value(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length
        .iter()
        .fold(0_usize, |sum, &byte| (sum << 8) | usize::from(byte));
    rest.split_at_checked(length)
}

fn read_server_hello(content: &[u8]) -> Option<ServerHello> {
    let (version, rest) = content.split_at_checked(2)?;
    let protocol = match version {
        [3, 3] => "TLS 1.2",
        [3, 2] => "TLS 1.1",
        [3, 1] => "TLS 1.0",
        [3, 0] => "SSL 3.0",
        _ => return None,
    };
    let (_random, rest) = rest.split_at_checked(32)?;
    let (_session, rest) = split_value(rest, 1)?;
    // Cipher suite and compression method.
    let (_, rest) = rest.split_at_checked(3)?;
    let mut staples = false;
    if !rest.is_empty() {
        let (mut extensions, _) = split_value(rest, 2)?;
        while !extensions.is_empty() {
            let (kind, rest) = extensions.split_at_checked(2)?;
            let (_, rest) = split_value(rest, 2)?;
            staples |= kind == STATUS_REQUEST.to_be_bytes();
            extensions = rest;
        }
    }
    Some(ServerHello { protocol, staples })
}

/// The certificates of a message; at least one, none of them empty.
fn read_certificates(content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut list, rest) = split_value(content, 3)?;
    if !rest.is_empty() {
        return None;
    }
    let mut chain = Vec::new();
    while !list.is_empty() {
        let (certificate, rest) = split_value(list, 3)?;
        if certificate.is_empty() {
            return None;
        }
        chain.push(certificate.to_vec());
        list = rest;
    }
    (!chain.is_empty()).then_some(chain)
}

/// The OCSP response of a CertificateStatus message.
fn read_status(content: &[u8]) -> Option<Vec<u8>> {
    let (&kind, rest) = content.split_first()?;
    let (response, _) = split_value(rest, 3)?;
    (kind == 1).then(|| response.to_vec())
}

/// The name of an alert, as rustls writes it; the number if it is unknown (RFC 8446 6.2).
#[must_use]
pub(crate) fn alert_name(description: u8) -> String {
    let name = match description {
        0 => "CloseNotify",
        10 => "UnexpectedMessage",
        20 => "BadRecordMac",
        22 => "RecordOverflow",
        40 => "HandshakeFailure",
        42 => "BadCertificate",
        43 => "UnsupportedCertificate",
        46 => "CertificateUnknown",
        47 => "IllegalParameter",
        49 => "AccessDenied",
        50 => "DecodeError",
        70 => "ProtocolVersion",
        71 => "InsufficientSecurity",
        80 => "InternalError",
        86 => "InappropriateFallback",
        90 => "UserCanceled",
        109 => "MissingExtension",
        110 => "UnsupportedExtension",
        112 => "UnrecognisedName",
        116 => "CertificateRequired",
        120 => "NoApplicationProtocol",
        _ => return description.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ClearCertificates, FLIGHT_LIMIT, FlightError, ServerFlight, alert_name};

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind], &length[1..], content].concat()
    }

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], &length[..], content].concat()
    }

    fn hello(minor: u8, extensions: &[u8]) -> Vec<u8> {
        let mut content = vec![3, minor];
        content.extend_from_slice(&[9; 32]);
        content.extend_from_slice(&[0, 0xc0, 0x2f, 0]);
        content.extend_from_slice(extensions);
        message(2, &content)
    }

    fn certificates(chain: &[&[u8]]) -> Vec<u8> {
        let with_length = |content: &[u8]| message(0, content)[1..].to_vec();
        let list: Vec<u8> = chain.iter().flat_map(|one| with_length(one)).collect();
        message(11, &with_length(&list))
    }

    const STAPLES: [u8; 6] = [0, 4, 0, 5, 0, 0];

    fn status(response: &[u8]) -> Vec<u8> {
        let value = message(1, response);
        message(22, &value)
    }

    /// Feeds the bytes in pieces of this size.
    fn read(bytes: &[u8], size: usize) -> Result<Option<ClearCertificates>, FlightError> {
        let mut flight = ServerFlight::default();
        for piece in bytes.chunks(size) {
            if let Some(found) = flight.add(piece)? {
                return Ok(Some(found));
            }
        }
        Ok(flight.finish())
    }

    #[test]
    fn certificates_are_read_across_records_and_pieces() {
        let leaf = vec![1; 30_000];
        let messages = [
            hello(3, &[]),
            certificates(&[&leaf, &[2, 2]]),
            message(14, &[]),
        ]
        .concat();
        let flight: Vec<u8> = messages
            .chunks(1_000)
            .flat_map(|part| record(22, part))
            .collect();
        for size in [1, 5, 4096, flight.len()] {
            let found = read(&flight, size).unwrap().unwrap();
            assert_eq!(found.chain, [leaf.clone(), vec![2, 2]], "{size}");
            assert_eq!((found.protocol, found.stapled.len()), ("TLS 1.2", 0));
        }
    }

    #[test]
    fn a_stapled_response_follows_the_certificates() {
        let start = [hello(1, &STAPLES), certificates(&[&[1]])].concat();
        for (rest, expected) in [
            (status(&[7, 7]), &[7, 7][..]),
            (message(14, &[]), &[][..]),
            (Vec::new(), &[][..]),
        ] {
            let flight = record(22, &[start.clone(), rest].concat());
            let found = read(&flight, 3).unwrap().unwrap();
            assert_eq!((found.protocol, &found.stapled[..]), ("TLS 1.0", expected));
        }
    }

    #[test]
    fn alerts_and_other_protocols_are_reported() {
        assert_eq!(read(&record(21, &[2, 40]), 1), Err(FlightError::Alert(40)));
        assert_eq!(
            read(b"HTTP/1.1 400 Bad Request", 4),
            Err(FlightError::NotTls)
        );
        assert_eq!(read(&[22, 9], 2), Err(FlightError::NotTls));
        assert_eq!(read(&[], 1), Ok(None));
        assert_eq!(alert_name(70), "ProtocolVersion");
        assert_eq!(alert_name(255), "255");
        // A warning does not end the handshake.
        let warned = [
            record(21, &[1, 112]),
            record(22, &[hello(3, &[]), certificates(&[&[1]])].concat()),
        ];
        assert!(read(&warned.concat(), 7).unwrap().is_some());
    }

    #[test]
    fn lengths_that_do_not_fit_are_rejected() {
        for messages in [
            message(2, &[3, 3, 1]),
            hello(4, &[]),
            certificates(&[&[1]]),
            [hello(3, &[]), message(11, &[0, 0, 9, 0, 0, 1])].concat(),
            [hello(3, &[]), message(11, &[0, 0, 0])].concat(),
            [hello(3, &[]), message(12, &[])].concat(),
            [hello(3, &[]), hello(3, &[])].concat(),
        ] {
            let flight = record(22, &messages);
            assert_eq!(
                read(&flight, 2),
                Err(FlightError::Malformed),
                "{messages:?}"
            );
        }
        assert_eq!(
            read(&[22, 3, 3, 0xff, 0xff], 5),
            Err(FlightError::Malformed)
        );
        let huge = record(22, &[11, 1, 0, 1]);
        let flight = [record(22, &hello(3, &[])), huge].concat();
        assert_eq!(read(&flight, 9), Err(FlightError::TooMuch));
        let endless = record(22, &[0; 0]).repeat(FLIGHT_LIMIT / 5 + 2);
        assert_eq!(read(&endless, 100), Err(FlightError::TooMuch));
    }
}
