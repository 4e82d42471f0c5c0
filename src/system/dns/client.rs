//! Sends one question and receives its answer: by UDP, with retransmissions, and by TCP if the
//! answer is truncated. Datagrams that are not the answer to this question from this server are
//! ignored until the deadline (RFC 5452).
//!
//! hickory's UDP client is not used: its socket is not connected, so a closed port looks like a
//! server that does not answer; it stops at the first malformed datagram, which an attacker can
//! send; and it gives up after three datagrams.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query as Question, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use rustix::io::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::system::activity;
use crate::system::dns::congestion::{CongestionControl, ServerCongestion};
use crate::system::signals::most_open_files;

/// The maximum time for one question.
pub(super) const QUESTION: Duration = Duration::from_secs(4);
/// How often one question is sent at the most.
pub(super) const TRANSMISSIONS: u32 = 5;
/// The maximum size of a UDP answer that is requested; it is not fragmented in any usual network.
const UDP_SIZE: u16 = 1232;
/// The maximum number of questions that are open at once.
const AT_ONCE: usize = 400;

/// One question to one server.
#[derive(Clone, Debug)]
pub(super) struct DnsQuery {
    pub server: SocketAddr,
    pub name: Name,
    pub kind: RecordType,
    pub recursion: RecursionDesired,
    pub form: QueryForm,
}

/// Whether signatures and extended errors are requested (EDNS, DO).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QueryForm {
    Plain,
    Signed,
}

/// Whether the server should query other servers (RD).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RecursionDesired {
    Desired,
    /// The same without validation of DNSSEC signatures (CD, RFC 4035 section 3.2.2).
    DesiredUnchecked,
    No,
}

impl RecursionDesired {
    /// Returns the shortest timeout, however fast earlier answers were, because a resolver has to
    /// query other servers.
    pub(super) fn least(self) -> Duration {
        match self {
            Self::No => Duration::from_millis(30),
            Self::Desired | Self::DesiredUnchecked => Duration::from_millis(200),
        }
    }
}

/// Why there is no usable answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum QueryError {
    Closed,
    NoRoute,
    /// The UDP answer was truncated, and there was none by TCP.
    NoTcp,
    Other(String),
    Timeout,
}

/// Sends questions until a deadline. Clones share the congestion state of servers.
#[derive(Clone, Debug)]
pub(super) struct DnsClient {
    deadline: Instant,
    congestion_control: Arc<CongestionControl>,
    sockets: Arc<Semaphore>,
}

impl DnsClient {
    pub(super) fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            congestion_control: Arc::default(),
            sockets: Arc::new(Semaphore::new(most_open_files(AT_ONCE))),
        }
    }

    /// Returns the congestion state of a server.
    pub(super) fn server_congestion(&self, server: SocketAddr) -> Arc<ServerCongestion> {
        self.congestion_control.to(server)
    }

    /// Returns the same client with another deadline.
    pub(super) fn with_deadline(&self, deadline: Instant) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    pub(super) async fn query(&self, query: &DnsQuery) -> Result<Message, QueryError> {
        let congestion = self.congestion_control.to(query.server);
        let Ok(Some(_slot)) = timeout_at(self.deadline, congestion.wait_for_slot()).await else {
            return Err(QueryError::Timeout);
        };
        let Ok(_socket) = timeout_at(self.deadline, self.sockets.acquire()).await else {
            return Err(QueryError::Timeout);
        };
        let deadline = self.deadline.min(Instant::now() + QUESTION);
        activity::report_query(|| describe_query(&query.name, query.kind, query.server));
        timeout_at(deadline, exchange(query, &congestion))
            .await
            .unwrap_or_else(|_| {
                // A resolver that has ever answered may be waiting for other servers, so it does
                // not count as unresponsive.
                if query.recursion == RecursionDesired::No || !congestion.has_answered() {
                    congestion.note_silence();
                }
                Err(QueryError::Timeout)
            })
    }
}

/// Describes a question for `-v`.
pub(super) fn describe_query(name: &Name, kind: RecordType, server: SocketAddr) -> String {
    format!("{kind} {name} at {server}")
}

async fn exchange(query: &DnsQuery, congestion: &ServerCongestion) -> Result<Message, QueryError> {
    let mut message = Message::query();
    message.metadata.recursion_desired = query.recursion != RecursionDesired::No;
    message.metadata.checking_disabled = query.recursion == RecursionDesired::DesiredUnchecked;
    message.add_query(Question::query(query.name.clone(), query.kind));
    if query.form == QueryForm::Signed {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_SIZE).set_dnssec_ok(true);
        message.set_edns(edns);
    }
    let bytes = message
        .to_vec()
        .map_err(|error| QueryError::Other(error.to_string()))?;
    let answer = by_udp(query, congestion, &message, &bytes).await?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    by_tcp(query.server, &message, &bytes)
        .await
        .map_err(|_| QueryError::NoTcp)
}

/// Sends a question from its own socket: an attacker who does not see it can guess neither its
/// port, which the system chooses, nor its id, which is random (RFC 5452 section 9.2).
async fn by_udp(
    query: &DnsQuery,
    congestion: &ServerCongestion,
    question: &Message,
    bytes: &[u8],
) -> Result<Message, QueryError> {
    let server = query.server;
    let any = if server.is_ipv4() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(no_answer)?;
    // Connected: the system drops datagrams of other senders and reports a closed port.
    socket.connect(server).await.map_err(no_answer)?;
    for transmission in 0..TRANSMISSIONS {
        let sent = Instant::now();
        socket.send(bytes).await.map_err(no_answer)?;
        let wait = congestion.timeout(transmission, query.recursion.least());
        if let Ok(answer) = timeout(wait, receive(&socket, question)).await {
            let answer = answer.map_err(no_answer)?;
            congestion.note_answer((transmission == 0).then(|| sent.elapsed()));
            return Ok(answer);
        }
        congestion.note_loss();
    }
    // It was sent often enough; a late answer may arrive until the deadline.
    let answer = receive(&socket, question).await.map_err(no_answer)?;
    congestion.note_answer(None);
    Ok(answer)
}

async fn receive(socket: &UdpSocket, question: &Message) -> io::Result<Message> {
    let mut buffer = [0_u8; 4096];
    loop {
        let length = tokio::select! {
            length = socket.recv(&mut buffer) => length?,
            // A closed port is reported as an error, not as a datagram.
            _ = socket.ready(Interest::ERROR) => {
                return Err(socket.take_error()?.unwrap_or_else(|| ErrorKind::ConnectionRefused.into()));
            }
        };
        if let Some(answer) = answer_to(question, &buffer[..length]) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &Message, bytes: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(bytes);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0_u8; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    answer_to(question, &answer).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))
}

/// Returns the message in `bytes`, if it answers `question`: same id, same question. Only an error
/// may omit the question.
pub(super) fn answer_to(question: &Message, bytes: &[u8]) -> Option<Message> {
    let mut answer = Message::from_vec(bytes).ok()?;
    // Records of another class are not part of the answer (RFC 1035 3.2.4).
    for section in [
        &mut answer.answers,
        &mut answer.authorities,
        &mut answer.additionals,
    ] {
        section.retain(|record| record.dns_class == DNSClass::IN);
    }
    let bare_error =
        answer.queries.is_empty() && answer.metadata.response_code != ResponseCode::NoError;
    let same = answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && (answer.queries == question.queries || bare_error);
    same.then_some(answer)
}

pub(super) fn no_answer(error: io::Error) -> QueryError {
    const NO_ROUTE: [Errno; 4] = [
        Errno::NETUNREACH,
        Errno::ADDRNOTAVAIL,
        Errno::AFNOSUPPORT,
        Errno::HOSTUNREACH,
    ];
    match (error.kind(), Errno::from_io_error(&error)) {
        (ErrorKind::ConnectionRefused, _) => QueryError::Closed,
        (_, Some(errno)) if NO_ROUTE.contains(&errno) => QueryError::NoRoute,
        _ => QueryError::Other(error.to_string()),
    }
}
