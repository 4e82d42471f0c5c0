//! Dynamic updates (RFC 2136) and queries that are signed with a TSIG key (RFC 8945), at one server:
//! by UDP first, then by TCP. A success counts only with a valid signature, so that no other host can
//! report it. The prerequisites in an update make it atomic: the server refuses it if the name has
//! changed since it was read.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{
    Message, MessageType, OpCode, Query as Question, ResponseCode, UpdateMessage,
};
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::rdata::{CNAME, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigVerifier, TSigner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::message::name_text;
use super::survey::{DnsError, until_signal};
use crate::publishing::tsig_key::{TsigHash, TsigKeyError, TsigKeyText};
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::activity;
use crate::system::clock;
use crate::system::signals::InterruptSignal;

/// The maximum wait for an answer by UDP, and by TCP.
const BY_UDP: Duration = Duration::from_secs(3);
const BY_TCP: Duration = Duration::from_secs(10);
/// How often a message is sent by UDP.
const TRANSMISSIONS: usize = 2;
/// The difference between the clocks that a signature allows, in seconds (RFC 8945 section 10).
const FUDGE: u16 = 300;
/// The longest string in a TXT record, in bytes (RFC 1035 section 3.3).
const STRING_LIMIT: usize = 255;

/// A server that accepts updates, and the key for it.
#[derive(Clone)]
pub(crate) struct UpdateServer {
    /// Its addresses, of which the first that answers is used.
    addresses: Vec<SocketAddr>,
    signer: TSigner,
}

/// How the records at a name are to be changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ZoneUpdate<'a> {
    Add(&'a RecordValue),
    Remove(&'a RecordValue),
    /// The first is replaced by the second, in one step.
    Replace(&'a RecordValue, &'a RecordValue),
}

/// Why an update or a signed query had no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error(transparent)]
    Key(#[from] TsigKeyError),
    /// The server answered with another code than NOERROR; with the error of the signature.
    #[error("{server} answered {code}")]
    Rejected { server: SocketAddr, code: String },
    /// The server does not accept the signature.
    #[error("{server} answered {code} ({fault})")]
    WrongSignature {
        server: SocketAddr,
        code: String,
        fault: &'static str,
    },
    #[error("{server} does not answer: {reason}")]
    Unreachable { server: SocketAddr, reason: String },
    #[error("the answer of {server} has no valid signature")]
    Unsigned { server: SocketAddr },
    #[error("{0:?} cannot be a name in the zone {1:?}")]
    Name(String, String),
}

impl UpdateServer {
    /// Creates a server from its addresses and the text of the key.
    ///
    /// # Errors
    /// [`TsigKeyError`] for a secret that is not base64, or a name that is not valid.
    pub(crate) fn new(
        server_addresses: Vec<SocketAddr>,
        key: &TsigKeyText,
    ) -> Result<Self, TsigKeyError> {
        use base64::Engine;
        let secret = key.secret.expose().trim();
        let secret = base64::engine::general_purpose::STANDARD
            .decode(secret)
            .map_err(|_| TsigKeyError::Secret)?;
        let name = Name::from_ascii(&key.name).map_err(|_| TsigKeyError::Name)?;
        let algorithm = match key.algorithm {
            TsigHash::Sha256 => TsigAlgorithm::HmacSha256,
            TsigHash::Sha384 => TsigAlgorithm::HmacSha384,
            TsigHash::Sha512 => TsigAlgorithm::HmacSha512,
        };
        let signer =
            TSigner::new(secret, algorithm, name, FUDGE).map_err(|_| TsigKeyError::Algorithm)?;
        Ok(Self {
            addresses: server_addresses,
            signer,
        })
    }
}

/// Asks the server to change the records at a name. Success means that it accepted the update, not
/// that the records are there.
///
/// # Errors
/// See [`UpdateError`].
pub(crate) fn send_update(
    server: &UpdateServer,
    at: &RecordLocation,
    change: ZoneUpdate<'_>,
    ttl: u32,
    interrupt: &InterruptSignal,
) -> Result<(), UpdateError> {
    let message = update_message(at, change, ttl)?;
    let describe = || format!("UPDATE {} in {}", at.name, at.zone);
    exchange(server, message, describe, interrupt).map(|_| ())
}

/// Returns the CNAME and TXT records at a name, as the server that accepts updates has them.
///
/// # Errors
/// See [`UpdateError`].
pub(crate) fn query_signed(
    server: &UpdateServer,
    at: &RecordLocation,
    interrupt: &InterruptSignal,
) -> Result<Vec<RecordValue>, UpdateError> {
    let (name, _) = names_of(at)?;
    let mut records: Vec<RecordValue> = Vec::new();
    for kind in [RecordType::CNAME, RecordType::TXT] {
        let mut message = Message::query();
        message.metadata.recursion_desired = false;
        message.add_query(Question::query(name.clone(), kind));
        let describe = || format!("{kind} {name}");
        let answer = exchange(server, message, describe, interrupt)?;
        for record in &answer.answers {
            if record.name != name {
                continue;
            }
            if let Some(value) = value_of(&record.data)
                && !records.contains(&value)
            {
                records.push(value);
            }
        }
    }
    Ok(records)
}

fn value_of(data: &RData) -> Option<RecordValue> {
    match data {
        RData::CNAME(target) => Some(RecordValue {
            kind: PublishableKind::Cname,
            value: name_text(&target.0),
        }),
        RData::TXT(text) => Some(RecordValue {
            kind: PublishableKind::Txt,
            value: String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        }),
        _ => None,
    }
}

/// Returns the names of the record and of its zone, which has to contain the record.
fn names_of(at: &RecordLocation) -> Result<(Name, Name), UpdateError> {
    let invalid = || UpdateError::Name(at.name.clone(), at.zone.clone());
    let parse = |text: &str| Name::from_ascii(format!("{text}.")).map_err(|_| invalid());
    let name = parse(&at.name)?;
    let zone = parse(&at.zone)?;
    if zone.zone_of(&name) {
        Ok((name, zone))
    } else {
        Err(invalid())
    }
}

fn update_message(
    at: &RecordLocation,
    change: ZoneUpdate<'_>,
    ttl: u32,
) -> Result<Message, UpdateError> {
    let (name, zone) = names_of(at)?;
    let data = |record: &RecordValue| data_of(record, at);
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Update;
    message.metadata.recursion_desired = false;
    let mut section = Question::new();
    section.set_name(zone);
    section.set_query_class(DNSClass::IN);
    section.set_query_type(RecordType::SOA);
    message.add_zone(section);
    match change {
        ZoneUpdate::Add(new) => {
            message.add_pre_requisite(nothing_that_conflicts(&name, new.kind));
            message.add_update(Record::from_rdata(name, ttl, data(new)?));
        }
        ZoneUpdate::Remove(old) => {
            let data = data(old)?;
            message.add_update(deletion(&name, data));
        }
        ZoneUpdate::Replace(old, new) => {
            let old = data(old)?;
            let new = data(new)?;
            let condition = Record::from_rdata(name.clone(), 0, old.clone());
            message.add_pre_requisite(condition);
            message.add_update(deletion(&name, old));
            message.add_update(Record::from_rdata(name, ttl, new));
        }
    }
    Ok(message)
}

/// The condition that nothing prevents a record: for a CNAME, that the name is not in use; for a
/// TXT record, that there is no CNAME (RFC 2136 sections 2.4.5 and 2.4.3).
fn nothing_that_conflicts(name: &Name, new: PublishableKind) -> Record {
    let kind = match new {
        PublishableKind::Cname => RecordType::ANY,
        PublishableKind::Txt => RecordType::CNAME,
    };
    let mut record = Record::update0(name.clone(), 0, kind).into_record_of_rdata();
    record.dns_class = DNSClass::NONE;
    record
}

/// The removal of exactly this record (RFC 2136 section 2.5.4).
fn deletion(name: &Name, data: RData) -> Record {
    let mut record = Record::from_rdata(name.clone(), 0, data);
    record.dns_class = DNSClass::NONE;
    record
}

fn data_of(record: &RecordValue, at: &RecordLocation) -> Result<RData, UpdateError> {
    let text = record.value.trim_end_matches('.');
    match record.kind {
        PublishableKind::Cname => {
            let target = Name::from_ascii(format!("{text}."));
            let target = target.map_err(|_| UpdateError::Name(text.to_owned(), at.zone.clone()))?;
            Ok(RData::CNAME(CNAME(target)))
        }
        PublishableKind::Txt => {
            let strings = record.value.as_bytes().chunks(STRING_LIMIT).collect();
            Ok(RData::TXT(TXT::from_bytes(strings)))
        }
    }
}

/// Signs a message and sends it to the first address that answers.
fn exchange(
    server: &UpdateServer,
    message: Message,
    describe: impl Fn() -> String,
    interrupt: &InterruptSignal,
) -> Result<Message, UpdateError> {
    let sent = async {
        let mut last = None;
        for address in &server.addresses {
            activity::report_query(|| format!("{} at {address}", describe()));
            match exchange_at(*address, server, message.clone()).await {
                Err(error @ UpdateError::Unreachable { .. }) => last = Some(error),
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| UpdateError::Unreachable {
            server: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 53),
            reason: "it has no address".to_owned(),
        }))
    };
    until_signal(interrupt, sent)?
}

async fn exchange_at(
    address: SocketAddr,
    server: &UpdateServer,
    mut message: Message,
) -> Result<Message, UpdateError> {
    let unreachable = |reason: &io::Error| UpdateError::Unreachable {
        server: address,
        reason: reason.to_string(),
    };
    let now = u64::try_from(clock::now().as_second()).unwrap_or_default();
    let Ok(Some(verifier)) = message.finalize(&server.signer, now) else {
        return Err(TsigKeyError::Form.into());
    };
    let Ok(bytes) = message.to_vec() else {
        return Err(TsigKeyError::Form.into());
    };
    let answer = match by_udp(address, &message, &bytes).await {
        Ok(answer) if !is_truncated(&answer) => answer,
        // No answer by UDP may be a firewall; a closed port is one for TCP too, mostly.
        _ => timeout(BY_TCP, by_tcp(address, &message, &bytes))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| unreachable(&error))?,
    };
    read_reply(address, verifier, &answer)
}

/// Returns the message if it reports success with a valid signature. The code is read first: the
/// signature of a refusal is often missing.
fn read_reply(
    server: SocketAddr,
    mut verifier: TSigVerifier,
    bytes: &[u8],
) -> Result<Message, UpdateError> {
    let unsigned = || UpdateError::Unsigned { server };
    let answer = Message::from_vec(bytes).map_err(|_| unsigned())?;
    let code = answer.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        let code = code_word(code);
        return Err(match signature_fault(&answer) {
            Some(fault) => UpdateError::WrongSignature {
                server,
                code,
                fault,
            },
            None => UpdateError::Rejected { server, code },
        });
    }
    verifier.verify(bytes).map_err(|_| unsigned())?;
    Ok(answer)
}

/// Returns what the server says about the signature (RFC 8945 section 3).
fn signature_fault(answer: &Message) -> Option<&'static str> {
    let error = answer.signature()?.data.error.map(u16::from)?;
    SIGNATURE_FAULTS
        .iter()
        .find(|fault| fault.code == error)
        .map(|fault| fault.meaning)
}

/// A fault of a signature.
struct SignatureFault {
    code: u16,
    meaning: &'static str,
}

/// The faults that a server reports (RFC 8945 section 3).
const SIGNATURE_FAULTS: [SignatureFault; 3] = [
    SignatureFault {
        code: 16,
        meaning: "BADSIG: the secret is wrong",
    },
    SignatureFault {
        code: 17,
        meaning: "BADKEY: the server does not have this key, or does not allow it this change",
    },
    SignatureFault {
        code: 18,
        meaning: "BADTIME: the clocks differ by more than five minutes",
    },
];

/// Returns the name of a code as in RFC 2136 section 2.2: `NOTZONE`.
fn code_word(code: ResponseCode) -> String {
    format!("{code:?}").to_uppercase()
}

fn is_truncated(bytes: &[u8]) -> bool {
    Message::from_vec(bytes).is_ok_and(|message| message.metadata.truncation)
}

async fn by_udp(
    server_address: SocketAddr,
    question: &Message,
    bytes: &[u8],
) -> io::Result<Vec<u8>> {
    let any = match server_address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server_address).await?;
    for _ in 0..TRANSMISSIONS {
        socket.send(bytes).await?;
        if let Ok(answer) = timeout(BY_UDP, receive(&socket, question)).await {
            return answer;
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

async fn receive(socket: &UdpSocket, question: &Message) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if is_reply(question, bytes) {
            return Ok(bytes.to_vec());
        }
    }
}

async fn by_tcp(
    server_address: SocketAddr,
    question: &Message,
    bytes: &[u8],
) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server_address).await?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes(), bytes].concat())
        .await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    if is_reply(question, &answer) {
        Ok(answer)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// Returns whether a datagram is the answer to this message. Not every server repeats the zone
/// section of an update.
fn is_reply(question: &Message, bytes: &[u8]) -> bool {
    Message::from_vec(bytes).is_ok_and(|answer| {
        answer.metadata.id == question.metadata.id
            && answer.metadata.message_type == MessageType::Response
            && answer.metadata.op_code == question.metadata.op_code
    })
}
